/* fuzz: requests and replies, with the fields of each operation (wire/rpc.h). The first byte says
 * which of them the rest is. */
#include "base/id.h"
#include "base/limits.h"
#include "doubles/fuzz.h"
#include "wire/rpc.h"

static int item_request(struct reader *r, struct writer *w)
{
    struct request q;

    if (request_decode(r->at, reader_left(r), &q) != 0) {
        return RUSM_EMALFORMED;
    }
    must(q.id != 0 && q.timeout_ms <= UINT32_MAX && q.args.end == r->end);
    r->at = q.args.at;
    request_write(w, &q);
    return 1;
}

static int item_reply(struct reader *r, struct writer *w)
{
    struct reply p;

    if (reply_decode(r->at, reader_left(r), &p) != 0) {
        return RUSM_EMALFORMED;
    }
    must(p.id != 0 && p.status <= STATUS_MAX && p.body.end == r->end);
    must(rusm_strerror(-(int)p.status));
    r->at = p.body.at;
    reply_write(w, &p);
    return 1;
}

static int item_spawn(struct reader *r, struct writer *w)
{
    struct spawn s;
    char spawnable[RUSM_NAME_MAX + 1], name[RUSM_NAME_MAX + 1], *text[RUSM_ARGS_MAX];

    if (spawn_decode(r, &s) != 0) {
        must(r->bad);
        return RUSM_EMALFORMED;
    }
    must(s.arg_count <= RUSM_ARGS_MAX && s.name_len <= RUSM_NAME_MAX);
    must(id_process_name_ok(s.spawnable, s.spawnable_len));
    for (uint64_t i = 0; i < s.arg_count; i++) {
        size_t len;
        const uint8_t *arg = reader_text(&s.args, &len, LIMIT_ARGS_BYTES);
        must(!s.args.bad);
        text[i] = strndup((const char *)arg, len);
        must(text[i] && strlen(text[i]) == len);
    }
    must(reader_left(&s.args) == 0);
    snprintf(spawnable, sizeof(spawnable), "%.*s", (int)s.spawnable_len, s.spawnable);
    snprintf(name, sizeof(name), "%.*s", (int)s.name_len, s.name);
    spawn_write(w, s.scope, spawnable, s.scope == SPAWN_NO_NAME ? NULL : name,
                &(struct rusm_args){ (size_t)s.arg_count, (const char *const *)text });
    for (uint64_t i = 0; i < s.arg_count; i++) {
        free(text[i]);
    }
    return 1;
}

static int item_kill(struct reader *r, struct writer *w)
{
    struct target t;
    size_t len;

    target_read(r, &t);
    const uint8_t *reason = reader_text(r, &len, RUSM_REASON_MAX);
    if (r->bad) {
        return RUSM_EMALFORMED;
    }
    target_write(w, &t);
    writer_text(w, reason, len);
    return 1;
}

static int item_pid(struct reader *r, struct writer *w)
{
    struct wire_pid pid;

    wire_pid_read(r, &pid);
    if (r->bad) {
        return RUSM_EMALFORMED;
    }
    must(pid.serial != 0 && pid.incarnation != 0 && pid.node_len <= RUSM_NODE_NAME_MAX);
    wire_pid_write(w, &pid);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static fuzz_item_fn *const item[] = { item_request, item_reply, item_spawn, item_kill,
                                          item_pid };
    static fuzz_item_fn *const args[] = { [OP_SPAWN] = item_spawn, [OP_KILL] = item_kill };
    struct request q;

    if (len == 0) {
        return 0;
    }
    fuzz_item_fn *fn = item[data[0] % 5];
    size_t used = fuzz_item(fn, data + 1, len - 1);
    if (used > 0 && fn == item_request && request_decode(data + 1, len - 1, &q) == 0 &&
        q.op < sizeof(args) / sizeof(args[0]) && args[q.op]) {
        fuzz_item(args[q.op], data + 1 + used, len - 1 - used);
    }
    return 0;
}
