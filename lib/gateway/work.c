/* work: see the header. The handlers of POST and DELETE, and the answers with their outcomes. On
 * the gateway's thread. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/id.h"
#include "base/limits.h"
#include "gateway/limits.h"
#include "base/must.h"
#include "gateway/exchange.h"
#include "gateway/process_json.h"
#include "gateway/work.h"
#include "wire/rpc.h"

#define BYTES_TYPE "application/octet-stream"
#define JSON_TYPE "application/json"

void gateway_job_from(const struct gateway_job *job, char *text, size_t cap)
{
    char address[PROXY_TEXT];

    snprintf(text, cap, "%s",
             proxy_text(&container_of(job, struct exchange, job)->client, address));
}

void work_begin(struct exchange *x)
{
    x->working = true;
    x->gateway->node->begin(x->gateway->context, &x->job);
}

/* ---- handlers ---- */

/* Reads ?KEY, ?KEY=1 or ?KEY=0. If it is neither, answers with the error and returns false. */
static bool flag(struct exchange *x, const char *key, bool *value)
{
    const char *text = url_parameter(&x->url, key);

    *value = text && strcmp(text, "0") != 0;
    if (text && text[0] && strcmp(text, "0") != 0 && strcmp(text, "1") != 0) {
        answer_fail(x, 400, "%s must be 0 or 1, not '%.100s'", key, text);
        return false;
    }
    return true;
}

/* Reads the process from the path. If it is none, answers with the error and returns false. */
static bool process(struct exchange *x, bool global)
{
    struct id_address address;
    size_t len = strlen(x->parameter);

    if (id_address_parse(x->parameter, len, &address) != 0 ||
        (global && (address.serial || address.node))) {
        answer_fail(x, 400,
                    global ? "'%.300s' is not a global name"
                           : "'%.300s' is not a process: write NAME, NAME@NODE or a pid "
                             "(# as %%23)",
                    x->parameter);
        return false;
    }
    x->job.process = x->parameter;
    x->job.global = global;
    return true;
}

/* Reads ?timeout=SECONDS. If it is wrong, answers with the error and returns false. */
static bool timeout(struct exchange *x, uint32_t *ms)
{
    const char *text = url_parameter(&x->url, "timeout");
    char *end;
    double seconds;

    *ms = LIMIT_HTTP_TIMEOUT_MS;
    if (!text) {
        return true;
    }
    errno = 0;
    seconds = strtod(text, &end);
    if (text[strspn(text, "0123456789.")] || !text[0] || *end || errno ||
        seconds > LIMIT_HTTP_TIMEOUT_MAX_S) {
        answer_fail(x, 400, "timeout must be from 0 to %d seconds, not '%.100s'",
                    LIMIT_HTTP_TIMEOUT_MAX_S, text);
        return false;
    }
    *ms = (uint32_t)(seconds * 1000);
    return true;
}

static void message(struct exchange *x, enum gateway_op op)
{
    bool global;

    if (!flag(x, "global", &global) || !process(x, global)) {
        return;
    }
    x->job.op = op;
    x->job.data = buf_len(&x->body) ? buf_data(&x->body) : (const uint8_t *)"";
    x->job.len = buf_len(&x->body);
    work_begin(x);
}

void work_send(struct exchange *x)
{
    if (timeout(x, &x->job.timeout_ms)) {
        message(x, GATEWAY_SEND);
    }
}

void work_call(struct exchange *x)
{
    if (timeout(x, &x->job.timeout_ms)) {
        message(x, GATEWAY_CALL);
    }
}

void work_kill(struct exchange *x)
{
    const char *reason = url_parameter(&x->url, "reason");

    if (!process(x, false)) {
        return;
    }
    if (reason && strlen(reason) > RUSM_REASON_MAX) {
        answer_fail(x, 400, "a reason has at most %d bytes", RUSM_REASON_MAX);
        return;
    }
    x->job.op = GATEWAY_KILL;
    x->job.reason = reason && reason[0] ? reason : "kill";
    work_begin(x);
}

void work_inspect(struct exchange *x)
{
    if (process(x, false)) {
        x->job.op = GATEWAY_PROCESS;
        work_begin(x);
    }
}

/* ---- spawn ---- */

struct spawn_words {
    json_t *json; /* the words may point into it; NULL: the request has no JSON */
    enum spawn_scope scope;
    const char *name;
    struct rusm_args args;
    const char *arg[RUSM_ARGS_MAX];
    uint8_t *fields; /* the fields of OP_SPAWN */
};

static void spawn_gone(struct exchange *x)
{
    struct spawn_words *words = x->state_of_handler;

    json_decref(words->json);
    free(words->fields);
    free(words);
}

/* Sets the name. If it is wrong, answers with the error and returns false. spawn_arg, spawn_query,
 * spawn_key and spawn_body do so too. */
static bool spawn_name(struct exchange *x, struct spawn_words *words, const char *name, bool global)
{
    if (words->name) {
        answer_fail(x, 400, "give a name or a global name, not both");
    } else if (!id_process_name_ok(name, strlen(name))) {
        answer_fail(x, 400, "'%.255s' is not a process's name", name);
    } else {
        words->name = name;
        words->scope = global ? SPAWN_GLOBAL : SPAWN_LOCAL;
        return true;
    }
    return false;
}

static bool spawn_arg(struct exchange *x, struct spawn_words *words, const char *arg)
{
    if (words->args.count == RUSM_ARGS_MAX) {
        answer_fail(x, 400, "more than %d arguments", RUSM_ARGS_MAX);
        return false;
    }
    words->arg[words->args.count++] = arg;
    return true;
}

static bool spawn_query(struct exchange *x, struct spawn_words *words)
{
    for (size_t i = 0; i < x->url.count; i++) {
        const char *key = x->url.parameter[i].key, *value = x->url.parameter[i].value;
        bool good = strcmp(key, "arg") == 0
                        ? spawn_arg(x, words, value)
                        : spawn_name(x, words, value, strcmp(key, "global") == 0);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Reads one key of the body. */
static bool spawn_key(struct exchange *x, struct spawn_words *words, const char *key, json_t *value)
{
    if (strcmp(key, "args") == 0 && json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *arg = json_string_value(json_array_get(value, i));
            if (!arg) {
                answer_fail(x, 400, "args must be an array of strings");
                return false;
            }
            if (!spawn_arg(x, words, arg)) {
                return false;
            }
        }
        return true;
    }
    if ((strcmp(key, "name") == 0 || strcmp(key, "global") == 0) && json_is_string(value)) {
        return spawn_name(x, words, json_string_value(value), key[0] == 'g');
    }
    answer_fail(x, 400,
                "'%.100s': the body must be {\"args\": [\"...\"], \"name\": \"...\"} or \"global\" "
                "instead of \"name\"",
                key);
    return false;
}

static bool spawn_body(struct exchange *x, struct spawn_words *words)
{
    json_error_t error;
    const char *key;
    json_t *value;

    if (!x->json) {
        answer_fail(x, 415,
                    "the body of a spawn must be JSON: send Content-Type: application/json");
        return false;
    }
    words->json = json_loadb((const char *)buf_data(&x->body), buf_len(&x->body),
                             JSON_REJECT_DUPLICATES, &error);
    if (!words->json && json_error_code(&error) == json_error_out_of_memory) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return false;
    }
    if (!json_is_object(words->json)) {
        answer_fail(x, 400, "the body is not a JSON object: %.200s",
                    words->json ? "it is another kind of value" : error.text);
        return false;
    }
    json_object_foreach(words->json, key, value)
    {
        if (!spawn_key(x, words, key, value)) {
            return false;
        }
    }
    return true;
}

static void spawn_begin(struct exchange *x, struct spawn_words *words)
{
    size_t room = spawn_size(x->parameter, words->name, &words->args);
    struct writer w;

    words->fields = malloc(room);
    if (!words->fields) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return;
    }
    w = writer_on(words->fields, room);
    spawn_write(&w, words->scope, x->parameter, words->name, &words->args);
    if (w.bad) {
        answer_fail(x, 400, "the arguments are longer than %zu KiB together",
                    LIMIT_ARGS_BYTES / 1024);
        return;
    }
    x->job.op = GATEWAY_REQUEST;
    x->job.request = OP_SPAWN;
    x->job.data = words->fields;
    x->job.len = writer_len(&w);
    work_begin(x);
}

void work_spawn(struct exchange *x)
{
    struct spawn_words *words;

    if (!id_process_name_ok(x->parameter, strlen(x->parameter))) {
        answer_fail(x, 404, "no spawnable '%.255s': see /v1/spawnables", x->parameter);
        return;
    }
    words = calloc(1, sizeof(*words));
    if (!words) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return;
    }
    words->args.value = words->arg;
    x->state_of_handler = words;
    x->gone = spawn_gone;
    if (spawn_query(x, words) && (buf_len(&x->body) == 0 || spawn_body(x, words))) {
        spawn_begin(x, words);
    }
}

/* ---- outcomes ---- */

/* Answers 201, with the new process's pid and location. */
static void spawned(struct exchange *x, const struct gateway_outcome *o)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._@";
    char pid[RUSM_PID_TEXT_MAX], body[RUSM_PID_TEXT_MAX + 16];
    struct reader r = reader_on(o->data, o->len);
    struct wire_pid p;

    wire_pid_read(&r, &p);
    must(!r.bad); /* this node wrote it */
    id_pid_format(pid, sizeof(pid), p.serial, x->gateway->name, p.incarnation);
    size_t at = (size_t)snprintf(x->location, sizeof(x->location), "/v1/processes/");
    for (size_t i = 0; pid[i]; i++) {
        at += (size_t)snprintf(x->location + at, sizeof(x->location) - at,
                               strchr(safe, pid[i]) ? "%c" : "%%%02x", (unsigned char)pid[i]);
    }
    answer_field(x, "location", x->location);
    /* No character of a pid needs an escape. */
    int n = snprintf(body, sizeof(body), "{\"pid\": \"%s\"}\n", pid);
    answer_copy(x, 201, JSON_TYPE, body, (size_t)n);
}

static void failed(struct exchange *x, const struct gateway_outcome *o)
{
    const char *text = o->text && o->text[0] ? o->text : rusm_strerror(o->error);

    if (o->error == RUSM_ENOPROC && o->ended) {
        answer_fail(x, 502, "'%.255s' ended before it replied: %.300s", x->parameter, text);
    } else if (o->error == RUSM_ENOPROC) {
        answer_fail(x, 404, x->job.global ? "no global name '%.255s'" : "no process '%.255s'",
                    x->parameter);
    } else if (o->error == RUSM_BUSY) {
        answer_fail(x, 503, "'%.255s' is busy, its mailbox is full: try again", x->parameter);
    } else if (o->error == RUSM_ETIMEOUT && x->job.op == GATEWAY_SEND) {
        answer_fail(x, 504,
                    "no receipt of '%.255s' within %u.%03u s: its mailbox is full, or its node "
                    "does not answer; the message may still arrive",
                    x->parameter, x->job.timeout_ms / 1000, x->job.timeout_ms % 1000);
    } else if (o->error == RUSM_ETIMEOUT) {
        answer_fail(x, 504,
                    "'%.255s' did not reply within %u.%03u s; it may still act: ask with "
                    "a longer timeout",
                    x->parameter, x->job.timeout_ms / 1000, x->job.timeout_ms % 1000);
    } else if (o->error == RUSM_ENOCONN && o->ended) {
        answer_fail(x, 502, "the node of '%.255s' was lost: the message may have arrived",
                    x->parameter);
    } else if (o->error == RUSM_ENOCONN) {
        answer_fail(x, 502, "the node of '%.255s' is not connected: see /v1/peers", x->parameter);
    } else {
        answer_error(x, o->error, text);
    }
}

void work_outcome(struct exchange *x, const struct gateway_outcome *o)
{
    if (o->error) {
        failed(x, o);
        return;
    }
    switch (x->job.op) {
    case GATEWAY_SEND:
    case GATEWAY_KILL: answer_empty(x, o->on_its_way ? 202 : 204); return;
    case GATEWAY_CALL: answer_copy(x, 200, BYTES_TYPE, o->data, o->len); return;
    case GATEWAY_REQUEST: spawned(x, o); return;
    case GATEWAY_PROCESS: process_json_answer(x, o->data, o->len); return;
    case GATEWAY_TABLE: must(false); /* a TABLE's outcome is always an error */
    }
}
