/* exit: see the header. The node room calls it, on any thread. */
#include "wire/exit.h"

#include "rusm.h"

int exit_copy_decode(const uint8_t *in, size_t len, struct exit_copy *out)
{
    struct reader r = reader_on(in, len);

    *out = (struct exit_copy){ 0 };
    out->ref = reader_varint(&r);
    out->from = reader_varint(&r);
    out->to = reader_varint(&r);
    out->incarnation = reader_u32(&r);
    out->reason = (const char *)reader_text(&r, &out->len, RUSM_REASON_MAX);
    return r.bad || !out->ref || !out->from || !out->to ? RUSM_EMALFORMED : 0;
}

void exit_copy_write(struct writer *w, const struct exit_copy *copy)
{
    writer_varint(w, copy->ref);
    writer_varint(w, copy->from);
    writer_varint(w, copy->to);
    writer_u32(w, copy->incarnation);
    writer_text(w, copy->reason, copy->len);
}
