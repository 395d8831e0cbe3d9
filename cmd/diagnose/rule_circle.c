/* rule_circle: processes that wait for room in each other's mailboxes, so that none of them goes
 * on. Who waits for whom is a graph. A process that waits for nobody goes on by itself, and so do,
 * then, those that wait for it: what is left without them has circles only. */
#include "rules.h"

#include <stdlib.h>
#include <string.h>

struct rule_circle_edge {
    const char *from, *to; /* pids: `from` waits for `to` */
    bool gone;
};

struct rule_circle {
    const struct survey *survey;
    struct rule_circle_edge *edge;
    size_t edges;
};

static const struct survey_process *rule_circle_process(const struct survey *s, const char *pid,
                                                        const struct survey_node **node)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_process *p = survey_process_find(s->node[i], pid);
        if (p) {
            *node = s->node[i];
            return p;
        }
    }
    return NULL;
}

/* A process that handles messages goes on, whoever waits. */
static bool rule_circle_stands(const struct survey *s, const char *pid)
{
    const struct survey_node *node;
    const struct survey_process *p = rule_circle_process(s, pid, &node);

    return p && p->at[SURVEY_NOW].seen && survey_handled(p) == 0;
}

/* Adds the edge, or with edge NULL only counts it. */
static void rule_circle_edge(struct rule_circle *c, const char *from, const char *to)
{
    if (from[0] && to[0] && rule_circle_stands(c->survey, from) &&
        rule_circle_stands(c->survey, to)) {
        if (c->edge) {
            c->edge[c->edges] = (struct rule_circle_edge){ .from = from, .to = to };
        }
        c->edges++;
    }
}

static void rule_circle_edges(struct rule_circle *c)
{
    c->edges = 0;
    for (size_t i = 0; i < c->survey->nodes; i++) {
        const struct survey_node *n = c->survey->node[i];
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            for (size_t r = 0; r < p->relations; r++) {
                if (p->relation[r].kind == SURVEY_WAITS_FOR) {
                    rule_circle_edge(c, p->pid, p->relation[r].pid);
                } else if (p->relation[r].kind == SURVEY_WAITING) {
                    rule_circle_edge(c, p->relation[r].pid, p->pid);
                }
            }
        }
    }
}

/* Returns an edge from that process that is left, or NULL. */
static struct rule_circle_edge *rule_circle_from(const struct rule_circle *c, const char *pid)
{
    for (size_t i = 0; i < c->edges; i++) {
        if (!c->edge[i].gone && strcmp(c->edge[i].from, pid) == 0) {
            return &c->edge[i];
        }
    }
    return NULL;
}

/* Removes the edges to processes that wait for nobody, again and again. */
static void rule_circle_prune(struct rule_circle *c)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < c->edges; i++) {
            if (!c->edge[i].gone && !rule_circle_from(c, c->edge[i].to)) {
                c->edge[i].gone = again = true;
            }
        }
    }
}

/* Removes all edges to a process, as it was found in a circle. */
static void rule_circle_remove(struct rule_circle *c, const char *pid)
{
    for (size_t i = 0; i < c->edges; i++) {
        c->edge[i].gone |= strcmp(c->edge[i].to, pid) == 0 || strcmp(c->edge[i].from, pid) == 0;
    }
}

/* Adds the circle that leads from that process back to it. */
static void rule_circle_report(struct rule_circle *c, const char *kind, const char *start,
                               struct findings *out)
{
    const struct survey_node *node = NULL, *other;
    const struct survey_process *p = rule_circle_process(c->survey, start, &node);
    struct finding *f = finding_add(out, FINDING_ERROR, kind, node->name, survey_title(p));
    const char *pid = start;
    size_t at = 0, count = 0;

    do {
        p = rule_circle_process(c->survey, pid, &other);
        at += at < sizeof(f->evidence)
                  ? (size_t)snprintf(f->evidence + at, sizeof(f->evidence) - at,
                                     "%s (%.60s, %llu messages) waits for ", pid, survey_title(p),
                                     (unsigned long long)p->at[SURVEY_NOW].mailbox)
                  : 0;
        const char *next = rule_circle_from(c, pid)->to;
        if (pid != start) {
            rule_circle_remove(c, pid);
        }
        pid = next;
        count++;
    } while (strcmp(pid, start) != 0);
    if (at < sizeof(f->evidence)) {
        snprintf(f->evidence + at, sizeof(f->evidence) - at, "%s", start);
    }
    rule_circle_remove(c, start);
    finding_summary(f, "%zu processes wait for room in each other's mailboxes, and none goes on",
                    count);
    finding_cure(f,
                 "end one of them: rusm kill %s %s; let one of them not wait, or raise "
                 "--mailbox",
                 node->name, start);
}

void rule_circle(const struct survey *s, const char *kind, struct findings *out)
{
    struct rule_circle c = { .survey = s };

    rule_circle_edges(&c);
    c.edge = c.edges > 0 ? calloc(c.edges, sizeof(*c.edge)) : NULL;
    if (!c.edge) {
        return;
    }
    rule_circle_edges(&c);
    rule_circle_prune(&c);
    for (size_t i = 0; i < c.edges; i++) {
        const char *pid = c.edge[i].from;
        if (c.edge[i].gone) {
            continue;
        }
        /* As many steps as there are edges lead into a circle. */
        for (size_t step = 0; step < c.edges; step++) {
            pid = rule_circle_from(&c, pid)->to;
        }
        rule_circle_report(&c, kind, pid, out);
        rule_circle_prune(&c);
    }
    free(c.edge);
}
