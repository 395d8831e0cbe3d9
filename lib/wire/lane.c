/* lane: see the header. The peer room calls it for every lane and every message, on any thread. */
#include "wire/lane.h"

#include "wire/limits.h"

ssize_t lane_header_decode(const uint8_t *in, size_t len, struct lane_header *out)
{
    uint64_t type, length;
    size_t n = varint_decode(in, len, &type);

    if (n == 0) {
        return 0;
    }
    if (type != LANE_ORDERED && type != LANE_UNORDERED) {
        return RUSM_EMALFORMED;
    }
    size_t m = varint_decode(in + n, len - n, &length);
    if (m == 0) {
        return 0;
    }
    if (length > LIMIT_LANE_HEADER) {
        return RUSM_EMALFORMED;
    }
    size_t head = n + m;
    if (len - head < length) {
        return 0;
    }
    struct reader r = reader_on(in + head, (size_t)length);
    out->type = (enum lane_type)type;
    out->after = reader_varint(&r);
    out->from = reader_varint(&r);
    target_read(&r, &out->to);
    if (r.bad || (out->type == LANE_UNORDERED && out->after != 0)) {
        return RUSM_EMALFORMED;
    }
    return (ssize_t)(head + (size_t)length);
}

ssize_t lane_header_encode(uint8_t *out, size_t cap, const struct lane_header *header)
{
    uint8_t body[LIMIT_LANE_HEADER];
    struct writer b = writer_on(body, sizeof(body)), w = writer_on(out, cap);

    writer_varint(&b, header->after);
    writer_varint(&b, header->from);
    target_write(&b, &header->to);
    writer_varint(&w, header->type);
    writer_text(&w, body, writer_len(&b));
    return b.bad || w.bad ? RUSM_ELIMIT : (ssize_t)writer_len(&w);
}

bool record_has_ref(uint8_t kind)
{
    const unsigned with = 1u << RECORD_CALL | 1u << RECORD_REPLY | 1u << RECORD_UNLINK |
                          1u << RECORD_MONITOR | 1u << RECORD_DEMONITOR | 1u << RECORD_DOWN |
                          1u << RECORD_UNLINKED;
    return with >> kind & 1;
}

/* Checks the fields of a complete head against each other. Returns 0, RUSM_EMALFORMED or
 * RUSM_ETOOLARGE. */
static int record_check(const struct record *r)
{
    if (r->payload_len > RUSM_MESSAGE_MAX) {
        return RUSM_ETOOLARGE;
    }
    if (r->kind >= RECORD_KINDS) {
        return 0;
    }
    if (r->has_ref != record_has_ref(r->kind) && r->kind != RECORD_EXIT) {
        return RUSM_EMALFORMED;
    }
    /* A full mailbox has to take signals, so they must be small. */
    if (r->kind >= RECORD_EXIT && r->payload_len > RUSM_REASON_MAX) {
        return RUSM_EMALFORMED;
    }
    return 0;
}

ssize_t record_head_decode(const uint8_t *in, size_t len, struct record *out)
{
    uint64_t length;
    size_t head = varint_decode(in, len, &length);

    if (head == 0) {
        return 0;
    }
    if (length > LIMIT_RECORD) {
        return RUSM_ETOOLARGE;
    }
    if (length == 0) {
        return RUSM_EMALFORMED;
    }
    /* A head that runs past these bytes is malformed if the whole body is here. Otherwise it is
     * incomplete. */
    size_t here = len - head < length ? len - head : (size_t)length;
    struct reader r = reader_on(in + head, here);
    uint8_t first = reader_u8(&r);
    *out = (struct record){
        .kind = first & 0x1f,
        .has_ref = (first & 0x20) != 0,
        .has_receipt = (first & 0x40) != 0,
        .skip = (first & 0x80) != 0,
    };
    if (out->has_ref) {
        out->ref = reader_varint(&r);
    }
    if (out->has_receipt) {
        out->receipt = reader_varint(&r);
    }
    if (r.bad) {
        return here == length ? RUSM_EMALFORMED : 0;
    }
    size_t used = here - reader_left(&r);
    out->payload_len = length - used;
    int rc = record_check(out);
    return rc != 0 ? rc : (ssize_t)(head + used);
}

size_t record_head_encode(uint8_t out[RECORD_HEAD_MAX], const struct record *record)
{
    uint64_t length = record->payload_len + 1;
    uint8_t first = record->kind;

    must(record->kind <= 0x1f && record->payload_len <= RUSM_MESSAGE_MAX);
    if (record->has_ref) {
        length += varint_len(record->ref);
        first |= 0x20;
    }
    if (record->has_receipt) {
        length += varint_len(record->receipt);
        first |= 0x40;
    }
    if (record->skip) {
        first |= 0x80;
    }
    size_t n = varint_encode(out, length);
    out[n++] = first;
    if (record->has_ref) {
        n += varint_encode(out + n, record->ref);
    }
    if (record->has_receipt) {
        n += varint_encode(out + n, record->receipt);
    }
    return n;
}
