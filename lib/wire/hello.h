/* hello: the first frame of each side.
 *
 *     version, role, flags, incarnation u32, max_message, name text, advertise text
 *
 * `version` comes first in every version of the protocol. The fields after an unknown version are
 * unknown too.
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include <sys/types.h>
#include "wire/varint.h"

#define CONTROL_VERSION 1

enum hello_role { HELLO_NODE = 0, HELLO_CLIENT = 1 };
/* The sender has no other connection to the receiver. If the receiver still has one, it is dead. */
#define HELLO_HOLDS_NONE 1u

struct hello {
    uint64_t version;
    enum hello_role role;
    uint64_t flags;
    uint32_t incarnation; /* not 0; of the sending node */
    uint64_t max_message; /* bytes of the longest message that the sender takes */
    const char *name;     /* a node name, borrowed; "" is valid for a client */
    size_t name_len;
    const char *advertise; /* HOST:PORT, borrowed; "": what the receiver sees */
    size_t advertise_len;
};

/* Decodes a HELLO. Returns 0 or RUSM_EMALFORMED. Another version than CONTROL_VERSION is no error
 * here: then the function sets only out->version, and all other fields are zero. */
int hello_decode(const uint8_t *in, size_t len, struct hello *out);
/* Writes a HELLO. Returns the bytes written, or RUSM_ELIMIT if cap is too small. */
ssize_t hello_encode(uint8_t *out, size_t cap, const struct hello *hello);

#endif
