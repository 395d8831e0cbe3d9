/* rules: see the header. */
#include "rules.h"

static const struct {
    const char *kind;
    rule_fn *find;
} rules[] = {
    { "certificate", rule_cluster_certificate },
    { "lost", rule_cluster_lost },
    { "silent", rule_cluster_silent },
    { "split", rule_cluster_split },
    { "scheduler", rule_count },
    { "circle", rule_circle },
    { "mailbox", rule_mail_full },
    { "children", rule_count },
    { "stuck", rule_mail_stuck },
    { "backlog", rule_mail_backlog },
    { "restarts", rule_process_restarts },
    { "handler", rule_count },
    { "undelivered", rule_count },
    { "delayed", rule_cluster_delayed },
    { "program", rule_count },
    { "names", rule_count },
    { "clock", rule_count },
    { "stranger", rule_count },
    { "output", rule_count },
    { "http", rule_count },
    { "descriptors", rule_cluster_descriptors },
    { "versions", rule_cluster_versions },
    { "hot", rule_process_hot },
    { "memory", rule_process_memory },
    { "memory", rule_cluster_memory },
};

void rules_run(const struct survey *s, struct findings *out)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        rules[i].find(s, rules[i].kind, out);
    }
    finding_sort(out);
}
