/* bytes: bounds-checked reading and writing of flat memory. A reader or writer that would run over
 * its end sets `bad` and does nothing from then on. So callers need to check only once, at the end.
 * Everything is inline, because every byte of every frame passes here. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

struct writer {
    uint8_t *start, *at, *end;
    bool bad;
};

/* DATA may be NULL if LEN is 0. */
static inline struct reader reader_on(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct reader){ .at = p, .end = len > 0 ? p + len : p, .bad = false };
}

static inline size_t reader_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* Steps over LEN bytes and returns their start, borrowed from the memory that is read. Returns NULL
 * and sets `bad` if fewer bytes are left. Returns NULL without `bad` if LEN is 0 and the reader has
 * no memory. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t len)
{
    if (r->bad || (size_t)(r->end - r->at) < len) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *p = r->at;
    if (len > 0) {
        r->at += len;
    }
    return p;
}

/* These functions return 0 and set `bad` if too few bytes are left. Integers are big-endian. */
static inline uint8_t reader_u8(struct reader *r)
{
    const uint8_t *p = reader_bytes(r, 1);
    return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
    uint16_t v = 0;
    const uint8_t *p = reader_bytes(r, sizeof(v));
    if (p) {
        memcpy(&v, p, sizeof(v));
    }
    return be16toh(v);
}

static inline uint32_t reader_u32(struct reader *r)
{
    uint32_t v = 0;
    const uint8_t *p = reader_bytes(r, sizeof(v));
    if (p) {
        memcpy(&v, p, sizeof(v));
    }
    return be32toh(v);
}

static inline uint64_t reader_u64(struct reader *r)
{
    uint64_t v = 0;
    const uint8_t *p = reader_bytes(r, sizeof(v));
    if (p) {
        memcpy(&v, p, sizeof(v));
    }
    return be64toh(v);
}

/* DATA may be NULL if CAP is 0. */
static inline struct writer writer_on(void *data, size_t cap)
{
    uint8_t *p = data;
    // cppcheck-suppress nullPointerArithmetic
    return (struct writer){ .start = p, .at = p, .end = cap > 0 ? p + cap : p, .bad = false };
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

static inline void writer_bytes(struct writer *w, const void *data, size_t len)
{
    if (w->bad || (size_t)(w->end - w->at) < len) {
        w->bad = true;
        return;
    }
    if (len > 0) {
        memcpy(w->at, data, len);
        w->at += len;
    }
}

static inline void writer_u8(struct writer *w, uint8_t v)
{
    writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u16(struct writer *w, uint16_t v)
{
    v = htobe16(v);
    writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u32(struct writer *w, uint32_t v)
{
    v = htobe32(v);
    writer_bytes(w, &v, sizeof(v));
}

static inline void writer_u64(struct writer *w, uint64_t v)
{
    v = htobe64(v);
    writer_bytes(w, &v, sizeof(v));
}

#endif
