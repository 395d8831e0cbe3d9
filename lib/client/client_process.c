/* client_process: asks a node for one of its processes and its relations. On the caller's thread.
 * */
#include "client/client_aim.h"

#include <stdlib.h>
#include "base/err.h"
#include "wire/limits.h"
#include "wire/table.h"

struct client_process {
    rusm_row_fn *row;
    void *context;
    struct column columns[TABLE_COLUMNS_MAX];
    char texts[LIMIT_FRAME];
};

/* Reads columns and up to `most` rows. */
static int client_process_rows(struct client_process *p, struct reader *body, size_t most)
{
    struct rusm_field fields[TABLE_COLUMNS_MAX];
    size_t count;
    int result = columns_read(body, p->columns, &count);

    while (result == 0 && most-- > 0 && reader_left(body) > 0) {
        result = row_read(body, p->columns, count, fields, p->texts, sizeof(p->texts));
        if (result == 0) {
            result = p->row(p->context, fields, count);
        }
    }
    return result;
}

static int client_process_reply(void *context, struct reader *body)
{
    int result = client_process_rows(context, body, 1);

    return result ? result : client_process_rows(context, body, SIZE_MAX);
}

int rusm_client_process(struct rusm_client *client, const char *process, bool global,
                        rusm_row_fn *row, void *context, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_process *p;
    struct client_aim aim;
    int error = client_wake(client, deadline_ns, why);

    if (!error) {
        error = client_aim_find(client, process, global, &aim, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    p = malloc(sizeof(*p));
    if (!p) {
        return RUSM_ENOMEM;
    }
    p->row = row;
    p->context = context;
    struct writer w = client_request_begin(&aim.at->request, OP_PROCESS, deadline_ns);
    target_write(&w, &aim.to);
    error = client_request_run(&aim.at->request, &w, client_process_reply, p, deadline_ns, why);
    free(p);
    return error;
}
