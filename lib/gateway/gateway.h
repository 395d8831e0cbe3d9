/* gateway: HTTP's door into a node, whatever carries it: HTTP/3 (h3.c) or HTTP/1.1 over TCP.
 *
 *     transport ── request ──▶ exchange ── job ──▶ node      the node's side: below
 *     transport ◀── response ── exchange ◀─ outcome ─ node   the transport's: transport.h
 *
 *   gateway.c   life, clock, budgets      exchange.c  one request and its response
 *   answer.c    responses                 route.c     which path means what, and who may
 *   url.c       paths and queries         token.c     the bearer token
 *   work.c      send, call, spawn, kill   table_json.c  tables as JSON
 *   events.c    streams of events         metrics.c   OpenMetrics text
 *   rows.c      tables as they come       tcp.c       HTTP/1.1 over TCP
 *   page.c      the page for a browser    assets.S    ... its files, of page/
 *   h3.c        HTTP/3's connections      h3_request.c  their streams
 *
 * All on the thread of the node's first scheduler; nothing blocks. Routes are added in route.c,
 * whose handlers see exchange.h. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include "base/list.h"
#include "base/log.h"
#include "rusm.h"

struct gateway;
struct exchange;
struct conn;

/* ---- the node's side: what requests ask of it ---- */

enum gateway_op {
    GATEWAY_TABLE,
    GATEWAY_SEND,
    GATEWAY_CALL,
    GATEWAY_KILL,
    GATEWAY_REQUEST,
};

/* Lives until its outcome, or until it is cancelled; all pointers too. */
struct gateway_job {
    struct list link;       /* the node's, list_init'ed */
    uint64_t ref;           /* the node's */
    void *work;             /* the node's: what it does for it */
    uint64_t busy_until_ns; /* the node's */
    uint64_t late_ns;       /* the node's */
    enum gateway_op op;
    enum rusm_table table;
    const char *process; /* an address in text, checked; SEND, CALL, KILL */
    bool global;         /* `process` is a global name */
    const uint8_t *data; /* SEND, CALL; REQUEST: the op's fields */
    size_t len;
    uint32_t timeout_ms; /* SEND, CALL */
    const char *reason;  /* KILL */
    uint64_t request;    /* REQUEST: an op of wire/rpc.h */
};

struct gateway_outcome {
    int error;        /* 0 or a RUSM_E* */
    bool ended;       /* RUSM_ENOPROC: it was there, and ended before it replied: text says why;
                         RUSM_ENOCONN: its node was there */
    bool on_its_way;  /* KILL: to another node, which does not tell */
    const char *text; /* for a person; NULL: rusm_strerror's */
    const void *data; /* the reply; REQUEST: the op's result; borrowed */
    size_t len;
};

/* What a table's column or a counter is in GET /metrics. */
struct gateway_metric {
    const char *family; /* without rusm_; a counter's samples get _total */
    const char *type;   /* "counter" or "gauge" */
    const char *unit;   /* NULL: none; the family ends with it */
    const char *label;  /* KEY="VALUE"; NULL: none */
    const char *help;   /* one of a family has it */
    const char *is;     /* of a text: the one that makes the gauge 1, any other makes it 0 */
};

struct gateway_node {
    /* Begins a job. gateway_outcome follows, perhaps before this returns; of a TABLE only if it
     * can't be begun. */
    void (*begin)(void *context, struct gateway_job *job);
    /* Gives more of a TABLE, by gateway_part: its columns, then rows. False: that was all, the job
     * is over. */
    bool (*more)(void *context, struct gateway_job *job);
    /* Nobody waits for it any more: no outcome. */
    void (*cancel)(void *context, struct gateway_job *job);
    /* Returns the metric of a table's column or, in RUSM_TABLE_COUNTERS, of the counter of that
     * name; NULL if it has none. */
    const struct gateway_metric *(*metric)(enum rusm_table table, const char *name);
};

/* Once for each job that was not cancelled; the job is over. */
void gateway_outcome(struct gateway_job *job, const struct gateway_outcome *outcome);
/* The job's data is on its way, or copied: it may be freed. */
void gateway_taken(struct gateway_job *job);
/* From within `more`: what would be the body of a reply to OP_TABLE. */
void gateway_part(struct gateway_job *job, const uint8_t *body, size_t len);

/* ---- events: what happens on the node, for GET /v1/events ---- */

struct gateway_field {
    const char *key;
    const char *text; /* any bytes; NULL: it is the number */
    uint64_t number;
};
struct gateway_event {
    const char *type; /* such as "process_ended" */
    uint64_t wall_ms; /* when */
    const struct gateway_field *field;
    size_t count;
};
/* Does anybody look on? */
bool gateway_watched(const struct gateway *g);
/* Tells all who do. */
void gateway_event(struct gateway *g, const struct gateway_event *event);
/* So many could not be told. */
void gateway_events_missed(struct gateway *g, uint64_t count);

struct gateway_options {
    const char *name;      /* the node's; kept */
    const struct log *log; /* kept */
    const char *token;     /* file with the bearer token; NULL: certificates only */
    const struct gateway_node *node;
    void *context;
    uint64_t seed;
    uint64_t now_ns;
};

/* Gives *out. RUSM_EREFUSED (the token's file is missing, or others can read it), RUSM_EMALFORMED,
 * RUSM_ENOMEM. */
int gateway_new(struct gateway **out, const struct gateway_options *options, struct rusm_why *why);
void gateway_free(struct gateway *g);            /* after the last exchange; NULL is fine */
bool gateway_has_token(const struct gateway *g); /* clients without certificate may come */
/* In every tick: what is due. Returns when to be called again; UINT64_MAX: no need. */
uint64_t gateway_tick(struct gateway *g, uint64_t now_ns);
/* A connection of the node's endpoint that is ready and speaks HTTP/3. 0, or it is being closed. */
int gateway_accept(struct gateway *g, struct conn *c);
/* The node leaves: new requests are refused. */
void gateway_leave(struct gateway *g);
size_t gateway_pending(const struct gateway *g); /* exchanges that there are */
void gateway_close(struct gateway *g);           /* all connections */
size_t gateway_connections(const struct gateway *g);

struct gateway_counters {
    uint64_t requests;
    uint64_t refused; /* answered 401 or 429 */
    uint64_t busy;    /* 503 */
    uint64_t slow;    /* 408, or broken off: the client took too long */
    uint64_t crowded; /* connections, not requests: their client had too many */
};
const struct gateway_counters *gateway_counters(const struct gateway *g);

#endif
