/* target: finds what a command is for: a node and mostly a process of it, or a global name that any
 * node of the cluster resolves. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

static int target_open(const struct options *options, const char *node, struct rusm_client **client,
                       struct rusm_why *why, int *error)
{
    struct rusm_client_options how = { 0 };
    int status = options_seconds(options, "timeout", 5000, &how.timeout_ms);

    *error = 0;
    if (status == 0) {
        *error = rusm_client_open(client, &how, node, why);
    }
    return status;
}

int target_node(const struct options *options, const char *node, struct rusm_client **client)
{
    struct rusm_why why = { 0 };
    int error, status = target_open(options, node, client, &why, &error);

    return status == 0 && error != 0 ? failure_report(options->cmd, error, &why) : status;
}

/* ---- any node ---- */

struct target_search {
    const struct options *options;
    struct rusm_client *client;
    struct rusm_why why; /* of the first node that could not be reached */
    int error;
    int status;
};

/* Tries one of the known nodes. The first that answers ends the search. A rusm_row_fn. */
static int target_try(void *context, const struct rusm_field *fields, size_t count)
{
    struct target_search *search = context;
    const char *node = NULL;
    struct rusm_why why = { 0 };
    int error;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, "node") == 0) {
            node = fields[i].text;
        } else if (strcmp(fields[i].column, "state") == 0 && fields[i].text &&
                   strcmp(fields[i].text, "alive") != 0) {
            return 0;
        }
    }
    if (!node) {
        return 0;
    }
    search->status = target_open(search->options, node, &search->client, &why, &error);
    if (error != 0 && search->error == 0) {
        search->error = error;
        search->why = why;
    }
    return search->status != 0 || search->client;
}

int target_any(const struct options *options, struct rusm_client **client)
{
    struct target_search search = { .options = options };
    struct rusm_client_options how = { 0 };
    const char *via = options_value(options, "via");
    int error, status;

    if (via) {
        return target_node(options, via, client);
    }
    status = options_seconds(options, "timeout", 5000, &how.timeout_ms);
    if (status != 0) {
        return status;
    }
    error = rusm_nodes_list(&how, target_try, &search, &search.why);
    if (search.client || search.status != 0) {
        *client = search.client;
        return search.status;
    }
    if (search.error != 0 || error < 0) {
        return failure_report(options->cmd, search.error ? search.error : error, &search.why);
    }
    return failure_say(options->cmd, EXIT_NO_NODE,
                       "no node is running here: start one with 'rusm node --name NAME', or name "
                       "one with --via");
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
