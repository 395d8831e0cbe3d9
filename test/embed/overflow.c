/* overflow: a body overflows its stack. The program ends by SIGSEGV, after it has said whose stack
 * it was. A signal handler of the program's own stays in place. Another fault is not reported as an
 * overflow. */
#include "embed.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Recurses as deep as told, in a way that no compiler turns into a loop. */
static unsigned deep(unsigned levels, volatile char *above)
{
    volatile char room[512];
    room[0] = above ? above[0] : 0;
    return levels == 0 ? 0 : deep(levels - 1, room) + (unsigned)room[0] + 1;
}

static void deep_body(struct rusm_process *self, void *state)
{
    const struct rusm_message *m;
    char text[32];
    (void)state;
    while (rusm_receive(self, NULL, NULL, RUSM_FOREVER, &m) == 0) {
        unsigned levels = (unsigned)strtoul((const char *)m->data, NULL, 10);
        if (levels == 4711) {
            *(volatile char *)8 = 1; /* a fault of another kind */
        }
        int n = snprintf(text, sizeof(text), "%u", deep(levels, NULL));
        rusm_reply(self, m, text, (size_t)n);
    }
}

static const struct rusm_behaviour digger = { .name = "digger", .body = deep_body };

static void own_handler(int number)
{
    (void)number;
    _exit(42);
}

/* Runs a node in a process of its own, and puts all that it writes into `text`. Returns its wait
 * status. */
static int dig(const struct place *place, const char *levels, enum rusm_log_format format,
               bool handler, char *text, size_t cap)
{
    int ends[2];
    struct rusm_why why;
    size_t len = 0;
    ssize_t got;
    expect(pipe(ends) == 0, "a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        struct rusm_boot boot = { .name = "digger", .spawnable = "digger" };
        struct rlimit none = { 0, 0 };
        struct rusm_node_options options = { .name = "deep",
                                             .rundir = place->rundir,
                                             .identity = place->identity,
                                             .identity_create = true,
                                             .log_fd = ends[1],
                                             .log_level = RUSM_LOG_INFO,
                                             .log_format = format,
                                             .name_overflow = true };
        struct rusm_node *node;
        setrlimit(RLIMIT_CORE, &none);
        signal(SIGSEGV, handler ? own_handler : SIG_DFL); /* replaces a sanitizer's handler */
        expect(rusm_node_new(&node, &options, &why) == 0, "%s", why.text);
        expect(rusm_node_teach(node, "digger", &digger) == 0, "taught");
        expect(rusm_node_boot(node, &boot, &why) == 0, "%s", why.text);
        rusm_node_run(node);
        rusm_node_free(node);
        _exit(0);
    }
    close(ends[1]);
    while (len < cap - 1 && !memmem(text, len, "ready", 5) &&
           (got = read(ends[0], text + len, cap - 1 - len)) > 0) {
        len += (size_t)got;
    }
    struct rusm_client *client = client_to(place, "deep");
    void *reply = NULL;
    size_t reply_len;
    if (rusm_client_call(client, "digger", false, "10", 2, &reply, &reply_len, &why) == 0) {
        expect(strcmp(reply, "10") == 0, "ten levels fit, not %s", (char *)reply);
    }
    free(reply);
    rusm_client_post(client, "digger", false, levels, strlen(levels), &why);
    rusm_client_flush(client, &why);
    rusm_client_close(client);
    while (len < cap - 1 && (got = read(ends[0], text + len, cap - 1 - len)) > 0) {
        len += (size_t)got;
    }
    text[len] = 0;
    close(ends[0]);
    int status;
    expect(waitpid(pid, &status, 0) == pid, "its end");
    return status;
}

int main(void)
{
    struct place place;
    char text[4096];
    place_make(&place);
    int status = dig(&place, "1000", RUSM_LOG_TEXT, false, text, sizeof(text));
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "ended by SIGSEGV: %x", status);
    expect(strstr(text, "rusm: process ") &&
               strstr(text, "@deep (digger): stack overflow, stack_bytes is 65536\n"),
           "it says whose stack: %s", text);
    status = dig(&place, "1000", RUSM_LOG_JSON, false, text, sizeof(text));
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "ended by SIGSEGV: %x", status);
    expect(strstr(text, "Z\",\"level\":\"error\",\"node\":\"deep\",\"text\":\"process ") &&
               strstr(text, "(digger): stack overflow, stack_bytes is 65536\"}\n"),
           "it says so in JSON: %s", text);
    status = dig(&place, "4711", RUSM_LOG_TEXT, false, text, sizeof(text));
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "ended by SIGSEGV: %x", status);
    expect(!strstr(text, "overflow"), "that was none: %s", text);
    /* The program's handler has no stack of its own, so it could not run after an overflow. The
     * fault here is of another kind. */
    status = dig(&place, "4711", RUSM_LOG_TEXT, true, text, sizeof(text));
    expect(WIFEXITED(status) && WEXITSTATUS(status) == 42, "its own handler: %x", status);
    unlink(place.identity);
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", place.dir);
    expect(system(command) == 0, "%s", command);
    return 0;
}
