/* process_json: see the header. work.c calls it. */
#include "gateway/process_json.h"

#include <jansson.h>
#include <stdlib.h>
#include "base/must.h"
#include "gateway/exchange.h"
#include "gateway/rows.h"

/* Reads columns and up to `most` rows. Returns an array of objects, or NULL without memory. */
static json_t *process_json_rows(struct rows *rows, struct reader *r, size_t most)
{
    struct rusm_field fields[TABLE_COLUMNS_MAX];
    json_t *array = json_array();
    int error = columns_read(r, rows->columns, &rows->columns_count);

    while (array && !error && most-- > 0 && reader_left(r) > 0) {
        error = row_read(r, rows->columns, rows->columns_count, fields, rows->texts,
                         sizeof(rows->texts));
        if (json_array_append_new(array, rows_object(fields, rows->columns_count)) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    must(!error); /* this node wrote it */
    return array;
}

void process_json_answer(struct exchange *x, const uint8_t *reply, size_t len)
{
    struct reader r = reader_on(reply, len);
    struct rows *rows = malloc(sizeof(*rows));
    json_t *process = rows ? process_json_rows(rows, &r, 1) : NULL;
    json_t *relations = process ? process_json_rows(rows, &r, SIZE_MAX) : NULL;
    json_t *all = json_object();
    char *text = NULL;

    if (relations && json_object_set(all, "process", json_array_get(process, 0)) == 0 &&
        json_object_set(all, "relations", relations) == 0) {
        text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(15));
    }
    json_decref(all);
    json_decref(relations);
    json_decref(process);
    free(rows);
    if (text) {
        answer_take(x, 200, "application/json", text, strlen(text));
    } else {
        answer_error(x, RUSM_ENOMEM, NULL);
    }
}
