/* target: see the header. Lane headers and OP_KILL contain a target. Runs on any thread. */
#include "wire/target.h"

#include "base/id.h"

void target_read(struct reader *r, struct target *t)
{
    *t = (struct target){ 0 };
    uint64_t kind = reader_varint(r);

    if (kind == TARGET_PID) {
        t->serial = reader_varint(r);
        t->incarnation = reader_u32(r);
        r->bad = r->bad || t->serial == 0 || t->incarnation == 0;
    } else if (kind == TARGET_NAME || kind == TARGET_GLOBAL) {
        t->kind = (enum target_kind)kind;
        t->name = (const char *)reader_text(r, &t->name_len, RUSM_NAME_MAX);
        r->bad = r->bad || !id_process_name_ok(t->name, t->name_len);
    } else {
        r->bad = true;
    }
}

void target_write(struct writer *w, const struct target *t)
{
    writer_varint(w, t->kind);
    if (t->kind == TARGET_PID) {
        writer_varint(w, t->serial);
        writer_u32(w, t->incarnation);
    } else {
        writer_text(w, t->name, t->name_len);
    }
}
