/* frame: see the header. The peer room calls it, on any thread. */
#include "wire/frame.h"

#include "wire/limits.h"

ssize_t frame_decode(const uint8_t *in, size_t len, struct frame *out)
{
    uint64_t head, length;
    size_t n = varint_decode(in, len, &head);
    size_t m = n > 0 ? varint_decode(in + n, len - n, &length) : 0;

    if (m == 0) {
        return 0;
    }
    if (length > LIMIT_FRAME) {
        return RUSM_EMALFORMED;
    }
    if (len - n - m < length) {
        return 0;
    }
    *out = (struct frame){
        .type = head >> 1,
        .skip = (head & 1) != 0,
        .body = in + n + m,
        .len = (size_t)length,
    };
    return (ssize_t)(n + m + (size_t)length);
}

size_t frame_head_encode(uint8_t out[FRAME_HEAD_MAX], uint64_t type, bool skip, size_t len)
{
    must(type <= VARINT_MAX >> 1 && len <= LIMIT_FRAME);
    size_t n = varint_encode(out, type << 1 | (skip ? 1 : 0));
    return n + varint_encode(out + n, len);
}

int receipt_read(struct reader *r, struct receipt *out)
{
    if (!r->bad && reader_left(r) == 0) {
        return 0;
    }
    out->id = reader_varint(r);
    out->status = reader_varint(r);
    r->bad = r->bad || out->status > STATUS_MAX;
    return r->bad ? RUSM_EMALFORMED : 1;
}

void receipt_write(struct writer *w, const struct receipt *receipt)
{
    writer_varint(w, receipt->id);
    writer_varint(w, receipt->status);
}
