/* control: the frames of the control stream (the first bidirectional stream, opened by the dialler).
 *
 *     head      varint   type * 2 + skip; an unknown type with skip set is skipped, without it
 *                        the connection is closed
 *     length    varint   bytes of the body, at most LIMIT_FRAME
 *     body      the fields below, in order; bytes beyond them are ignored unless said otherwise
 *
 * text: length varint, bytes.  Integers without a name are varints.
 */
#ifndef WIRE_CONTROL_H
#define WIRE_CONTROL_H

#include <stdbool.h>
#include <sys/types.h>
#include "rusm.h"
#include "wire/target.h"

#define CONTROL_VERSION 1

enum frame_type {
    FRAME_HELLO = 0,    /* first, once, both ways */
    FRAME_ADOPT = 1,    /* empty: this connection is the one for our pair of nodes */
    FRAME_LEAVE = 2,    /* empty: I am leaving for good; do not dial me */
    FRAME_RECEIPTS = 3, /* what became of records that asked */
    FRAME_DRAINED = 4,  /* lanes that ended and whose records all reached their mailbox or fate */
    FRAME_REQUEST = 5,
    FRAME_REPLY = 6,
    FRAME_CANCEL = 7,   /* id: the answer is no longer wanted */
    FRAME_NODES = 8,    /* membership gossip */
    FRAME_NAMES = 9,    /* registry gossip: the sender's own claims */
    FRAME_PING = 10,    /* u64, sent back in a PONG */
    FRAME_PONG = 11,
    FRAME_TYPES
};

struct frame {
    uint64_t type;
    bool skip;
    const uint8_t *body; /* borrows */
    size_t len;
};

/* Bytes consumed, 0 if incomplete, RUSM_EMALFORMED (over LIMIT_FRAME). */
ssize_t frame_decode(const uint8_t *in, size_t len, struct frame *out);
#define FRAME_HEAD_MAX 16
/* Writes head and length; the body follows. Bytes written. */
size_t frame_head_encode(uint8_t out[FRAME_HEAD_MAX], uint64_t type, bool skip, size_t len);

/* HELLO: version, role, flags, incarnation u32, max_message, name text, advertise text */
enum hello_role { HELLO_NODE = 0, HELLO_CLIENT = 1 };
#define HELLO_HOLDS_NONE 1u /* I hold no connection to you: one you hold of me is dead */

struct hello {
    uint64_t version;
    enum hello_role role;
    uint64_t flags;
    uint32_t incarnation;      /* not 0; of the sending process's start */
    uint64_t max_message;      /* longest message it takes */
    const char *name;          /* a node name; borrows. Clients may say "" */
    size_t name_len;
    const char *advertise;     /* HOST:PORT or "": what you see */
    size_t advertise_len;
};

/* Decoders of bodies: 0 or RUSM_EMALFORMED. Encoders: bytes written, or RUSM_ELIMIT (cap). */
int hello_decode(const uint8_t *in, size_t len, struct hello *out);
ssize_t hello_encode(uint8_t *out, size_t cap, const struct hello *hello);

/* RECEIPTS: (id, status)*, status 0 in the mailbox, else a RUSM_E code negated. */
struct receipt {
    uint64_t id;
    uint64_t status;
};
/* Reads the next one: 1, 0 at the end, RUSM_EMALFORMED. */
int receipt_read(struct reader *r, struct receipt *out);
void receipt_write(struct writer *w, const struct receipt *receipt);
/* DRAINED: ordinal*  (reader_varint / writer_varint) */

/* REQUEST: id, timeout_ms, op, then the op's fields */
enum op {
    OP_SPAWN = 1,   /* scope (0 none, 1 local, 2 global), spawnable text, name text, count, text*
                       -> pid */
    OP_TABLE = 2,   /* table -> columns, then rows */
    OP_KILL = 3,    /* target, reason text -> empty, when it has ended */
    OP_STOP = 4,    /* -> empty; then it leaves */
    OP_WHEREIS = 5, /* name text -> pid */
};

struct request {
    uint64_t id; /* chosen by the asker, unique among its open ones; not 0 */
    uint64_t timeout_ms;
    uint64_t op;
    struct reader args; /* the op's fields; borrows */
};
int request_decode(const uint8_t *in, size_t len, struct request *out);
void request_write(struct writer *w, const struct request *request); /* without args */

/* REPLY: id, status (0 or a RUSM_E code negated), flags (1: more replies follow), then the op's
 * result, or, with a status, a text for a person. */
#define REPLY_MORE 1u
struct reply {
    uint64_t id;
    uint64_t status;
    uint64_t flags;
    struct reader body; /* borrows */
};
int reply_decode(const uint8_t *in, size_t len, struct reply *out);
void reply_write(struct writer *w, const struct reply *reply); /* without body */

enum spawn_scope { SPAWN_NO_NAME = 0, SPAWN_LOCAL = 1, SPAWN_GLOBAL = 2 };
struct spawn {
    enum spawn_scope scope;
    const char *spawnable, *name; /* borrow; not NUL-terminated */
    size_t spawnable_len, name_len;
    uint64_t arg_count;           /* at most RUSM_ARGS_MAX */
    struct reader args;           /* arg_count texts, checked: reader_text each */
};
int spawn_decode(struct reader *r, struct spawn *out);
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

/* Tables. The first reply: count, then (type u8, column text)*. The others: rows one after the
 * other until the end, each a value per column: text (TEXT, PID) or varint (the rest). At most
 * TABLE_COLUMNS_MAX columns; an unknown type is malformed. */
#define TABLE_COLUMNS_MAX 32
struct column {
    enum rusm_type type;
    char name[32];
};
int columns_read(struct reader *r, struct column columns[TABLE_COLUMNS_MAX], size_t *count);
void columns_write(struct writer *w, const struct column *columns, size_t count);
static inline bool column_is_text(enum rusm_type type)
{
    return type == RUSM_TYPE_TEXT || type == RUSM_TYPE_PID;
}

/* NODES: (name text, incarnation u32, address text)* : nodes the sender is connected to, each with
 * the address to dial it at. */
struct node_entry {
    const char *name, *address; /* borrow */
    size_t name_len, address_len;
    uint32_t incarnation;
};
int node_entry_read(struct reader *r, struct node_entry *out); /* 1, 0 at the end, RUSM_EMALFORMED */
void node_entry_write(struct writer *w, const struct node_entry *entry);

/* NAMES: flags (1 first, 2 last frame of all that I own), then claims:
 *     flags (1 tombstone), serial, time u64 (hybrid: milliseconds << 16 | counter), name text */
#define NAMES_FIRST 1u
#define NAMES_LAST 2u
#define CLAIM_TOMBSTONE 1u
struct claim {
    uint64_t flags;
    uint64_t serial; /* of the owner, on the sending node */
    uint64_t time;
    const char *name; /* borrows; a valid process name */
    size_t name_len;
};
int claim_read(struct reader *r, struct claim *out); /* 1, 0 at the end, RUSM_EMALFORMED */
void claim_write(struct writer *w, const struct claim *claim);

/* CONNECTION_CLOSE application error codes. */
enum close_code {
    CLOSE_NONE = 0,       /* done (a client), or leaving */
    CLOSE_MALFORMED = 1,  /* bytes that break this protocol */
    CLOSE_VERSION = 2,    /* no common version */
    CLOSE_DUPLICATE = 3,  /* another connection serves our pair of nodes */
    CLOSE_NAME_TAKEN = 4, /* a live node of your name is connected */
    CLOSE_SELF = 5,       /* you are me */
    CLOSE_WRONG_NODE = 6, /* not the node I meant */
    CLOSE_LIMIT = 7,      /* too many connections, or a queue's limit */
    CLOSE_REPLACED = 8,   /* a newer connection of the same node took over */
    CLOSE_TIMEOUT = 9,    /* no hello in time */
    CLOSE_INTERNAL = 10,  /* out of memory */
};
const char *close_code_text(uint64_t code);

/* Stream error codes (RESET_STREAM, STOP_SENDING). */
enum stream_code {
    STREAM_NONE = 0,
    STREAM_NOPROC = 1,   /* nobody there; the rest is not wanted */
    STREAM_OVERFLOW = 2, /* no progress with a grant, or unordered and full */
    STREAM_TOO_LARGE = 3,
    STREAM_UNKNOWN = 4,  /* unknown lane type */
    STREAM_GONE = 5,     /* the sending process is gone, its queue dropped */
};

#endif
