/* hooks: what leaves a runtime, as calls of functions that its owner (the node; a test) gives it.
 * All are called on the runtime's thread, most of them from within a behaviour: they must not run
 * the runtime. They may deliver, spawn and kill. */
#ifndef ACTOR_HOOKS_H
#define ACTOR_HOOKS_H

#include "rusm.h"

/* A message to another node, or to a global name; within a runtime, to a other scheduler too. All
 * borrowed. */
struct post {
    rusm_pid from;
    uint32_t node; /* index; RUSM_GLOBAL; for the hook neither that nor 0 */
    rusm_pid to;   /* serial 0: by name; incarnation 0: the node's present one */
    const char *name;
    size_t name_len;
    bool global;         /* for the hook: it is a global name, which that node holds */
    enum rusm_kind kind; /* SEND CALL REPLY EXIT DOWN, or one of those in message.h */
    uint64_t ref;        /* CALL REPLY DOWN MONITOR DEMONITOR UNLINK UNLINKED */
    const void *data;
    size_t len;
    unsigned flags;   /* RUSM_UNORDERED */
    bool answer;      /* within a runtime: it answers a request that met nobody, or a limit */
    uint64_t receipt; /* SEND of scheduler 0: hooks->receipt says what came of it; 0: no need */
};

/* What happens to processes, for those who look on. All borrowed. */
enum process_event_kind {
    PROCESS_STARTED,
    PROCESS_ENDED,
    PROCESS_RESTARTED, /* a supervisor started it in the place of one that ended */
    PROCESS_NAMED,     /* it got a local name */
    PROCESS_UNNAMED,   /* nobody has that local name any more, and its holder lives on */
};
struct process_event {
    enum process_event_kind kind;
    uint64_t serial;  /* PROCESS_UNNAMED: 0 */
    const char *name; /* for a process its first local one; "": none */
    size_t name_len;
    const char *behaviour; /* START, END, RESTART; else "" */
    const char *reason;    /* END; else "" */
};

struct runtime_watch; /* a descriptor that is watched for a process: the owner's */

struct runtime_hooks {
    /* Watches a descriptor: calls `ready` once, outside of any behaviour, when fd is readable or
     * (`writable`) can be written. Gives *out. Returns 0, or RUSM_EINVAL if fd is not open,
     * RUSM_ENOMEM. NULL: this runtime cannot watch descriptors. */
    int (*watch)(void *context, int fd, bool writable, void (*ready)(void *user), void *user,
                 struct runtime_watch **out);
    /* Takes a watch that is over or that nobody needs any longer. */
    void (*unwatch)(void *context, struct runtime_watch *watch);
    /* Sends it, to a node whose connections are this scheduler's, for the processes of all. 0, or
     * RUSM_BUSY (then runtime_writable(from), or that of all, must follow, even if `from` has
     * ended; what takes no room in a mailbox is RUSM_BUSY only if the node has no place for one
     * more pair, and that of all must follow), RUSM_ENOCONN, RUSM_ENOPROC, RUSM_ETOOLARGE,
     * RUSM_ENOMEM. */
    int (*post)(void *context, const struct post *post);
    /* That node would not take its signals, or there is no memory to keep them: the connection is
     * to end. runtime_node_lost follows, later. Of the scheduler whose connection it is. */
    void (*give_up)(void *context, uint32_t node);
    /* A process has ended: its names are gone, its mailbox discarded, its monitors told. Called
     * for one whose init failed too, as that may have registered names. global: it may have such
     * names. */
    void (*exited)(void *context, rusm_pid pid, const char *reason, bool global);
    /* Global names: 0, RUSM_EEXIST, RUSM_ELIMIT, RUSM_ENOMEM. */
    int (*register_global)(void *context, rusm_pid pid, const char *name);
    int (*unregister_global)(void *context, rusm_pid pid, const char *name);
    /* Who holds a global name, as far as is known here. RUSM_ENOPROC. */
    int (*whereis_global)(void *context, const char *name, size_t len, rusm_pid *holder);
    /* RUSM_SPAWNED or RUSM_FAILED with ref must be delivered to `self` later, unless an error is
     * returned. */
    int (*spawn_at)(void *context, rusm_pid self, uint32_t node, const char *spawnable,
                    const struct rusm_args *args, uint64_t ref);
    /* The time, as of now_ns, to tell who holds the scheduler: asked for after each process that
     * has run, so it must cost next to nothing, and may lag some milliseconds. */
    uint64_t (*clock_ns)(void *context);
    /* While runtime_options.watched says so. */
    void (*event)(void *context, const struct process_event *h);
    /* One line of a process's output, without newline. */
    void (*print)(void *context, rusm_pid self, const char *line);
    /* Of several schedulers only. There is something for runtime_receive, and it sleeps. Called on
     * any of their threads. */
    void (*wake)(void *context);
    /* What came of a record of `from` that wanted a receipt, or of a post of our own. */
    void (*receipt)(void *context, rusm_pid from, uint64_t receipt, int error);
};

struct runtime;
struct node_name;

/* What a runtime asks of the schedulers beside it: lib/sched. Called on the runtime's thread. */
struct far_hooks {
    /* Takes a post for a process of another scheduler, or for a node whose connections are another
     * scheduler's. 0, RUSM_BUSY, RUSM_ELIMIT or RUSM_ENOMEM, as hooks->post. */
    int (*post)(struct runtime *rt, const struct post *post);
    /* Another node takes more of that process; serial 0: of all. */
    void (*writable)(struct runtime *rt, rusm_pid from);
    /* The connection with that node, another scheduler's, is to end. */
    void (*give_up)(struct runtime *rt, unsigned scheduler, uint32_t node);
    /* As runtime_gap, for another scheduler's process; as runtime_gaps_tell, for all other
     * schedulers. */
    void (*gap)(struct runtime *rt, unsigned scheduler, uint64_t serial, uint64_t records);
    void (*gaps_tell)(struct runtime *rt, const struct node_name *node, uint32_t incarnation,
                      int error);
    /* A process of another scheduler has a global name now. 0 or RUSM_ENOMEM. */
    int (*global)(struct runtime *rt, rusm_pid pid);
    /* A node whose connections are ours is connected, or is no longer. The second cannot fail: the
     * first, and client_up for a client, reserves what it takes. 0 or RUSM_ENOMEM. */
    int (*node_up)(struct runtime *rt, struct node_name *node, uint32_t incarnation);
    void (*node_lost)(struct runtime *rt, struct node_name *node, uint32_t incarnation);
    int (*client_up)(struct runtime *rt, struct node_name *node);
    void (*client_down)(struct runtime *rt, struct node_name *node);
    /* Sends what was gathered. */
    void (*flush)(struct runtime *rt);
    /* The runtime ends. All of its messages have come home. */
    void (*leave)(struct runtime *rt);
};

#endif
