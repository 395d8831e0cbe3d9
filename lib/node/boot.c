/* boot: teaches a node its behaviours, and starts the processes that the node begins with. These
 * are children of one supervisor, the node's own. Called by the node's owner before the node runs,
 * and by its behaviours while it runs. */
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "node/boot.h"
#include "node/node.h"
#include "otp/supervisor.h"

/* A child that ends more often than this is not started again at once. These are the usual bounds
 * of Elixir's supervisors. */
#define BOOT_RESTARTS 3
#define BOOT_SECONDS 5

/* A child has ended too often, and the node leaves. */
static void boot_failed(void *context)
{
    struct rusm_node *node = context;

    node->failed = RUSM_EINIT;
    rusm_node_stop(node);
}

void boot_init(struct rusm_node *node, enum rusm_restarts restarts)
{
    node->keep =
        (struct keeper_options){ .restarts = restarts, .failed = boot_failed, .context = node };
}

int rusm_node_teach(struct rusm_node *node, const char *name,
                    const struct rusm_behaviour *behaviour)
{
    int error = 0;
    for (unsigned i = 0; error == 0 && i < node->scheduler_count; i++) {
        error = runtime_teach(scheduler_runtime(node, i), name, behaviour);
    }
    return error;
}

/* Finds the behaviour that SPEC means: a built-in, a behaviour that was taught before, or what a
 * port opens. */
static int find_spec(struct rusm_node *node, const char *spec, bool builtin_first,
                     const struct rusm_behaviour **b, struct rusm_why *why)
{
    const struct rusm_behaviour *builtin = builtin_find(spec);
    if (port_kind_of(spec)) {
        return ports_find(&node->ports, spec, b, why);
    }
    *b = builtin_first ? builtin : NULL;
    if (!*b) {
        *b = runtime_spawnable(node->first->runtime, spec, strlen(spec));
    }
    if (!*b) {
        *b = builtin;
    }
    return *b ? 0
              : err_why(why, RUSM_ENOSPAWNABLE,
                        "no behaviour '%s' (built in: echo, greeter, sink, crash, relay, bounce; "
                        "from a file: lib:FILE.so; any program: exec:COMMAND)",
                        spec);
}

int rusm_node_teach_spec(struct rusm_node *node, const char *name, const char *spec,
                         struct rusm_why *why)
{
    const struct rusm_behaviour *b;
    struct rusm_why text = { "" };
    int error = find_spec(node, spec, true, &b, &text);
    if (error) {
        return err_why(why, error, "cannot teach '%s': %s", name, text.text);
    }
    error = rusm_node_teach(node, name, b);
    switch (error) {
    case 0: return 0;
    case RUSM_EEXIST: return err_why(why, error, "the spawnable '%s' is there already", name);
    case RUSM_EINVAL: return err_why(why, error, "'%s' is not a spawnable's name", name);
    default: return err_why(why, error, "cannot teach '%s': %s", name, rusm_strerror(error));
    }
}

/* Makes the node's supervisor, unless it runs already. */
static int boot_supervisor(struct rusm_node *node, struct rusm_why *why)
{
    static const struct rusm_supervisor options = { .strategy = RUSM_ONE_FOR_ONE,
                                                    .max_restarts = BOOT_RESTARTS,
                                                    .max_seconds = BOOT_SECONDS };
    rusm_pid pid;
    if (node->supervisor && runtime_find(node->first->runtime, node->supervisor)) {
        return 0;
    }
    int error = supervisor_start(node->first->runtime, &options, &node->keep, (rusm_pid){ 0 }, &pid,
                                 why, node->first->now_ns);
    if (!error) {
        node->supervisor = pid.serial;
    }
    return error;
}

int rusm_node_boot(struct rusm_node *node, const struct rusm_boot *boot, struct rusm_why *why)
{
    struct rusm_why text = { "" };
    rusm_pid pid;
    struct rusm_child child = { .args = { .count = boot->arg_count, .value = boot->args },
                                .name = boot->name,
                                .global = boot->global,
                                .restart = RUSM_PERMANENT };
    int error = find_spec(node, boot->spawnable, false, &child.behaviour, &text);
    if (error) {
        return err_why(why, error, "cannot boot '%s': %s", boot->name, text.text);
    }
    if (!id_process_name_ok(boot->name, strlen(boot->name))) {
        return err_why(why, RUSM_EINVAL, "cannot boot '%s': this is not a name for a process",
                       boot->name);
    }
    error = boot_supervisor(node, &text);
    if (!error) {
        error = supervisor_add(node->first->runtime, node->supervisor, &child, &pid, &text,
                               node->first->now_ns);
    }
    if (!error) {
        return 0;
    }
    return err_why(why, error, "cannot boot '%s': %s", boot->name,
                   text.text[0] ? text.text : rusm_strerror(error));
}

void boot_stop(struct rusm_node *node)
{
    if (node->supervisor) {
        runtime_exit(node->first->runtime, node->supervisor, (rusm_pid){ 0 }, "shutdown");
    }
}

bool boot_stopped(struct rusm_node *node)
{
    return !node->supervisor || !runtime_find(node->first->runtime, node->supervisor);
}
