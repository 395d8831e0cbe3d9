/* client: a peer without processes, by which commands and embedders reach a running node: what the
 * files of it share.
 *
 *   client.c         life: open, close, waking up again after a pause
 *   client_link.c    the connection: dialling, stepping
 *   client_events.c  what the peer tells
 *   client_target.c  which node, which process: texts to addresses
 *   client_ops.c     post, flush, call
 *   client_rpc.c     requests: spawn, kill, whereis, stop
 *   client_list.c    tables            nodes_list.c   the nodes of this machine
 *
 * Nothing runs between two calls of a client: each call steps its connection until it has what it
 * wants or its deadline has passed. One thread at a time.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include <poll.h>
#include "base/buf.h"
#include "base/id.h"
#include "base/limits.h"
#include "local/resolve.h"
#include "local/rundir.h"
#include "peer/peer.h"

#define CLIENT_SERIAL 1     /* the one process that we pretend to be */
#define CLIENT_POSTS 4096   /* posted messages without a receipt; above, a post waits */
#define CLIENT_ADDRESSES 8  /* of one host name that are tried */
#define CLIENT_TEXT_MAX 384 /* a process as errors name it: 'NAME' on NODE, with both longest */

/* A posted message without its receipt. */
struct client_post {
    uint64_t id; /* 0: none */
    char *text;  /* the process, for errors; owned */
};

/* A call under way. */
struct client_call {
    uint64_t ref, monitor, receipt; /* 0: no call */
    bool done, down, received;      /* replied; its process ended; it is in the mailbox */
    int refused;                    /* it was not delivered, why; 0 */
    char *reply;                    /* owned; of a DOWN the reason */
    size_t reply_len;
};

struct rusm_client {
    /* what was asked for */
    char *wanted;                        /* the node as written */
    char *rundir_given, *identity_given; /* NULL: the default */
    uint32_t timeout_ms;
    char identity_path[4096];
    struct identity *identity;
    struct rusm_client *others; /* clients of other nodes, for global names; linked by `next` */
    struct rusm_client *next;

    /* where to */
    char address[300];                     /* HOST:PORT */
    char expected[RUSM_NODE_NAME_MAX + 1]; /* whom we mean; "" any */
    struct resolved at[CLIENT_ADDRESSES];
    size_t at_count, at_next;
    uint64_t dial_until_ns;
    int64_t os_pid; /* its process, when the run folder told; 0: not known */

    /* the connection */
    struct endpoint *endpoint;
    struct conn *conn; /* NULL: none, or over */
    struct peer *peer;
    struct conn_end end; /* why it is over */
    bool ready, over, blocked;
    int watch_fd;         /* pidfd of os_pid; -1: none */
    uint32_t incarnation; /* ours */
    uint64_t seed;
    struct lane_budget budget;
    struct lane_pools pools;
    uint64_t stepped_ns, ticked_ns;
    uint64_t pong; /* the last that came */
    uint64_t pings;

    /* who answered */
    char node[RUSM_NODE_NAME_MAX + 1];
    uint32_t node_incarnation;
    uint64_t max_message;

    /* messages */
    uint64_t refs, receipts, requests;      /* the last one given */
    struct client_post posts[CLIENT_POSTS]; /* by id modulo */
    size_t post_count;
    int failed; /* the first failure of a posted message; 0: none */
    struct rusm_why failed_why;
    bool writable;
    struct client_call call;
    char global[RUSM_NAME_MAX + 1]; /* the name whose owner was asked for last; "" none */
    struct rusm_client *global_at;

    /* the request under way */
    uint64_t request;   /* 0: none */
    struct buf replies; /* frames' bodies not looked at yet, each after its u32 length */
    int replies_error;
    uint8_t scratch[LIMIT_FRAME];
};

/* ---- client.c ---- */
uint64_t client_deadline(const struct rusm_client *c);
/* Before an operation: a connection that died while nobody looked is made anew, if nothing hangs
 * on it. */
int client_wake(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why);
/* Makes one that is not connected yet, its options copied. */
int client_new(struct rusm_client **out, const struct rusm_client_options *options,
               struct rusm_why *why);
/* "5 s", "0.2 s" */
const char *client_seconds(const struct rusm_client *c, char text[16]);
/* A copy of any bytes with a 0 behind; NULL: no memory. */
char *client_copy(const void *data, size_t len);

/* ---- client_events.c ---- */
extern const struct peer_events client_peer_events;

/* ---- client_link.c ---- */
/* Begins to dial c->address. Fails at once only when it cannot even try. */
int link_dial(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why);
/* One turn: sends, waits for something to happen (not beyond the deadline), handles it. 0 to go
 * on, RUSM_ETIMEOUT, RUSM_ENOCONN (over). */
int link_step(struct rusm_client *c, uint64_t deadline_ns);
/* The same for many at once. */
void link_step_all(struct rusm_client **clients, size_t count, uint64_t deadline_ns);
/* What has come, what is to be sent; does not wait. */
void link_poll(struct rusm_client *c);
void link_flush(struct rusm_client *c);
/* A node of this machine: that its process is gone is then known at once. */
void link_watch(struct rusm_client *c);
/* Ends it politely; frees what belongs to the connection. */
void link_drop(struct rusm_client *c);
/* Why the connection could not be made, or is over. */
int link_why_dial(const struct rusm_client *c, struct rusm_why *why);
int link_why_over(const struct rusm_client *c, struct rusm_why *why);

/* ---- client_target.c ---- */
/* Sets c->address and c->expected from c->wanted. */
int client_locate(struct rusm_client *c, struct rusm_why *why);
/* Does the run folder still show this life of the node? */
bool client_node_runs(const struct rusm_client *c);

/* A process to do something with. */
struct aim {
    struct rusm_client *at;     /* the client of its node */
    struct target to;           /* its name borrows from the process text */
    char text[CLIENT_TEXT_MAX]; /* 'greeter' on london; 17@london */
};
int aim_find(struct rusm_client *c, const char *process, bool global, struct aim *aim,
             uint64_t deadline_ns, struct rusm_why *why);

/* ---- client_ops.c ---- */
/* What became of a message for the process that `text` names. Returns error. */
int client_why_refused(const struct rusm_client *c, int error, const char *text,
                       struct rusm_why *why);
void client_got_receipt(struct rusm_client *c, const struct receipt *receipt);
/* A record for us: takes note of it; false: nobody waits for it. */
bool client_got_record(struct rusm_client *c, const struct record *record, const uint8_t *payload);
/* The peer broke off what we sent, or what it sent. */
void client_got_break(struct rusm_client *c, int cause);
/* The connection is over or replaced: what was posted will get no receipt. */
void client_posts_forget(struct rusm_client *c);

/* ---- client_rpc.c ---- */
void client_got_reply(struct rusm_client *c, const struct frame *frame);
/* Begins a request in c->scratch; the caller appends the op's fields. */
struct writer request_begin(struct rusm_client *c, enum op op, uint64_t deadline_ns);
/* One reply of it; non-zero ends the request and is returned. */
typedef int reply_fn(void *context, struct reader *body);
/* Sends it, hands out its replies until the last. An error reply's text goes to why. */
int request_run(struct rusm_client *c, struct writer *w, reply_fn *each, void *context,
                uint64_t deadline_ns, struct rusm_why *why);
/* Asks who owns a global name. `node` gets the owner's. */
int request_whereis(struct rusm_client *c, const char *name, char node[RUSM_NODE_NAME_MAX + 1],
                    char pid[RUSM_PID_TEXT_MAX], uint64_t deadline_ns, struct rusm_why *why);

/* ---- client_list.c ---- */
int client_table(struct rusm_client *c, enum rusm_table table, rusm_row_fn *row, void *context,
                 uint64_t deadline_ns, struct rusm_why *why);

#endif
