/* client_table: see the header. */
#include "client/client_table.h"
#include "wire/limits.h"

#include <stdlib.h>
#include "base/err.h"
#include "wire/table.h"

/* A table that is being read. */
struct client_table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t count; /* 0: the columns have not come yet */
    rusm_row_fn *row;
    void *context;
    char texts[LIMIT_FRAME];
};

static int table_reply(void *context, struct reader *body)
{
    struct client_table *t = context;
    struct rusm_field fields[TABLE_COLUMNS_MAX];
    int result = 0;

    if (t->count == 0) {
        return columns_read(body, t->columns, &t->count);
    }
    while (result == 0 && reader_left(body) > 0) {
        result = row_read(body, t->columns, t->count, fields, t->texts, sizeof(t->texts));
        if (result == 0) {
            result = t->row(t->context, fields, t->count);
        }
    }
    return result;
}

int client_table_read(struct rusm_client *c, enum rusm_table table, rusm_row_fn *row, void *context,
                      uint64_t deadline_ns, struct rusm_why *why)
{
    struct client_table *t = malloc(sizeof(*t));

    if (!t) {
        return RUSM_ENOMEM;
    }
    t->count = 0;
    t->row = row;
    t->context = context;
    struct writer w = client_request_begin(&c->request, OP_TABLE, deadline_ns);
    writer_varint(&w, table);
    int error = client_request_run(&c->request, &w, table_reply, t, deadline_ns, why);
    free(t);
    return error;
}

int rusm_client_list(struct rusm_client *client, enum rusm_table table, rusm_row_fn *row,
                     void *context, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    int error;

    if (table >= RUSM_TABLE_NODES) {
        return err_why(why, RUSM_EINVAL, "a node has no such table");
    }
    error = client_wake(client, deadline_ns, why);
    return error ? error : client_table_read(client, table, row, context, deadline_ns, why);
}
