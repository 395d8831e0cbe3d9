/* finding: what the rules found, in order of severity. */
#ifndef DIAGNOSE_FINDING_H
#define DIAGNOSE_FINDING_H

#include "../cmd.h"

enum finding_severity { FINDING_ERROR, FINDING_WARNING, FINDING_NOTE, FINDING_SEVERITIES };

extern const char *const finding_severities[FINDING_SEVERITIES]; /* their names */

struct finding {
    enum finding_severity severity;
    const char *kind;                      /* of the rule */
    char node[RUSM_NODE_NAME_MAX + 1];     /* "": several */
    char process[RUSM_PID_TEXT_MAX + 256]; /* its name or pid; "": none */
    char summary[512];
    char evidence[1024]; /* figures */
    char cure[512];      /* a command to run, or what to change */
};

struct findings {
    struct finding *list;
    size_t count, cap;
};

/* Adds a finding, whose texts the caller writes. `process` may be NULL. Valid until the next one.
 * Ends the program if there is no memory. */
struct finding *finding_add(struct findings *all, enum finding_severity severity, const char *kind,
                            const char *node, const char *process);
/* Write the texts. */
void finding_summary(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_evidence(struct finding *f, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_cure(struct finding *f, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sorts by severity, and else keeps the order. */
void finding_sort(struct findings *all);
size_t finding_count(const struct findings *all, enum finding_severity severity);
/* Prints all, as text or a JSON object a line. Returns 0, RUSM_ENOMEM or RUSM_EIO. */
int finding_print(const struct findings *all, bool json);
void finding_fini(struct findings *all);

#endif
