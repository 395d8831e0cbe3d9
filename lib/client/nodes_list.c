/* nodes_list: lists the nodes that this machine knows: first the nodes of the run folder, from
 * files and locks alone, then the nodes of the nodes file, which it dials, many at once. On the
 * caller's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client.h"
#include "local/nodefile.h"
#include "local/rundir.h"

#define AT_ONCE 32 /* nodes dialled at once: each costs a socket and a handshake */

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
            c->link.identity && strcmp(e->fingerprint, identity_fingerprint(c->link.identity)) != 0;
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

/* Returns a client that dials a node of the file, or NULL if it cannot even try. */
static struct rusm_client *probe_new(struct rusm_client *like, const struct nodefile_entry *e,
                                     uint64_t deadline_ns)
{
    const struct rusm_client_options options = { .rundir = like->node.rundir,
                                                 .identity = like->identity_given,
                                                 .timeout_ms = like->link.timeout_ms };
    struct rusm_client *c;

    if (!like->link.identity || client_new(&c, &options, NULL) != 0) {
        return NULL;
    }
    c->link.identity = like->link.identity; /* borrowed: see probe_free */
    snprintf(c->node.address, sizeof(c->node.address), "%s", e->address);
    snprintf(c->node.expected, sizeof(c->node.expected), "%s", e->name);
    if (client_link_dial(&c->link, deadline_ns, NULL) != 0) {
        c->link.over = true;
    }
    return c;
}

static void probe_free(struct rusm_client *c)
{
    if (c) {
        client_link_drop(&c->link);
        c->link.identity = NULL;
        rusm_client_close(c);
    }
}

static const char *probe_state(const struct rusm_client *c)
{
    if (!c) {
        return "unknown";
    }
    if (c->link.ready) {
        return "reachable";
    }
    if (c->link.name[0] && strcmp(c->link.name, c->node.expected) != 0) {
        return "wrong-node";
    }
    return c->link.over && c->link.end.kind == CONN_END_REFUSED ? "foreign" : "unreachable";
}

/* Steps all clients that still dial, until none does or the deadline has passed. */
static void probes_wait(struct rusm_client *const *probes, size_t count, uint64_t deadline_ns)
{
    struct client_link *busy[AT_ONCE];
    size_t n = 1;

    while (n > 0 && endpoint_now_ns() < deadline_ns) {
        n = 0;
        for (size_t i = 0; i < count; i++) {
            if (probes[i] && !probes[i]->link.ready && !probes[i]->link.over) {
                busy[n++] = &probes[i]->link;
            }
        }
        if (n > 0) {
            client_link_step_all(busy, n, deadline_ns);
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
                              &(struct node_row){
                                  .node = list[i].name,
                                  .address = list[i].address,
                                  .state = probe_state(probes[i]),
                                  .incarnation = probes[i] ? probes[i]->link.incarnation_there : 0,
                                  .source = "nodes-file" });
        }
        probe_free(probes[i]);
    }
    return result;
}

/* Removes from the file's list the nodes that the run folder shows. Returns how many are left. */
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

/* Returns when the first of so many rounds that share the time left ends. */
static uint64_t share_until(uint64_t deadline_ns, size_t rounds)
{
    uint64_t now_ns = endpoint_now_ns();

    return deadline_ns > now_ns ? now_ns + (deadline_ns - now_ns) / rounds : deadline_ns;
}

static int list_all(struct rusm_client *c, rusm_row_fn *row, void *context, struct rusm_why *why)
{
    struct rundir_entry *running = NULL;
    struct nodefile_entry *written = NULL;
    size_t running_count = 0, count = 0;
    char nodes[4096];
    struct rundir r;
    uint64_t deadline_ns = client_link_deadline(&c->link);
    int error = rundir_open(&r, c->node.rundir, false, why);

    if (error == 0) {
        error = rundir_list(&r, &running, &running_count);
        error = error ? err_why(why, error, "cannot list %s", r.path) : 0;
    } else if (error == RUSM_ENOPROC) {
        error = 0; /* there is no run folder, so no node runs */
    }
    if (!error) {
        error = list_running(c, running, running_count, row, context);
    }
    if (!error) {
        error = nodefile_path(c->node.identity_path, nodes, sizeof(nodes));
    }
    if (!error) {
        error = nodefile_read(nodes, &written, &count, why);
    }
    if (!error) {
        count = drop_running(written, count, running, running_count);
    }
    for (size_t i = 0; i < count && !error; i += AT_ONCE) {
        size_t n = count - i < AT_ONCE ? count - i : AT_ONCE;
        error = list_written(c, written + i, n, row, context,
                             share_until(deadline_ns, (count - i + AT_ONCE - 1) / AT_ONCE));
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
    /* Without an identity we can neither dial nor tell our nodes from foreign ones. */
    if (identity_load(c->node.identity_path, &c->link.identity, NULL) != 0) {
        c->link.identity = NULL;
    }
    error = list_all(c, row, context, why);
    rusm_client_close(c);
    return error;
}
