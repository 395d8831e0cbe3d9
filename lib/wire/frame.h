/* frame: how the control stream is divided into frames.
 *
 *     head      varint   type * 2 + skip. If the receiver does not know the type, it skips the
 *                        frame if skip is set, and closes the connection if it is not
 *     length    varint   bytes of the body, at most LIMIT_FRAME
 *     body      see wire/control.h
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stdbool.h>
#include <sys/types.h>
#include "wire/varint.h"

enum frame_type {
    FRAME_HELLO = 0,    /* the first frame of each side, sent once */
    FRAME_ADOPT = 1,    /* empty: this connection serves our pair of nodes */
    FRAME_LEAVE = 2,    /* empty: the sender leaves for good and must not be dialled */
    FRAME_RECEIPTS = 3, /* what became of records that asked for a receipt */
    FRAME_DRAINED = 4,  /* lanes that ended, with every record delivered or discarded */
    FRAME_REQUEST = 5,
    FRAME_REPLY = 6,
    FRAME_CANCEL = 7, /* id: the asker no longer wants the answer */
    FRAME_NODES = 8,  /* membership gossip */
    FRAME_NAMES = 9,  /* registry gossip: the sender's own claims */
    FRAME_PING = 10,  /* u64, which the PONG brings back */
    FRAME_PONG = 11,
    FRAME_EXIT = 12, /* the second copy of an exit signal */
    FRAME_TYPES
};

struct frame {
    uint64_t type; /* may be unknown (>= FRAME_TYPES): then look at skip */
    bool skip;
    const uint8_t *body; /* borrowed */
    size_t len;
};

/* Decodes one frame. Returns the bytes consumed, 0 if the frame is incomplete, or RUSM_EMALFORMED
 * if its body is longer than LIMIT_FRAME. */
ssize_t frame_decode(const uint8_t *in, size_t len, struct frame *out);
#define FRAME_HEAD_MAX 16
/* Writes head and length of a frame. The caller writes the body after them. Returns the bytes
 * written. */
size_t frame_head_encode(uint8_t out[FRAME_HEAD_MAX], uint64_t type, bool skip, size_t len);

/* RECEIPTS: (id, status)*. Status 0 says that the record is in the mailbox. Any other status is a
 * negated RUSM_E code. */
struct receipt {
    uint64_t id;
    uint64_t status; /* at most STATUS_MAX */
};
/* A higher status is malformed, so that -(int)status is always defined. */
#define STATUS_MAX 255
/* Reads the next receipt. Returns 1, 0 at the end, or RUSM_EMALFORMED. */
int receipt_read(struct reader *r, struct receipt *out);
void receipt_write(struct writer *w, const struct receipt *receipt);

/* DRAINED: ordinal*. Read it with reader_varint and write it with writer_varint. */

#endif
