/* rule_count: counters that should not grow, or should be 0. A counter's total since the node
 * started is evidence only: what happened long ago is not wrong now. */
#include "rules.h"

#include <string.h>

static const struct rule_count_row {
    const char *kind, *counter;
    bool gauge; /* it is wrong that it is not 0, both times; else that it grows */
    enum finding_severity severity;
    const char *summary;
    const char *cure; /* the node's name follows */
} rule_count_rows[] = {
    { "scheduler", "schedulers_held", true, FINDING_ERROR,
      "handlers hold a scheduler up, and its other processes hardly run",
      "the log names the process once its handler returns; what waits or computes for long belongs "
      "into a thread or a program; to see which processes are left: rusm attach" },
    { "children", "children_down", true, FINDING_ERROR, "booted processes that should run are down",
      "the log of the node says which and why; to see the next one: rusm attach --follow --type "
      "process_down" },
    { "handler", "handlers_long", false, FINDING_WARNING,
      "a process held its scheduler for more than 100 ms, and no other one ran there",
      "the log of the node names the process; to see how often: rusm attach --counters" },
    { "undelivered", "undelivered_noproc", false, FINDING_WARNING,
      "messages are dropped: there is no such process or name",
      "see which names there are: rusm attach --names" },
    { "undelivered", "undelivered_noconnection", false, FINDING_WARNING,
      "messages are dropped: their node is not connected",
      "see which nodes are: rusm attach --peers" },
    { "undelivered", "undelivered_overflow", false, FINDING_WARNING,
      "messages are dropped: a mailbox is full, or there is no memory",
      "see whose mailbox is full: rusm attach" },
    { "undelivered", "undelivered_too_large", false, FINDING_WARNING,
      "messages are dropped: they are larger than the node takes",
      "send less at once, or raise --max-message of the node; to see the counters: rusm attach "
      "--counters" },
    { "undelivered", "undelivered_malformed", false, FINDING_WARNING,
      "messages are dropped: they are not what this version serves",
      "run the same version everywhere; to see the counters: rusm attach --counters" },
    { "undelivered", "discarded_in_mailbox", false, FINDING_WARNING,
      "processes end while messages wait in their mailboxes",
      "see which end, and why: rusm attach --follow --type process_ended" },
    { "program", "programs_ended", false, FINDING_WARNING, "programs of processes end",
      "see which processes end, and why: rusm attach --follow --type process_ended" },
    { "program", "programs_refused", false, FINDING_WARNING,
      "messages could not be given to a program", "see the log of the node, and: rusm attach" },
    { "program", "programs_bad_lines", false, FINDING_WARNING,
      "a program writes lines that are not a request",
      "see the log of the node, and: rusm attach --counters" },
    { "program", "programs_unlogged", false, FINDING_WARNING,
      "programs write so much on standard error that lines are not logged",
      "let them write less; to see the counters: rusm attach --counters" },
    { "names", "names_lost", false, FINDING_WARNING,
      "global names of this node went to processes of another one",
      "see who has them: rusm attach --names" },
    { "names", "names_refused", false, FINDING_WARNING,
      "claims of global names are refused: there are too many",
      "see which there are: rusm attach --names" },
    { "clock", "clock_ahead", false, FINDING_WARNING,
      "another node's clock is more than a minute ahead of this node's",
      "set the clocks of all machines, with NTP; to see the counters: rusm attach --counters" },
    { "stranger", "connections_refused", false, FINDING_WARNING,
      "somebody without the certificate of the cluster dials this node",
      "the log of the node has the address; copy the identity file there, or stop it; to see the "
      "counters: rusm attach --counters" },
    { "output", "output_dropped", false, FINDING_WARNING, "lines that processes print are lost",
      "see whether the reader of the node's output is too slow, or the disk full; to see the "
      "counters: rusm attach --counters" },
    { "output", "log_dropped", false, FINDING_WARNING, "lines of the log are lost",
      "see whether the reader of the log is too slow, or the disk full; to see the counters: rusm "
      "attach --counters" },
    { "http", "events_missed", false, FINDING_WARNING,
      "HTTP clients miss events, as they read too slowly",
      "let them read faster or ask for fewer types; to see the counters: rusm attach --counters" },
    { "http", "http_busy", false, FINDING_WARNING, "HTTP requests found no room",
      "see the node's mailboxes: rusm attach" },
    { "http", "http_crowded", false, FINDING_WARNING,
      "HTTP connections are closed, as their client has too many",
      "let the client use fewer connections; to see the counters: rusm attach --counters" },
};

static void rule_count_row(const struct survey *s, const struct survey_node *n,
                           const struct rule_count_row *row, struct findings *out)
{
    unsigned long long value = survey_value(n, row->counter);
    unsigned long long growth = survey_growth(n, row->counter);

    if (row->gauge ? value == 0 || value == growth : growth == 0) {
        return;
    }
    struct finding *f = finding_add(out, row->severity, row->kind, n->name, NULL);
    finding_summary(f, "%s", row->summary);
    if (row->gauge) {
        finding_evidence(f, "%s is %llu", row->counter, value);
    } else {
        finding_evidence(f, "%s grew by %llu in %.1f s, to %llu", row->counter, growth, s->seconds,
                         value);
    }
    finding_cure(f, "%s %s", row->cure, n->name);
}

void rule_count(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        for (size_t k = 0; k < sizeof(rule_count_rows) / sizeof(rule_count_rows[0]); k++) {
            if (s->node[i]->reached && s->node[i]->error == 0 &&
                strcmp(rule_count_rows[k].kind, kind) == 0) {
                rule_count_row(s, s->node[i], &rule_count_rows[k], out);
            }
        }
    }
}
