/* json: see the header. rusm-port(7), NEWS and REQUESTS, describes each field. Called by
 * worker.c. */
#include "port/json.h"

#include <stdlib.h>
#include <string.h>
#include "actor/runtime.h"
#include "port/limits.h"
#include "base/utf8.h"
#include "port/base64.h"
#include "port/complaint.h"

/* ---- calls that the program has ---- */

static bool json_call_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct json_call, by_number)->number == *(const uint64_t *)key;
}

struct json_call *json_call_find(struct place *p, uint64_t number)
{
    struct map_node *found =
        map_find(&p->calls, map_hash_u64(&p->calls, number), json_call_eq, &number);

    return found ? container_of(found, struct json_call, by_number) : NULL;
}

void json_call_free(struct place *p, struct json_call *c)
{
    map_remove(&p->calls, &c->by_number);
    free(c);
}

static struct json_call *json_call_new(struct place *p, const struct rusm_message *m)
{
    struct json_call *c = malloc(sizeof(*c));

    if (!c) {
        return NULL;
    }
    *c = (struct json_call){ .number = p->call_last + 1,
                             .who = { .kind = m->kind, .from = m->from, .ref = m->ref } };
    if (map_insert(&p->calls, map_hash_u64(&p->calls, c->number), &c->by_number) != 0) {
        free(c);
        return NULL;
    }
    p->call_last++;
    return c;
}

/* Returns whether the program may get one more call. If it has as many as it may, this first
 * forgets the calls whose callers wait no longer. */
static bool json_call_room(struct place *p)
{
    struct map_iter it;

    if (p->calls.count < LIMIT_PROGRAM_FLIGHT) {
        return true;
    }
    for (struct map_node *n = map_first(&p->calls, &it); n; n = map_next(&p->calls, &it)) {
        struct json_call *c = container_of(n, struct json_call, by_number);
        if (!process_asked(p->worker->self, c->who.from, c->who.ref)) {
            json_call_free(p, c);
        }
    }
    return p->calls.count < LIMIT_PROGRAM_FLIGHT;
}

/* ---- what programs wait for ---- */

static bool json_asked_eq(const struct map_node *node, const void *key)
{
    return container_of(node, struct json_asked, by_ref)->ref == *(const uint64_t *)key;
}

struct json_asked *json_asked_find(struct worker *w, uint64_t ref)
{
    struct map_node *found = map_find(&w->asked, map_hash_u64(&w->asked, ref), json_asked_eq, &ref);

    return found ? container_of(found, struct json_asked, by_ref) : NULL;
}

void json_asked_free(struct worker *w, struct json_asked *a)
{
    map_remove(&w->asked, &a->by_ref);
    json_decref(a->theirs);
    free(a);
}

/* ---- lines to the program ---- */

int json_tell(struct place *p, json_t *line)
{
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    int error = !text ? RUSM_ENOMEM : len >= LIMIT_PROGRAM_LINE ? RUSM_ETOOLARGE : 0;
    uint8_t *room = error ? NULL : program_reserve(p->program, len + 1);

    if (room) {
        memcpy(room, text, len);
        room[len] = '\n';
        program_wrote(p->program, len + 1);
    } else if (!error) {
        error = RUSM_ENOMEM;
    }
    free(text);
    json_decref(line);
    return error;
}

static json_t *json_pid(struct place *p, rusm_pid pid)
{
    char text[RUSM_PID_TEXT_MAX];

    if (pid.serial == 0) {
        return json_null();
    }
    rusm_pid_format(p->worker->self, pid, text, sizeof(text));
    return json_string(text);
}

/* Sets "data" if the message is UTF-8, else "base64". Returns 0 or -1. */
static int json_data(json_t *line, const struct rusm_message *m)
{
    json_t *text = json_stringn((const char *)m->data, m->len);

    if (text) {
        return json_object_set_new(line, "data", text);
    }
    char *encoded = malloc(base64_len(m->len));
    if (!encoded) {
        return -1;
    }
    base64_encode(encoded, m->data, m->len);
    text = json_stringn_nocheck(encoded, base64_len(m->len));
    free(encoded);
    return json_object_set_new(line, "base64", text);
}

/* Returns the data of m as a JSON string. Data that is not UTF-8 is escaped. */
static json_t *json_words(const struct rusm_message *m)
{
    char text[RUSM_REASON_MAX * 4 + 1];
    json_t *words = json_stringn((const char *)m->data, m->len);

    if (words) {
        return words;
    }
    return json_stringn(text, utf8_escape(text, sizeof(text), (const char *)m->data, m->len));
}

/* Returns the line for a message, for an answer (reply: the program's ref) or for a call (number:
 * not 0). Returns NULL if there is no memory. */
static json_t *json_message(struct place *p, const struct rusm_message *m, json_t *reply,
                            uint64_t number)
{
    json_t *line = json_object();
    int wrong = 0;

    if (reply) {
        wrong |= json_object_set(line, "reply", reply);
    }
    if (m->from.serial) {
        wrong |= json_object_set_new(line, "from", json_pid(p, m->from));
    }
    if (number) {
        wrong |= json_object_set_new(line, "ref", json_integer((json_int_t)number));
    }
    wrong |= json_data(line, m);
    if (!wrong) {
        return line;
    }
    json_decref(line);
    return NULL;
}

static const char *json_error_word(int error)
{
    switch (error) {
    case RUSM_ENOPROC: return "noproc";
    case RUSM_ENOCONN: return "noconnection";
    case RUSM_ETIMEOUT: return "timeout";
    case RUSM_EEXIST: return "exists";
    case RUSM_ENOSPAWNABLE: return "nospawnable";
    case RUSM_EINIT: return "init";
    case RUSM_ELIMIT: return "limit";
    case RUSM_ETOOLARGE: return "too-large";
    case RUSM_EINVAL: return "invalid";
    case RUSM_EREFUSED: return "refused";
    case RUSM_ECLOSED: return "closed";
    default: return "nomem";
    }
}

void json_done(struct place *p, json_t *ref)
{
    if (ref) {
        (void)json_tell(p, json_pack("{s:O}", "done", ref));
    }
}

void json_failed(struct place *p, json_t *ref, int error, const char *text)
{
    (void)json_tell(p, json_pack("{s:O?,s:s,s:s}", "failed", ref, "error", json_error_word(error),
                                 "text", text));
}

/* ---- messages ---- */

/* Returns the line for a signal that is not the outcome of a request. Returns NULL if programs do
 * not get that kind of signal. */
static json_t *json_signal(struct place *p, const struct rusm_message *m)
{
    switch (m->kind) {
    case RUSM_EXIT:
        return json_pack("{s:o,s:o}", "exit", json_pid(p, m->from), "reason", json_words(m));
    case RUSM_NAME_LOST:
        return json_pack("{s:o,s:o}", "name_lost", json_words(m), "to", json_pid(p, m->from));
    case RUSM_NODE_UP: return json_pack("{s:o}", "node_up", json_words(m));
    case RUSM_NODE_DOWN: return json_pack("{s:o}", "node_down", json_words(m));
    default: return NULL;
    }
}

/* Returns the line for the outcome of a request or monitor. */
static json_t *json_outcome(struct place *p, const struct rusm_message *m,
                            const struct json_asked *a)
{
    switch (m->kind) {
    case RUSM_REPLY: return json_message(p, m, a->theirs, 0);
    case RUSM_SPAWNED:
        return json_pack("{s:O,s:o}", "spawned", a->theirs, "pid", json_pid(p, m->from));
    case RUSM_DOWN:
        return json_pack("{s:O,s:o,s:o}", "down", a->theirs, "from", json_pid(p, m->from), "reason",
                         json_words(m));
    default:
        return json_pack("{s:O,s:s,s:o}", "failed", a->theirs, "error", json_error_word(m->error),
                         "text", json_words(m));
    }
}

static struct place *json_where(struct worker *w, const struct rusm_message *m)
{
    struct json_asked *a;

    if (m->kind == RUSM_SEND || m->kind == RUSM_CALL) {
        return NULL;
    }
    a = m->ref ? json_asked_find(w, m->ref) : NULL;
    return a ? a->place : &w->place[0];
}

static int json_offer_call(struct place *p, const struct rusm_message *m)
{
    struct json_call *c = json_call_new(p, m);
    int error = c ? json_tell(p, json_message(p, m, NULL, c->number)) : RUSM_ENOMEM;

    if (c && error) {
        json_call_free(p, c);
    } else if (c) {
        c->end = p->program->written + buf_len(&p->program->unwritten);
    }
    return error;
}

static int json_offer(struct place *p, const struct rusm_message *m)
{
    struct worker *w = p->worker;
    struct json_asked *a = m->ref && m->kind != RUSM_CALL ? json_asked_find(w, m->ref) : NULL;
    json_t *line;
    int error = 0;

    if (worker_full(p) || (m->kind == RUSM_CALL && !json_call_room(p))) {
        return RUSM_BUSY;
    }
    if (a) {
        error = json_tell(p, json_outcome(p, m, a));
        if (error) { /* its data is too long: say at least that it came */
            json_failed(p, a->theirs, error, "the answer is a line that is too long");
        }
        json_asked_free(w, a);
        return 0;
    }
    if (m->kind == RUSM_CALL) {
        error = json_offer_call(p, m);
    } else if (m->kind == RUSM_SEND) {
        error = json_tell(p, json_message(p, m, NULL, 0));
    } else if ((line = json_signal(p, m)) != NULL) {
        error = json_tell(p, line);
    }
    if (error) {
        worker_refuse(p, m, error == RUSM_ETOOLARGE ? "a line that is too long" : "no memory");
    }
    return 0;
}

/* ---- lines of the program ---- */

/* Returns whether a caller waits for an answer of the program; with `lost`, for one that cannot
 * come. */
static bool json_asked_now(struct place *p, bool lost)
{
    struct map_iter it;

    for (struct map_node *n = map_first(&p->calls, &it); n; n = map_next(&p->calls, &it)) {
        const struct json_call *c = container_of(n, struct json_call, by_number);
        if ((!lost || p->program->ended || c->end > p->program->written) &&
            process_asked(p->worker->self, c->who.from, c->who.ref)) {
            return true;
        }
    }
    return false;
}

static bool json_waits(struct place *p)
{
    return json_asked_now(p, true);
}

/* Deals with the calls that a bad line was to answer. An answer with a mistake fails its own call.
 * A line that is not even JSON may be the answer to any call. So the program of a caller that waits
 * is ended, and place.lost says why. */
static void json_unanswered(struct place *p, const struct request *r, const char *text)
{
    char reason[RUSM_REASON_MAX + 1];
    struct json_call *c = r->number ? json_call_find(p, r->number) : NULL;

    if (c) {
        snprintf(reason, sizeof(reason), "its program gave a wrong answer: %s", text);
        (void)rusm_refuse(p->worker->self, &c->who, reason);
        json_call_free(p, c);
    } else if (r->broken && json_asked_now(p, false)) {
        p->lost = "its program printed a line that is not JSON";
    }
}

/* Handles a line that is not a request: counts it, logs it and tells the program. Returns 0,
 * RUSM_ELIMIT if the process exits, or RUSM_ECLOSED if place.lost is set. */
static int json_bad(struct place *p, const uint8_t *data, size_t len, const char *text)
{
    static const char told[] = "{\"bad\":";
    char line[200];
    bool first;

    p->worker->host->counters.bad++;
    utf8_escape(line, sizeof(line), (const char *)data, len);
    complaint_say(p->program, "not a request: %s: %s", text, line);
    /* A program that prints what it reads must not be told again and again. */
    if (len < sizeof(told) - 1 || memcmp(data, told, sizeof(told) - 1) != 0) {
        (void)json_tell(p, json_pack("{s:s,s:s}", "bad", text, "line", line));
    }
    int error = worker_idle_line(p, &first);
    return error ? error : p->lost ? RUSM_ECLOSED : 0;
}

static ssize_t json_take(struct place *p, const uint8_t *data, size_t len, bool last)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t used = end ? (size_t)(end - data) + 1 : len, line = end ? used - 1 : used;
    struct request r;
    struct rusm_why why = { "" };

    if (!end && !last) {
        return 0;
    }
    if (worker_full(p)) {
        return RUSM_BUSY; /* requests get answers, and the program does not read those it has */
    }
    if (line > 0 && data[line - 1] == '\r') {
        line--;
    }
    if (line == 0) {
        return (ssize_t)used;
    }
    int error = request_parse(data, line, &r, &why);
    if (error) {
        if (error == RUSM_EMALFORMED) {
            json_unanswered(p, &r, why.text);
        }
        error = json_bad(p, data, line, error == RUSM_ENOMEM ? "no memory" : why.text);
        return error ? error : (ssize_t)used;
    }
    error = json_act(p, &r);
    request_free(&r);
    return error ? error : (ssize_t)used;
}

/* Gives up a request or monitor whose program has ended. */
static void json_forget(struct worker *w, struct json_asked *a)
{
    if (a->verb == REQUEST_CALL) {
        (void)rusm_request_end(w->self, a->ref);
    } else if (a->verb == REQUEST_MONITOR) {
        (void)rusm_demonitor(w->self, a->ref);
    }
    json_asked_free(w, a);
}

static void json_ended(struct place *p, const char *reason)
{
    struct worker *w = p->worker;
    struct map_iter it;

    for (struct map_node *n = map_first(&p->calls, &it); n; n = map_next(&p->calls, &it)) {
        struct json_call *c = container_of(n, struct json_call, by_number);
        if (reason) {
            (void)rusm_refuse(w->self, &c->who, reason);
        }
        json_call_free(p, c);
    }
    map_fini(&p->calls);
    for (struct map_node *n = map_first(&w->asked, &it); n; n = map_next(&w->asked, &it)) {
        struct json_asked *a = container_of(n, struct json_asked, by_ref);
        if (a->place == p && reason) {
            json_forget(w, a);
        } else if (a->place == p) {
            json_asked_free(w, a);
        }
    }
}

const struct framing framing_json = { .word = "json",
                                      .most = LIMIT_PROGRAM_LINE,
                                      .where = json_where,
                                      .offer = json_offer,
                                      .take = json_take,
                                      .waits = json_waits,
                                      .ended = json_ended };
