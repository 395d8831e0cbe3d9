/* client_aim: see the header. */
#include "client/client_aim.h"

#include <stdio.h>
#include <string.h>
#include "base/err.h"
#include "base/id.h"
#include "client/client_table.h"
#include "local/rundir.h"

/* Looks for the address of another node in the table of peers. */
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

/* Gives a client of another node: one that we have, or a new one. The address of a new one comes
 * from the run folder, or else from our own node's table of peers. Returns 0 or an error. */
static int aim_other(struct rusm_client *c, const char *node, struct rusm_client **out,
                     uint64_t deadline_ns, struct rusm_why *why)
{
    const struct rusm_client_options options = { .rundir = c->node.rundir,
                                                 .identity = c->identity_given,
                                                 .timeout_ms = c->link.timeout_ms,
                                                 .deadline_ns = deadline_ns };
    struct owner_search search = { .node = node };
    char target[RUSM_NODE_NAME_MAX + 302];
    struct rundir r;
    struct rundir_entry entry;

    for (struct rusm_client *o = c->others; o; o = o->next) {
        if (strcmp(o->link.name, node) == 0) {
            *out = o;
            return client_wake(o, deadline_ns, why);
        }
    }
    snprintf(target, sizeof(target), "%s", node);
    if (rundir_open(&r, c->node.rundir, false, NULL) != 0 || rundir_find(&r, node, &entry) != 0 ||
        !entry.alive) {
        int error = client_table_read(c, RUSM_TABLE_PEERS, owner_row, &search, deadline_ns, why);
        if (error < 0) {
            return error;
        }
        if (!search.address[0]) {
            return err_why(why, RUSM_ENOCONN, "%s is not connected to %s", c->link.name, node);
        }
        snprintf(target, sizeof(target), "%s@%s", node, search.address);
    }
    int error = rusm_client_open(out, &options, target, why);
    if (!error) {
        rusm_client_deadline(*out, c->link.deadline_ns);
        (*out)->next = c->others;
        c->others = *out;
    }
    return error;
}

static int aim_global(struct rusm_client *c, const char *name, struct client_aim *aim,
                      uint64_t deadline_ns, struct rusm_why *why)
{
    char node[RUSM_NODE_NAME_MAX + 1], pid[RUSM_PID_TEXT_MAX];
    size_t len = strlen(name);
    int error = 0;

    if (!id_process_name_ok(name, len)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not a process's name", name);
    }
    if (c->pending.owner_doubted) {
        c->pending.owner_doubted = false;
        c->global[0] = '\0';
    }
    if (strcmp(c->global, name) != 0) {
        error = client_request_whereis(&c->request, name, node, pid, deadline_ns, why);
        if (!error) {
            c->global_at = c;
            if (strcmp(node, c->link.name) != 0) {
                error = aim_other(c, node, &c->global_at, deadline_ns, why);
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
    snprintf(aim->text, sizeof(aim->text), "'%s' on %s", name, aim->at->link.name);
    return 0;
}

/* Gives the client of the node that an address names: ours, or one of another node. */
static int aim_node(struct rusm_client *c, const struct id_address *address,
                    struct rusm_client **out, uint64_t deadline_ns, struct rusm_why *why)
{
    char node[RUSM_NODE_NAME_MAX + 1];

    *out = c;
    if (!address->node) {
        return 0;
    }
    snprintf(node, sizeof(node), "%.*s", (int)address->node_len, address->node);
    return strcmp(node, c->link.name) == 0 ? 0 : aim_other(c, node, out, deadline_ns, why);
}

int client_aim_find(struct rusm_client *c, const char *process, bool global, struct client_aim *aim,
                    uint64_t deadline_ns, struct rusm_why *why)
{
    struct id_address address;

    if (global) {
        return aim_global(c, process, aim, deadline_ns, why);
    }
    if (id_address_parse(process, strlen(process), &address) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is neither a process's name nor a pid", process);
    }
    int error = aim_node(c, &address, &aim->at, deadline_ns, why);
    if (error) {
        return error;
    }
    if (address.name) {
        aim->to = (struct target){ .kind = TARGET_NAME,
                                   .name = address.name,
                                   .name_len = address.name_len };
        snprintf(aim->text, sizeof(aim->text), "'%.*s' on %s", (int)address.name_len, address.name,
                 aim->at->link.name);
        return 0;
    }
    aim->to = (struct target){ .kind = TARGET_PID, .serial = address.serial };
    aim->to.incarnation =
        address.has_incarnation ? address.incarnation : aim->at->link.incarnation_there;
    snprintf(aim->text, sizeof(aim->text), "%s%s%s", process, address.node ? "" : "@",
             address.node ? "" : c->link.name);
    return 0;
}
