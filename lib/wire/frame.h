/* frame: how the control stream is cut into frames.
 *
 *     head      varint   type * 2 + skip; an unknown type with skip set is skipped, without it
 *                        the connection is closed
 *     length    varint   bytes of the body, at most LIMIT_FRAME
 *     body      see wire/control.h
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <sys/types.h>
#include "wire/varint.h"

enum frame_type {
    FRAME_HELLO = 0,    /* first, once, both ways */
    FRAME_ADOPT = 1,    /* empty: this connection is the one for our pair of nodes */
    FRAME_LEAVE = 2,    /* empty: I am leaving for good; do not dial me */
    FRAME_RECEIPTS = 3, /* what became of records that asked */
    FRAME_DRAINED = 4,  /* lanes that ended and whose records all reached their mailbox or fate */
    FRAME_REQUEST = 5,
    FRAME_REPLY = 6,
    FRAME_CANCEL = 7, /* id: the answer is no longer wanted */
    FRAME_NODES = 8,  /* membership gossip */
    FRAME_NAMES = 9,  /* registry gossip: the sender's own claims */
    FRAME_PING = 10,  /* u64, sent back in a PONG */
    FRAME_PONG = 11,
    FRAME_EXIT = 12, /* an exit signal, past its lane */
    FRAME_TYPES
};

struct frame {
    uint64_t type; /* maybe unknown (>= FRAME_TYPES): look at skip */
    bool skip;
    const uint8_t *body; /* borrows */
    size_t len;
};

/* Bytes consumed, 0 if incomplete, RUSM_EMALFORMED (over LIMIT_FRAME). */
ssize_t frame_decode(const uint8_t *in, size_t len, struct frame *out);
#define FRAME_HEAD_MAX 16
/* Writes head and length; the body follows. Bytes written. */
size_t frame_head_encode(uint8_t out[FRAME_HEAD_MAX], uint64_t type, bool skip, size_t len);

/* RECEIPTS: (id, status)*, status 0 in the mailbox, else a RUSM_E code negated. */
struct receipt {
    uint64_t id;
    uint64_t status; /* at most STATUS_MAX */
};
/* Above it a status is malformed, so that -(int)status is always defined. */
#define STATUS_MAX 255
/* Reads the next one: 1, 0 at the end, RUSM_EMALFORMED. */
int receipt_read(struct reader *r, struct receipt *out);
void receipt_write(struct writer *w, const struct receipt *receipt);

/* DRAINED: ordinal*  (reader_varint / writer_varint) */

#endif
