/* rpc: requests and replies on the control stream.
 *
 *     REQUEST    id, timeout_ms, op, then the op's fields
 *     REPLY      id, status (0 or a RUSM_E code negated), flags (1: more replies follow), then the
 *                op's result, or, with a status, a text for a person (the bytes to the end)
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
    OP_KILL = 3,    /* target, reason text -> empty, when it has ended */
    OP_STOP = 4,    /* -> empty; then it leaves */
    OP_WHEREIS = 5, /* name text -> pid */
};

struct request {
    uint64_t id;         /* chosen by the asker, unique among its open ones; not 0 */
    uint64_t timeout_ms; /* at most 2^32 - 1 once decoded: a longer one is cut to that */
    uint64_t op;         /* maybe unknown: answer RUSM_EINVAL */
    struct reader args;  /* the op's fields; borrows */
};
int request_decode(const uint8_t *in, size_t len, struct request *out);
void request_write(struct writer *w, const struct request *request); /* without args */

#define REPLY_MORE 1u
struct reply {
    uint64_t id;
    uint64_t status; /* at most STATUS_MAX */
    uint64_t flags;
    struct reader body; /* borrows */
};
int reply_decode(const uint8_t *in, size_t len, struct reply *out);
void reply_write(struct writer *w, const struct reply *reply); /* without body */

enum spawn_scope { SPAWN_NO_NAME = 0, SPAWN_LOCAL = 1, SPAWN_GLOBAL = 2 };
struct spawn {
    enum spawn_scope scope;
    const char *spawnable; /* borrows, not NUL-terminated; a valid process name */
    const char *name;      /* so too; "" for SPAWN_NO_NAME */
    size_t spawnable_len, name_len;
    uint64_t arg_count; /* at most RUSM_ARGS_MAX */
    struct reader args; /* so many texts: reader_text each. Checked: no NUL in them, together at
                           most LIMIT_ARGS_BYTES */
};
int spawn_decode(struct reader *r, struct spawn *out);
/* Returns how many bytes spawn_write needs at most. */
size_t spawn_size(const char *spawnable, const char *name, const struct rusm_args *args);
/* name may be NULL with SPAWN_NO_NAME; args NULL: none. Over RUSM_ARGS_MAX or LIMIT_ARGS_BYTES:
 * bad. */
void spawn_write(struct writer *w, enum spawn_scope scope, const char *spawnable, const char *name,
                 const struct rusm_args *args);

/* pid in replies: serial, incarnation u32, node text ("": the replying node) */
struct wire_pid {
    uint64_t serial;
    uint32_t incarnation;
    const char *node; /* borrows */
    size_t node_len;
};
void wire_pid_read(struct reader *r, struct wire_pid *out); /* sets bad: serial or incarnation 0 */
void wire_pid_write(struct writer *w, const struct wire_pid *pid);

#endif
