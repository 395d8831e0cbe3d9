/* fuzz: what a follower or tracer wants, and events (wire/follow.h, wire/trace.h). The first byte
 * says which. */
#include "doubles/fuzz.h"
#include "wire/follow.h"
#include "wire/limits.h"
#include "wire/trace.h"

static int item_follow(struct reader *r, struct writer *w)
{
    struct follow f;

    if (follow_read(r, &f) != 0) {
        must(r->bad);
        return RUSM_EMALFORMED;
    }
    must(f.count <= FOLLOW_TYPES_MAX && f.mode <= FOLLOW_BUT);
    for (size_t i = 0; i < f.count; i++) {
        must(column_name_ok((const uint8_t *)f.type[i], strlen(f.type[i])));
        must(follow_wants(&f, f.type[i]) == (f.mode == FOLLOW_ONLY));
    }
    follow_write(w, &f);
    return 1;
}

static int item_event(struct reader *r, struct writer *w)
{
    static struct follow_event e;
    static char texts[LIMIT_FRAME];
    int rc = follow_event_read(r, &e, texts, sizeof(texts));

    if (rc <= 0) {
        must((rc < 0) == r->bad);
        return rc;
    }
    must(e.count <= FOLLOW_FIELDS_MAX);
    follow_event_write(w, e.id, e.time_ms, e.type, e.count);
    for (size_t i = 0; i < e.count; i++) {
        const struct rusm_field *field = &e.field[i];
        must(field->column == e.key[i]);
        if (field->type == RUSM_TYPE_TEXT) {
            must(field->text >= texts && field->text < texts + sizeof(texts));
            follow_text_write(w, field->column, field->text); /* up to its first NUL */
        } else {
            must(!field->text);
            follow_number_write(w, field->column, field->number);
        }
    }
    return 1;
}

static int item_trace(struct reader *r, struct writer *w)
{
    struct trace t;

    if (trace_read(r, &t) != 0) {
        must(r->bad);
        return RUSM_EMALFORMED;
    }
    trace_write(w, &t);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len > 0) {
        fuzz_item(data[0] & 2   ? item_trace
                  : data[0] & 1 ? item_event
                                : item_follow,
                  data + 1, len - 1);
    }
    return 0;
}
