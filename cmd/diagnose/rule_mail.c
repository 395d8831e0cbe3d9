/* rule_mail: mailboxes that are full or fill up, and who fills them. */
#include "rules.h"

#include <string.h>

/* Messages that make a mailbox suspicious though nobody waits for room in it: half of the default
 * of --mailbox, which the tables do not show. */
#define RULE_MAIL_MANY 512

struct rule_mail_sender {
    const char *title;
    size_t count;
};

#define RULE_MAIL_SENDERS 3 /* named in the evidence */

static const char *rule_mail_title(const struct survey_relation *r)
{
    return r->name[0] ? r->name : r->pid[0] ? r->pid : "a client";
}

/* Counts the relations of the kind that are with the same process as the one at i. Returns 0 if one
 * before it is with that process too. */
static size_t rule_mail_same(const struct survey_process *p, size_t i,
                             enum survey_relation_kind kind)
{
    size_t count = 0;

    for (size_t k = 0; k < p->relations; k++) {
        if (p->relation[k].kind == kind && strcmp(p->relation[k].pid, p->relation[i].pid) == 0) {
            if (k < i) {
                return 0;
            }
            count++;
        }
    }
    return count;
}

/* Writes those with the most relations of the kind, such as "; waiting: 3 of 7@oslo, 1 of bank". */
static void rule_mail_senders(const struct survey_process *p, enum survey_relation_kind kind,
                              const char *head, char *text, size_t cap)
{
    struct rule_mail_sender most[RULE_MAIL_SENDERS + 1] = { 0 };
    size_t at = 0;

    for (size_t i = 0; i < p->relations; i++) {
        size_t count = p->relation[i].kind == kind ? rule_mail_same(p, i, kind) : 0;
        size_t place = RULE_MAIL_SENDERS;
        if (count == 0) {
            continue;
        }
        for (; place > 0 && most[place - 1].count < count; place--) {
            most[place] = most[place - 1];
        }
        most[place] = (struct rule_mail_sender){ rule_mail_title(&p->relation[i]), count };
    }
    text[0] = '\0';
    for (size_t i = 0; i < RULE_MAIL_SENDERS && most[i].count > 0 && at < cap; i++) {
        at += (size_t)snprintf(text + at, cap - at, "%s%zu of %.110s", i == 0 ? head : ", ",
                               most[i].count, most[i].title);
    }
}

static void rule_mail_evidence(struct finding *f, const struct survey *s,
                               const struct survey_process *p)
{
    char waiting[400], waits_for[400], messages[400];

    rule_mail_senders(p, SURVEY_WAITING, "; wait for room: ", waiting, sizeof(waiting));
    rule_mail_senders(p, SURVEY_MESSAGE, "; first messages: ", messages, sizeof(messages));
    rule_mail_senders(p, SURVEY_WAITS_FOR, "; itself waits for room: ", waits_for,
                      sizeof(waits_for));
    finding_evidence(f, "%s, %llu messages in the mailbox, %llu handled in %.1f s%s%s%s%s",
                     p->behaviour, (unsigned long long)p->at[SURVEY_NOW].mailbox,
                     (unsigned long long)survey_handled(p), s->seconds, waiting, messages,
                     waits_for,
                     p->at[SURVEY_NOW].holding && !waits_for[0]
                         ? "; it holds a message that finds no room elsewhere"
                         : "");
}

static void rule_mail_cure(struct finding *f, const struct survey_node *n,
                           const struct survey_process *p)
{
    if (survey_relation_count(p, SURVEY_WAITS_FOR) > 0) {
        finding_cure(f, "look at the process that it waits for: rusm diagnose %s", n->name);
    } else if (strncmp(p->behaviour, "exec", 4) == 0) {
        finding_cure(f, "see why its program does not read on, or end it: rusm kill %s %s", n->name,
                     survey_title(p));
    } else {
        finding_cure(f,
                     "see what it does: rusm trace %s %s; share its work out, or let its "
                     "senders send less",
                     n->name, survey_title(p));
    }
}

/* Whether the process has had messages all the time. */
static bool rule_mail_waits(const struct survey_process *p)
{
    return p->at[SURVEY_BEFORE].seen && p->at[SURVEY_NOW].seen &&
           p->at[SURVEY_BEFORE].mailbox > 0 && p->at[SURVEY_NOW].mailbox > 0;
}

/* A process that handles nothing because it waits for room elsewhere is not the cause. The other
 * one is found too, or both as a circle. */
static bool rule_mail_is_stuck(const struct survey *s, const struct survey_process *p)
{
    return rule_mail_waits(p) && survey_handled(p) == 0 && !survey_waits(s, p);
}

/* Somebody waits for room in its mailbox. */
static bool rule_mail_is_full(const struct survey *s, const struct survey_process *p)
{
    return rule_mail_waits(p) && survey_relation_count(p, SURVEY_WAITING) > 0 &&
           (survey_handled(p) > 0 || rule_mail_is_stuck(s, p));
}

static bool rule_mail_is_idle(const struct survey *s, const struct survey_process *p)
{
    return rule_mail_is_stuck(s, p) && !rule_mail_is_full(s, p);
}

static bool rule_mail_is_backlog(const struct survey *s, const struct survey_process *p)
{
    uint64_t now = p->at[SURVEY_NOW].mailbox;

    return rule_mail_waits(p) && now >= RULE_MAIL_MANY && now >= p->at[SURVEY_BEFORE].mailbox &&
           survey_handled(p) > 0 && !rule_mail_is_full(s, p);
}

void rule_mail_full(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            if (!rule_mail_is_full(s, p)) {
                continue;
            }
            bool stuck = survey_handled(p) == 0;
            struct finding *f = finding_add(out, stuck ? FINDING_ERROR : FINDING_WARNING, kind,
                                            n->name, survey_title(p));
            finding_summary(f, stuck ? "its mailbox is full, and it handles nothing"
                                     : "its mailbox is full: its senders are faster than it is");
            rule_mail_evidence(f, s, p);
            rule_mail_cure(f, n, p);
        }
    }
}

static void rule_mail_warn(const struct survey *s, const char *kind, struct findings *out,
                           bool (*is)(const struct survey *s, const struct survey_process *p),
                           const char *summary)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        for (size_t k = 0; k < n->processes; k++) {
            const struct survey_process *p = &n->process[k];
            if (is(s, p)) {
                struct finding *f =
                    finding_add(out, FINDING_WARNING, kind, n->name, survey_title(p));
                finding_summary(f, "%s", summary);
                rule_mail_evidence(f, s, p);
                rule_mail_cure(f, n, p);
            }
        }
    }
}

void rule_mail_stuck(const struct survey *s, const char *kind, struct findings *out)
{
    rule_mail_warn(s, kind, out, rule_mail_is_idle, "messages wait, and it handles none");
}

void rule_mail_backlog(const struct survey *s, const char *kind, struct findings *out)
{
    rule_mail_warn(s, kind, out, rule_mail_is_backlog, "many messages wait, and do not get fewer");
}
