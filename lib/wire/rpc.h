/* rpc: requests and replies on the control stream.
 *
 *     REQUEST    id, timeout_ms, op, then the op's fields
 *     REPLY      id, status (0 or a negated RUSM_E code), flags (1: more replies follow), then the
 *                op's result if status is 0, else a text for people: the bytes up to the end
 *     CANCEL     id
 */
#ifndef WIRE_RPC_H
#define WIRE_RPC_H

#include "rusm.h"
#include "wire/frame.h"
#include "wire/target.h"

enum op {
    OP_SPAWN = 1,   /* scope (0 none, 1 local, 2 global), spawnable text, name text, count, text*
                       -> pid */
    OP_TABLE = 2,   /* table -> columns, then rows: wire/table.h */
    OP_KILL = 3,    /* target, reason text -> empty, sent when the process has ended */
    OP_STOP = 4,    /* -> empty; then the node leaves */
    OP_WHEREIS = 5, /* name text -> pid */
    OP_PROCESS = 6, /* target -> columns and row of the process, columns and rows of its
                       relations: wire/table.h */
    OP_FOLLOW = 7,  /* what is wanted -> where it begins, then events: wire/follow.h */
    OP_TRACE = 8,   /* process, how many events -> 0, then events: wire/trace.h */
};

struct request {
    uint64_t id;         /* not 0; chosen by the asker, unique among its unanswered requests */
    uint64_t timeout_ms; /* the decoder cuts it to at most 2^32 - 1 */
    uint64_t op;         /* may be unknown: then answer RUSM_EINVAL */
    struct reader args;  /* the op's fields, borrowed */
};
int request_decode(const uint8_t *in, size_t len, struct request *out);
/* Writes everything but the args. */
void request_write(struct writer *w, const struct request *request);

#define REPLY_MORE 1u
struct reply {
    uint64_t id;
    uint64_t status; /* at most STATUS_MAX */
    uint64_t flags;
    struct reader body; /* borrowed */
};
int reply_decode(const uint8_t *in, size_t len, struct reply *out);
/* Writes everything but the body. */
void reply_write(struct writer *w, const struct reply *reply);

enum spawn_scope { SPAWN_NO_NAME = 0, SPAWN_LOCAL = 1, SPAWN_GLOBAL = 2 };
struct spawn {
    enum spawn_scope scope;
    const char *spawnable; /* borrowed, not NUL-terminated; a valid process name */
    const char *name;      /* the same, or "" for SPAWN_NO_NAME */
    size_t spawnable_len, name_len;
    uint64_t arg_count; /* at most RUSM_ARGS_MAX */
    /* arg_count texts, to be read with reader_text. spawn_decode has checked that they contain no
     * NUL and have at most LIMIT_ARGS_BYTES together. */
    struct reader args;
};
int spawn_decode(struct reader *r, struct spawn *out);
/* Returns an upper bound of the bytes that spawn_write writes. */
size_t spawn_size(const char *spawnable, const char *name, const struct rusm_args *args);
/* Writes a spawn. `name` may be NULL with SPAWN_NO_NAME. `args` NULL means no arguments. Sets
 * w->bad if the arguments exceed RUSM_ARGS_MAX or LIMIT_ARGS_BYTES. */
void spawn_write(struct writer *w, enum spawn_scope scope, const char *spawnable, const char *name,
                 const struct rusm_args *args);

/* A pid in a reply: serial, incarnation u32, node text. An empty text is the replying node. */
struct wire_pid {
    uint64_t serial;
    uint32_t incarnation;
    const char *node; /* borrowed */
    size_t node_len;
};
/* Sets r->bad if the serial or the incarnation is 0, or if the node name is not valid. */
void wire_pid_read(struct reader *r, struct wire_pid *out);
void wire_pid_write(struct writer *w, const struct wire_pid *pid);

#endif
