/* answer: how a handler answers, at once or later. A handler calls one of these functions, once for
 * each exchange. If there is no memory, the client gets 503 instead. On the gateway's thread. */
#ifndef GATEWAY_ANSWER_H
#define GATEWAY_ANSWER_H

#include <stddef.h>

struct exchange;

/* Answers with a copy of the data. Without memory or budget for it, answers 503 instead. */
void answer_copy(struct exchange *x, int status, const char *type, const void *data, size_t len);
/* Answers with data that stays valid as long as the program runs. */
void answer_constant(struct exchange *x, int status, const char *type, const void *data,
                     size_t len);
/* Answers with data, which malloc made. Takes it. */
void answer_take(struct exchange *x, int status, const char *type, void *data, size_t len);
/* Answers without a body: 204, 202. */
void answer_empty(struct exchange *x, int status);
/* Answers {"error": TEXT}. TEXT says what the client can do about it. 429 and 503 get
 * Retry-After. */
void answer_fail(struct exchange *x, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void answer_error(struct exchange *x, int error, const char *text); /* with the status for error */
/* Adds a header field to the response. Call it before one of the functions above. The name must be
 * constant, the value constant or in x. Without a cache-control, the response gets no-store. */
void answer_field(struct exchange *x, const char *name, const char *value);

/* Begins a response whose body is not known yet. Any number of answer_write follow, then
 * answer_end. */
void answer_stream(struct exchange *x, const char *type);
/* Adds a copy of the data to the body. Returns 0, RUSM_BUSY if more than LIMIT_HTTP_STREAM bytes
 * would wait for the client, or RUSM_ENOMEM if there is no memory or budget. After RUSM_BUSY,
 * `drained` follows. If no bytes wait, it takes data of any length. */
int answer_write(struct exchange *x, const void *data, size_t len);
void answer_end(struct exchange *x);
/* Breaks the response off, as the rest can't be made. The client sees that it is not complete. */
void answer_break(struct exchange *x);

#endif
