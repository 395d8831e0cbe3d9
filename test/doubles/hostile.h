/* hostile: tables of control frames. Each frame is sent on a connection of its own, and the table
 * says what the node must do. */
#ifndef DOUBLES_HOSTILE_H
#define DOUBLES_HOSTILE_H

#include "doubles/foe.h"

#define BODY(bytes) (const uint8_t *)("" bytes), sizeof(bytes) - 1
#define OPEN (-1) /* the node keeps the connection open */

/* One frame, sent on a connection of its own, and what the node must do with the connection. */
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
