/* hello: the first frame, both ways.
 *
 *     version, role, flags, incarnation u32, max_message, name text, advertise text
 *
 * Only `version` is the same for ever: the fields behind another version's number are unknown.
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include <sys/types.h>
#include "wire/varint.h"

#define CONTROL_VERSION 1

enum hello_role { HELLO_NODE = 0, HELLO_CLIENT = 1 };
#define HELLO_HOLDS_NONE 1u /* I hold no connection to you: one you hold of me is dead */

struct hello {
    uint64_t version;
    enum hello_role role;
    uint64_t flags;
    uint32_t incarnation; /* not 0; of the sending process's start */
    uint64_t max_message; /* longest message it takes */
    const char *name;     /* a node name; borrows. Clients may say "" */
    size_t name_len;
    const char *advertise; /* HOST:PORT or "": what you see */
    size_t advertise_len;
};

/* 0 or RUSM_EMALFORMED. A version that is not ours is no error here: then only out->version is set
 * and all else is zero. */
int hello_decode(const uint8_t *in, size_t len, struct hello *out);
/* Bytes written, or RUSM_ELIMIT (cap). */
ssize_t hello_encode(uint8_t *out, size_t cap, const struct hello *hello);

#endif
