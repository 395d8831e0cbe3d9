/* fault: a body that overflows its stack ends the program by a fault on the pages below the stack.
 * Before that, a signal handler logs whose stack it was. The handler runs on a stack of its own.
 * What the handler must know lies in that stack's lowest bytes, so no global is needed to find it.
 * run.c and tick.c use it if the program sets name_overflow (rusm.h). */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"
#include "node/fault.h"
#include "node/node.h"

#define FAULT_STACK ((size_t)64 * 1024)

struct fault {
    const struct fault *self; /* points to itself, which shows that the stack is ours */
    const struct rusm_node *node;
    struct runtime *const *runtime; /* the thread's runtime, which may be NULL */
    stack_t stack_before;
};

/* Writes text in a signal handler, where snprintf may not be called. */
static void put_text(struct writer *w, const char *text)
{
    writer_bytes(w, text, strlen(text));
}

static void put_number(struct writer *w, uint64_t number)
{
    char digits[20];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    writer_bytes(w, digits + at, sizeof(digits) - at);
}

/* Writes a name, which is any text that a program gave. */
static void put_name(struct writer *w, const struct rusm_node *node, const char *name)
{
    char text[RUSM_NAME_MAX + 1];
    if (node->log.format == RUSM_LOG_JSON) {
        utf8_escape_json(text, sizeof(text), name, strlen(name));
        name = text;
    }
    put_text(w, name);
}

static void put_head(struct writer *w, const struct rusm_node *node)
{
    char stamp[LOG_STAMP_SIZE];
    log_stamp(stamp);
    put_text(w, "{\"time\":\"");
    put_text(w, stamp);
    put_text(w, "\",\"level\":\"error\",\"node\":\"");
    put_text(w, node->name);
    put_text(w, "\",\"text\":\"");
}

static void fault_say(const struct rusm_node *node, const struct overflow *o)
{
    uint8_t line[2 * RUSM_NODE_NAME_MAX + RUSM_NAME_MAX + 256];
    struct writer w = writer_on(line, sizeof(line));
    bool json = node->log.format == RUSM_LOG_JSON;
    if (json) {
        put_head(&w, node);
    }
    put_text(&w, json ? "process " : "rusm: process ");
    put_number(&w, o->serial);
    put_text(&w, "@");
    put_text(&w, node->name);
    put_text(&w, " (");
    put_name(&w, node, o->behaviour);
    put_text(&w, "): stack overflow, stack_bytes is ");
    put_number(&w, o->stack_bytes);
    put_text(&w, json ? "\"}\n" : "\n");
    ssize_t ignored = write(node->log.fd, line, writer_len(&w));
    (void)ignored; /* there is nobody left to tell of an error */
}

/* Logs whose stack overflowed. After its return, the same instruction faults again, now with the
 * default action. So the core dump shows where the fault was. */
static void fault_handle(int number, siginfo_t *info, void *context)
{
    struct overflow o;
    stack_t now;
    (void)number, (void)context;
    if (sigaltstack(NULL, &now) != 0 || !(now.ss_flags & SS_ONSTACK) ||
        now.ss_size != FAULT_STACK) {
        return; /* a fault of another thread */
    }
    const struct fault *f = now.ss_sp;
    if (f->self == f && *f->runtime && runtime_overflow(*f->runtime, info->si_addr, &o)) {
        fault_say(f->node, &o);
    }
}

struct fault *fault_begin(const struct rusm_node *node, struct runtime *const *runtime)
{
    struct sigaction action = { .sa_sigaction = fault_handle,
                                .sa_flags = SA_SIGINFO | SA_ONSTACK | (int)SA_RESETHAND };
    struct sigaction before;
    if (sigaction(SIGSEGV, NULL, &before) != 0) {
        return NULL;
    }
    if ((before.sa_flags & SA_SIGINFO) ? before.sa_sigaction != fault_handle
                                       : before.sa_handler != SIG_DFL) {
        return NULL; /* the program has a handler of its own */
    }
    struct fault *f =
        mmap(NULL, FAULT_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (f == MAP_FAILED) {
        return NULL;
    }
    const stack_t stack = { .ss_sp = f, .ss_size = FAULT_STACK };
    *f = (struct fault){ .self = f, .node = node, .runtime = runtime };
    if (sigaltstack(&stack, &f->stack_before) != 0) {
        munmap(f, FAULT_STACK);
        return NULL;
    }
    sigaction(SIGSEGV, &action, NULL);
    return f;
}

void fault_end(struct fault *f)
{
    struct sigaction ours;
    if (!f) {
        return;
    }
    if (sigaction(SIGSEGV, NULL, &ours) == 0 && ours.sa_sigaction == fault_handle) {
        signal(SIGSEGV, SIG_DFL);
    }
    sigaltstack(&f->stack_before, NULL);
    munmap(f, FAULT_STACK);
}
