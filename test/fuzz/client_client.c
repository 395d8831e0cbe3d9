/* fuzz: a client (lib/client/client*.c, nodes_list.c). Its nodes say anything that the connection
 * lets through: replies, tables, receipts, records, ends, in any order. The client is asked for all
 * that it can do. doubles/fuzz_link.h has the connections. */
#include "doubles/fuzz_link.h"
#include "wire/limits.h"

static char folder[SCRATCH_MAX]; /* has a `nodes` file but no run folder */

/* ---- what a node says ------------------------------------------------------------------------ */

/* The payload of the first record that answers the current call. */
static struct {
    bool said;
    size_t len;
    uint8_t data[256];
} answer;

static void frame_say(struct peer *p, uint64_t type, const void *body, size_t len)
{
    /* A copy in a block of its own, so that a sanitizer sees a read past the end. */
    uint8_t *copy = malloc(len > 0 ? len : 1);
    must(copy);
    if (len > 0) {
        memcpy(copy, body, len);
    }
    struct frame frame = { .type = type, .body = copy, .len = len };
    must(p->events->frame(p->context, p, &frame) == 0);
    free(copy);
}

static void pid_say(struct writer *w, struct reader *in)
{
    static const char *const nodes[] = { "", "london", "tokyo", "a b" };
    const char *node = nodes[fuzz_below(in, 4)];

    wire_pid_write(w, &(struct wire_pid){ .serial = fuzz_below(in, 65536),
                                          .incarnation = (uint32_t)fuzz_below(in, 256),
                                          .node = node,
                                          .node_len = strlen(node) });
}

/* Writes the columns first, then rows of them. Sometimes writes anything. */
static void table_say(struct peer *p, struct writer *w, struct reader *in)
{
    static const char *const names[] = { "node", "address", "pid", "age" };
    static const char *const texts[] = { "tokyo", "10.0.0.1:4000", "\x1b[2J\n", "" };

    if (p->column_count == 0) {
        p->column_count = 1 + fuzz_below(in, 4);
        for (size_t i = 0; i < p->column_count; i++) {
            p->columns[i].type = (enum rusm_type)fuzz_below(in, RUSM_TYPE_PID + 1);
            strcpy(p->columns[i].name, names[fuzz_below(in, 4)]);
        }
        columns_write(w, p->columns, p->column_count);
        return;
    }
    for (size_t rows = fuzz_below(in, 4); rows > 0; rows--) {
        for (size_t i = 0; i < p->column_count; i++) {
            const char *text = texts[fuzz_below(in, 4)];
            if (column_is_text(p->columns[i].type)) {
                writer_text(w, text, strlen(text));
            } else {
                writer_varint(w, fuzz_below(in, 65536));
            }
        }
    }
}

static void reply_say(struct peer *p, struct reader *in)
{
    uint8_t body[1024];
    struct writer w = writer_on(body, sizeof(body));
    size_t how = fuzz_below(in, 256), len;
    struct reply reply = { .id = p->request + (how >> 7),
                           .status = (how & 7) == 7 ? fuzz_below(in, 16) : 0,
                           .flags = p->op == OP_TABLE ? (how & 8) == 0 : (how & 24) == 24 };

    reply_write(&w, &reply);
    if ((how & 96) == 96 || reply.status != 0) {
        const uint8_t *raw = fuzz_bytes(in, 255, &len);
        writer_bytes(&w, raw, len);
    } else if (p->op == OP_TABLE) {
        table_say(p, &w, in);
    } else if (p->op == OP_FOLLOW && p->column_count++ > 0) {
        follow_event_write(&w, fuzz_below(in, 9), fuzz_below(in, 65536), "node_up", 2);
        follow_text_write(&w, "node", "to\x1bkyo\xff");
        follow_number_write(&w, "n", fuzz_below(in, 9));
    } else if (p->op == OP_FOLLOW) {
        writer_varint(&w, fuzz_below(in, 9));
    } else {
        pid_say(&w, in);
    }
    frame_say(p, FRAME_REPLY, body, writer_len(&w));
}

static void receipt_say(struct peer *p, struct reader *in)
{
    size_t how = fuzz_below(in, 256);
    struct receipt receipt = { .id = how & 1 ? p->receipt : p->receipt - (how >> 5),
                               .status = how & 14 ? 0 : fuzz_below(in, STATUS_MAX + 1) };

    p->events->receipt(p->context, p, &receipt);
}

/* Sends a record on a lane of its own, to the client or to a process that does not exist. */
static void record_say(struct peer *p, struct reader *in)
{
    struct credit_owner owner;
    size_t how = fuzz_below(in, 256), len;
    const uint8_t *data = fuzz_bytes(in, 64, &len);
    struct lane_in lane = { .to = { TARGET_PID, CLIENT_SERIAL, p->incarnation, NULL, 0 },
                            .from = ++p->from };
    struct record record = { .kind = (uint8_t)(how % RECORD_KINDS), .payload_len = len };
    uint8_t *block = malloc(len + 1);

    must(block);
    memcpy(block, len > 0 ? data : (const uint8_t *)"", len);
    block[len] = 0;
    credit_owner_init(&owner, NULL);
    lane.credit = credit_new(&owner);
    must(lane.credit);
    if (how > 250) {
        lane.to.serial++;
    }
    record.has_ref = record.kind == RECORD_REPLY || record.kind == RECORD_DOWN;
    record.ref = p->ref[record.kind == RECORD_REPLY] + (how > 240);
    p->events->lane_opened(p->context, p, &lane);
    enum delivery fate =
        p->events->deliver(p->context, p, &lane, &record, block, how & 32 ? block : NULL, 99);
    must(fate == DELIVERY_TAKEN || fate == DELIVERY_DISCARDED);
    if (fate == DELIVERY_TAKEN) {
        must(how <= 250 && record.has_ref && lane.credit->given == 99);
        answer.said = true;
        answer.len = len;
        memcpy(answer.data, len > 0 ? data : (const uint8_t *)"", len);
    }
    if (fate == DELIVERY_DISCARDED || !(how & 32)) {
        free(block);
    }
    p->events->lane_closed(p->context, p, &lane);
    credit_orphan(lane.credit);
}

static void link_say(struct peer *p, struct reader *in)
{
    struct lane_in lane = { .to = { TARGET_PID, CLIENT_SERIAL, p->incarnation, NULL, 0 } };
    struct record record = { .kind = RECORD_REPLY, .payload_len = RUSM_MESSAGE_MAX };
    uint8_t pong[8];
    struct writer w = writer_on(pong, sizeof(pong));
    size_t order = fuzz_below(in, 16), len;
    const uint8_t *raw;

    switch (order) {
    case 0: /* arbitrary bytes */
    case 1:
        raw = fuzz_bytes(in, 255, &len);
        frame_say(p, order == 0 ? FRAME_REPLY : fuzz_below(in, FRAME_TYPES), raw, len);
        break;
    case 2:
        writer_u64(&w, p->ping);
        frame_say(p, FRAME_PONG, pong, sizeof(pong));
        break;
    case 3: p->events->writable(p->context, p, CLIENT_SERIAL); break;
    case 4:
        p->events->refused(p->context, p, CLIENT_SERIAL, fuzz_below(in, 3), RUSM_ENOPROC);
        break;
    case 5: p->events->lane_lost(p->context, p, &lane, RUSM_ENOCONN); break;
    case 6:
        must(p->events->grant(p->context, p, &lane, &record) == 1);
        p->events->grant_done(p->context, p, &lane);
        break;
    case 7:
    case 8:
    case 9: record_say(p, in); break;
    case 10:
    case 11:
    case 12: receipt_say(p, in); break;
    default: reply_say(p, in); break;
    }
}

/* ---- what the client is asked ---------------------------------------------------------------- */

static void error_ok(int error, const struct rusm_why *why)
{
    must(error <= 0 && error >= -STATUS_MAX); /* errors of later versions too */
    must(error == 0 || error == RUSM_ENOMEM || why->text[0] != '\0');
    fuzz_line_ok(why->text, strlen(why->text));
}

static void pid_ok(const char *pid)
{
    struct id_address address;

    must(id_address_parse(pid, strlen(pid), &address) == 0);
    must(!address.name && address.node && address.has_incarnation);
}

struct rows {
    struct rusm_client *client; /* NULL: do not call the client from within */
    size_t count;
    int word;
};

static int row_look(void *context, const struct rusm_field *fields, size_t count)
{
    struct rows *rows = context;
    struct rusm_why why = { "" };
    char pid[RUSM_PID_TEXT_MAX];

    must(count > 0 && count <= TABLE_COLUMNS_MAX && rows->word == 0);
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(fields[i].column);
        must(len > 0 && strspn(fields[i].column, "abcdefghijklmnopqrstuvwxyz0123456789_") == len);
        must(column_is_text(fields[i].type) == (fields[i].text != NULL));
        must(!fields[i].text || strlen(fields[i].text) < LIMIT_FRAME);
    }
    rows->count++;
    if (rows->client && rows->count == 1) {
        error_ok(rusm_client_post(rows->client, "greeter", false, "x", 1, &why), &why);
        must(rusm_client_whereis(rows->client, "bank", pid, &why) != 0);
    }
    rows->word = link_chance(8) ? 77 : 0;
    return rows->word;
}

static void list_ask(struct rusm_client *client, struct reader *in)
{
    struct rusm_why why = { "" };
    struct rows rows = { .client = link_chance(4) ? client : NULL };
    int rc = rusm_client_list(client, (enum rusm_table)fuzz_below(in, RUSM_TABLE_NODES + 1),
                              row_look, &rows, &why);

    must((rc == 77) == (rows.word == 77));
    error_ok(rc == 77 ? 0 : rc, &why);
}

static void call_ask(struct rusm_client *client, const char *process, bool global)
{
    struct rusm_why why = { "" };
    void *reply;
    size_t len;

    answer.said = false;
    int rc = rusm_client_call(client, process, global, "hi", 2, &reply, &len, &why);
    error_ok(rc, &why);
    must(rc == 0 ? reply != NULL : !reply && len == 0);
    if (rc == 0) {
        must(answer.said && len == answer.len && memcmp(reply, answer.data, len) == 0);
        must(((char *)reply)[len] == '\0');
    }
    free(reply);
}

static void lines_ask(struct rusm_client *client, const char *process, bool global,
                      struct reader *in)
{
    for (size_t n = fuzz_below(in, 4); n > 0; n--) {
        struct rusm_why why = { "" };
        size_t asked = rusm_client_asked(client);
        int rc = rusm_client_ask(client, process, global, "hi", 2, &why);
        error_ok(rc, &why);
        must(rusm_client_asked(client) == asked + (rc == 0));
    }
    for (size_t n = fuzz_below(in, 4); n > 0; n--) {
        struct rusm_why why = { "" };
        size_t len;
        void *reply;
        int rc = rusm_client_answer(client, &reply, &len, &why);
        error_ok(rc, &why);
        must(rc == 0 ? ((char *)reply)[len] == '\0' : !reply && len == 0);
        free(reply);
    }
}

static void follow_ask(struct rusm_client *client, struct reader *in)
{
    static const char *const ids[] = { NULL, "1-1", "5f3a1c-42", "x" };
    const struct rusm_follow what = { .since = ids[fuzz_below(in, 4)] };
    struct rusm_why why = { "" };
    int rc = rusm_client_follow(client, &what, &why);

    error_ok(rc, &why);
    for (size_t n = fuzz_below(in, 4); rc == 0 && n > 0; n--) {
        struct rusm_event event;
        rc = rusm_client_event(client, 100, &event, &why);
        for (size_t i = 0; rc == 0 && i < event.count; i++) {
            if (event.fields[i].text) {
                fuzz_line_ok(event.fields[i].text, strlen(event.fields[i].text));
            }
        }
    }
}

/* Asks the client for one thing. Returns false if the client is to be closed. */
static bool ask(struct rusm_client *client, struct reader *in)
{
    static const char *const processes[] = { "greeter", "17",     "17@london", "17@london#5f3a1c",
                                             "a b",     "x@oslo", "",          "bank" };
    static const char *const arg[] = { "one", "" };
    const char *process = processes[fuzz_below(in, 8)];
    const struct rusm_args args = { fuzz_below(in, 3), arg };
    struct rusm_why why = { "" };
    char pid[RUSM_PID_TEXT_MAX] = "1@x#1";
    size_t how = fuzz_below(in, 256);
    bool global = how & 128;
    int rc = 0;

    switch (how & 15) {
    case 0:
    case 1:
    case 2: rc = rusm_client_post(client, process, global, "hello", how >> 4 & 5, &why); break;
    case 3:
        rc = rusm_client_post(client, process, global, "hello", RUSM_MESSAGE_MAX + 1, &why);
        break;
    case 4:
    case 5: rc = rusm_client_flush(client, &why); break;
    case 6:
    case 7: call_ask(client, process, global); return true;
    case 8: rc = rusm_client_spawn(client, process, &args, NULL, false, pid, &why); break;
    case 9: rc = rusm_client_spawn(client, "echo", NULL, process, global, pid, &why); break;
    case 10: rc = rusm_client_kill(client, process, global, how & 16 ? "why" : NULL, &why); break;
    case 11: rc = rusm_client_whereis(client, process, pid, &why); break;
    case 12: rc = rusm_client_stop(client, &why); break;
    case 13:
    case 14: list_ask(client, in); return true;
    case 15:
        if ((how & 96) == 32) {
            lines_ask(client, process, global, in);
        } else if ((how & 96) == 64) {
            follow_ask(client, in);
        } else {
            return how & 16;
        }
        return true;
    }
    error_ok(rc, &why);
    if (rc == 0) {
        pid_ok(pid);
    }
    return true;
}

/* ---- a run ----------------------------------------------------------------------------------- */

static void folder_make(void)
{
    char path[SCRATCH_MAX + 32];

    must(scratch_make(folder));
    snprintf(path, sizeof(path), "%s/nodes", folder);
    FILE *f = fopen(path, "we");
    must(f);
    fputs("london 10.0.0.1:4000\ntokyo far.example:4000\noslo [::1]:1\n", f);
    must(fclose(f) == 0);
}

static void nodes_ask(const struct rusm_client_options *options)
{
    struct rows rows = { .count = 0 };
    struct rusm_why why = { "" };
    int rc = rusm_nodes_list(options, row_look, &rows, &why);

    must((rc == 77) == (rows.word == 77) && (rc != 0 || rows.count == 3));
    error_ok(rc == 77 ? 0 : rc, &why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static const char *const nodes[] = { "london", "paris", "tokyo@far.example:4000", "1.2.3.4:5" };
    char run[SCRATCH_MAX + 16], identity[SCRATCH_MAX + 16];
    struct rusm_client_options options = { .rundir = run, .identity = identity };
    struct reader *in = &link_world.in;

    if (!folder[0]) {
        folder_make();
    }
    snprintf(run, sizeof(run), "%s/run", folder);
    snprintf(identity, sizeof(identity), "%s/cluster.pem", folder);
    link_world = (struct link_world){ .in = reader_on(data, len), .now_ns = LINK_SECOND };
    while (reader_left(in) > 0) {
        struct rusm_client *client;
        struct rusm_why why = { "" };
        size_t how = fuzz_below(in, 16);
        options.timeout_ms = how & 8 ? 200 : 0;
        if ((how & 7) == 7) {
            nodes_ask(&options);
            continue;
        }
        int rc = rusm_client_open(&client, &options, nodes[how & 3], &why);
        error_ok(rc, &why);
        must((rc == 0) == (client != NULL));
        while (client && reader_left(in) > 0 && ask(client, in)) {
            link_world.now_ns += fuzz_below(in, 4) * LINK_SECOND;
        }
        rusm_client_close(client);
        must(link_world.endpoints == 0 && link_world.peers == 0);
    }
    return 0;
}
