/* rule_process: processes that are restarted, busy, or grow. */
#include "rules.h"

#include <string.h>

#define RULE_PROCESS_HOT 1000             /* messages a second */
#define RULE_PROCESS_GROWTH (1024 * 1024) /* bytes between two readings */

static void rule_process_hot_one(const struct survey *s, const char *kind, struct findings *out,
                                 const struct survey_node *n, const struct survey_process *p,
                                 uint64_t all)
{
    double rate = (double)survey_handled(p) / s->seconds;

    if (rate < RULE_PROCESS_HOT || survey_handled(p) < all / 2) {
        return;
    }
    struct finding *f = finding_add(out, FINDING_NOTE, kind, n->name, survey_title(p));
    finding_summary(f, "it handles most of the node's messages");
    finding_evidence(f, "%s, %.0f of the node's %.0f messages a second", p->behaviour, rate,
                     (double)all / s->seconds);
    finding_cure(f,
                 "if that is too much, share its work out; to see its messages: rusm trace "
                 "--count 20 %s %s",
                 n->name, survey_title(p));
}

void rule_process_hot(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        uint64_t all = 0;
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            all += p->at[SURVEY_BEFORE].seen && p->at[SURVEY_NOW].seen ? survey_handled(p) : 0;
        }
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            if (p->at[SURVEY_BEFORE].seen && p->at[SURVEY_NOW].seen) {
                rule_process_hot_one(s, kind, out, n, p, all);
            }
        }
    }
}

void rule_process_memory(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            uint64_t before = p->at[SURVEY_BEFORE].memory, now = p->at[SURVEY_NOW].memory;
            if (!p->at[SURVEY_BEFORE].seen || !p->at[SURVEY_NOW].seen ||
                now < before + RULE_PROCESS_GROWTH) {
                continue;
            }
            struct finding *f = finding_add(out, FINDING_NOTE, kind, n->name, survey_title(p));
            finding_summary(f, "the memory of its mailbox grows");
            finding_evidence(f, "%s, from %llu to %llu bytes in %.1f s", p->behaviour,
                             (unsigned long long)before, (unsigned long long)now, s->seconds);
            finding_cure(f, "look again over a longer time: rusm diagnose --seconds 10 %s",
                         n->name);
        }
    }
}

/* Returns the process that had the name before, and is gone now. */
static const struct survey_process *rule_process_before(const struct survey_node *n,
                                                        const struct survey_process *p)
{
    for (size_t i = 0; i < n->sorted; i++) {
        const struct survey_process *q = &n->process[i];
        if (!q->at[SURVEY_NOW].seen && strcmp(q->name, p->name) == 0) {
            return q;
        }
    }
    return NULL;
}

/* Finds restarts by their counter, when no process with a name shows them. */
static void rule_process_others(const struct survey *s, const char *kind, struct findings *out,
                                const struct survey_node *n)
{
    unsigned long long restarts = survey_growth(n, "processes_restarted");

    if (restarts == 0) {
        return;
    }
    struct finding *f = finding_add(out, FINDING_WARNING, kind, n->name, NULL);
    finding_summary(f, "processes ended and were started again");
    finding_evidence(f, "processes_restarted grew by %llu in %.1f s, to %llu", restarts, s->seconds,
                     (unsigned long long)survey_value(n, "processes_restarted"));
    finding_cure(f, "see which end, and why: rusm attach --follow --type process_ended %s",
                 n->name);
}

void rule_process_restarts(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        size_t before = out->count;
        for (size_t k = n->sorted; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            const struct survey_process *q = p->name[0] ? rule_process_before(n, p) : NULL;
            if (!q) {
                continue;
            }
            struct finding *f = finding_add(out, FINDING_WARNING, kind, n->name, p->name);
            finding_summary(f, "it ended and was started again");
            finding_evidence(f,
                             "%s, %s was %s %.1f s ago; %llu processes of the node were restarted "
                             "meanwhile",
                             p->behaviour, p->pid, q->pid, s->seconds,
                             (unsigned long long)survey_growth(n, "processes_restarted"));
            finding_cure(f, "see why it ends: rusm attach --follow --type process_ended %s",
                         n->name);
        }
        if (out->count == before) {
            rule_process_others(s, kind, out, n);
        }
    }
}
