/* rows: a node's table as it comes, in parts: first the columns, then rows. */
#ifndef GATEWAY_ROWS_H
#define GATEWAY_ROWS_H

#include "wire/limits.h"
#include "wire/table.h"

struct rows {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t columns_count; /* 0: they have not come */
    char texts[LIMIT_FRAME];
};

typedef void rows_fn(void *context, const struct rusm_field *fields, size_t count);
/* Reads a part; `each` is called for each row in it. 0 or what is wrong with it. */
int rows_read(struct rows *rows, const uint8_t *body, size_t len, rows_fn *each, void *context);

#endif
