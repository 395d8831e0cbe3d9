/* bytes: bounds-checked reading and writing of flat memory. A reader or writer that would run
 * over its end sets `bad` and from then on does nothing, so that callers check once at the end. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
    const uint8_t *at, *end;
    bool bad;
};

struct writer {
    uint8_t *start, *at, *end;
    bool bad;
};

static inline struct reader reader_on(const void *data, size_t len)
{
    const uint8_t *p = data;
    return (struct reader){ .at = p, .end = p + len, .bad = false };
}

static inline size_t reader_left(const struct reader *r)
{
    return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* Each returns 0 (or NULL) and sets bad when there is not enough. Integers are big-endian. */
uint8_t reader_u8(struct reader *r);
uint16_t reader_u16(struct reader *r);
uint32_t reader_u32(struct reader *r);
uint64_t reader_u64(struct reader *r);
const uint8_t *reader_bytes(struct reader *r, size_t len); /* borrows from the memory read */

static inline struct writer writer_on(void *data, size_t cap)
{
    uint8_t *p = data;
    return (struct writer){ .start = p, .at = p, .end = p + cap, .bad = false };
}

static inline size_t writer_len(const struct writer *w)
{
    return (size_t)(w->at - w->start);
}

void writer_u8(struct writer *w, uint8_t v);
void writer_u16(struct writer *w, uint16_t v);
void writer_u32(struct writer *w, uint32_t v);
void writer_u64(struct writer *w, uint64_t v);
void writer_bytes(struct writer *w, const void *data, size_t len);

#endif
