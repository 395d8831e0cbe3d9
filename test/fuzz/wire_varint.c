/* fuzz: varints, texts and targets (wire/varint.h, wire/target.h). The first byte says which of
 * them the rest is. */
#include "doubles/fuzz.h"
#include "wire/target.h"

static int item_varint(struct reader *r, struct writer *w)
{
    uint64_t v, again;
    size_t n = varint_decode(r->at, reader_left(r), &v);

    if (n == 0) {
        return 0;
    }
    must(v <= VARINT_MAX && n <= VARINT_LEN_MAX);
    again = reader_varint(r);
    must(again == v && varint_len(v) <= n);
    writer_varint(w, v);
    must(writer_len(w) == varint_len(v));
    return 1;
}

static int item_text(struct reader *r, struct writer *w)
{
    size_t len;
    const uint8_t *text = reader_text(r, &len, RUSM_NAME_MAX);

    if (r->bad) {
        must(!text && len == 0);
        return RUSM_EMALFORMED;
    }
    must(len <= RUSM_NAME_MAX);
    writer_text(w, text, len);
    return 1;
}

static int item_target(struct reader *r, struct writer *w)
{
    struct target t;

    target_read(r, &t);
    if (r->bad) {
        return RUSM_EMALFORMED;
    }
    must(t.kind == TARGET_PID ? t.serial > 0 && t.incarnation > 0 && !t.name
                              : t.name_len > 0 && t.name_len <= RUSM_NAME_MAX);
    target_write(w, &t);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static fuzz_item_fn *const item[] = { item_varint, item_text, item_target };

    if (len > 0) {
        fuzz_item(item[data[0] % 3], data + 1, len - 1);
    }
    return 0;
}
