/* client_control: operations of a client that are one request: spawn, kill, whereis, stop. On the
 * caller's thread. */
#include <string.h>
#include <time.h>
#include "base/err.h"
#include "base/limits.h"
#include "base/id.h"
#include "client/client_aim.h"

#define STOP_PAUSE_NS 2000000

int rusm_client_whereis(struct rusm_client *client, const char *name, char pid[RUSM_PID_TEXT_MAX],
                        struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    int error = client_wake(client, deadline_ns, why);

    return error ? error
                 : client_request_whereis(&client->request, name, NULL, pid, deadline_ns, why);
}

int rusm_client_spawn(struct rusm_client *client, const char *spawnable,
                      const struct rusm_args *args, const char *name, bool global,
                      char pid[RUSM_PID_TEXT_MAX], struct rusm_why *why)
{
    enum spawn_scope scope = !name ? SPAWN_NO_NAME : global ? SPAWN_GLOBAL : SPAWN_LOCAL;
    struct client_pid_reply reply = { .link = &client->link, .pid = pid };
    uint64_t deadline_ns = client_link_deadline(&client->link);
    int error;

    if (!id_process_name_ok(spawnable, strlen(spawnable))) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a spawnable's name", spawnable);
    }
    if (name && !id_process_name_ok(name, strlen(name))) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a name for a process", name);
    }
    error = client_wake(client, deadline_ns, why);
    if (error) {
        return error;
    }
    struct writer w = client_request_begin(&client->request, OP_SPAWN, deadline_ns);
    spawn_write(&w, scope, spawnable, name, args);
    if (w.bad) {
        return err_why(why, RUSM_ETOOLARGE, "more than %d arguments, or more than %zu KiB of them",
                       RUSM_ARGS_MAX, LIMIT_ARGS_BYTES / 1024);
    }
    return client_request_run(&client->request, &w, client_request_pid, &reply, deadline_ns, why);
}

int rusm_client_kill(struct rusm_client *client, const char *process, bool global,
                     const char *reason, struct rusm_why *why)
{
    uint64_t deadline_ns = client_link_deadline(&client->link);
    size_t len = reason ? strlen(reason) : 0;
    struct client_aim aim;
    int error = client_wake(client, deadline_ns, why);

    if (!error) {
        error = client_aim_find(client, process, global, &aim, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    struct writer w = client_request_begin(&aim.at->request, OP_KILL, deadline_ns);
    target_write(&w, &aim.to);
    writer_text(&w, reason ? reason : "", len < RUSM_REASON_MAX ? len : RUSM_REASON_MAX);
    client->global[0] = '\0'; /* the name will have another owner */
    error = client_request_run(&aim.at->request, &w, NULL, NULL, deadline_ns, why);
    return error == RUSM_ENOPROC ? err_why(why, error, "no process %s", aim.text) : error;
}

static bool node_runs(const struct rusm_client *c)
{
    return client_node_runs(&c->node, c->link.name, c->link.incarnation_there);
}

int rusm_client_stop(struct rusm_client *client, struct rusm_why *why)
{
    const struct timespec pause = { .tv_nsec = STOP_PAUSE_NS };
    uint64_t deadline_ns = client_link_deadline(&client->link);
    char seconds[16];
    int error = client_wake(client, deadline_ns, why);

    if (error) {
        return error;
    }
    struct writer w = client_request_begin(&client->request, OP_STOP, deadline_ns);
    error = client_request_run(&client->request, &w, NULL, NULL, deadline_ns, why);
    /* The node may have left before its reply got here. */
    bool said = client->link.end.kind == CONN_END_PEER && client->link.end.code == CLOSE_NONE;
    bool left = client->link.over && (said || (client->node.os_pid > 0 && !node_runs(client)));
    if (error && !left) {
        return error;
    }
    while (client_link_step(&client->link, deadline_ns) == 0) {}
    /* If the node is on this machine, wait until its OS process is gone: then its name is free. */
    while ((!client->link.over || node_runs(client)) && endpoint_now_ns() < deadline_ns) {
        nanosleep(&pause, NULL);
    }
    if (!client->link.over || node_runs(client)) {
        return err_why(why, RUSM_ETIMEOUT, "%s has not left within %s; it may still be leaving",
                       client->link.name, client_link_seconds(&client->link, seconds));
    }
    return 0;
}
