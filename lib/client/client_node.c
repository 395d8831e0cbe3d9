/* client_node: see the header. */
#include "client/client_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/id.h"
#include "local/nodefile.h"
#include "local/rundir.h"

/* A list of names. When it gets long, it ends with "...". */
struct known_nodes {
    char text[200];
    size_t len;
    bool cut;
};

static void known_nodes_add(struct known_nodes *k, const char *name)
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

static int node_unknown(const char *name, const struct rundir *r, bool has_rundir,
                        const char *nodes, struct rusm_why *why)
{
    struct known_nodes known = { .text = "" };
    char places[1024];
    struct rundir_entry *running;
    struct nodefile_entry *written;
    size_t count;

    if (has_rundir && rundir_list(r, &running, &count) == 0) {
        for (size_t i = 0; i < count; i++) {
            if (running[i].alive) {
                known_nodes_add(&known, running[i].name);
            }
        }
        free(running);
    }
    if (nodefile_read(nodes, &written, &count, NULL) == 0) {
        for (size_t i = 0; i < count; i++) {
            known_nodes_add(&known, written[i].name);
        }
        free(written);
    }
    rundir_print(r, places, sizeof(places));
    return err_why(why, RUSM_ENOCONN, "no node '%s' (known: %s; looked in %s and %s)", name,
                   known.len > 0 ? known.text : "none", places, nodes);
}

/* Looks the name up in the nodes file. Returns 1 and sets n->address, 0 if it is not there, or an
 * error. */
static int nodefile_find(struct client_node *n, const char *nodes, const char *name,
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
            snprintf(n->address, sizeof(n->address), "%s", list[i].address);
            found = 1;
        }
    }
    free(list);
    return found;
}

static int name_locate(struct client_node *n, const char *name, struct rusm_why *why)
{
    struct rundir r;
    struct rundir_entry entry = { .os_pid = 0 };
    char nodes[4096];
    int has = rundir_open(&r, n->rundir, false, why);
    int error = nodefile_path(n->identity_path, nodes, sizeof(nodes));

    if (has != 0 && has != RUSM_ENOPROC) {
        return has;
    }
    if (error) {
        return error;
    }
    bool stale = has == 0 && rundir_find(&r, name, &entry) == 0;
    if (stale && entry.alive) {
        n->os_pid = entry.os_pid;
        snprintf(n->address, sizeof(n->address), "%s", entry.address);
        return 0;
    }
    int found = nodefile_find(n, nodes, name, why);
    if (found != 0) {
        return found < 0 ? found : 0;
    }
    if (stale) {
        return err_why(why, RUSM_ENOCONN, "node '%s' is not running (its process %lld is gone)",
                       name, (long long)entry.os_pid);
    }
    return node_unknown(name, &r, has == 0, nodes, why);
}

int client_node_locate(struct client_node *n, struct rusm_why *why)
{
    struct id_target target;

    if (id_target_parse(n->wanted, &target) != 0) {
        return err_why(why, RUSM_EINVAL,
                       "'%s' is not a node: write NAME, NAME@HOST:PORT or HOST:PORT", n->wanted);
    }
    snprintf(n->expected, sizeof(n->expected), "%s", target.name);
    n->os_pid = 0;
    if (!target.host[0]) {
        return name_locate(n, target.name, why);
    }
    bool v6 = strchr(target.host, ':') != NULL;
    snprintf(n->address, sizeof(n->address), "%s%s%s:%s", v6 ? "[" : "", target.host, v6 ? "]" : "",
             target.port);
    return 0;
}

bool client_node_runs(const struct client_node *n, const char *name, uint32_t incarnation)
{
    struct rundir r;
    struct rundir_entry entry;

    return rundir_open(&r, n->rundir, false, NULL) == 0 && rundir_find(&r, name, &entry) == 0 &&
           entry.alive && entry.incarnation == incarnation;
}
