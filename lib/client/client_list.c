/* client_list: a node's tables, row by row. See client.h. */
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client.h"

struct listing {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t count; /* 0: the columns have not come */
    rusm_row_fn *row;
    void *context;
    char texts[LIMIT_FRAME];
};

static int listing_reply(void *context, struct reader *body)
{
    struct listing *l = context;
    struct rusm_field fields[TABLE_COLUMNS_MAX];
    int result = 0;

    if (l->count == 0) {
        return columns_read(body, l->columns, &l->count);
    }
    while (result == 0 && reader_left(body) > 0) {
        result = row_read(body, l->columns, l->count, fields, l->texts, sizeof(l->texts));
        if (result == 0) {
            result = l->row(l->context, fields, l->count);
        }
    }
    return result;
}

int client_table(struct rusm_client *c, enum rusm_table table, rusm_row_fn *row, void *context,
                 uint64_t deadline_ns, struct rusm_why *why)
{
    struct listing *l = malloc(sizeof(*l));

    if (!l) {
        return RUSM_ENOMEM;
    }
    l->count = 0;
    l->row = row;
    l->context = context;
    struct writer w = request_begin(c, OP_TABLE, deadline_ns);
    writer_varint(&w, table);
    int error = request_run(c, &w, listing_reply, l, deadline_ns, why);
    free(l);
    return error;
}

int rusm_client_list(struct rusm_client *client, enum rusm_table table, rusm_row_fn *row,
                     void *context, struct rusm_why *why)
{
    uint64_t deadline_ns = client_deadline(client);
    int error;

    if (table >= RUSM_TABLE_NODES) {
        return err_why(why, RUSM_EINVAL, "a node has no such table");
    }
    error = client_wake(client, deadline_ns, why);
    return error ? error : client_table(client, table, row, context, deadline_ns, why);
}
