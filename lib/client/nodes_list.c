/* nodes_list: the nodes that this machine knows of: those of the run folder, from files and locks
 * alone, then those of the nodes file, all dialled at once. On the caller's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client.h"
#include "local/nodefile.h"

#define AT_ONCE 32 /* dialled together: each is a socket and a handshake */

struct node_row {
    const char *node, *address, *state, *source;
    uint64_t os_pid;      /* 0: not known */
    uint32_t incarnation; /* 0: not known */
};

static int row_give(rusm_row_fn *row, void *context, const struct node_row *r)
{
    char incarnation[9] = "";

    if (r->incarnation) {
        snprintf(incarnation, sizeof(incarnation), "%x", r->incarnation);
    }
    const struct rusm_field fields[] = {
        { .column = "node", .type = RUSM_TYPE_TEXT, .text = r->node },
        { .column = "address", .type = RUSM_TYPE_TEXT, .text = r->address },
        { .column = "state", .type = RUSM_TYPE_TEXT, .text = r->state },
        { .column = "os_pid", .type = RUSM_TYPE_COUNT, .number = r->os_pid },
        { .column = "incarnation", .type = RUSM_TYPE_TEXT, .text = incarnation },
        { .column = "source", .type = RUSM_TYPE_TEXT, .text = r->source },
    };
    return row(context, fields, sizeof(fields) / sizeof(fields[0]));
}

/* ---- the run folder ---- */

static int list_running(const struct rusm_client *c, const struct rundir_entry *list, size_t count,
                        rusm_row_fn *row, void *context)
{
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        const struct rundir_entry *e = &list[i];
        bool foreign =
            c->identity && strcmp(e->fingerprint, identity_fingerprint(c->identity)) != 0;
        result = row_give(row, context,
                          &(struct node_row){ .node = e->name,
                                              .address = e->address,
                                              .state = !e->alive ? "gone"
                                                       : foreign ? "foreign"
                                                                 : "alive",
                                              .os_pid = (uint64_t)e->os_pid,
                                              .incarnation = e->incarnation,
                                              .source = "run-folder" });
    }
    return result;
}

/* ---- the nodes file ---- */

/* A client on its way to a node of the file; NULL: it cannot even be tried. */
static struct rusm_client *probe_new(struct rusm_client *like, const struct nodefile_entry *e,
                                     uint64_t deadline_ns)
{
    const struct rusm_client_options options = { .rundir = like->rundir_given,
                                                 .identity = like->identity_given,
                                                 .timeout_ms = like->timeout_ms };
    struct rusm_client *c;

    if (!like->identity || client_new(&c, &options, NULL) != 0) {
        return NULL;
    }
    c->identity = like->identity; /* borrowed: see probe_free */
    snprintf(c->address, sizeof(c->address), "%s", e->address);
    snprintf(c->expected, sizeof(c->expected), "%s", e->name);
    if (link_dial(c, deadline_ns, NULL) != 0) {
        c->over = true;
    }
    return c;
}

static void probe_free(struct rusm_client *c)
{
    if (c) {
        link_drop(c);
        c->identity = NULL;
        rusm_client_close(c);
    }
}

static const char *probe_state(const struct rusm_client *c)
{
    if (!c) {
        return "unknown";
    }
    if (c->ready) {
        return "reachable";
    }
    if (c->node[0] && strcmp(c->node, c->expected) != 0) {
        return "wrong-node";
    }
    return c->over && c->end.kind == CONN_END_REFUSED ? "foreign" : "unreachable";
}

/* Steps all that are still on their way until none is, or the time is over. */
static void probes_wait(struct rusm_client *const *probes, size_t count, uint64_t deadline_ns)
{
    struct rusm_client *busy[AT_ONCE];
    size_t n = 1;

    while (n > 0 && endpoint_now_ns() < deadline_ns) {
        n = 0;
        for (size_t i = 0; i < count; i++) {
            if (probes[i] && !probes[i]->ready && !probes[i]->over) {
                busy[n++] = probes[i];
            }
        }
        if (n > 0) {
            link_step_all(busy, n, deadline_ns);
        }
    }
}

static int list_written(struct rusm_client *like, const struct nodefile_entry *list, size_t count,
                        rusm_row_fn *row, void *context, uint64_t deadline_ns)
{
    struct rusm_client *probes[AT_ONCE];
    int result = 0;

    for (size_t i = 0; i < count; i++) {
        probes[i] = probe_new(like, &list[i], deadline_ns);
    }
    probes_wait(probes, count, deadline_ns);
    for (size_t i = 0; i < count; i++) {
        if (result == 0) {
            result = row_give(row, context,
                              &(struct node_row){ .node = list[i].name,
                                                  .address = list[i].address,
                                                  .state = probe_state(probes[i]),
                                                  .incarnation =
                                                      probes[i] ? probes[i]->node_incarnation : 0,
                                                  .source = "nodes-file" });
        }
        probe_free(probes[i]);
    }
    return result;
}

/* Leaves out of the file's list what the run folder shows already. Returns how many are left. */
static size_t drop_running(struct nodefile_entry *list, size_t count,
                           const struct rundir_entry *running, size_t running_count)
{
    size_t left = 0;

    for (size_t i = 0; i < count; i++) {
        bool shown = false;
        for (size_t k = 0; k < running_count && !shown; k++) {
            shown = running[k].alive && strcmp(running[k].name, list[i].name) == 0 &&
                    strcmp(running[k].address, list[i].address) == 0;
        }
        if (!shown) {
            list[left++] = list[i];
        }
    }
    return left;
}

static int list_all(struct rusm_client *c, rusm_row_fn *row, void *context, struct rusm_why *why)
{
    struct rundir_entry *running = NULL;
    struct nodefile_entry *written = NULL;
    size_t running_count = 0, count = 0;
    char nodes[4096];
    struct rundir r;
    uint64_t deadline_ns = client_deadline(c);
    int error = rundir_open(&r, c->rundir_given, false, why);

    if (error == 0) {
        error = rundir_list(&r, &running, &running_count);
        error = error ? err_why(why, error, "cannot list %s", r.path) : 0;
    } else if (error == RUSM_ENOPROC) {
        error = 0; /* no folder, no nodes */
    }
    if (!error) {
        error = list_running(c, running, running_count, row, context);
    }
    if (!error) {
        error = nodefile_path(c->identity_path, nodes, sizeof(nodes));
    }
    if (!error) {
        error = nodefile_read(nodes, &written, &count, why);
    }
    if (!error) {
        count = drop_running(written, count, running, running_count);
    }
    for (size_t i = 0; i < count && !error; i += AT_ONCE) {
        size_t n = count - i < AT_ONCE ? count - i : AT_ONCE;
        error = list_written(c, written + i, n, row, context, deadline_ns);
    }
    free(written);
    free(running);
    return error;
}

int rusm_nodes_list(const struct rusm_client_options *options, rusm_row_fn *row, void *context,
                    struct rusm_why *why)
{
    struct rusm_client *c;
    int error = client_new(&c, options, why);

    if (error) {
        return error;
    }
    /* Without an identity there is no telling ours from foreign ones, nor dialling. */
    if (identity_load(c->identity_path, &c->identity, NULL) != 0) {
        c->identity = NULL;
    }
    error = list_all(c, row, context, why);
    rusm_client_close(c);
    return error;
}
