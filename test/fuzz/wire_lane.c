/* fuzz: a lane's bytes: its header and the heads of its records (wire/lane.h). If the first byte is
 * even, the rest is a header and what follows. If it is odd, the rest is records only. */
#include "wire/limits.h"
#include "doubles/fuzz.h"
#include "wire/lane.h"

static int item_header(struct reader *r, struct writer *w)
{
    struct lane_header h;
    size_t left = reader_left(r);
    ssize_t n = lane_header_decode(r->at, left, &h);

    if (n <= 0) {
        /* A decoder must not wait for ever for the rest of an impossible header. */
        must(n < 0 || left < LIMIT_LANE_HEADER + 2 * VARINT_LEN_MAX);
        return (int)n;
    }
    must((size_t)n <= left);
    reader_bytes(r, (size_t)n);
    ssize_t written = lane_header_encode(w->at, (size_t)(w->end - w->at), &h);
    must(written > 0 && (size_t)written <= LIMIT_LANE_HEADER);
    w->at += written;
    return 1;
}

static int item_record(struct reader *r, struct writer *w)
{
    struct record record;
    size_t left = reader_left(r);
    ssize_t n = record_head_decode(r->at, left, &record);

    if (n <= 0) {
        must(n < 0 || left < RECORD_HEAD_MAX);
        return (int)n;
    }
    must((size_t)n <= left && n <= RECORD_HEAD_MAX && record.payload_len <= RUSM_MESSAGE_MAX);
    reader_bytes(r, (size_t)n);
    w->at += record_head_encode(w->at, &record);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct record record;
    size_t used, at = 1;

    if (len == 0) {
        return 0;
    }
    if (data[0] % 2 == 0) {
        at += fuzz_item(item_header, data + at, len - at);
    }
    while (at < len && (used = fuzz_item(item_record, data + at, len - at)) > 0) {
        ssize_t n = record_head_decode(data + at, len - at, &record);
        must(n == (ssize_t)used);
        at += used;
        at += record.payload_len < len - at ? (size_t)record.payload_len : len - at;
    }
    return 0;
}
