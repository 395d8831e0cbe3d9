/* varint: variable-length integers of RFC 9000, section 16 (1, 2, 4 or 8 bytes, up to 2^62 - 1).
 * The functions are inline because every message needs several of them. Texts are in varint.c. */
#ifndef WIRE_VARINT_H
#define WIRE_VARINT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include "base/bytes.h"
#include "base/must.h"

#define VARINT_MAX ((UINT64_C(1) << 62) - 1)
#define VARINT_LEN_MAX 8

/* Returns the bytes that `v` takes. v must be at most VARINT_MAX. */
static inline size_t varint_len(uint64_t v)
{
    must(v <= VARINT_MAX);
    return v < 64 ? 1 : v < 16384 ? 2 : v < UINT64_C(1) << 30 ? 4 : 8;
}

/* Writes the shortest form and returns its length. v must be at most VARINT_MAX. */
static inline size_t varint_encode(uint8_t *out, uint64_t v)
{
    if (v < 64) {
        out[0] = (uint8_t)v;
        return 1;
    }
    if (v < 16384) {
        uint16_t two = htobe16((uint16_t)(v | 0x4000));
        memcpy(out, &two, sizeof(two));
        return sizeof(two);
    }
    if (v < UINT64_C(1) << 30) {
        uint32_t four = htobe32((uint32_t)v | UINT32_C(0x80000000));
        memcpy(out, &four, sizeof(four));
        return sizeof(four);
    }
    must(v <= VARINT_MAX);
    uint64_t eight = htobe64(v | UINT64_C(3) << 62);
    memcpy(out, &eight, sizeof(eight));
    return sizeof(eight);
}

/* Returns the bytes consumed, or 0 if the integer is incomplete. Accepts longer forms than needed,
 * as RFC 9000 does. */
static inline size_t varint_decode(const uint8_t *in, size_t len, uint64_t *v)
{
    if (len == 0) {
        return 0;
    }
    size_t need = (size_t)1 << (in[0] >> 6);
    if (len < need) {
        return 0;
    }
    if (need == 1) {
        *v = in[0];
    } else if (need == 2) {
        uint16_t two;
        memcpy(&two, in, sizeof(two));
        *v = be16toh(two) & 0x3fffu;
    } else if (need == 4) {
        uint32_t four;
        memcpy(&four, in, sizeof(four));
        *v = be32toh(four) & UINT32_C(0x3fffffff);
    } else {
        uint64_t eight;
        memcpy(&eight, in, sizeof(eight));
        *v = be64toh(eight) & VARINT_MAX;
    }
    return need;
}

/* Reads a varint. Returns 0 and sets r->bad if it is incomplete. */
static inline uint64_t reader_varint(struct reader *r)
{
    uint64_t v = 0;
    size_t n = varint_decode(r->at, reader_left(r), &v);
    if (n == 0) {
        r->bad = true;
        return 0;
    }
    r->at += n;
    return v;
}

/* Writes a varint. Sets w->bad if v is above VARINT_MAX or if the room is too small. */
static inline void writer_varint(struct writer *w, uint64_t v)
{
    if (v > VARINT_MAX || w->bad || (size_t)(w->end - w->at) < varint_len(v)) {
        w->bad = true;
        return;
    }
    w->at += varint_encode(w->at, v);
}

/* Reads a length and that many bytes. Returns the bytes, borrowed from the reader's memory, and
 * sets *len. If the length is above `max` or the bytes are incomplete, sets r->bad and *len = 0,
 * and returns NULL. */
const uint8_t *reader_text(struct reader *r, size_t *len, size_t max);
void writer_text(struct writer *w, const void *data, size_t len);

#endif
