/* rows: see the header. On the gateway's thread; for table_json.c and metrics.c. */
#include "gateway/rows.h"

int rows_read(struct rows *rows, const uint8_t *body, size_t len, rows_fn *each, void *context)
{
    struct rusm_field fields[TABLE_COLUMNS_MAX];
    struct reader r = reader_on(body, len);
    int error = 0;

    if (rows->columns_count == 0) {
        return columns_read(&r, rows->columns, &rows->columns_count);
    }
    while (reader_left(&r) > 0 && !error) {
        error = row_read(&r, rows->columns, rows->columns_count, fields, rows->texts,
                         sizeof(rows->texts));
        if (!error) {
            each(context, fields, rows->columns_count);
        }
    }
    return error;
}
