/* varint: texts, the most frequent use of varints. The whole wire room calls it, on any thread. */
#include "wire/varint.h"

const uint8_t *reader_text(struct reader *r, size_t *len, size_t max)
{
    uint64_t want = reader_varint(r);

    *len = 0;
    if (want > max) {
        r->bad = true;
    }
    const uint8_t *p = r->bad ? NULL : reader_bytes(r, (size_t)want);
    if (p) {
        *len = (size_t)want;
    }
    return p;
}

void writer_text(struct writer *w, const void *data, size_t len)
{
    writer_varint(w, len);
    writer_bytes(w, data, len);
}
