/* client_state: the struct of a client. To a node, a client is a peer without processes. Commands
 * and embedders use it to reach a running node. One thread at a time. For the files of this
 * room. */
#ifndef CLIENT_CLIENT_STATE_H
#define CLIENT_CLIENT_STATE_H

#include "client/client_follow.h"
#include "client/client_pending.h"
#include "client/client_request.h"

#define CLIENT_SERIAL 1 /* the serial of the one process that a client pretends to be */

struct rusm_client {
    struct client_node node;
    struct client_link link;
    struct client_request request;
    struct client_pending pending;
    struct client_follow *follow;  /* NULL: it has never followed events; owned */
    struct rusm_client *follow_at; /* whose events rusm_client_event gives: itself or one of
                                      `others`; NULL: nobody's */
    char *identity_given;          /* NULL: the default; owned */
    struct rusm_client *others; /* clients of other nodes, where processes are; linked by `next` */
    struct rusm_client *next;
    char global[RUSM_NAME_MAX + 1]; /* the global name that was looked up last; "": none */
    struct rusm_client *global_at;  /* the client of its owner's node */
};

#endif
