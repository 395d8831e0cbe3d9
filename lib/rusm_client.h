/* rusm_client.h: the second half of the public interface, for programs outside of a node: what the
 * rusm command does. A program includes rusm.h, which includes this header. The conventions and the
 * paragraph on stability of rusm.h hold here too.
 *
 * These functions are synchronous: each has a timeout in milliseconds and may block that long. One
 * thread at a time may use a client. */
#ifndef RUSM_CLIENT_H
#define RUSM_CLIENT_H

#include "rusm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- tables: what a node shows, with their columns ----------------------------------------- */

enum rusm_table {
    RUSM_TABLE_NODE = 0,      /* one row: name address uptime processes peers ... */
    RUSM_TABLE_PROCESSES = 1, /* pid name behaviour state mailbox received memory links age */
    RUSM_TABLE_PEERS = 2, /* node address direction state rtt_us sent received lost lanes since */
    RUSM_TABLE_NAMES = 3, /* name pid scope node */
    RUSM_TABLE_SPAWNABLES = 4, /* name behaviour */
    RUSM_TABLE_COUNTERS = 5,   /* counter value */
    RUSM_TABLE_NODES = 6,      /* of this machine: node address state os_pid incarnation source */
};

enum rusm_type {
    RUSM_TYPE_TEXT = 0,    /* text */
    RUSM_TYPE_COUNT = 1,   /* number */
    RUSM_TYPE_BYTES = 2,   /* number */
    RUSM_TYPE_SECONDS = 3, /* number: milliseconds; shown as seconds */
    RUSM_TYPE_MICROS = 4,  /* number: microseconds */
    RUSM_TYPE_PID = 5,     /* text: a full pid */
};

struct rusm_field {
    const char *column; /* in lower case */
    enum rusm_type type;
    const char *text; /* of TEXT and PID; else NULL */
    uint64_t number;  /* of the others */
};

/* Takes one row. Borrows all. A result that is not 0 stops the listing, which returns it. */
typedef int rusm_row_fn(void *context, const struct rusm_field *fields, size_t count);

/* ---- a client ---------------------------------------------------------------------------- */

struct rusm_client;

struct rusm_client_options {
    const char *rundir;   /* as in rusm_node_options */
    const char *identity; /* must exist: else RUSM_EREFUSED */
    uint32_t timeout_ms;  /* of every call below [5000] */
    uint64_t deadline_ns; /* of all calls together, by CLOCK_MONOTONIC: a call that is not done then
                           * ends as by its timeout [0: there is none] */
    void *reserved[3];    /* for later versions: must be zero, else RUSM_EINVAL */
};

/* Connects to a node written NAME, NAME@HOST:PORT or HOST:PORT. Gives *client, which
 * rusm_client_close frees. Returns 0, or RUSM_ENOCONN (`why` lists the known nodes and where it
 * looked), RUSM_EREFUSED, RUSM_EINVAL, RUSM_ETIMEOUT. */
int rusm_client_open(struct rusm_client **client, const struct rusm_client_options *options,
                     const char *node, struct rusm_why *why);
/* Sets another deadline of the calls that follow. 0: each has its timeout alone. */
void rusm_client_deadline(struct rusm_client *client, uint64_t deadline_ns);
void rusm_client_close(struct rusm_client *client);             /* NULL is fine */
const char *rusm_client_node(const struct rusm_client *client); /* the name that the node told us */

/* In the functions below, `process` is a local name of the node or a pid in either form. With
 * `global` set, it is a global name that the node resolves. */

/* Sends one message without waiting for its receipt. Blocks only while too many messages are
 * without a receipt. Keeps the order. It may return the failure of an earlier message, as may
 * rusm_client_flush. */
int rusm_client_post(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, struct rusm_why *why);
/* Waits until every posted message is in its mailbox. Returns 0, or the first failure. */
int rusm_client_flush(struct rusm_client *client, struct rusm_why *why);

/* Sends a request and waits for the reply. Gives *reply, which the caller frees. A NUL follows its
 * *reply_len bytes. Returns 0, or RUSM_ENOPROC if there is no such process or it ended before it
 * replied. */
int rusm_client_call(struct rusm_client *client, const char *process, bool global, const void *data,
                     size_t len, void **reply, size_t *reply_len, struct rusm_why *why);

/* Do the same for many requests at once: rusm_client_ask sends one and does not wait for its reply.
 * rusm_client_answer waits for the reply to the oldest one, whose timeout began when it was sent,
 * and returns as rusm_client_call does. Requests to one process keep their order.
 * rusm_client_ask returns 0, RUSM_BUSY if RUSM_ASKED_MAX answers are not taken yet or the process's
 * mailbox stays full, or another error: then the request was not sent, and gets no answer. */
#define RUSM_ASKED_MAX 1024
int rusm_client_ask(struct rusm_client *client, const char *process, bool global, const void *data,
                    size_t len, struct rusm_why *why);
size_t rusm_client_asked(const struct rusm_client *client); /* answers that are not taken yet */
int rusm_client_answer(struct rusm_client *client, void **reply, size_t *reply_len,
                       struct rusm_why *why);

/* Starts a spawnable on the node. Writes the full pid as text into `pid`. `name` may be NULL. */
int rusm_client_spawn(struct rusm_client *client, const char *spawnable,
                      const struct rusm_args *args, const char *name, bool global,
                      char pid[RUSM_PID_TEXT_MAX], struct rusm_why *why);

/* Sends a process an exit signal that comes from no process. Returns when the process has ended. If
 * the process traps exits and the reason is not "kill", returns when it has the message. As in
 * Erlang, the reason "normal" ends no process. Returns RUSM_ENOPROC if there is no such process. */
int rusm_client_kill(struct rusm_client *client, const char *process, bool global,
                     const char *reason, struct rusm_why *why);
/* Writes the pid of the process that holds a global name, as the node sees it. */
int rusm_client_whereis(struct rusm_client *client, const char *name, char pid[RUSM_PID_TEXT_MAX],
                        struct rusm_why *why);
/* Asks the node to leave, and waits until it has left. */
int rusm_client_stop(struct rusm_client *client, struct rusm_why *why);
/* Calls `row` for each row of one of the tables above, except RUSM_TABLE_NODES. */
int rusm_client_list(struct rusm_client *client, enum rusm_table table, rusm_row_fn *row,
                     void *context, struct rusm_why *why);

/* Tells of one process: calls `row` with its row of RUSM_TABLE_PROCESSES, then with a row for each
 * of its relations (relation pid name bytes): "name", "link", "monitors", "monitored_by",
 * "waits_for" (pid's mailbox is full for it), "waiting" (pid waits for room in its mailbox),
 * "message" (waits in its mailbox). Of each kind there are at most 64. Returns 0, or RUSM_ENOPROC,
 * or RUSM_EINVAL if the node is too old to know. */
int rusm_client_process(struct rusm_client *client, const char *process, bool global,
                        rusm_row_fn *row, void *context, struct rusm_why *why);

/* Calls `row` for each node that this machine knows, from the run folder and the `nodes` file
 * (RUSM_TABLE_NODES). Blocks to read the files and to probe the addresses of the nodes file, up to
 * the timeout. */
int rusm_nodes_list(const struct rusm_client_options *options, rusm_row_fn *row, void *context,
                    struct rusm_why *why);

/* ---- events: what happens on a node -------------------------------------------------------- */

struct rusm_follow {
    const char *since;        /* go on after the event with this id; NULL: from now on */
    const char *const *types; /* type_count types; 0: of all types */
    size_t type_count;
    bool but;          /* all types but these; else only these */
    void *reserved[4]; /* for later versions: must be zero, else RUSM_EINVAL */
};

/* Fields and texts are valid until the next call for the client. */
struct rusm_event {
    const char *id;   /* names the event, for `since` */
    const char *node; /* where it happened */
    const char *type; /* as in rusm-http(7), EVENTS. "missed": its field `events` says how many are
                         missing here, 0: nobody knows how many */
    uint64_t time_ms; /* since 1970 */
    const struct rusm_field *fields; /* texts are UTF-8, with other bytes written as \xHH */
    size_t count;
};

/* Begins to follow the events of the node, instead of those that the client followed before.
 * Connects again if the connection was lost. Returns 0, RUSM_EINVAL if `since` is no id or a
 * type is none, RUSM_EIO if the node runs an older rusm that has no events to follow, or an error
 * of the connection. */
int rusm_client_follow(struct rusm_client *client, const struct rusm_follow *what,
                       struct rusm_why *why);

struct rusm_trace {
    const char *process; /* a local name of the node or a pid in either form */
    bool global;         /* `process` is a global name */
    bool payload;        /* events have the data of messages, the first 512 bytes, as text */
    uint64_t count;      /* ends after so many events; 0: when the process ends */
    void *reserved[4];   /* for later versions: must be zero, else RUSM_EINVAL */
};

/* Begins to trace a process, instead of what the client followed or traced before. The events are
 * `queued` and `taken` (a message came, the process begins to handle it), `sent` and `ended`. Their
 * fields are us (microseconds since the trace began), kind, from or to, size, ref, error, data,
 * reason. A process that has too many messages is not slowed: "missed" says how many were not told.
 * Returns 0, RUSM_ENOPROC, RUSM_EINVAL, RUSM_ELIMIT if the node has too many tracers, RUSM_BUSY if
 * a handler holds up the process's scheduler, RUSM_EIO if the node runs an older rusm, or an error
 * of the connection. */
int rusm_client_trace(struct rusm_client *client, const struct rusm_trace *what,
                      struct rusm_why *why);
/* Gives the next event. Returns 0, RUSM_ETIMEOUT if none comes within timeout_ms, RUSM_ECLOSED if a
 * trace is over, or RUSM_ENOCONN if the connection was lost or nothing is followed: then follow
 * again, `since` the last event. */
int rusm_client_event(struct rusm_client *client, uint32_t timeout_ms, struct rusm_event *event,
                      struct rusm_why *why);
/* Returns the id of the last event that was given, or where following began. Valid until the next
 * call for the client. "": it follows nothing. */
const char *rusm_client_event_id(const struct rusm_client *client);

/* ---- identity ---------------------------------------------------------------------------- */

struct rusm_identity_info {
    char path[4096];
    char fingerprint[65]; /* SHA-256 of the certificate, in hex */
    char subject[128];
    char not_after[32]; /* such as 2126-11-23 */
};

/* Writes the path of the identity file: `given`, or without it $RUSM_IDENTITY, or else a path in
 * the configuration folder. Returns 0, or RUSM_EINVAL if it is too long or there is no HOME. */
int rusm_identity_path(const char *given, char *path, size_t cap);
/* Makes a cluster identity at `path`: a self-signed ECDSA P-256 certificate and its key, in a file
 * of mode 0600. Never overwrites a file: returns RUSM_EEXIST. */
int rusm_identity_new(const char *path, struct rusm_identity_info *info, struct rusm_why *why);
/* Reads an identity. Returns 0, or RUSM_EREFUSED if the file is missing or others can read it,
 * RUSM_EMALFORMED. */
int rusm_identity_show(const char *path, struct rusm_identity_info *info, struct rusm_why *why);

#ifdef __cplusplus
}
#endif
#endif
