/* table: how a node's tables travel in the replies to OP_TABLE.
 *
 * The first reply: count (1 to TABLE_COLUMNS_MAX), then (type u8, column text)*. The others: rows
 * one after the other until the end, each a value per column: text (TEXT, PID) or varint (the
 * rest). An unknown type is malformed.
 */
#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "rusm.h"
#include "wire/varint.h"

#define TABLE_COLUMNS_MAX 32
struct column {
    enum rusm_type type;
    char name[32]; /* 1 to 31 of [a-z0-9_]: it goes to terminals and into JSON as it is */
};
/* 0 or RUSM_EMALFORMED. */
int columns_read(struct reader *r, struct column columns[TABLE_COLUMNS_MAX], size_t *count);
void columns_write(struct writer *w, const struct column *columns, size_t count);

/* One row: as many fields as there are columns, texts with a 0 behind each in `texts`. (Each took a
 * length on the wire, so all of a frame's fit into LIMIT_FRAME bytes.) 0 or RUSM_EMALFORMED. */
int row_read(struct reader *r, const struct column *columns, size_t count,
             struct rusm_field fields[TABLE_COLUMNS_MAX], char *texts, size_t cap);

static inline bool column_is_text(enum rusm_type type)
{
    return type == RUSM_TYPE_TEXT || type == RUSM_TYPE_PID;
}

#endif
