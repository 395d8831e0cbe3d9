/* accept: which of the formats that a path has a client prefers, from its Accept fields (RFC 9110,
 * 12.5.1). Pure. On the gateway's thread. */
#ifndef GATEWAY_ACCEPT_H
#define GATEWAY_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>

enum accept_format {
    ACCEPT_TEXT,     /* text/plain; version=0.0.4: Prometheus' own text format */
    ACCEPT_OPEN,     /* application/openmetrics-text; version=1.0.0 */
    ACCEPT_OPEN_OLD, /* the same, but the client knows version 0.0.1 only */
    ACCEPT_FORMATS,
};

/* What the fields say so far. All zero: there was none yet. */
struct accept {
    unsigned ranges; /* that were read */
    struct {
        unsigned quality; /* in thousandths */
        unsigned exact;   /* how exactly the range names the format: 0 is not at all */
        unsigned place;   /* of that range among all */
    } of[ACCEPT_FORMATS];
};

/* Adds the value of an Accept field. What is not a media range is skipped. Borrows value. */
void accept_add(struct accept *a, const char *value, size_t len);
/* Returns the format that the client wants most. If it wants several alike, it is one that it
 * names without a "*", then the first. If it names none, it is ACCEPT_TEXT. */
enum accept_format accept_best(const struct accept *a);

#endif
