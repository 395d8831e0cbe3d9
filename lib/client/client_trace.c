/* client_trace: traces a process: a request whose replies are events, as in client_follow. On the
 * caller's thread. */
#include "base/err.h"
#include "client/client_aim.h"
#include "wire/trace.h"

int rusm_client_trace(struct rusm_client *client, const struct rusm_trace *what,
                      struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    struct client_aim aim;
    int error = err_reserved(what->reserved, sizeof(what->reserved) / sizeof(*what->reserved), why);

    client->follow_at = NULL;
    if (!error) {
        error = client_wake(client, deadline_ns, why);
    }
    if (!error) {
        error = client_aim_find(client, what->process, what->global, &aim, deadline_ns, why);
    }
    if (!error) {
        error = client_follow_prepare(aim.at);
    }
    if (error) {
        return error;
    }
    client->follow_at = aim.at;
    struct writer w = client_request_begin(&aim.at->request, OP_TRACE, 0); /* it ends by itself */
    trace_write(&w, &(struct trace){
                        .target = aim.to, .count = what->count, .payload = what->payload });
    return client_follow_begin(aim.at, &w, deadline_ns, why);
}
