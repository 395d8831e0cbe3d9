/* client_target: which node a client is to reach, and which process of it: texts to addresses. See
 * client.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client.h"
#include "local/nodefile.h"

/* ---- nodes ---- */

/* A list of names that is cut with "…" when it gets long. */
struct known {
    char text[200];
    size_t len;
    bool cut;
};

static void known_add(struct known *k, const char *name)
{
    size_t need = strlen(name) + (k->len > 0 ? 2 : 0);

    if (k->cut || k->len + need + 6 > sizeof(k->text)) {
        k->len += k->cut ? 0 : (size_t)snprintf(k->text + k->len, 6, ", ...");
        k->cut = true;
        return;
    }
    k->len += (size_t)snprintf(k->text + k->len, sizeof(k->text) - k->len, "%s%s",
                               k->len > 0 ? ", " : "", name);
}

static int why_unknown(const char *name, const struct rundir *r, bool has_rundir, const char *nodes,
                       struct rusm_why *why)
{
    struct known known = { .text = "" };
    struct rundir_entry *running;
    struct nodefile_entry *written;
    size_t count;

    if (has_rundir && rundir_list(r, &running, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (running[i].alive) {
                known_add(&known, running[i].name);
            }
        }
        free(running);
    }
    if (nodefile_read(nodes, &written, &count, NULL) == 0) {
        for (size_t i = 0; i < count; i++) {
            known_add(&known, written[i].name);
        }
        free(written);
    }
    return err_why(why, RUSM_ENOCONN, "no node '%s' (known: %s; looked in %s and %s)", name,
                   known.len > 0 ? known.text : "none", r->path, nodes);
}

/* In the nodes file. 1: found, 0, or an error. */
static int find_written(struct rusm_client *c, const char *nodes, const char *name,
                        struct rusm_why *why)
{
    struct nodefile_entry *list;
    size_t count;
    int found = 0, error = nodefile_read(nodes, &list, &count, why);

    if (error) {
        return error;
    }
    for (size_t i = 0; i < count && !found; i++) {
        if (strcmp(list[i].name, name) == 0) {
            snprintf(c->address, sizeof(c->address), "%s", list[i].address);
            found = 1;
        }
    }
    free(list);
    return found;
}

static int locate_name(struct rusm_client *c, const char *name, struct rusm_why *why)
{
    struct rundir r;
    struct rundir_entry entry = { .os_pid = 0 };
    char nodes[4096];
    int has = rundir_open(&r, c->rundir_given, false, why);
    int error = nodefile_path(c->identity_path, nodes, sizeof(nodes));

    if (has != 0 && has != RUSM_ENOPROC) {
        return has;
    }
    if (error) {
        return error;
    }
    bool stale = has == 0 && rundir_find(&r, name, &entry) == 0;
    if (stale && entry.alive) {
        c->os_pid = entry.os_pid;
        snprintf(c->address, sizeof(c->address), "%s", entry.address);
        return 0;
    }
    int found = find_written(c, nodes, name, why);
    if (found != 0) {
        return found < 0 ? found : 0;
    }
    if (stale) {
        return err_why(why, RUSM_ENOCONN, "node '%s' is not running (its process %lld is gone)",
                       name, (long long)entry.os_pid);
    }
    return why_unknown(name, &r, has == 0, nodes, why);
}

int client_locate(struct rusm_client *c, struct rusm_why *why)
{
    struct id_target target;

    if (id_target_parse(c->wanted, &target) != 0) {
        return err_why(why, RUSM_EINVAL,
                       "'%s' is not a node: write NAME, NAME@HOST:PORT or HOST:PORT", c->wanted);
    }
    snprintf(c->expected, sizeof(c->expected), "%s", target.name);
    c->os_pid = 0;
    if (!target.host[0]) {
        return locate_name(c, target.name, why);
    }
    bool v6 = strchr(target.host, ':') != NULL;
    snprintf(c->address, sizeof(c->address), "%s%s%s:%s", v6 ? "[" : "", target.host, v6 ? "]" : "",
             target.port);
    return 0;
}

bool client_node_runs(const struct rusm_client *c)
{
    struct rundir r;
    struct rundir_entry entry;

    return rundir_open(&r, c->rundir_given, false, NULL) == 0 &&
           rundir_find(&r, c->node, &entry) == 0 && entry.alive &&
           entry.incarnation == c->node_incarnation;
}

/* ---- the node that owns a global name ---- */

struct owner_search {
    const char *node;
    char address[300];
};

static int owner_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct owner_search *s = context;
    const char *node = NULL, *address = NULL;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, "node") == 0) {
            node = fields[i].text;
        } else if (strcmp(fields[i].column, "address") == 0) {
            address = fields[i].text;
        }
    }
    if (node && address && strcmp(node, s->node) == 0 &&
        id_host_port_ok(address, strlen(address))) {
        snprintf(s->address, sizeof(s->address), "%s", address);
        return 1;
    }
    return 0;
}

/* A client of another node: one that we have, else by the run folder, else by the address that our
 * own node has of it. */
static int client_other(struct rusm_client *c, const char *node, struct rusm_client **out,
                        uint64_t deadline_ns, struct rusm_why *why)
{
    const struct rusm_client_options options = { .rundir = c->rundir_given,
                                                 .identity = c->identity_given,
                                                 .timeout_ms = c->timeout_ms };
    struct owner_search search = { .node = node };
    char target[RUSM_NODE_NAME_MAX + 302];
    struct rundir r;
    struct rundir_entry entry;

    for (struct rusm_client *o = c->others; o; o = o->next) {
        if (strcmp(o->node, node) == 0) {
            *out = o;
            return client_wake(o, deadline_ns, why);
        }
    }
    snprintf(target, sizeof(target), "%s", node);
    if (rundir_open(&r, c->rundir_given, false, NULL) != 0 || rundir_find(&r, node, &entry) != 0 ||
        !entry.alive) {
        int error = client_table(c, RUSM_TABLE_PEERS, owner_row, &search, deadline_ns, why);
        if (error < 0) {
            return error;
        }
        if (!search.address[0]) {
            return err_why(why, RUSM_ENOCONN, "%s is not connected to %s", c->node, node);
        }
        snprintf(target, sizeof(target), "%s@%s", node, search.address);
    }
    int error = rusm_client_open(out, &options, target, why);
    if (!error) {
        (*out)->next = c->others;
        c->others = *out;
    }
    return error;
}

/* ---- processes ---- */

static int aim_global(struct rusm_client *c, const char *name, struct aim *aim,
                      uint64_t deadline_ns, struct rusm_why *why)
{
    char node[RUSM_NODE_NAME_MAX + 1], pid[RUSM_PID_TEXT_MAX];
    size_t len = strlen(name);
    int error = 0;

    if (!id_process_name_ok(name, len)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a process's name", name);
    }
    if (strcmp(c->global, name) != 0) {
        error = request_whereis(c, name, node, pid, deadline_ns, why);
        if (!error) {
            c->global_at = c;
            if (strcmp(node, c->node) != 0) {
                error = client_other(c, node, &c->global_at, deadline_ns, why);
            }
        }
        snprintf(c->global, sizeof(c->global), "%s", error ? "" : name);
    } else if (c->global_at != c) {
        error = client_wake(c->global_at, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    aim->at = c->global_at;
    aim->to = (struct target){ .kind = TARGET_GLOBAL, .name = name, .name_len = len };
    snprintf(aim->text, sizeof(aim->text), "'%s' on %s", name, aim->at->node);
    return 0;
}

int aim_find(struct rusm_client *c, const char *process, bool global, struct aim *aim,
             uint64_t deadline_ns, struct rusm_why *why)
{
    struct id_address address;

    if (global) {
        return aim_global(c, process, aim, deadline_ns, why);
    }
    if (id_address_parse(process, strlen(process), &address) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is neither a process's name nor a pid", process);
    }
    if (address.node && (address.node_len != strlen(c->node) ||
                         memcmp(address.node, c->node, address.node_len) != 0)) {
        return err_why(why, RUSM_EINVAL, "%s is a process of %.*s, not of %s", process,
                       (int)address.node_len, address.node, c->node);
    }
    aim->at = c;
    if (address.name) {
        aim->to = (struct target){ .kind = TARGET_NAME,
                                   .name = address.name,
                                   .name_len = address.name_len };
        snprintf(aim->text, sizeof(aim->text), "'%.*s' on %s", (int)address.name_len, address.name,
                 c->node);
        return 0;
    }
    aim->to = (struct target){ .kind = TARGET_PID, .serial = address.serial };
    aim->to.incarnation = address.has_incarnation ? address.incarnation : c->node_incarnation;
    snprintf(aim->text, sizeof(aim->text), "%s%s%s", process, address.node ? "" : "@",
             address.node ? "" : c->node);
    return 0;
}
