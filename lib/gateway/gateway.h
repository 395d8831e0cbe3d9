/* gateway: the HTTP interface of a node, over HTTP/3 (h3.c) or HTTP/1.1 over TCP (tcp.c).
 *
 *     transport ── request ──▶ exchange ── job ──▶ node      the node's side: below
 *     transport ◀── response ── exchange ◀─ outcome ─ node   the transport's: transport.h
 *
 *   gateway.c   life, time, budgets       exchange.c  one request and its response
 *   answer.c    responses                 route.c     the routes, and who may use them
 *   url.c       paths and queries         token.c     the bearer token
 *   work.c      send, call, spawn, kill   table_json.c  tables as JSON
 *   events.c    streams of events         metrics.c   text for Prometheus
 *   rows.c      reads tables, in parts    tcp.c       HTTP/1.1 connections over TCP
 *   page.c      the page for a browser    tcp_request.c  their requests
 *   h3.c        HTTP/3 connections        h3_request.c  their streams
 *   accept.c    formats a client wants    assets.S    the files of page/
 *
 * All of it runs on the thread of the node's first scheduler, and nothing blocks. To add a route,
 * add it to route.c. Its handler uses exchange.h. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/list.h"
#include "base/log.h"
#include "base/repeat.h"
#include "rusm.h"

struct gateway;
struct exchange;
struct conn;

/* ---- the node's side: the jobs that requests give it ---- */

enum gateway_op {
    GATEWAY_TABLE,
    GATEWAY_SEND,
    GATEWAY_CALL,
    GATEWAY_KILL,
    GATEWAY_PROCESS,
    GATEWAY_REQUEST,
};

/* A job for the node. It is valid until its outcome, or until it is cancelled, and so is what it
 * points to. */
struct gateway_job {
    struct list link;       /* for the node; after list_init */
    uint64_t ref;           /* for the node */
    void *work;             /* for the node: what it does for the job */
    uint64_t until_ns;      /* for the node: when SEND and CALL have had their timeout */
    uint64_t busy_until_ns; /* for the node: until when it waits for room */
    enum gateway_op op;
    enum rusm_table table;
    const char *process; /* an address in text, checked; SEND, CALL, KILL, PROCESS */
    bool global;         /* `process` is a global name */
    const uint8_t *data; /* SEND, CALL; REQUEST: the op's fields */
    size_t len;
    uint32_t timeout_ms; /* SEND, CALL */
    const char *reason;  /* KILL */
    uint64_t request;    /* REQUEST: an op of wire/rpc.h */
};

struct gateway_outcome {
    int error;        /* 0, or a RUSM_E* */
    bool ended;       /* RUSM_ENOPROC: the process ended before it replied, text says why;
                         RUSM_ENOCONN: its node was connected, and was lost */
    bool on_its_way;  /* KILL: the signal goes to another node, which sends no outcome */
    const char *text; /* for a person; NULL: use rusm_strerror */
    const void
        *data; /* the reply; REQUEST: the op's result; PROCESS: that of OP_PROCESS; borrowed */
    size_t len;
};

/* How GET /metrics shows a table's column or a counter. */
struct gateway_metric {
    const char *family; /* name without rusm_; samples of a counter get _total */
    const char *type;   /* "counter" or "gauge" */
    const char *unit;   /* the family's name ends with it; NULL: none */
    const char *label;  /* KEY="VALUE"; NULL: none */
    const char *help;   /* one metric of each family has it */
    const char *is;     /* for a text column: this text makes the gauge 1, any other 0 */
    const char *unless; /* for a text column: this text leaves the sample out; NULL: none does */
};

struct gateway_node {
    /* Begins a job. gateway_outcome follows, perhaps before this returns. For a TABLE it follows
     * only if the job can't begin. */
    void (*begin)(void *context, struct gateway_job *job);
    /* Gives more of a TABLE with gateway_part: first its columns, then rows. Returns false if that
     * was all and the job has ended. */
    bool (*more)(void *context, struct gateway_job *job);
    /* Ends a job that nobody waits for any more. No outcome follows. */
    void (*cancel)(void *context, struct gateway_job *job);
    /* Returns the metric of a table's column or, in RUSM_TABLE_COUNTERS, of the counter with that
     * name. Returns NULL if it has none. */
    const struct gateway_metric *(*metric)(enum rusm_table table, const char *name);
};

/* Ends a job and hands over its outcome. The node calls it once for each job that it was not asked
 * to cancel; for a TABLE see `begin`. */
void gateway_outcome(struct gateway_job *job, const struct gateway_outcome *outcome);
/* Prints the address of the client that asks for the job. */
void gateway_job_from(const struct gateway_job *job, char *text, size_t cap);
/* Lets the gateway free the job's data. The node calls it when it has sent or copied the data. */
void gateway_taken(struct gateway_job *job);
/* Takes a part of a TABLE: what would be the body of a reply to OP_TABLE. Called from within
 * `more`. */
void gateway_part(struct gateway_job *job, const uint8_t *body, size_t len);

/* ---- events: what happens on the node, for GET /v1/events ---- */

struct gateway_field {
    const char *key;
    const char *text; /* any bytes; NULL: the value is the number */
    uint64_t number;
};
struct gateway_event {
    const char *type; /* such as process_ended */
    uint64_t wall_ms; /* when it happened */
    const struct gateway_field *field;
    size_t count;
};
/* Returns whether there are observers. */
bool gateway_watched(const struct gateway *g);
/* Sends the event to all observers. */
void gateway_event(struct gateway *g, const struct gateway_event *event);
/* Counts events that could not be sent to the observers. */
void gateway_events_missed(struct gateway *g, uint64_t count);

struct gateway_options {
    const char *name;           /* of the node; kept */
    const struct log *log;      /* kept */
    struct repeat *repeat;      /* for warnings that clients cause; kept; NULL: none */
    const char *token;          /* file with the bearer token; NULL: certificates only */
    const char *const *proxies; /* ADDRESS[/BITS] that are believed who the client is */
    size_t proxy_count;
    const struct gateway_node *node;
    void *context;
    uint64_t seed;
    uint64_t now_ns;
};

/* Makes a gateway and gives *out. Returns 0, RUSM_EREFUSED if the token's file is missing or others
 * can read it, RUSM_EMALFORMED if it holds no token, RUSM_EINVAL or RUSM_ELIMIT for the proxies, or
 * RUSM_ENOMEM. `why` says more. */
int gateway_new(struct gateway **out, const struct gateway_options *options, struct rusm_why *why);
void gateway_free(struct gateway *g);            /* after the last exchange; NULL is fine */
bool gateway_has_token(const struct gateway *g); /* clients without a certificate may come */
/* Does what is due. Call it in every tick. Returns when it must be called again, or UINT64_MAX. */
uint64_t gateway_tick(struct gateway *g, uint64_t now_ns);
/* Takes over a connection of the node's endpoint that is ready and speaks HTTP/3. Returns 0, or an
 * error if it has closed the connection. */
int gateway_accept(struct gateway *g, struct conn *c);
/* Refuses new requests from now on, as the node leaves. */
void gateway_leave(struct gateway *g);
size_t gateway_pending(const struct gateway *g); /* number of exchanges */
void gateway_close(struct gateway *g);           /* closes all HTTP/3 connections */
size_t gateway_connections(const struct gateway *g);

struct gateway_counters {
    uint64_t requests;
    uint64_t refused; /* answered 401 or 429 */
    uint64_t busy;    /* answered 503 */
    uint64_t slow;    /* answered 408, or broken off: the client took too long */
    uint64_t crowded; /* closed connections, not requests: their client had too many */
    uint64_t missed;  /* events, not requests: a stream had no room for them */
};
const struct gateway_counters *gateway_counters(const struct gateway *g);

#endif
