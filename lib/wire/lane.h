/* lane: the bytes of a lane, a unidirectional QUIC stream: one header, then records.
 *
 * Header:
 *     type      varint   0 ordered, 1 unordered (exactly one record, then FIN)
 *     length    varint   bytes that follow in the header, at most LIMIT_LANE_HEADER; what is
 *                        beyond the fields below is ignored, so that later versions can add
 *     after     varint   0, or 1 + ordinal of the pair's previous lane (ordinal: stream id >> 2);
 *                        must be smaller than this lane's own ordinal + 1
 *     from      varint   serial of the sending process on the sending node; 0: none
 *     target    see wire/target.h
 *
 * Record:
 *     length    varint   bytes of the body, at most LIMIT_RECORD
 *     kind      u8       bits 0-4 the kind, 0x20 a ref follows, 0x40 a receipt is asked, 0x80 skip
 *     ref       varint   if 0x20: of a call, reply, monitor   } these count
 *     receipt   varint   if 0x40: the id the receipt names    } as body
 *     payload   the rest of the body
 *
 * An unknown kind with the skip bit is skipped, without it the connection is closed.
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

/* Bytes consumed, 0 if incomplete, RUSM_EMALFORMED. *out borrows from the bytes. An unknown type
 * is RUSM_EMALFORMED too. */
ssize_t lane_header_decode(const uint8_t *in, size_t len, struct lane_header *out);
/* Bytes written, or RUSM_ELIMIT if cap is too small; LIMIT_LANE_HEADER always fits. */
ssize_t lane_header_encode(uint8_t *out, size_t cap, const struct lane_header *header);

/* The numbers of enum rusm_kind where both have one. */
enum record_kind {
    RECORD_SEND = 0,
    RECORD_CALL = 1,  /* ref */
    RECORD_REPLY = 2, /* ref */
    RECORD_EXIT = 3,  /* payload: reason; ref if a copy is on the control stream: wire/exit.h */
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

/* Whether a known kind carries a ref: all that answer or are answered. (EXIT may.) */
bool record_has_ref(uint8_t kind);

#define RECORD_HEAD_MAX (8 + 1 + 8 + 8)

/* Decodes everything before the payload. Bytes consumed, 0 if incomplete, RUSM_EMALFORMED (also a
 * known kind without the ref it needs, or with one it may not have), RUSM_ETOOLARGE (over
 * LIMIT_RECORD). `kind` may be unknown (>= RECORD_KINDS): the caller looks at skip. */
ssize_t record_head_decode(const uint8_t *in, size_t len, struct record *out);
/* Bytes written (at most RECORD_HEAD_MAX); the payload follows. */
size_t record_head_encode(uint8_t out[RECORD_HEAD_MAX], const struct record *record);

#endif
