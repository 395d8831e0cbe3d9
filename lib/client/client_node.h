/* client_node: which node a client wants, and where that node is. Turns NAME, NAME@HOST:PORT or
 * HOST:PORT into an address, with the run folder and the nodes file. Called by the client's other
 * files, on the caller's thread. Reads files, so it may block. */
#ifndef CLIENT_CLIENT_NODE_H
#define CLIENT_CLIENT_NODE_H

#include <stdbool.h>
#include <stdint.h>
#include "rusm.h"

struct client_node {
    char *wanted; /* the node as the user wrote it; owned */
    char *rundir; /* NULL: the default; owned */
    char identity_path[4096];
    char address[300];                     /* HOST:PORT */
    char expected[RUSM_NODE_NAME_MAX + 1]; /* the name that the node must have; "": any */
    int64_t os_pid;                        /* its OS process, if the run folder says; 0: unknown */
};

/* Finds where `wanted` is: sets address, expected and os_pid. Returns 0, RUSM_EINVAL (`wanted`
 * is not a node), RUSM_ENOCONN (no such node, or it does not run), or an error of the run folder
 * or nodes file. */
int client_node_locate(struct client_node *n, struct rusm_why *why);
/* Returns whether the run folder still shows the node `name` alive, with this incarnation. */
bool client_node_runs(const struct client_node *n, const char *name, uint32_t incarnation);

#endif
