/* finding: see the header. */
#include "finding.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *const finding_severities[FINDING_SEVERITIES] = { "error", "warning", "note" };

struct finding *finding_add(struct findings *all, enum finding_severity severity, const char *kind,
                            const char *node, const char *process)
{
    if (all->count == all->cap) {
        all->cap = 2 * all->cap + 8;
        all->list = reallocarray(all->list, all->cap, sizeof(*all->list));
        if (!all->list) {
            exit(failure_say(NULL, EXIT_FAILED, "%s", rusm_strerror(RUSM_ENOMEM)));
        }
    }
    struct finding *f = &all->list[all->count++];
    *f = (struct finding){ .severity = severity, .kind = kind };
    snprintf(f->node, sizeof(f->node), "%s", node);
    snprintf(f->process, sizeof(f->process), "%s", process ? process : "");
    return f;
}

#define FINDING_WRITE(field)                           \
    do {                                               \
        va_list ap;                                    \
        va_start(ap, format);                          \
        vsnprintf((field), sizeof(field), format, ap); \
        va_end(ap);                                    \
    } while (0)

void finding_summary(struct finding *f, const char *format, ...)
{
    FINDING_WRITE(f->summary);
}

void finding_evidence(struct finding *f, const char *format, ...)
{
    FINDING_WRITE(f->evidence);
}

void finding_cure(struct finding *f, const char *format, ...)
{
    FINDING_WRITE(f->cure);
}

void finding_sort(struct findings *all)
{
    struct findings sorted = { 0 };

    for (int severity = 0; severity < FINDING_SEVERITIES; severity++) {
        for (size_t i = 0; i < all->count; i++) {
            const struct finding *f = &all->list[i];
            if ((int)f->severity == severity) {
                *finding_add(&sorted, f->severity, f->kind, "", NULL) = *f;
            }
        }
    }
    finding_fini(all);
    *all = sorted;
}

size_t finding_count(const struct findings *all, enum finding_severity severity)
{
    size_t count = 0;

    for (size_t i = 0; i < all->count; i++) {
        count += all->list[i].severity == severity;
    }
    return count;
}

static int finding_json(const struct finding *f)
{
    const struct rusm_field fields[] = {
        { .column = "severity", .text = finding_severities[f->severity] },
        { .column = "kind", .text = f->kind },
        { .column = "node", .text = f->node[0] ? f->node : NULL },
        { .column = "process", .text = f->process[0] ? f->process : NULL },
        { .column = "summary", .text = f->summary },
        { .column = "evidence", .text = f->evidence },
        { .column = "cure", .text = f->cure },
    };

    return output_object(stdout, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Prints a text that may quote what a node said. */
static void finding_line(const char *head, const char *text)
{
    char *clean = output_clean(text, true);

    printf("%s%s\n", head, clean);
    free(clean);
}

static void finding_text(const struct finding *f)
{
    char head[1400];

    snprintf(head, sizeof(head), "%s: %s%s%s%s%s", finding_severities[f->severity], f->node,
             f->process[0] ? ", " : "", f->process, f->node[0] || f->process[0] ? ": " : "",
             f->summary);
    finding_line("", head);
    finding_line("    seen: ", f->evidence);
    finding_line("    cure: ", f->cure);
}

int finding_print(const struct findings *all, bool json)
{
    int error = 0;

    for (size_t i = 0; i < all->count && error == 0; i++) {
        if (json) {
            error = finding_json(&all->list[i]);
        } else {
            finding_text(&all->list[i]);
        }
    }
    return error;
}

void finding_fini(struct findings *all)
{
    free(all->list);
    *all = (struct findings){ 0 };
}
