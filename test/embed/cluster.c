/* cluster: the smallest cluster: two nodes in one program. Shows what each sees of the other: the
 * connected peer, where the global name lives, the greeting, the peer's processes. Also a behaviour
 * of the program's own, which is spawned from outside. */
#include "embed.h"

/* A behaviour that answers how many messages it has had. */
static int tally_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    unsigned *count = malloc(sizeof(*count));
    if (!count) {
        return RUSM_ENOMEM;
    }
    if (args->count > 1) {
        rusm_init_error(self, "tally takes at most one argument, where to start");
        free(count);
        return RUSM_EINVAL;
    }
    *count = args->count ? (unsigned)strtoul(args->value[0], NULL, 10) : 0;
    *state = count;
    return 0;
}

static void tally_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    unsigned *count = state;
    char text[32];
    ++*count;
    if (m->kind == RUSM_CALL) {
        rusm_reply(self, m, text, (size_t)snprintf(text, sizeof(text), "%u", *count));
    }
}

static void tally_stop(struct rusm_process *self, void *state, const char *reason)
{
    (void)self, (void)reason;
    free(state);
}

static const struct rusm_behaviour tally = {
    .name = "tally",
    .init = tally_init,
    .receive = tally_receive,
    .stop = tally_stop,
};

static int print_row(void *context, const struct rusm_field *fields, size_t count)
{
    printf("  ");
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text) {
            printf("%s%s", i ? " " : "", fields[i].text);
        } else {
            printf(" %llu", (unsigned long long)fields[i].number);
        }
    }
    printf("\n");
    ++*(int *)context;
    return 0;
}

static void call(struct rusm_client *client, const char *process, bool global, const char *text,
                 const char *want)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(client, process, global, text, strlen(text), &reply, &len, &why);
    expect(error == 0, "%s", why.text);
    printf("%s says: %s\n", process, (char *)reply);
    expect(strcmp(reply, want) == 0, "'%s' from %s", want, process);
    free(reply);
}

int main(void)
{
    struct place place;
    struct running london, tokyo;
    struct rusm_why why;
    char pid[RUSM_PID_TEXT_MAX];
    int rows = 0;

    place_make(&place);
    struct rusm_node *a = node_make(&place, "london", 0), *b = node_make(&place, "tokyo", 0);
    expect(rusm_node_teach(a, "tally", &tally) == 0, "tally taught");
    struct rusm_boot greeter = { .name = "greeter", .spawnable = "greeter", .global = true };
    expect(rusm_node_boot(b, &greeter, &why) == 0, "%s", why.text);
    run_start(&london, a);
    run_start(&tokyo, b);

    struct rusm_client *client = client_to(&place, "london");
    await_peer(client, "tokyo");
    printf("london's peers:\n");
    expect(rusm_client_list(client, RUSM_TABLE_PEERS, print_row, &rows, &why) == 0, "%s", why.text);
    expect(rows == 1, "one peer");

    uint64_t until = clock_ms() + PATIENCE_MS;
    while (rusm_client_whereis(client, "greeter", pid, &why) != 0) {
        expect(clock_ms() < until, "the global name on london: %s", why.text);
    }
    printf("greeter lives at %s\n", pid);
    expect(strstr(pid, "@tokyo#"), "on tokyo");
    call(client, "greeter", true, "embed", "hello, embed");

    const char *from[] = { "40" };
    struct rusm_args args = { .count = 1, .value = from };
    expect(rusm_client_spawn(client, "tally", &args, "tally", false, pid, &why) == 0, "%s",
           why.text);
    expect(rusm_client_post(client, pid, false, "x", 1, &why) == 0, "%s", why.text);
    expect(rusm_client_flush(client, &why) == 0, "%s", why.text);
    call(client, "tally", false, "x", "42");
    rusm_client_close(client);

    client = client_to(&place, "tokyo");
    printf("tokyo's processes:\n");
    rows = 0;
    expect(rusm_client_list(client, RUSM_TABLE_PROCESSES, print_row, &rows, &why) == 0, "%s",
           why.text);
    expect(rows == 2, "its supervisor and a process");
    rusm_client_close(client);

    run_stop(&london);
    run_stop(&tokyo);
    place_remove(&place);
    return 0;
}
