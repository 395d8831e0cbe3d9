/* table_json: see the header. The node gives the table as the bodies of replies to OP_TABLE. */
#include "gateway/table_json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "gateway/limits.h"
#include "gateway/exchange.h"
#include "gateway/route.h"
#include "gateway/rows.h"
#include "gateway/work.h"

struct table_json {
    struct rows reader;
    size_t rows; /* rows written so far */
    struct buf json;
    int error;
};

static void on_gone(struct exchange *x)
{
    struct table_json *l = x->state_of_handler;

    buf_fini(&l->json);
    free(l);
}

static void put(struct table_json *l, const char *text, size_t len)
{
    if (!l->error) {
        l->error = buf_append(&l->json, text, len);
    }
}

static int put_json(const char *text, size_t len, void *context)
{
    struct table_json *l = context;

    put(l, text, len);
    return l->error;
}

static void put_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct table_json *l = context;
    json_t *object = l->error ? NULL : rows_object(fields, count);

    if (l->error) {
        return;
    }
    l->error = object ? 0 : RUSM_ENOMEM;
    put(l, l->rows ? ",\n" : "\n", l->rows ? 2 : 1);
    l->rows++;
    if (!l->error &&
        json_dump_callback(object, put_json, l, JSON_COMPACT | JSON_REAL_PRECISION(15)) &&
        !l->error) {
        l->error = RUSM_ENOMEM;
    }
    json_decref(object);
}

static void on_part(struct exchange *x, const uint8_t *body, size_t len)
{
    struct table_json *l = x->state_of_handler;
    int error = rows_read(&l->reader, body, len, put_row, l);

    l->error = l->error ? l->error : error;
}

/* Sends the next part to the client as JSON. */
static void go_on(struct exchange *x)
{
    struct table_json *l = x->state_of_handler;
    struct gateway *g = x->gateway;
    size_t shown = l->rows;
    bool more = true;

    if (!x->working) {
        return;
    }
    while (more && !l->error && l->rows == shown) {
        more = g->node->more(g->context, &x->job);
    }
    if (!more) {
        x->working = false;
        put(l, l->rows ? "\n]}\n" : "]}\n", l->rows ? 4 : 3);
    }
    if (!l->error) {
        l->error = answer_write(x, buf_data(&l->json), buf_len(&l->json));
    }
    buf_clear(&l->json);
    if (l->error) {
        answer_break(x);
    } else if (!more) {
        answer_end(x);
    }
}

void table_json_get(struct exchange *x)
{
    struct table_json *l = malloc(sizeof(*l));

    if (!l) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return;
    }
    l->reader.columns_count = l->rows = 0;
    l->error = 0;
    buf_init(&l->json, LIMIT_HTTP_PART);
    x->state_of_handler = l;
    x->gone = on_gone;
    x->part = on_part;
    x->job.op = GATEWAY_TABLE;
    x->job.table = x->route->table;
    work_begin(x);
    if (!x->working) {
        return; /* the outcome has answered why not */
    }
    answer_stream(x, "application/json");
    if (x->head_only) {
        answer_end(x);
        return;
    }
    put(l, "{\"", 2);
    put(l, x->route->path + 4, strlen(x->route->path + 4));
    put(l, "\":[", 3);
    x->drained = go_on;
    go_on(x);
}
