/* hostile: tables of control frames, each sent on a connection of its own, and what becomes of
 * it. */
#ifndef DOUBLES_HOSTILE_H
#define DOUBLES_HOSTILE_H

#include "doubles/foe.h"

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

void try(const struct victim *v, enum hello_role role, bool skip, const struct hostile *h);

void try_all(const struct victim *v, enum hello_role role, const struct hostile *list,
             size_t count);

#define TRY_ALL(v, role, list) try_all(v, role, list, sizeof(list) / sizeof((list)[0]))

#endif
