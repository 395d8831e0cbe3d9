/* fuzz_gateway: what the fuzz targets of the gateway room share. A gateway whose node answers as
 * the input orders: at once, later or never. Checks that hold for every response. Include it
 * once. */
#ifndef DOUBLES_FUZZ_GATEWAY_H
#define DOUBLES_FUZZ_GATEWAY_H

#include <jansson.h>
#include <string.h>
#include "gateway/limits.h"
#include "base/id.h"
#include "base/limits.h"
#include "gateway/exchange.h"
#include "doubles/fuzz.h"
#include "wire/rpc.h"
#include "wire/table.h"

#define HTTP_TOKEN "0123456789abcdef0123456789abcdef"
#define HTTP_JOBS 64

struct http_world {
    struct gateway *gateway;
    struct log log;
    struct reader in;
    uint64_t now_ns;
    struct gateway_job *job[HTTP_JOBS]; /* jobs begun and not over */
    size_t jobs;
};

static inline void http_drop(struct http_world *w, const struct gateway_job *job)
{
    for (size_t i = 0; i < w->jobs; i++) {
        if (w->job[i] == job) {
            w->job[i] = w->job[--w->jobs];
            return;
        }
    }
    must(false);
}

/* Answers one of the jobs with some result. */
static inline void http_answer(struct http_world *w, struct gateway_job *job)
{
    static const int errors[] = { 0,
                                  0,
                                  0,
                                  0,
                                  RUSM_BUSY,
                                  RUSM_ENOPROC,
                                  RUSM_ENOCONN,
                                  RUSM_ETIMEOUT,
                                  RUSM_EINVAL,
                                  RUSM_EINIT,
                                  RUSM_EEXIST,
                                  RUSM_EIO };
    struct gateway_outcome o = { .error = errors[fuzz_below(&w->in, 12)] };
    size_t how = fuzz_below(&w->in, 8);
    char text[64];
    const uint8_t *data = fuzz_bytes(&w->in, sizeof(text) - 1, &o.len);

    if (job->op == GATEWAY_TABLE) {
        return; /* http_more answers these */
    }
    if (o.len > 0) {
        memcpy(text, data, o.len);
    }
    text[o.len] = '\0';
    o.data = o.text = text;
    o.ended = how & 1;
    o.on_its_way = how & 2;
    if (job->op == GATEWAY_REQUEST && !o.error) {
        struct writer pid = writer_on((uint8_t *)text, sizeof(text));
        wire_pid_write(&pid, &(struct wire_pid){ .serial = 17, .incarnation = 0xafa0, .node = "" });
        o.len = writer_len(&pid);
    }
    if (job->op == GATEWAY_PROCESS && !o.error) {
        static const struct column columns[] = { { RUSM_TYPE_PID, "pid" } };
        struct writer process = writer_on((uint8_t *)text, sizeof(text));
        columns_write(&process, columns, 1);
        writer_text(&process, "1@london#1", 10);
        columns_write(&process, columns, 1);
        o.len = writer_len(&process);
    }
    if (how & 4 && (job->op == GATEWAY_SEND || job->op == GATEWAY_CALL)) {
        gateway_taken(job);
    }
    http_drop(w, job);
    gateway_outcome(job, &o);
}

static void http_begin(void *context, struct gateway_job *job)
{
    struct http_world *w = context;

    must(w->jobs < HTTP_JOBS);
    w->job[w->jobs++] = job;
    switch (job->op) {
    case GATEWAY_SEND:
    case GATEWAY_CALL:
        must(job->data &&
             (job->len == 0 || job->data[job->len - 1] + 1 > 0)); /* the last byte can be read */
        must(job->len <= RUSM_MESSAGE_MAX);
        /* fallthrough */
    case GATEWAY_KILL:
    case GATEWAY_PROCESS: {
        struct id_address a;
        must(id_address_parse(job->process, strlen(job->process), &a) == 0);
        must(!job->global || (!a.serial && !a.node));
        break;
    }
    case GATEWAY_REQUEST: {
        struct reader fields = reader_on(job->data, job->len);
        struct spawn spawn;
        must(job->request == OP_SPAWN && spawn_decode(&fields, &spawn) == 0);
        break;
    }
    case GATEWAY_TABLE: job->ref = 0; break;
    }
    if (fuzz_below(&w->in, 4) == 0) {
        http_answer(w, job);
    }
}

/* Writes the columns, then rows with arbitrary texts. Returns false when the table is complete,
 * after any number of parts. */
static bool http_more(void *context, struct gateway_job *job)
{
    static const struct column columns[] = { { RUSM_TYPE_PID, "pid" },
                                             { RUSM_TYPE_TEXT, "name" },
                                             { RUSM_TYPE_SECONDS, "age" } };
    struct http_world *w = context;
    uint8_t body[1024];
    struct writer b = writer_on(body, sizeof(body));

    if (job->ref++ == 0) {
        columns_write(&b, columns, 3);
    } else {
        size_t len;
        const uint8_t *text = fuzz_bytes(&w->in, 200, &len);
        writer_text(&b, "1@london#1", 10);
        writer_text(&b, len ? (const char *)text : "", len);
        writer_varint(&b, fuzz_below(&w->in, 65536));
        if (fuzz_below(&w->in, 16) == 1) {
            writer_u8(&b, 0xff); /* and a part of a row */
        }
    }
    gateway_part(job, body, writer_len(&b));
    if (job->ref < 2 || fuzz_below(&w->in, 4) != 0) {
        return true;
    }
    http_drop(w, job);
    return false;
}

static void http_cancel(void *context, struct gateway_job *job)
{
    http_drop(context, job);
}

/* Gives some columns a metric, and others none. */
static const struct gateway_metric *http_metric(enum rusm_table table, const char *name)
{
    static const struct gateway_metric age = { "age_seconds", "gauge", .unit = "seconds",
                                               .help = "Age." };
    static const struct gateway_metric up = { "up", "gauge", .help = "Up.", .is = "up" };

    (void)table;
    return strcmp(name, "age") == 0 ? &age : strcmp(name, "name") == 0 ? &up : NULL;
}

static inline void http_open(struct http_world *w, const uint8_t *data, size_t len)
{
    static const struct gateway_node node = {
        .begin = http_begin, .more = http_more, .cancel = http_cancel, .metric = http_metric
    };
    static struct fuzz_file token;
    struct gateway_options options = {
        .name = "london", .node = &node, .context = w, .log = &w->log, .seed = 1
    };

    if (!token.path[0]) {
        token = fuzz_file_make(HTTP_TOKEN, strlen(HTTP_TOKEN));
    }
    *w = (struct http_world){ .in = reader_on(data, len), .now_ns = 1000000000 };
    log_init(&w->log, -1, RUSM_LOG_ERROR, "london");
    options.token = token.path;
    options.now_ns = w->now_ns;
    must(gateway_new(&w->gateway, &options, NULL) == 0);
}

/* Checks that nothing is left of any request and that all budgets are whole: gateway_free checks
 * the budgets. */
static inline void http_close(struct http_world *w)
{
    gateway_free(w->gateway);
    must(w->jobs == 0);
}

static inline void http_pass(struct http_world *w)
{
    static const uint64_t steps[] = { 1000000, 1000000000, 11000000000, 31000000000 };

    if (gateway_watched(w->gateway) && fuzz_below(&w->in, 2)) {
        char text[64] = "";
        size_t len;
        const uint8_t *bytes = fuzz_bytes(&w->in, sizeof(text) - 1, &len);
        if (len > 0) {
            memcpy(text, bytes, len);
        }
        const struct gateway_field fields[] = { { .key = "name", .text = text },
                                                { .key = "count", .number = len } };
        const struct gateway_event event = {
            .type = "process_ended", .wall_ms = 1700000000000, .field = fields, .count = 2
        };
        gateway_event(w->gateway, &event);
    }
    w->now_ns += steps[fuzz_below(&w->in, 4)];
    uint64_t next_ns = gateway_tick(w->gateway, w->now_ns);
    must(next_ns > w->now_ns);
}

/* Answers one of the jobs that wait. */
static inline void http_outcome(struct http_world *w)
{
    if (w->jobs > 0) {
        http_answer(w, w->job[fuzz_below(&w->in, w->jobs)]);
    }
}

/* Checks what must hold of every response's head. */
static inline void http_head_ok(const struct exchange_head *head)
{
    must(head->status >= 200 && head->status < 600 && head->count <= EXCHANGE_FIELDS);
    for (size_t i = 0; i < head->count; i++) {
        const char *name = head->field[i].name, *value = head->field[i].value;
        must(name[0] && value[0]);
        must(strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        fuzz_line_ok(value, strlen(value));
    }
}

/* Checks what must hold of a whole body of that type, for any request. */
static inline void http_body_ok(const struct exchange_head *head, const char *body, size_t len)
{
    const char *type = "";
    json_t *json;

    must(head->length == EXCHANGE_STREAMED || head->length == len);
    for (size_t i = 0; i < head->count; i++) {
        if (strcmp(head->field[i].name, "content-type") == 0) {
            type = head->field[i].value;
        }
    }
    if (strcmp(type, "application/json") != 0) {
        return;
    }
    json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
    /* A process comes with its relations. All other bodies have one member. */
    must(json_is_object(json));
    must(json_object_size(json) == (json_object_get(json, "relations") ? 2 : 1));
    must((head->status >= 400) == (json_object_get(json, "error") != NULL));
    json_decref(json);
}

#endif
