/* lane: the bytes of a lane, a unidirectional QUIC stream: one header, then records.
 *
 * Header:
 *     type      varint   0 ordered, 1 unordered (exactly one record, then FIN)
 *     length    varint   bytes that follow in the header, at most LIMIT_LANE_HEADER. The receiver
 *                        ignores bytes after the fields below, so that later versions can add some
 *     after     varint   0, or 1 + ordinal of the pair's previous lane. The ordinal of a lane is
 *                        its stream id >> 2. The previous lane's must be the lower one
 *     from      varint   serial of the sending process on the sending node; 0: none
 *     target    see wire/target.h
 *
 * Record:
 *     length    varint   bytes of the body, at most LIMIT_RECORD
 *     kind      u8       bits 0-4 the kind, 0x20 a ref follows, 0x40 a receipt is asked, 0x80 skip
 *     ref       varint   if 0x20: see enum record_kind
 *     receipt   varint   if 0x40: the id that the receipt names
 *     payload            the rest of the body
 *
 * Kind, ref and receipt are part of the body. If the receiver does not know the kind, it skips the
 * record if the skip bit is set, and closes the connection if it is not.
 */
#ifndef WIRE_LANE_H
#define WIRE_LANE_H

#include <sys/types.h>
#include "wire/target.h"

enum lane_type { LANE_ORDERED = 0, LANE_UNORDERED = 1 };

struct lane_header {
    enum lane_type type;
    uint64_t after;
    uint64_t from;
    struct target to;
};

/* Decodes a header. *out borrows from the bytes. Returns the bytes consumed, 0 if the header is
 * incomplete, or RUSM_EMALFORMED, also if the type is unknown. */
ssize_t lane_header_decode(const uint8_t *in, size_t len, struct lane_header *out);
/* Writes a header. Returns the bytes written, or RUSM_ELIMIT if cap is too small. A cap of
 * LIMIT_LANE_HEADER is always enough. */
ssize_t lane_header_encode(uint8_t *out, size_t cap, const struct lane_header *header);

/* A kind that is in enum rusm_kind too has the same number there. */
enum record_kind {
    RECORD_SEND = 0,
    RECORD_CALL = 1,  /* ref */
    RECORD_REPLY = 2, /* ref */
    RECORD_EXIT = 3,  /* payload: reason; ref if the control stream has a copy: wire/exit.h */
    RECORD_LINK = 4,
    RECORD_UNLINK = 5,    /* ref */
    RECORD_MONITOR = 6,   /* ref */
    RECORD_DEMONITOR = 7, /* ref */
    RECORD_DOWN = 8,      /* ref; payload: reason */
    RECORD_LINK_EXIT = 9, /* payload: reason */
    RECORD_UNLINKED = 10, /* ref, that of the UNLINK */
    RECORD_KINDS
};

struct record {
    uint8_t kind;
    bool skip, has_ref, has_receipt;
    uint64_t ref, receipt;
    uint64_t payload_len;
};

/* Returns whether a known kind must have a ref: the kinds that are answered, the answers, and
 * DEMONITOR. EXIT may have one, but the function returns false for it. */
bool record_has_ref(uint8_t kind);

#define RECORD_HEAD_MAX (8 + 1 + 8 + 8)

/* Decodes everything before the payload. Returns the bytes consumed, 0 if the head is incomplete,
 * RUSM_EMALFORMED (also if a known kind lacks the ref that it needs, has a ref that it may not
 * have, or is a signal with more than RUSM_REASON_MAX bytes), or RUSM_ETOOLARGE if the body is
 * longer than LIMIT_RECORD or the payload longer than RUSM_MESSAGE_MAX. `kind` may be unknown, that
 * is RECORD_KINDS or above. Then the caller looks at skip. */
ssize_t record_head_decode(const uint8_t *in, size_t len, struct record *out);
/* Writes everything before the payload. The caller writes the payload after it. Returns the bytes
 * written, at most RECORD_HEAD_MAX. */
size_t record_head_encode(uint8_t out[RECORD_HEAD_MAX], const struct record *record);

#endif
