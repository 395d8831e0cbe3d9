/* hostile: tables of control frames, each sent on a connection of its own, and what becomes of it. */
#ifndef HELP_HOSTILE_H
#define HELP_HOSTILE_H

#include "help/foe.h"

#define BODY(bytes) (const uint8_t *)("" bytes), sizeof(bytes) - 1
#define OPEN (-1) /* the connection stays */

/* One frame on a connection of its own, and what becomes of that. */
struct hostile {
    const char *what;
    uint64_t type;
    const uint8_t *body;
    size_t len;
    int outcome; /* enum close_code or OPEN */
};

static inline void try(const struct victim *v, enum hello_role role, bool skip,
                       const struct hostile *h)
{
    struct foe f;

    foe_start(&f, v, role);
    foe_frame(&f, h->type, skip, h->body, h->len);
    if (h->outcome == OPEN) {
        foe_open(&f, h->what);
    } else {
        foe_closed(&f, (enum close_code)h->outcome, h->what);
    }
    foe_stop(&f);
}

static inline void try_all(const struct victim *v, enum hello_role role, const struct hostile *list,
                           size_t count)
{
    for (size_t i = 0; i < count; i++) {
        try(v, role, false, &list[i]);
    }
    victim_alive(v);
}

#define TRY_ALL(v, role, list) try_all(v, role, list, sizeof(list) / sizeof((list)[0]))

#endif
