/* listing: tables and names longer than what may wait for a peer. Each row comes once, the node
 * serves others meanwhile, a listing can be given up, and a node that joins learns all names. */
#include "embed.h"

#ifdef __SANITIZE_THREAD__ /* takes fifty times as long, and checks only threads */
#define PROCESSES 30000u
#define LOCAL 2000u
#define GLOBAL 30000u
#else
#define PROCESSES 300000u
#define LOCAL 20000u
#define GLOBAL 300000u
#endif
#define PARTS 50u

/* Longer than needed, so that all names together are more than may wait on a control stream. */
#define NAME "a-name-that-is-as-long-as-names-of-real-services-often-are-%06u"

static void idle_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self, (void)state, (void)m;
}

static const struct rusm_behaviour idle = { .name = "idle", .receive = idle_receive };

struct made {
    unsigned local, global;
};

static int maker_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)self, (void)args;
    *state = calloc(1, sizeof(struct made));
    return *state ? 0 : RUSM_ENOMEM;
}

static void maker_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

/* Makes as many more processes, local names and global names as its message says. Answers
 * "done". */
static void maker_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    unsigned processes = 0, local = 0, global = 0;
    struct made *made = state;
    char name[100];
    rusm_pid pid;
    if (m->kind != RUSM_CALL ||
        sscanf((const char *)m->data, "%u %u %u", &processes, &local, &global) != 3) {
        return;
    }
    for (unsigned i = 0; i < processes; i++) {
        expect(rusm_spawn(self, &idle, NULL, &pid) == 0, "process %u", i);
    }
    for (unsigned i = 0; i < local; i++) {
        snprintf(name, sizeof(name), NAME, made->local++);
        expect(rusm_register(self, rusm_self(self), name) == 0, "local name %u", i);
    }
    for (unsigned i = 0; i < global; i++) {
        snprintf(name, sizeof(name), NAME, made->global++);
        expect(rusm_register_global(self, rusm_self(self), name) == 0, "global name %u", i);
    }
    rusm_reply(self, m, "done", 4);
}

static const struct rusm_behaviour maker = {
    .name = "maker", .init = maker_init, .receive = maker_receive, .stop = maker_stop
};

static void call(struct rusm_client *client, const char *what)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, "maker", false, what, strlen(what), &reply, &len, &why);
    expect(error == 0, "%s: %s", what, why.text);
    expect(strcmp(reply, "done") == 0, "done");
    free(reply);
}

struct seen {
    struct rusm_client *other; /* asked now and then, between two rows */
    const char *scope;         /* count only names of this scope */
    unsigned char *once;
    unsigned most, count, rows;
};

static void ask_other(const struct seen *s)
{
    if (s->rows % 50000 == 0) {
        call(s->other, "0 0 0");
    }
}

static void see(struct seen *s, unsigned number)
{
    expect(number < s->most, "%u is one of %u", number, s->most);
    expect(!s->once[number], "%u comes once", number);
    s->once[number] = 1;
    s->count++;
}

static int see_process(void *context, const struct rusm_field *fields, size_t count)
{
    struct seen *s = context;
    s->rows++;
    ask_other(s);
    see(s, (unsigned)strtoul(field(fields, count, "pid"), NULL, 10));
    return 0;
}

static int see_name(void *context, const struct rusm_field *fields, size_t count)
{
    struct seen *s = context;
    const char *name = field(fields, count, "name");
    s->rows++;
    ask_other(s);
    if (strcmp(field(fields, count, "scope"), s->scope) == 0 && strncmp(name, "a-name", 6) == 0) {
        see(s, (unsigned)strtoul(strrchr(name, '-') + 1, NULL, 10));
    }
    return 0;
}

static void list(struct rusm_client *client, enum rusm_table table, rusm_row_fn *row,
                 struct seen *s)
{
    struct rusm_why why;
    s->once = calloc(s->most, 1);
    expect(s->once, "memory");
    int error = rusm_client_list(client, table, row, s, &why);
    expect(error == 0, "%s", why.text);
    free(s->once);
}

static int give_up(void *context, const struct rusm_field *fields, size_t count)
{
    (void)fields, (void)count;
    return ++*(unsigned *)context == 10 ? 7 : 0;
}

static int see_names_global(void *context, const struct rusm_field *fields, size_t count)
{
    if (strcmp(field(fields, count, "counter"), "names_global") == 0) {
        *(uint64_t *)context = fields[1].number;
    }
    return 0;
}

static void await_names(struct rusm_client *client)
{
    uint64_t until = clock_ms() + PATIENCE_MS, names = 0;
    struct rusm_why why;
    while (names != GLOBAL) {
        expect(clock_ms() < until, "all names, not %llu", (unsigned long long)names);
        int error = rusm_client_list(client, RUSM_TABLE_COUNTERS, see_names_global, &names, &why);
        expect(error == 0, "%s", why.text);
    }
}

int main(void)
{
    struct rusm_boot boot = { .name = "maker", .spawnable = "maker" };
    struct running london, tokyo;
    struct place place;
    struct rusm_why why;
    char pid[RUSM_PID_TEXT_MAX], text[100];
    unsigned rows = 0;
    place_make(&place);
    struct rusm_node *node = node_make(&place, "london", 0);
    expect(rusm_node_teach(node, "maker", &maker) == 0, "taught");
    expect(rusm_node_boot(node, &boot, &why) == 0, "%s", why.text);
    run_start(&london, node);
    struct rusm_client *client = client_to(&place, "london"), *other = client_to(&place, "london");
    /* In parts, so that the node is never busy for as long as the idle timeout. */
    snprintf(text, sizeof(text), "%u %u %u", PROCESSES / PARTS, LOCAL / PARTS, GLOBAL / PARTS);
    for (unsigned i = 0; i < PARTS; i++) {
        call(client, text);
    }

    struct seen processes = { .other = other, .most = 2 * PROCESSES };
    list(client, RUSM_TABLE_PROCESSES, see_process, &processes);
    expect(processes.count > PROCESSES, "%u processes, and those booted", processes.count);
    struct seen local = { .other = other, .scope = "local", .most = LOCAL };
    list(client, RUSM_TABLE_NAMES, see_name, &local);
    expect(local.count == LOCAL, "%u", local.count);
    struct seen global = { .other = other, .scope = "global", .most = GLOBAL };
    list(client, RUSM_TABLE_NAMES, see_name, &global);
    expect(global.count == GLOBAL, "%u", global.count);

    expect(rusm_client_list(client, RUSM_TABLE_PROCESSES, give_up, &rows, &why) == 7, "given up");
    expect(rows == 10, "%u", rows);
    snprintf(text, sizeof(text), NAME, 7);
    expect(rusm_client_whereis(client, text, pid, &why) == 0, "%s", why.text);

    run_start(&tokyo, node_make(&place, "tokyo", 0));
    struct rusm_client *joined = client_to(&place, "tokyo");
    await_names(joined);
    await_peer(joined, "london");

    rusm_client_close(joined);
    rusm_client_close(other);
    rusm_client_close(client);
    run_stop(&tokyo);
    run_stop(&london);
    place_remove(&place);
    return 0;
}
