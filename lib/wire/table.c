/* table: see the header. The service room writes tables. Clients and the gateway read them. Runs on
 * any thread. */
#include "wire/table.h"

bool column_name_ok(const uint8_t *name, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = name[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_') {
            return false;
        }
    }
    return len > 0 && len <= COLUMN_NAME_MAX;
}

void column_name_read(struct reader *r, char name[COLUMN_NAME_MAX + 1])
{
    size_t len;
    const uint8_t *text = reader_text(r, &len, COLUMN_NAME_MAX);

    r->bad = r->bad || !column_name_ok(text, len);
    if (!r->bad) {
        memcpy(name, text, len);
    }
    name[r->bad ? 0 : len] = '\0';
}

int columns_read(struct reader *r, struct column columns[TABLE_COLUMNS_MAX], size_t *count)
{
    uint64_t n = reader_varint(r);

    *count = 0;
    if (r->bad || n == 0 || n > TABLE_COLUMNS_MAX) {
        goto bad;
    }
    for (size_t i = 0; i < n; i++) {
        struct column *c = &columns[i];
        uint8_t type = reader_u8(r);
        column_name_read(r, c->name);
        if (r->bad || type > RUSM_TYPE_PID) {
            goto bad;
        }
        c->type = (enum rusm_type)type;
    }
    *count = (size_t)n;
    return 0;
bad:
    r->bad = true;
    return RUSM_EMALFORMED;
}

void columns_write(struct writer *w, const struct column *columns, size_t count)
{
    writer_varint(w, count);
    for (size_t i = 0; i < count; i++) {
        writer_u8(w, (uint8_t)columns[i].type);
        writer_text(w, columns[i].name, strlen(columns[i].name));
    }
}

int row_read(struct reader *r, const struct column *columns, size_t count,
             struct rusm_field fields[TABLE_COLUMNS_MAX], char *texts, size_t cap)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        fields[i] = (struct rusm_field){ .column = columns[i].name, .type = columns[i].type };
        if (column_is_text(columns[i].type)) {
            size_t len;
            const uint8_t *text = reader_text(r, &len, cap);
            if (r->bad || used + len >= cap) {
                return RUSM_EMALFORMED;
            }
            fields[i].text = texts + used;
            if (len > 0) {
                memcpy(texts + used, text, len);
            }
            texts[used + len] = '\0';
            used += len + 1;
        } else {
            fields[i].number = reader_varint(r);
        }
    }
    return r->bad ? RUSM_EMALFORMED : 0;
}
