/* survey: what `rusm diagnose` knows of the nodes: their tables, read twice. gather.c fills it, and
 * the rules read it. The main thread. */
#ifndef DIAGNOSE_SURVEY_H
#define DIAGNOSE_SURVEY_H

#include "../cmd.h"

/* Index of the two times. */
enum survey_time { SURVEY_BEFORE, SURVEY_NOW, SURVEY_TIMES };

enum survey_relation_kind {
    SURVEY_WAITS_FOR, /* the process waits for room in the other's mailbox */
    SURVEY_WAITING,   /* the other waits for room in the process's mailbox */
    SURVEY_MESSAGE,   /* a message of the other is in the mailbox */
};

struct survey_relation {
    enum survey_relation_kind kind;
    char pid[RUSM_PID_TEXT_MAX]; /* "": no process, such as a client */
    char name[RUSM_NAME_MAX + 1];
};

struct survey_figures {
    bool seen; /* it was in the table at this time */
    uint64_t mailbox, received, memory;
    bool holding;
};

struct survey_process {
    char *pid, *name, *behaviour; /* name "": it has none */
    struct survey_figures at[SURVEY_TIMES];
    struct survey_relation *relation; /* only of processes that something waits at */
    size_t relations;
};

struct survey_link {
    bool seen, connected, left;
    uint64_t sent, received, lost, since_ms;
};

struct survey_peer {
    char node[RUSM_NODE_NAME_MAX + 1];
    struct survey_link at[SURVEY_TIMES];
};

struct survey_counter {
    char name[64];
    uint64_t at[SURVEY_TIMES];
};

struct survey_node {
    char name[RUSM_NODE_NAME_MAX + 1];
    char target[400]; /* how a client is to reach it */
    char version[32];
    bool gone; /* its file is in the run folder, but not its OS process */
    bool reached;
    int error; /* of reaching or asking it; 0: none */
    struct rusm_why why;
    uint64_t uptime_ms;
    uint64_t memory[SURVEY_TIMES]; /* of its OS process; 0: an older rusm */
    uint64_t descriptors, descriptors_max;
    struct survey_process *process;
    size_t processes, processes_cap;
    size_t sorted; /* of the first reading */
    struct survey_peer *peer;
    size_t peers;
    struct survey_counter *counter;
    size_t counters;
    struct rusm_client *client; /* gather.c's */
};

struct survey {
    struct survey_node **node;
    size_t nodes;
    double seconds; /* between the two times */
};

void survey_fini(struct survey *s);

/* The following end the program if there is no memory. */
/* Returns the node with that name, which is new if there was none. `target` is for a new one. */
struct survey_node *survey_node(struct survey *s, const char *name, const char *target);
/* Adds a process. Valid until the next one is added. */
struct survey_process *survey_process_add(struct survey_node *n, const char *pid, const char *name,
                                          const char *behaviour);
/* Sorts the processes. Those that are added later are not found by survey_process_find. */
void survey_sort(struct survey_node *n);
struct survey_process *survey_process_find(const struct survey_node *n, const char *pid);
struct survey_relation *survey_relation_add(struct survey_process *p);
/* Return the one of that name, which is new if there was none. Valid until the next one is new. */
struct survey_peer *survey_peer(struct survey_node *n, const char *node);
struct survey_counter *survey_counter(struct survey_node *n, const char *name);

/* Return the one of that name, or NULL. */
const struct survey_node *survey_node_find(const struct survey *s, const char *name);
const struct survey_peer *survey_peer_find(const struct survey_node *n, const char *node);
/* Returns a counter's value, or how much it grew. 0: there is no such counter. */
uint64_t survey_value(const struct survey_node *n, const char *counter);
uint64_t survey_growth(const struct survey_node *n, const char *counter);

/* Returns how many messages the process handled between the two times. */
uint64_t survey_handled(const struct survey_process *p);
size_t survey_relation_count(const struct survey_process *p, enum survey_relation_kind kind);
/* Whether the process waits for room in the mailbox of another one, of any node. */
bool survey_waits(const struct survey *s, const struct survey_process *p);
/* Returns what people call the process: its name, or its pid. */
const char *survey_title(const struct survey_process *p);

#endif
