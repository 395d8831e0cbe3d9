/* gateway: HTTP's door into a node, whatever carries it: HTTP/3 (h3.c) or HTTP/1.1 over TCP.
 *
 *     transport ── request ──▶ exchange ── job ──▶ node      the node's side: struct gateway_node
 *     transport ◀── response ── exchange ◀─ outcome ─ node   the transport's: struct gateway_transport
 *
 *   gateway.c   life, clock, budgets      exchange.c  one request and its response
 *   answer.c    responses                 route.c     which path means what, and who may
 *   url.c       paths and queries         token.c     the bearer token
 *   work.c      send, call, spawn, kill   list.c      tables as JSON
 *   events.c    streams of events         metrics.c   OpenMetrics text
 *   rows.c      tables as they come       tcp.c       HTTP/1.1 over TCP
 *   page.c      the page for a browser    assets.S    ... its files, of page/
 *
 * All on the thread of the node's first scheduler; nothing blocks. Routes are added in route.c,
 * whose handlers see exchange.h. */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <sys/socket.h>
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
    GATEWAY_SPAWN,
    GATEWAY_KILL,
};

/* Lives until its outcome, or until it is cancelled; all pointers too. */
struct gateway_job {
    struct list link;       /* the node's, list_init'ed */
    uint64_t ref;           /* the node's */
    void *listing;          /* the node's */
    uint64_t busy_until_ns; /* the node's */
    enum gateway_op op;
    enum rusm_table table;
    const char *process; /* an address in text, checked; SEND, CALL, KILL */
    bool global;         /* `process` is a global name */
    const uint8_t *data; /* SEND, CALL */
    size_t len;
    uint32_t timeout_ms;   /* CALL */
    const char *reason;    /* KILL */
    const char *spawnable; /* SPAWN */
    struct rusm_args args;
    const char *name; /* to register; NULL: none; global: `global` */
};

struct gateway_outcome {
    int error;        /* 0 or a RUSM_E* */
    bool ended;       /* RUSM_ENOPROC: it was there, and ended before it replied: text says why */
    bool on_its_way;  /* SEND, KILL: to another node, which does not tell */
    const char *text; /* for a person; NULL: rusm_strerror's */
    const void *data; /* the reply, or the new pid as text; borrowed */
    size_t len;
};

struct gateway_node {
    /* Begins a job. gateway_outcome follows, perhaps before this returns; of a TABLE only if it can't
     * be begun. */
    void (*begin)(void *context, struct gateway_job *job);
    /* Gives more of a TABLE, by gateway_part: its columns, then rows. False: that was all, the job is
     * over. */
    bool (*more)(void *context, struct gateway_job *job);
    /* Nobody waits for it any more: no outcome. */
    void (*cancel)(void *context, struct gateway_job *job);
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
/* In every turn: what is due. Returns when to be called again; UINT64_MAX: no need. */
uint64_t gateway_tick(struct gateway *g, uint64_t now_ns);
/* A connection of the node's endpoint that is ready and speaks HTTP/3. 0, or it is being closed. */
int gateway_accept(struct gateway *g, struct conn *c);
/* The node leaves: new requests are refused. */
void gateway_leave(struct gateway *g);
size_t gateway_pending(const struct gateway *g); /* exchanges that there are */
void gateway_close(struct gateway *g);           /* all connections */
size_t gateway_connections(const struct gateway *g);

/* ---- the transport's side: one exchange a request ---- */

struct gateway_transport {
    /* There is something to read: the response's head, or more of its body. May be called from
     * within exchange_head_end, exchange_body and exchange_end. Not to free the exchange in. */
    void (*ready)(void *context, struct exchange *x);
    /* The client is too slow, or the rest of the response can't be made: break it off, and free the
     * exchange, at once or (exchange_cancel now) later. Not called from within the functions below. */
    void (*give_up)(void *context, struct exchange *x);
};

struct exchange_options {
    const struct gateway_transport *transport; /* kept */
    void *context;
    const struct sockaddr *from; /* borrowed */
    bool trusted;                /* the client has the cluster's certificate */
};

/* NULL: LIMIT_HTTP_REQUESTS or no memory; say 503 and Retry-After. */
struct exchange *exchange_new(struct gateway *g, const struct exchange_options *options);
/* A field of the request, and before them ":method" and ":path" (with the query). Borrowed. What does
 * not matter is only counted. */
void exchange_field(struct exchange *x, const char *name, size_t name_len, const char *value,
                    size_t value_len);
/* All of them came. False: the response is there, and no body is wanted: what comes may be thrown
 * away, and exchange_end need not be called. */
bool exchange_head_end(struct exchange *x);
/* More of the request's body; borrowed. False as above. */
bool exchange_body(struct exchange *x, const void *data, size_t len);
/* The request is complete. */
void exchange_end(struct exchange *x);
/* The client wants no response: what it asked for is cancelled, unless it has happened. What was
 * pulled stays. `ready` and `give_up` are not called any more. */
void exchange_cancel(struct exchange *x); /* NULL is fine */
/* Ends it, the same way. */
void exchange_free(struct exchange *x); /* NULL is fine */

#define EXCHANGE_FIELDS 8
#define EXCHANGE_STREAMED UINT64_MAX
struct exchange_head {
    int status; /* 200 */
    struct {
        const char *name, *value; /* the name in lower case; no content-length */
    } field[EXCHANGE_FIELDS];
    size_t count;
    uint64_t length; /* of the body; EXCHANGE_STREAMED: not known, it comes as it happens */
};
/* NULL: no response yet. Stays as it is. (A HEAD request's has the length, and nothing to pull.) */
const struct exchange_head *exchange_head(const struct exchange *x);
/* The next bytes of the body, at most cap: sets *data, which stays until exchange_acked. Returns how
 * many; 0: none now, or *end: that was all. */
size_t exchange_pull(struct exchange *x, const uint8_t **data, size_t cap, bool *end);
/* The first `len` bytes that were pulled and not yet acked have reached the client. */
void exchange_acked(struct exchange *x, size_t len);
/* The request had the right token, or its client the certificate. */
bool exchange_allowed(const struct exchange *x);

#endif
