/* follow: see the header. The node room writes events, clients read them. Runs on any thread. */
#include "wire/follow.h"

enum follow_form { FOLLOW_TEXT = 0, FOLLOW_NUMBER = 1 };

int follow_read(struct reader *r, struct follow *out)
{
    *out = (struct follow){ .incarnation = reader_u32(r) };
    out->since = reader_varint(r);
    uint64_t mode = reader_varint(r), count = reader_varint(r);
    if (r->bad || mode > FOLLOW_BUT || count > FOLLOW_TYPES_MAX ||
        (mode == FOLLOW_ALL && count > 0)) {
        r->bad = true;
        return RUSM_EMALFORMED;
    }
    out->mode = (enum follow_mode)mode;
    out->count = (size_t)count;
    for (size_t i = 0; i < out->count; i++) {
        column_name_read(r, out->type[i]);
    }
    return r->bad ? RUSM_EMALFORMED : 0;
}

void follow_write(struct writer *w, const struct follow *follow)
{
    writer_u32(w, follow->incarnation);
    writer_varint(w, follow->since);
    writer_varint(w, follow->mode);
    writer_varint(w, follow->count);
    for (size_t i = 0; i < follow->count; i++) {
        writer_text(w, follow->type[i], strlen(follow->type[i]));
    }
}

bool follow_wants(const struct follow *follow, const char *type)
{
    for (size_t i = 0; i < follow->count; i++) {
        if (strcmp(follow->type[i], type) == 0) {
            return follow->mode == FOLLOW_ONLY;
        }
    }
    return follow->mode != FOLLOW_ONLY;
}

int follow_event_read(struct reader *r, struct follow_event *out, char *texts, size_t cap)
{
    size_t used = 0, len;

    if (!r->bad && reader_left(r) == 0) {
        return 0;
    }
    out->id = reader_varint(r);
    out->time_ms = reader_varint(r);
    column_name_read(r, out->type);
    uint64_t count = reader_varint(r);
    if (r->bad || count > FOLLOW_FIELDS_MAX) {
        r->bad = true;
        return RUSM_EMALFORMED;
    }
    out->count = (size_t)count;
    for (size_t i = 0; i < out->count; i++) {
        struct rusm_field *field = &out->field[i];
        column_name_read(r, out->key[i]);
        uint64_t form = reader_varint(r);
        *field = (struct rusm_field){ .column = out->key[i], .type = RUSM_TYPE_COUNT };
        if (form == FOLLOW_NUMBER) {
            field->number = reader_varint(r);
            continue;
        }
        const uint8_t *text = reader_text(r, &len, cap);
        if (r->bad || form != FOLLOW_TEXT || used + len >= cap) {
            r->bad = true;
            return RUSM_EMALFORMED;
        }
        field->type = RUSM_TYPE_TEXT;
        field->text = texts + used;
        if (len > 0) {
            memcpy(texts + used, text, len);
        }
        texts[used + len] = '\0';
        used += len + 1;
    }
    return r->bad ? RUSM_EMALFORMED : 1;
}

void follow_event_write(struct writer *w, uint64_t id, uint64_t time_ms, const char *type,
                        size_t count)
{
    writer_varint(w, id);
    writer_varint(w, time_ms);
    writer_text(w, type, strlen(type));
    writer_varint(w, count);
}

void follow_text_write(struct writer *w, const char *key, const char *text)
{
    writer_text(w, key, strlen(key));
    writer_varint(w, FOLLOW_TEXT);
    writer_text(w, text, strlen(text));
}

void follow_number_write(struct writer *w, const char *key, uint64_t number)
{
    writer_text(w, key, strlen(key));
    writer_varint(w, FOLLOW_NUMBER);
    writer_varint(w, number < VARINT_MAX ? number : VARINT_MAX);
}
