/* answer: how a handler answers, at once or later: one of these once an exchange. On the gateway's
 * thread. */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include <stddef.h>

struct exchange;

/* The data is copied. RUSM_ENOMEM and over the budget: 503 instead. */
void answer_copy(struct exchange *x, int status, const char *type, const void *data, size_t len);
/* Constant for the program's life. */
void answer_constant(struct exchange *x, int status, const char *type, const void *data,
                     size_t len);
/* Takes data, malloc'd. */
void answer_take(struct exchange *x, int status, const char *type, void *data, size_t len);
/* No body: 204, 202. */
void answer_empty(struct exchange *x, int status);
/* {"error": TEXT}, which names the cure. 429 and 503 get Retry-After. */
void answer_fail(struct exchange *x, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_error(struct exchange *x, int error, const char *text); /* the status for a RUSM_E* */
/* Before one of those above: another field. The name is constant, the value kept in x or
 * constant. */
void answer_field(struct exchange *x, const char *name, const char *value);

/* A response that comes as it happens: begin, any number of writes, end. */
void answer_stream(struct exchange *x, const char *type);
/* Copies; one is taken whenever none waits. RUSM_BUSY: LIMIT_HTTP_STREAM bytes wait for the client
 * already, `drained` follows; RUSM_ENOMEM. */
int answer_write(struct exchange *x, const void *data, size_t len);
void answer_end(struct exchange *x);
/* The rest can't be made: the client sees that it was broken off. */
void answer_break(struct exchange *x);

#endif
