/* answer: makes responses: their head, and the pieces of their body. Called by exchange and the
 * handlers of routes, on the gateway's thread. */
#include <jansson.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "base/must.h"
#include "gateway/limits.h"
#include "base/utf8.h"
#include "gateway/exchange.h"

#define JSON_TYPE "application/json"

void answer_field(struct exchange *x, const char *name, const char *value)
{
    must(x->head.count < EXCHANGE_FIELDS);
    x->head.field[x->head.count].name = name;
    x->head.field[x->head.count++].value = value;
}

static bool has_field(const struct exchange *x, const char *name)
{
    for (size_t i = 0; i < x->head.count; i++) {
        if (strcmp(x->head.field[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Completes the head. From now on the transport may read. */
static void begin(struct exchange *x, int status, const char *type, uint64_t length)
{
    struct gateway_counters *counters = &x->gateway->counters;

    must(x->state != EXCHANGE_ANSWERED);
    counters->refused += status == 401 || status == 429;
    counters->busy += status == 503;
    counters->slow += status == 408;
    x->head.status = status;
    x->head.length = length;
    if (type) {
        answer_field(x, "content-type", type);
    }
    if (!has_field(x, "cache-control")) {
        answer_field(x, "cache-control", "no-store"); /* what a node runs changes all the time */
    }
    x->state = EXCHANGE_ANSWERED;
    exchange_progress(x);
}

static void ready(struct exchange *x)
{
    exchange_progress(x);
    x->transport->ready(x->context, x);
}

/* Adds a piece to the body. Takes `owned` and returns true, or returns false if there is no memory
 * or no budget left. */
static bool add(struct exchange *x, const void *data, void *owned, size_t len)
{
    struct piece *p;

    if (len == 0 || x->head_only) {
        free(owned);
        return true;
    }
    p = malloc(sizeof(*p));
    if (!p || (owned && !exchange_charge(x, len))) {
        free(p);
        return false;
    }
    *p = (struct piece){ .data = data, .owned = owned, .len = len };
    list_append(&x->pieces, &p->link);
    x->waiting += len;
    return true;
}

static void short_of_memory(struct exchange *x)
{
    static const char text[] =
        "{\"error\": \"the node has no memory for the answer: try again\"}\n";

    x->head.count = 0;
    answer_field(x, "retry-after", "1");
    /* Without memory even for the text, send none. The status says the same. */
    begin(x, 503, JSON_TYPE, add(x, text, NULL, sizeof(text) - 1) ? sizeof(text) - 1 : 0);
    ready(x);
}

void answer_constant(struct exchange *x, int status, const char *type, const void *data, size_t len)
{
    if (!add(x, data, NULL, len)) {
        short_of_memory(x);
        return;
    }
    begin(x, status, type, len);
    ready(x);
}

void answer_take(struct exchange *x, int status, const char *type, void *data, size_t len)
{
    if (!add(x, data, data, len)) {
        free(data);
        short_of_memory(x);
        return;
    }
    begin(x, status, type, len);
    ready(x);
}

void answer_copy(struct exchange *x, int status, const char *type, const void *data, size_t len)
{
    void *copy = len <= x->gateway->budget ? malloc(len + 1) : NULL;

    if (!copy) {
        short_of_memory(x);
        return;
    }
    if (len > 0) {
        memcpy(copy, data, len);
    }
    answer_take(x, status, type, copy, len);
}

void answer_empty(struct exchange *x, int status)
{
    begin(x, status, NULL, 0);
    ready(x);
}

void answer_fail(struct exchange *x, int status, const char *format, ...)
{
    char text[600], clean[1200], *json, *line;
    json_t *object;
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    utf8_escape(clean, sizeof(clean), text, strlen(text));
    object = json_pack("{s:s}", "error", clean);
    json = object ? json_dumps(object, 0) : NULL;
    json_decref(object);
    line = json ? realloc(json, strlen(json) + 2) : NULL;
    if (!line) {
        free(json);
        short_of_memory(x);
        return;
    }
    memcpy(line + strlen(line), "\n", 2); /* a newline, for people who read it on a terminal */
    if (status == 429 || status == 503) {
        answer_field(x, "retry-after", status == 503 ? "1" : "10");
    }
    answer_take(x, status, JSON_TYPE, line, strlen(line));
}

void answer_error(struct exchange *x, int error, const char *text)
{
    int status;

    switch (error) {
    case RUSM_ENOPROC:
    case RUSM_ENOSPAWNABLE: status = 404; break;
    case RUSM_EINVAL: status = 400; break;
    case RUSM_EEXIST: status = 409; break;
    case RUSM_ETOOLARGE: status = 413; break;
    case RUSM_EINIT: status = 422; break;
    case RUSM_ENOCONN: status = 502; break;
    case RUSM_BUSY:
    case RUSM_ELIMIT:
    case RUSM_ENOMEM:
    case RUSM_ECLOSED: status = 503; break;
    case RUSM_ETIMEOUT: status = 504; break;
    default: status = 500;
    }
    answer_fail(x, status, "%s", text ? text : rusm_strerror(error));
}

/* ---- streams ---- */

void answer_stream(struct exchange *x, const char *type)
{
    x->streaming = true;
    begin(x, 200, type, EXCHANGE_STREAMED);
    ready(x);
}

int answer_write(struct exchange *x, const void *data, size_t len)
{
    void *copy;

    must(x->streaming);
    if (x->waiting > 0 && x->waiting + len > LIMIT_HTTP_STREAM) {
        return RUSM_BUSY;
    }
    copy = malloc(len + 1);
    if (!copy) {
        return RUSM_ENOMEM;
    }
    memcpy(copy, data, len);
    if (x->waiting == 0) {
        exchange_progress(x); /* the client had nothing to take until now */
    }
    if (!add(x, copy, copy, len)) {
        free(copy);
        return RUSM_ENOMEM;
    }
    if (x->waiting == len) {
        exchange_progress(x);
    }
    x->transport->ready(x->context, x);
    return 0;
}

void answer_end(struct exchange *x)
{
    must(x->streaming);
    x->streaming = false;
    ready(x);
}

void answer_break(struct exchange *x)
{
    must(x->streaming);
    x->broken = true;
    exchange_progress(x);
}
