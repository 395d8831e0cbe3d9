/* host: see the header. On the scheduler's thread. */
#include "port/host.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "port/program.h"
#include "port/launch.h"

/* The variables that a program inherits from the node, with all LC_*: whom it runs for, its
 * language, and where the rusm command finds this node. A program inherits no others. */
static const char *const host_env_names[] = {
    "PATH", "HOME",   "USER",        "LOGNAME",       "SHELL",           "LANG",
    "TZ",   "TMPDIR", "RUSM_RUNDIR", "RUSM_IDENTITY", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"
};

/* The library of stdbuf(1) (GNU coreutils), which makes the C library's standard output line
 * buffered. */
static const char *const host_stdbuf[] = { "/usr/libexec/coreutils/libstdbuf.so",
                                           "/usr/lib/coreutils/libstdbuf.so",
                                           "/usr/local/libexec/coreutils/libstdbuf.so" };

static bool host_env_wanted(const char *entry)
{
    const char *equals = strchr(entry, '=');
    size_t len = equals ? (size_t)(equals - entry) : 0;

    for (size_t i = 0; i < sizeof(host_env_names) / sizeof(*host_env_names); i++) {
        if (strlen(host_env_names[i]) == len && memcmp(host_env_names[i], entry, len) == 0) {
            return true;
        }
    }
    return len > 3 && memcmp(entry, "LC_", 3) == 0;
}

/* Adds an entry to the environment. Takes the entry, NULL too. Returns 0 or RUSM_ENOMEM. */
static int host_env_add(struct port_host *h, char *entry)
{
    char **more = entry ? realloc(h->env, (h->env_count + 3) * sizeof(*more)) : NULL;

    if (!more) {
        free(entry);
        return RUSM_ENOMEM;
    }
    h->env = more;
    h->env[h->env_count++] = entry;
    h->env[h->env_count] = h->env[h->env_count + 1] = NULL;
    return 0;
}

static int host_env_pair(struct port_host *h, const char *name, const char *value)
{
    size_t size = strlen(name) + strlen(value) + 2;
    char *entry = malloc(size);

    if (entry) {
        memcpy(entry, name, strlen(name));
        entry[strlen(name)] = '=';
        memcpy(entry + strlen(name) + 1, value, strlen(value) + 1);
    }
    return host_env_add(h, entry);
}

static int host_env(struct port_host *h)
{
    bool path = false;
    int error = 0;

    for (char **e = environ; e && *e && !error; e++) {
        path |= strncmp(*e, "PATH=", 5) == 0;
        if (host_env_wanted(*e)) {
            error = host_env_add(h, strdup(*e));
        }
    }
    if (!error && !path) {
        error = host_env_pair(h, "PATH", "/usr/local/bin:/usr/bin:/bin");
    }
    if (!error) {
        error = host_env_pair(h, "RUSM_NODE", h->node->name);
    }
    if (!error) {
        error = host_env_pair(h, "TERM", "dumb"); /* programs on a pty print no colours */
    }
    if (!error) {
        error = host_env_pair(h, "PYTHONUNBUFFERED", "1");
    }
    for (size_t i = 0; !error && i < sizeof(host_stdbuf) / sizeof(*host_stdbuf); i++) {
        if (access(host_stdbuf[i], R_OK) == 0) {
            error = host_env_pair(h, "LD_PRELOAD", host_stdbuf[i]);
            if (!error) {
                error = host_env_pair(h, "_STDBUF_O", "L");
            }
            break;
        }
    }
    return error;
}

int port_host_init(struct port_host *h, const struct port_hooks *hooks, void *context,
                   struct port_node *node)
{
    *h = (struct port_host){ .hooks = hooks, .context = context, .log = node->log, .node = node };
    list_init(&h->programs);
    list_init(&h->dirty);
    list_init(&h->ending);
    list_init(&h->events);
    guard_init(&h->guard);
    h->stack = malloc(LAUNCH_STACK);
    return h->stack ? host_env(h) : RUSM_ENOMEM;
}

void port_host_fini(struct port_host *h)
{
    struct list *l;

    if (!h->hooks) {
        return;
    }
    while ((l = list_first(&h->programs))) {
        program_kill(container_of(l, struct program, link));
    }
    guard_fini(h);
    for (size_t i = 0; i < h->env_count; i++) {
        free(h->env[i]);
    }
    free(h->env);
    free(h->stack);
    h->hooks = NULL;
}

void port_host_look(struct port_host *h)
{
    struct list *l;

    while ((l = list_first(&h->events))) {
        struct port_event *e = container_of(l, struct port_event, link);
        list_remove(l);
        e->ready(e);
    }
}

bool port_host_tick(struct port_host *h, uint64_t now_ns)
{
    struct list *l;

    h->now_ns = now_ns;
    while ((l = list_first(&h->dirty))) {
        list_remove(l);
        program_flush(container_of(l, struct program, dirty));
    }
    while ((l = list_first(&h->ending))) {
        struct program *p = container_of(l, struct program, ending);
        if (p->deadline_ns > now_ns) {
            break;
        }
        program_late(p);
    }
    h->shown = h->counters;
    return !list_empty(&h->events);
}

uint64_t port_host_next_ns(const struct port_host *h)
{
    return list_empty(&h->ending)
               ? UINT64_MAX
               : container_of(h->ending.next, struct program, ending)->deadline_ns;
}

bool port_host_any(const struct port_host *h)
{
    return h->count > 0;
}
