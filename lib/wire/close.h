/* close: the application error codes of connections and streams. */
#ifndef WIRE_CLOSE_H
#define WIRE_CLOSE_H

#include <stdint.h>

/* Application error codes of CONNECTION_CLOSE. */
enum close_code {
    CLOSE_NONE = 0,         /* a client is done, or the node leaves */
    CLOSE_MALFORMED = 1,    /* the peer sent bytes that break this protocol */
    CLOSE_VERSION = 2,      /* no common protocol version */
    CLOSE_DUPLICATE = 3,    /* another connection serves this pair of nodes */
    CLOSE_NAME_TAKEN = 4,   /* a live node with the peer's name is connected */
    CLOSE_SELF = 5,         /* the node dialled itself */
    CLOSE_WRONG_NODE = 6,   /* the peer is not the node that was dialled */
    CLOSE_LIMIT = 7,        /* too many connections, or a queue is full */
    CLOSE_REPLACED = 8,     /* a newer connection of the same node took over */
    CLOSE_TIMEOUT = 9,      /* no HELLO or ADOPT in time, or the peer fell silent */
    CLOSE_INTERNAL = 10,    /* out of memory */
    CLOSE_WRONG_SHARE = 11, /* the share in the dialled connection id is not the name's */
};
/* Returns a short, constant text, never NULL. */
const char *close_code_text(uint64_t code);

/* Error codes of streams, in RESET_STREAM and STOP_SENDING. */
enum stream_code {
    STREAM_NONE = 0,
    STREAM_NOPROC = 1,   /* no such process: the receiver wants no more */
    STREAM_OVERFLOW = 2, /* a granted record stalled, or unordered and mailbox full */
    STREAM_TOO_LARGE = 3,
    STREAM_UNKNOWN = 4, /* unknown lane type */
    STREAM_GONE = 5,    /* the sending process is gone and its queue was dropped */
};

#endif
