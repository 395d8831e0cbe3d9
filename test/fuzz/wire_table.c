/* fuzz: a table's columns, and the rows that follow (wire/table.h). */
#include "doubles/fuzz.h"
#include "wire/table.h"

static int item_columns(struct reader *r, struct writer *w)
{
    struct column columns[TABLE_COLUMNS_MAX];
    size_t count;

    if (columns_read(r, columns, &count) != 0) {
        must(r->bad && count == 0);
        return RUSM_EMALFORMED;
    }
    must(count > 0 && count <= TABLE_COLUMNS_MAX);
    for (size_t i = 0; i < count; i++) {
        size_t len = strnlen(columns[i].name, sizeof(columns[i].name));
        must(len > 0 && len < sizeof(columns[i].name));
    }
    columns_write(w, columns, count);
    return 1;
}

static int item_text(struct reader *r, struct writer *w)
{
    size_t len;
    const uint8_t *text = reader_text(r, &len, SIZE_MAX);

    if (!r->bad) {
        writer_text(w, text, len);
    }
    return r->bad ? RUSM_EMALFORMED : 1;
}

static int item_number(struct reader *r, struct writer *w)
{
    writer_varint(w, reader_varint(r));
    return r->bad ? RUSM_EMALFORMED : 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct column columns[TABLE_COLUMNS_MAX];
    struct reader r = reader_on(data, len);
    size_t count, at = fuzz_item(item_columns, data, len);

    if (at == 0) {
        return 0;
    }
    must(columns_read(&r, columns, &count) == 0);
    for (size_t i = 0; at < len; i = (i + 1) % count) {
        size_t used = fuzz_item(column_is_text(columns[i].type) ? item_text : item_number,
                                data + at, len - at);
        if (used == 0) {
            break;
        }
        at += used;
    }
    return 0;
}
