/* rules: what may be wrong with a cluster. A rule looks at the survey of all nodes and adds what
 * it finds. It asks nobody and changes nothing, so a test can make one up. To add a rule: a
 * function below, a row in rules.c, and its kind in rusm-diagnose(1). */
#ifndef DIAGNOSE_RULES_H
#define DIAGNOSE_RULES_H

#include "finding.h"
#include "survey.h"

/* Adds findings of the kind. */
typedef void rule_fn(const struct survey *s, const char *kind, struct findings *out);

/* rule_mail.c: mailboxes */
rule_fn rule_mail_full, rule_mail_stuck, rule_mail_backlog;
/* rule_circle.c: processes that wait for each other */
rule_fn rule_circle;
/* rule_process.c: other processes */
rule_fn rule_process_restarts, rule_process_hot, rule_process_memory;
/* rule_cluster.c: nodes and what connects them */
rule_fn rule_cluster_certificate, rule_cluster_lost, rule_cluster_silent, rule_cluster_split,
    rule_cluster_delayed, rule_cluster_versions, rule_cluster_descriptors, rule_cluster_memory;
/* rule_count.c: counters. It finds the counters of its table that have the kind. */
rule_fn rule_count;

/* Runs all rules. Sorts what they find. */
void rules_run(const struct survey *s, struct findings *out);

#endif
