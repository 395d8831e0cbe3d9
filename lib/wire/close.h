/* close: the application error codes of connections and streams. */
#ifndef WIRE_CLOSE_H
#define WIRE_CLOSE_H

#include <stdint.h>

/* CONNECTION_CLOSE application error codes. */
enum close_code {
    CLOSE_NONE = 0,         /* done (a client), or leaving */
    CLOSE_MALFORMED = 1,    /* bytes that break this protocol */
    CLOSE_VERSION = 2,      /* no common version */
    CLOSE_DUPLICATE = 3,    /* another connection serves our pair of nodes */
    CLOSE_NAME_TAKEN = 4,   /* a live node of your name is connected */
    CLOSE_SELF = 5,         /* you are me */
    CLOSE_WRONG_NODE = 6,   /* not the node I meant */
    CLOSE_LIMIT = 7,        /* too many connections, or a queue's limit */
    CLOSE_REPLACED = 8,     /* a newer connection of the same node took over */
    CLOSE_TIMEOUT = 9,      /* no hello in time, or nothing heard any more */
    CLOSE_INTERNAL = 10,    /* out of memory */
    CLOSE_WRONG_SHARE = 11, /* the connection id dialled with is not that of the name */
};
const char *close_code_text(uint64_t code); /* a short, constant text; never NULL */

/* Stream error codes (RESET_STREAM, STOP_SENDING). */
enum stream_code {
    STREAM_NONE = 0,
    STREAM_NOPROC = 1,   /* nobody there; the rest is not wanted */
    STREAM_OVERFLOW = 2, /* no progress with a grant, or unordered and full */
    STREAM_TOO_LARGE = 3,
    STREAM_UNKNOWN = 4, /* unknown lane type */
    STREAM_GONE = 5,    /* the sending process is gone, its queue dropped */
};

#endif
