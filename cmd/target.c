/* target: finds what a command is for: a node and mostly a process of it, or a global name that any
 * node of the cluster resolves. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t target_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Gives the deadline of a command that begins now: it ends within --timeout, whatever it does. */
static int target_time(const struct options *options, struct rusm_client_options *how)
{
    int status = options_seconds(options, "timeout", 5000, &how->timeout_ms);

    how->deadline_ns = target_now_ns() + (uint64_t)how->timeout_ms * 1000000;
    return status;
}

int target_node(const struct options *options, const char *node, struct rusm_client **client)
{
    struct rusm_client_options how = { 0 };
    struct rusm_why why = { 0 };
    int status = target_time(options, &how);
    int error = status == 0 ? rusm_client_open(client, &how, node, &why) : 0;

    return error != 0 ? failure_report(options->cmd, error, &why) : status;
}

/* ---- any node ---- */

/* The nodes that run here. */
struct target_nodes {
    char (*name)[RUSM_NODE_NAME_MAX + 1];
    size_t count;
};

/* Keeps the node's name if it is alive. A rusm_row_fn. */
static int target_keep(void *context, const struct rusm_field *fields, size_t count)
{
    struct target_nodes *nodes = context;
    const char *node = NULL;
    bool alive = false;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, "node") == 0) {
            node = fields[i].text;
        } else if (strcmp(fields[i].column, "state") == 0) {
            alive = fields[i].text && strcmp(fields[i].text, "alive") == 0;
        }
    }
    if (!node || !alive) {
        return 0;
    }
    void *more = realloc(nodes->name, (nodes->count + 1) * sizeof(*nodes->name));
    if (!more) {
        return RUSM_ENOMEM;
    }
    nodes->name = more;
    snprintf(nodes->name[nodes->count++], sizeof(*nodes->name), "%s", node);
    return 0;
}

/* Opens the first of the nodes that answers. They share the time: one that is stuck must not take
 * all of it. Returns 0 or the error of the first, with why. */
static int target_first(const struct target_nodes *nodes, struct rusm_client_options *how,
                        struct rusm_client **client, struct rusm_why *why)
{
    uint64_t deadline_ns = how->deadline_ns;
    int error = RUSM_ENOCONN;

    for (size_t i = 0; i < nodes->count; i++) {
        uint64_t now_ns = target_now_ns();
        uint64_t left_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        how->deadline_ns = now_ns + left_ns / (nodes->count - i);
        int failed = rusm_client_open(client, how, nodes->name[i], i == 0 ? why : NULL);
        if (failed == 0) {
            rusm_client_deadline(*client, deadline_ns);
            return 0;
        }
        error = i == 0 ? failed : error;
    }
    return error;
}

int target_any(const struct options *options, struct rusm_client **client)
{
    const char *via = options_value(options, "via");
    struct target_nodes nodes = { 0 };
    struct rusm_client_options how = { 0 };
    struct rusm_why why = { 0 };
    int status;

    if (via) {
        return target_node(options, via, client);
    }
    status = target_time(options, &how);
    if (status != 0) {
        return status;
    }
    /* Only nodes that run here are asked, so do not wait for those of the nodes file. */
    const struct rusm_client_options list = { .timeout_ms = 1 };
    int error = rusm_nodes_list(&list, target_keep, &nodes, &why);
    if (error == 0 && nodes.count == 0) {
        return failure_say(options->cmd, EXIT_NO_NODE,
                           "no node is running here: start one with 'rusm node --name NAME', or "
                           "name one with --via");
    }
    error = error ? error : target_first(&nodes, &how, client, &why);
    free(nodes.name);
    return error ? failure_report(options->cmd, error, &why) : 0;
}

int target_process(const struct options *options, struct target *target)
{
    static const char *const words[] = { "NODE", "PROCESS", NULL };
    int status;

    *target = (struct target){ .process = options_value(options, "global") };
    if (target->process) {
        target->global = true;
        return target_any(options, &target->client);
    }
    if (options_has(options, "via")) {
        return failure_usage(options->cmd, "--via works only with --global");
    }
    status = options_words(options, words, SIZE_MAX);
    if (status != 0) {
        return status;
    }
    target->process = options->word[1];
    target->rest = 2;
    return target_node(options, options->word[0], &target->client);
}
