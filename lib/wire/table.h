/* table: how a node's tables travel in the replies to OP_TABLE.
 *
 * The first reply has the columns: count (1 to TABLE_COLUMNS_MAX), then (type u8, column text)*. An
 * unknown type is malformed. The other replies have rows, one after the other to the end of the
 * body. A row has one value per column: a text for TEXT and PID, a varint for the other types.
 */
#ifndef WIRE_TABLE_H
#define WIRE_TABLE_H

#include "rusm.h"
#include "wire/varint.h"

#define TABLE_COLUMNS_MAX 32
#define COLUMN_NAME_MAX 31
struct column {
    enum rusm_type type;
    char name[COLUMN_NAME_MAX + 1]; /* [a-z0-9_]: goes unescaped to terminals and into JSON */
};
bool column_name_ok(const uint8_t *name, size_t len);
/* Reads a text that is 1 to COLUMN_NAME_MAX of [a-z0-9_]. Sets r->bad if it is not. */
void column_name_read(struct reader *r, char name[COLUMN_NAME_MAX + 1]);
/* Reads the columns. Returns 0 or RUSM_EMALFORMED. */
int columns_read(struct reader *r, struct column columns[TABLE_COLUMNS_MAX], size_t *count);
void columns_write(struct writer *w, const struct column *columns, size_t count);

/* Reads one row: one field per column. Copies the row's texts to `texts`, each with a NUL after it.
 * A text's length takes at least one byte on the wire, so all texts of a frame fit into LIMIT_FRAME
 * bytes with their NULs. Returns 0, or RUSM_EMALFORMED, also if `texts` is too small. */
int row_read(struct reader *r, const struct column *columns, size_t count,
             struct rusm_field fields[TABLE_COLUMNS_MAX], char *texts, size_t cap);

static inline bool column_is_text(enum rusm_type type)
{
    return type == RUSM_TYPE_TEXT || type == RUSM_TYPE_PID;
}

#endif
