/* rows: see the header. On the gateway's thread; for table_json.c, metrics.c and process_json.c. */
#include "gateway/rows.h"

#include <jansson.h>

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

static json_t *value_of(const struct rusm_field *field)
{
    if (column_is_text(field->type)) {
        json_t *text = json_string(field->text);
        return text ? text : json_string("?"); /* not UTF-8 */
    }
    if (field->type == RUSM_TYPE_SECONDS && field->number % 1000 != 0) {
        return json_real((double)field->number / 1000);
    }
    if (field->type == RUSM_TYPE_SECONDS) {
        return json_integer((json_int_t)(field->number / 1000));
    }
    return json_integer(field->number > INT64_MAX ? INT64_MAX : (json_int_t)field->number);
}

json_t *rows_object(const struct rusm_field *fields, size_t count)
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++) {
        if (json_object_set_new(object, fields[i].column, value_of(&fields[i])) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}
