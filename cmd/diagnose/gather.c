/* gather: see the header. */
#include "gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct gather {
    struct survey *survey;
    struct survey_node *node; /* whose table is read now */
    struct survey_process *process;
    enum survey_time time;
};

/* ---- rows ---- */

static const char *gather_text(const struct rusm_field *fields, size_t count, const char *column)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, column) == 0 && fields[i].text) {
            return fields[i].text;
        }
    }
    return "";
}

static uint64_t gather_number(const struct rusm_field *fields, size_t count, const char *column)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, column) == 0) {
            return fields[i].number;
        }
    }
    return 0;
}

static int gather_node(void *context, const struct rusm_field *fields, size_t count)
{
    struct gather *g = context;

    snprintf(g->node->version, sizeof(g->node->version), "%s",
             gather_text(fields, count, "version"));
    g->node->uptime_ms = gather_number(fields, count, "uptime");
    g->node->memory[g->time] = gather_number(fields, count, "memory");
    g->node->descriptors = gather_number(fields, count, "descriptors");
    g->node->descriptors_max = gather_number(fields, count, "descriptors_max");
    return 0;
}

static int gather_counter(void *context, const struct rusm_field *fields, size_t count)
{
    struct gather *g = context;
    const char *name = gather_text(fields, count, "counter");

    survey_counter(g->node, name)->at[g->time] = gather_number(fields, count, "value");
    return 0;
}

static int gather_process(void *context, const struct rusm_field *fields, size_t count)
{
    struct gather *g = context;
    const char *pid = gather_text(fields, count, "pid");
    struct survey_process *p = g->time == SURVEY_NOW ? survey_process_find(g->node, pid) : NULL;

    if (!p) {
        p = survey_process_add(g->node, pid, gather_text(fields, count, "name"),
                               gather_text(fields, count, "behaviour"));
    }
    p->at[g->time] = (struct survey_figures){
        .seen = true,
        .mailbox = gather_number(fields, count, "mailbox"),
        .received = gather_number(fields, count, "received"),
        .memory = gather_number(fields, count, "memory"),
        .holding = strcmp(gather_text(fields, count, "state"), "holding") == 0,
    };
    return 0;
}

/* Keeps what the node tells of a peer. The peer is a node to look at too, unless it has left. */
static int gather_peer(void *context, const struct rusm_field *fields, size_t count)
{
    struct gather *g = context;
    const char *node = gather_text(fields, count, "node");
    const char *address = gather_text(fields, count, "address");
    const char *state = gather_text(fields, count, "state");
    bool left = strcmp(state, "left") == 0;
    char target[400];

    if (!node[0]) {
        return 0; /* a host that --join names and nobody has answered at */
    }
    survey_peer(g->node, node)->at[g->time] = (struct survey_link){
        .seen = true,
        .connected = strcmp(state, "connected") == 0,
        .left = left,
        .sent = gather_number(fields, count, "sent"),
        .received = gather_number(fields, count, "received"),
        .lost = gather_number(fields, count, "lost"),
        .since_ms = gather_number(fields, count, "since"),
    };
    if (!left && g->time == SURVEY_BEFORE) {
        snprintf(target, sizeof(target), "%s@%s", node, address);
        survey_node(g->survey, node, address[0] ? target : node);
    }
    return 0;
}

static int gather_relation(void *context, const struct rusm_field *fields, size_t count)
{
    static const struct {
        const char *name;
        enum survey_relation_kind kind;
    } kinds[] = { { "waits_for", SURVEY_WAITS_FOR },
                  { "waiting", SURVEY_WAITING },
                  { "message", SURVEY_MESSAGE } };
    struct gather *g = context;
    const char *relation = gather_text(fields, count, "relation");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(relation, kinds[i].name) == 0) {
            struct survey_relation *r = survey_relation_add(g->process);
            r->kind = kinds[i].kind;
            snprintf(r->pid, sizeof(r->pid), "%s", gather_text(fields, count, "pid"));
            snprintf(r->name, sizeof(r->name), "%s", gather_text(fields, count, "name"));
        }
    }
    return 0;
}

/* ---- one node ---- */

/* Whether something may wait at the process, or the process for something. */
static bool gather_asks(const struct survey_process *p)
{
    return p->at[SURVEY_NOW].seen && p->at[SURVEY_BEFORE].seen && p->at[SURVEY_NOW].mailbox > 0 &&
           p->at[SURVEY_BEFORE].mailbox > 0;
}

static int gather_fuller(const void *a, const void *b)
{
    const struct survey_process *const *p = a, *const *q = b;
    uint64_t m = (*p)->at[SURVEY_NOW].mailbox, n = (*q)->at[SURVEY_NOW].mailbox;

    return m < n ? 1 : m > n ? -1 : 0;
}

/* Asks for the relations of the processes with the most messages. One that has ended meanwhile has
 * none. Returns 0 or an error of the connection. */
static int gather_relations(struct gather *g)
{
    struct survey_node *n = g->node;
    struct survey_process **ask = NULL;
    size_t count = 0;
    int error = 0;

    for (size_t i = 0; i < n->processes; i++) {
        count += gather_asks(&n->process[i]);
    }
    ask = count > 0 ? calloc(count, sizeof(*ask)) : NULL;
    if (!ask) {
        return count > 0 ? RUSM_ENOMEM : 0;
    }
    count = 0;
    for (size_t i = 0; i < n->processes; i++) {
        if (gather_asks(&n->process[i])) {
            ask[count++] = &n->process[i];
        }
    }
    qsort(ask, count, sizeof(struct survey_process *), gather_fuller);
    for (size_t i = 0; i < count && i < GATHER_ASKED && (error == 0 || error == RUSM_ENOPROC);
         i++) {
        g->process = ask[i];
        error = rusm_client_process(n->client, ask[i]->pid, false, gather_relation, g, &n->why);
    }
    free(ask);
    return error == RUSM_ENOPROC || error == RUSM_EINVAL ? 0 : error; /* EINVAL: an older rusm */
}

static void gather_look(struct gather *g)
{
    static const struct {
        enum rusm_table table;
        rusm_row_fn *row;
    } tables[] = { { RUSM_TABLE_COUNTERS, gather_counter },
                   { RUSM_TABLE_NODE, gather_node },
                   { RUSM_TABLE_PROCESSES, gather_process },
                   { RUSM_TABLE_PEERS, gather_peer } };
    struct survey_node *n = g->node;

    for (size_t i = 0; n->error == 0 && i < sizeof(tables) / sizeof(tables[0]); i++) {
        n->error = rusm_client_list(n->client, tables[i].table, tables[i].row, g, &n->why);
    }
    if (g->time == SURVEY_BEFORE) {
        survey_sort(n);
    } else if (n->error == 0) {
        n->error = gather_relations(g);
    }
}

/* ---- all nodes ---- */

/* Keeps a node of this machine's run folder. A rusm_row_fn. */
static int gather_known(void *context, const struct rusm_field *fields, size_t count)
{
    struct gather *g = context;
    const char *node = gather_text(fields, count, "node");
    const char *state = gather_text(fields, count, "state");

    if (strcmp(state, "alive") == 0) {
        survey_node(g->survey, node, node);
    } else if (strcmp(state, "gone") == 0) {
        survey_node(g->survey, node, node)->gone = true;
    }
    return 0;
}

static int gather_first(const struct options *options, struct gather *g)
{
    /* Only nodes that run here are looked at, so do not wait for those of the nodes file. */
    const struct rusm_client_options list = { .timeout_ms = 1 };
    struct rusm_why why = { 0 };

    if (options->word_count > 0) {
        /* The node tells its name, which the word may not say. */
        survey_node(g->survey, options->word[0], options->word[0]);
        return 0;
    }
    int error = rusm_nodes_list(&list, gather_known, g, &why);
    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    return g->survey->nodes > 0 ? 0
                                : failure_say(options->cmd, EXIT_NO_NODE,
                                              "no node is running here: start one with 'rusm node "
                                              "--name NAME', or name one");
}

static void gather_open(struct gather *g, const struct rusm_client_options *how)
{
    struct survey_node *n = g->node;

    if (n->gone) {
        n->error = RUSM_ENOCONN;
        snprintf(n->why.text, sizeof(n->why.text), "its file in the run folder is left");
        return;
    }
    n->error = rusm_client_open(&n->client, how, n->target, &n->why);
    if (n->error == 0) {
        n->reached = true;
        snprintf(n->name, sizeof(n->name), "%s", rusm_client_node(n->client));
    } else {
        n->client = NULL;
    }
}

static void gather_pause(uint32_t ms)
{
    struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

    while (nanosleep(&left, &left) != 0 && errno == EINTR) {}
}

static double gather_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Looks at all nodes for the first time. Those that they know come behind them in the list.
 * Returns how many were reached. */
static size_t gather_begin(struct gather *g, const struct rusm_client_options *how)
{
    size_t reached = 0;

    g->time = SURVEY_BEFORE;
    for (size_t i = 0; i < g->survey->nodes; i++) {
        g->node = g->survey->node[i];
        gather_open(g, how);
        if (g->node->reached) {
            reached++;
            gather_look(g);
        }
    }
    return reached;
}

int gather_all(const struct options *options, uint32_t pause_ms, struct survey *survey)
{
    struct gather g = { .survey = survey };
    struct rusm_client_options how = { 0 };
    int status = options_seconds(options, "timeout", 5000, &how.timeout_ms);

    status = status == 0 ? gather_first(options, &g) : status;
    if (status != 0) {
        return status;
    }
    size_t reached = gather_begin(&g, &how);
    const struct survey_node *first = survey->node[0];
    if (reached == 0 && (options->word_count > 0 || !first->gone)) {
        return failure_report(options->cmd, first->error, &first->why);
    }
    double then = gather_seconds();
    gather_pause(pause_ms);
    survey->seconds = gather_seconds() - then;
    g.time = SURVEY_NOW;
    for (size_t i = 0; i < survey->nodes; i++) {
        g.node = survey->node[i];
        if (g.node->reached && g.node->error == 0) {
            gather_look(&g);
        }
    }
    return 0;
}
