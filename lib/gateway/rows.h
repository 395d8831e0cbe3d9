/* rows: reads a node's table as it comes, in parts: first the columns, then rows. */
#ifndef GATEWAY_ROWS_H
#define GATEWAY_ROWS_H

#include "wire/limits.h"
#include "wire/table.h"

struct rows {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t columns_count; /* 0: they have not come yet */
    char texts[LIMIT_FRAME];
};

typedef void rows_fn(void *context, const struct rusm_field *fields, size_t count);
/* Reads a part and calls `each` for each row in it. Returns 0, or an error if the part is
 * malformed. */
int rows_read(struct rows *rows, const uint8_t *body, size_t len, rows_fn *each, void *context);
struct json_t;
/* Makes an object of a row: a key for each column. Returns NULL without memory. */
struct json_t *rows_object(const struct rusm_field *fields, size_t count);

#endif
