/* lines: the framings without numbers. A message is a line (exec:), or a block with its length
 * before it (exec+len:). Each line or block that the program prints answers the oldest message that
 * has no answer. While a caller waits for an answer, the program gets no other message, so that a
 * call that is never answered cannot be mistaken for the next one. A message that is only sent
 * holds up nothing. Called by worker.c. */
#include <string.h>
#include "actor/runtime.h"
#include "port/complaint.h"
#include "port/limits.h"
#include "port/worker.h"

#define LEN_HEAD ((size_t)4)

/* Returns whether a caller waits for the program's answer now. That call is the last thing that was
 * written to it, so a program that is deaf never got it. */
static bool lines_asked(struct place *p)
{
    const struct rusm_message *last = answers_last(&p->answers);

    return last && last->kind == RUSM_CALL && process_asked(p->worker->self, last->from, last->ref);
}

/* Logs once that a program has never printed anything, although a caller waited until it gave up.
 * The caller sees no more than that there is no answer. */
static void lines_silent(struct place *p)
{
    const struct rusm_message *last = answers_last(&p->answers);

    if (!p->printed && !p->silent && last && last->kind == RUSM_CALL) {
        p->silent = true;
        complaint_say(p->program,
                      "it has not printed anything yet, and a call to it had no answer: "
                      "if it keeps its output in a buffer, write exec:stdbuf -oL "
                      "COMMAND or exec+pty:COMMAND");
    }
}

/* Gives room for m, which takes len bytes with its framing, and notes that m is owed an answer.
 * Returns 0, RUSM_BUSY, or RUSM_ENOMEM: then this has refused m. */
static int lines_room(struct place *p, const struct rusm_message *m, size_t len, uint8_t **room)
{
    int error = 0;

    if (worker_full(p) || lines_asked(p)) {
        return RUSM_BUSY;
    }
    lines_silent(p);
    *room = program_reserve(p->program, len);
    if (!*room || answers_owe(&p->answers, m) != 0) {
        error = RUSM_ENOMEM;
    }
    if (error) {
        worker_refuse(p, m, "no memory");
    }
    return error;
}

static int lines_offer(struct place *p, const struct rusm_message *m)
{
    size_t len = m->len > 0 && m->data[m->len - 1] == '\n' ? m->len - 1 : m->len;
    uint8_t *room;

    if (m->kind != RUSM_SEND && m->kind != RUSM_CALL) {
        return 0;
    }
    if (len > 0 && memchr(m->data, '\n', len)) {
        worker_refuse(p, m, "more than one line: exec+len and exec+json carry that");
        return 0;
    }
    if (len >= LIMIT_PROGRAM_LINE) {
        worker_refuse(p, m, "a line that is too long");
        return 0;
    }
    int error = lines_room(p, m, len + 1, &room);
    if (error) {
        return error == RUSM_BUSY ? error : 0;
    }
    memcpy(room, m->data, len);
    room[len] = '\n';
    program_wrote(p->program, len + 1);
    return 0;
}

static int len_offer(struct place *p, const struct rusm_message *m)
{
    uint8_t *room;

    if (m->kind != RUSM_SEND && m->kind != RUSM_CALL) {
        return 0;
    }
    int error = lines_room(p, m, LEN_HEAD + m->len, &room);
    if (error) {
        return error == RUSM_BUSY ? error : 0;
    }
    for (size_t i = 0; i < LEN_HEAD; i++) {
        room[i] = (uint8_t)(m->len >> (8 * (LEN_HEAD - 1 - i)));
    }
    memcpy(room + LEN_HEAD, m->data, m->len);
    program_wrote(p->program, LEN_HEAD + m->len);
    return 0;
}

/* Drops a line or block that no message waits for. Returns 0, or RUSM_ELIMIT: the process exits. */
static int lines_unasked(struct place *p, const uint8_t *data, size_t len)
{
    struct worker *w = p->worker;
    bool first;
    int error = worker_idle_line(p, &first);

    w->host->counters.unasked++;
    if (first) {
        log_warn(w->host->log, "%s: it printed a line that answers no request: %.*s",
                 p->program->label, (int)(len < 80 ? len : 80), (const char *)data);
    }
    return error;
}

/* Sends what the program printed to the sender that is next. Returns 0, RUSM_BUSY, or RUSM_ELIMIT:
 * the process exits. */
static int lines_answer(struct place *p, const uint8_t *data, size_t len)
{
    const struct rusm_message *next = answers_next(&p->answers);
    struct worker *w = p->worker;

    if (!next) {
        return lines_unasked(p, data, len);
    }
    if (next->from.serial && rusm_reply(w->self, next, data, len) == RUSM_BUSY) {
        return RUSM_BUSY;
    }
    answers_given(&p->answers);
    return 0;
}

static ssize_t lines_take(struct place *p, const uint8_t *data, size_t len, bool last)
{
    const uint8_t *end = memchr(data, '\n', len);
    size_t used = end ? (size_t)(end - data) + 1 : len;

    if (!end && !last) {
        return 0;
    }
    int error = lines_answer(p, data, end ? used - 1 : used);
    return error ? error : (ssize_t)used;
}

static ssize_t len_take(struct place *p, const uint8_t *data, size_t len, bool last)
{
    size_t body = 0;

    (void)last;
    if (len < LEN_HEAD) {
        return 0;
    }
    for (size_t i = 0; i < LEN_HEAD; i++) {
        body = body << 8 | data[i];
    }
    if (body > RUSM_MESSAGE_MAX) {
        worker_exit(p->worker, "its program printed a length of more than 64 MiB");
        return RUSM_EMALFORMED;
    }
    if (len - LEN_HEAD < body) {
        return 0;
    }
    int error = lines_answer(p, data + LEN_HEAD, body);
    return error ? error : (ssize_t)(LEN_HEAD + body);
}

static void lines_ended(struct place *p, const char *reason)
{
    const struct rusm_message *last = answers_last(&p->answers);

    if (reason && last && last->kind == RUSM_CALL) {
        (void)rusm_refuse(p->worker->self, last, reason);
    }
    answers_fini(&p->answers);
}

const struct framing framing_lines = { .word = "lines",
                                       .most = LIMIT_PROGRAM_LINE,
                                       .offer = lines_offer,
                                       .take = lines_take,
                                       .waits = lines_asked,
                                       .ended = lines_ended };

const struct framing framing_len = { .word = "len",
                                     .most = RUSM_MESSAGE_MAX + LEN_HEAD,
                                     .offer = len_offer,
                                     .take = len_take,
                                     .waits = lines_asked,
                                     .ended = lines_ended };
