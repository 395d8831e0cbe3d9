/* survey: see the header. */
#include "survey.h"

#include <stdlib.h>
#include <string.h>

static void *survey_grow(void *list, size_t count, size_t size)
{
    void *more = reallocarray(list, count, size);

    if (!more) {
        exit(failure_say(NULL, EXIT_FAILED, "%s", rusm_strerror(RUSM_ENOMEM)));
    }
    return more;
}

static char *survey_copy(const char *text)
{
    size_t size = strlen(text) + 1;

    return memcpy(survey_grow(NULL, size, 1), text, size);
}

static void survey_node_free(struct survey_node *n)
{
    for (size_t i = 0; i < n->processes; i++) {
        free(n->process[i].pid);
        free(n->process[i].name);
        free(n->process[i].behaviour);
        free(n->process[i].relation);
    }
    rusm_client_close(n->client);
    free(n->process);
    free(n->peer);
    free(n->counter);
    free(n);
}

void survey_fini(struct survey *s)
{
    for (size_t i = 0; i < s->nodes; i++) {
        survey_node_free(s->node[i]);
    }
    free(s->node);
    *s = (struct survey){ 0 };
}

/* ---- adding ---- */

struct survey_node *survey_node(struct survey *s, const char *name, const char *target)
{
    for (size_t i = 0; i < s->nodes; i++) {
        if (strcmp(s->node[i]->name, name) == 0) {
            return s->node[i];
        }
    }
    struct survey_node *n = survey_grow(NULL, 1, sizeof(*n));
    *n = (struct survey_node){ 0 };
    snprintf(n->name, sizeof(n->name), "%s", name);
    snprintf(n->target, sizeof(n->target), "%s", target);
    s->node = survey_grow(s->node, s->nodes + 1, sizeof(struct survey_node *));
    s->node[s->nodes++] = n;
    return n;
}

struct survey_process *survey_process_add(struct survey_node *n, const char *pid, const char *name,
                                          const char *behaviour)
{
    if (n->processes == n->processes_cap) {
        n->processes_cap = 2 * n->processes_cap + 16;
        n->process = survey_grow(n->process, n->processes_cap, sizeof(*n->process));
    }
    struct survey_process *p = &n->process[n->processes++];
    *p = (struct survey_process){ .pid = survey_copy(pid),
                                  .name = survey_copy(name),
                                  .behaviour = survey_copy(behaviour) };
    return p;
}

static int survey_compare(const void *a, const void *b)
{
    const struct survey_process *p = a, *q = b;

    return strcmp(p->pid, q->pid);
}

void survey_sort(struct survey_node *n)
{
    n->sorted = n->processes;
    if (n->sorted > 0) {
        qsort(n->process, n->sorted, sizeof(*n->process), survey_compare);
    }
}

struct survey_process *survey_process_find(const struct survey_node *n, const char *pid)
{
    struct survey_process key = { .pid = (char *)(uintptr_t)pid };

    return n->sorted == 0
               ? NULL
               : bsearch(&key, n->process, n->sorted, sizeof(*n->process), survey_compare);
}

struct survey_relation *survey_relation_add(struct survey_process *p)
{
    p->relation = survey_grow(p->relation, p->relations + 1, sizeof(*p->relation));
    p->relation[p->relations] = (struct survey_relation){ 0 };
    return &p->relation[p->relations++];
}

/* Returns the index of the peer or counter, or how many there are. */
static size_t survey_peer_index(const struct survey_node *n, const char *node)
{
    size_t i = 0;

    while (i < n->peers && strcmp(n->peer[i].node, node) != 0) {
        i++;
    }
    return i;
}

static size_t survey_counter_index(const struct survey_node *n, const char *name)
{
    size_t i = 0;

    while (i < n->counters && strcmp(n->counter[i].name, name) != 0) {
        i++;
    }
    return i;
}

struct survey_peer *survey_peer(struct survey_node *n, const char *node)
{
    size_t i = survey_peer_index(n, node);

    if (i == n->peers) {
        n->peer = survey_grow(n->peer, ++n->peers, sizeof(*n->peer));
        n->peer[i] = (struct survey_peer){ 0 };
        snprintf(n->peer[i].node, sizeof(n->peer[i].node), "%s", node);
    }
    return &n->peer[i];
}

struct survey_counter *survey_counter(struct survey_node *n, const char *name)
{
    size_t i = survey_counter_index(n, name);

    if (i == n->counters) {
        n->counter = survey_grow(n->counter, ++n->counters, sizeof(*n->counter));
        n->counter[i] = (struct survey_counter){ 0 };
        snprintf(n->counter[i].name, sizeof(n->counter[i].name), "%s", name);
    }
    return &n->counter[i];
}

/* ---- looking ---- */

const struct survey_node *survey_node_find(const struct survey *s, const char *name)
{
    for (size_t i = 0; i < s->nodes; i++) {
        if (strcmp(s->node[i]->name, name) == 0) {
            return s->node[i];
        }
    }
    return NULL;
}

const struct survey_peer *survey_peer_find(const struct survey_node *n, const char *node)
{
    size_t i = survey_peer_index(n, node);

    return i < n->peers ? &n->peer[i] : NULL;
}

uint64_t survey_value(const struct survey_node *n, const char *counter)
{
    size_t i = survey_counter_index(n, counter);

    return i < n->counters ? n->counter[i].at[SURVEY_NOW] : 0;
}

uint64_t survey_growth(const struct survey_node *n, const char *counter)
{
    size_t i = survey_counter_index(n, counter);
    const uint64_t *at = i < n->counters ? n->counter[i].at : NULL;

    return at && at[SURVEY_NOW] > at[SURVEY_BEFORE] ? at[SURVEY_NOW] - at[SURVEY_BEFORE] : 0;
}

uint64_t survey_handled(const struct survey_process *p)
{
    return p->at[SURVEY_NOW].received - p->at[SURVEY_BEFORE].received;
}

size_t survey_relation_count(const struct survey_process *p, enum survey_relation_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < p->relations; i++) {
        count += p->relation[i].kind == kind;
    }
    return count;
}

bool survey_waits(const struct survey *s, const struct survey_process *p)
{
    if (survey_relation_count(p, SURVEY_WAITS_FOR) > 0) {
        return true;
    }
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        for (size_t k = 0; k < n->processes; k++) {
            for (size_t r = 0; r < n->process[k].relations; r++) {
                const struct survey_relation *relation = &n->process[k].relation[r];
                if (relation->kind == SURVEY_WAITING && strcmp(relation->pid, p->pid) == 0) {
                    return true;
                }
            }
        }
    }
    return false;
}

const char *survey_title(const struct survey_process *p)
{
    return p->name[0] ? p->name : p->pid;
}
