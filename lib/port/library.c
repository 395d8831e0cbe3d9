/* library: lib:FILE.so[:BEHAVIOUR], a behaviour in C in a shared object, loaded by dlopen(3) into
 * the node's own process. On the node's thread; port.c calls it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "port/port.h"

struct library {
    struct port port;
    void *handle;
    char file[]; /* with a slash in it */
};

/* Splits "FILE:NAME". Gives FILE's length. Returns NAME, or NULL if there is none. */
static const char *library_split(const char *text, size_t *file_len)
{
    const char *colon = strrchr(text, ':');

    if (!colon || strchr(colon, '/')) {
        *file_len = strlen(text);
        return NULL;
    }
    *file_len = (size_t)(colon - text);
    return colon + 1;
}

/* Checks that the file can be read. dlopen would say that less clearly, and would wait for ever on
 * a pipe. Returns 0 or RUSM_EIO. */
static int library_look(const struct library *l, struct rusm_why *why)
{
    struct stat found;
    int fd = open(l->file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    int error = 0;

    if (fd < 0) {
        return err_why(why, RUSM_EIO, "cannot read '%s': %s", l->file, strerror(errno));
    }
    if (fstat(fd, &found) != 0 || !S_ISREG(found.st_mode)) {
        error = err_why(why, RUSM_EIO, "cannot load '%s': it is not a file", l->file);
    }
    close(fd);
    return error;
}

static int library_abi_check(const struct library *l, const struct rusm_library *found,
                             struct rusm_why *why)
{
    if (found->abi == RUSM_ABI) {
        return 0;
    }
    return err_why(why, RUSM_EMALFORMED,
                   "'%s' was built for ABI %u of rusm.h, this rusm has %u: build it again with the "
                   "rusm.h of rusm %s",
                   l->file, found->abi, RUSM_ABI, RUSM_VERSION);
}

/* Returns dlopen's error text without the file's name, which our own message has already. */
static const char *library_cause(const struct library *l)
{
    const char *text = dlerror();
    size_t len = strlen(l->file);

    if (!text) {
        return "it cannot be loaded";
    }
    return strncmp(text, l->file, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
                                                                                 : text;
}

/* Says why dlopen failed. If the file has another ABI, says that: it may be why symbols are
 * missing. Returns the error. */
static int library_refused(struct library *l, struct rusm_why *why)
{
    const struct rusm_library *found;
    char cause[256];
    int error = 0;

    snprintf(cause, sizeof(cause), "%s", library_cause(l));
    l->handle = dlopen(l->file, RTLD_LAZY | RTLD_LOCAL);
    found = l->handle ? dlsym(l->handle, "rusm_library") : NULL;
    if (found) {
        error = library_abi_check(l, found, why);
    }
    if (error) {
        return error;
    }
    if (strstr(cause, "undefined symbol: rusm_") && !dlsym(RTLD_DEFAULT, "rusm_send")) {
        return err_why(
            why, RUSM_EMALFORMED,
            "cannot load '%s': this program keeps the rusm_* functions to itself: link it "
            "with -Wl,--export-dynamic-symbol='rusm_*'",
            l->file);
    }
    if (strstr(cause, "undefined symbol: rusm_")) {
        return err_why(why, RUSM_EMALFORMED,
                       "cannot load '%s': %s, which rusm %s has not: build it with the rusm.h of "
                       "this rusm",
                       l->file, cause, RUSM_VERSION);
    }
    return err_why(why, RUSM_EMALFORMED,
                   "cannot load '%s': %s (a shared object is made with cc -shared -fPIC)", l->file,
                   cause);
}

/* Loads the file. RTLD_NOW resolves all symbols, so that none can be missing while the node runs.
 * Returns 0 or an error. */
static int library_load(struct library *l, const struct rusm_library **found, struct rusm_why *why)
{
    int error = library_look(l, why);

    if (error) {
        return error;
    }
    l->handle = dlopen(l->file, RTLD_NOW | RTLD_LOCAL);
    if (!l->handle) {
        return library_refused(l, why);
    }
    *found = dlsym(l->handle, "rusm_library");
    if (!*found) {
        return err_why(why, RUSM_EMALFORMED,
                       "'%s' describes no behaviours: it must define 'const struct rusm_library "
                       "rusm_library' (rusm(3), Libraries)",
                       l->file);
    }
    return library_abi_check(l, *found, why);
}

/* Writes the names of the behaviours, for a message. */
static void library_names(const struct rusm_library *found, char *text, size_t cap)
{
    size_t len = 0;

    text[0] = '\0';
    for (const struct rusm_behaviour *const *b = found->behaviours; *b && len < cap; b++) {
        len += (size_t)snprintf(text + len, cap - len, "%s%.64s", len ? ", " : "", (*b)->name);
    }
}

static int library_behaviour_check(const struct library *l, const struct rusm_library *found,
                                   struct rusm_why *why)
{
    if (!found->behaviours || !found->behaviours[0]) {
        return err_why(why, RUSM_EMALFORMED, "'%s' describes no behaviours: its list is empty",
                       l->file);
    }
    for (const struct rusm_behaviour *const *b = found->behaviours; *b; b++) {
        if (!(*b)->name || (!(*b)->receive && !(*b)->body)) {
            return err_why(why, RUSM_EMALFORMED, "'%s': behaviour %zu has no %s", l->file,
                           (size_t)(b - found->behaviours) + 1,
                           (*b)->name ? "receive and no body" : "name");
        }
    }
    return 0;
}

/* Sets the port's behaviour to the one with that name, or, if name is NULL, to the only one.
 * Returns 0 or an error. */
static int library_pick(struct library *l, const struct rusm_library *found, const char *name,
                        struct rusm_why *why)
{
    const struct rusm_behaviour *const *b = found->behaviours;
    char names[256];
    int error = library_behaviour_check(l, found, why);

    if (error) {
        return error;
    }
    if (!name && !b[1]) {
        l->port.behaviour = b[0];
        return 0;
    }
    for (; name && *b; b++) {
        if (strcmp((*b)->name, name) == 0) {
            l->port.behaviour = *b;
            return 0;
        }
    }
    library_names(found, names, sizeof(names));
    if (name) {
        return err_why(why, RUSM_ENOSPAWNABLE, "'%s' has no behaviour '%s' (it has: %s)", l->file,
                       name, names);
    }
    return err_why(why, RUSM_EINVAL,
                   "'%s' has several behaviours: say which, as in lib:%s:%s (it has: %s)", l->file,
                   l->file, found->behaviours[0]->name, names);
}

static void library_close(struct port *port)
{
    struct library *l = container_of(port, struct library, port);

    if (l->handle) {
        dlclose(l->handle);
    }
    free(l);
}

static int library_open(const char *text, struct port **port, struct rusm_why *why)
{
    const struct rusm_library *found = NULL;
    size_t len;
    const char *name = library_split(++text, &len); /* after the colon */
    struct library *l;
    int error;

    if (len == 0 || (name && !*name)) {
        return err_why(why, RUSM_EINVAL,
                       "'lib:%s': write lib:FILE.so, or lib:FILE.so:BEHAVIOUR for one of several",
                       text);
    }
    l = calloc(1, sizeof(*l) + len + 3);
    if (!l) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    /* Without a slash dlopen would look in the system's folders. */
    snprintf(l->file, len + 3, "%s%.*s", memchr(text, '/', len) ? "" : "./", (int)len, text);
    error = library_load(l, &found, why);
    if (!error) {
        error = library_pick(l, found, name, why);
    }
    if (error) {
        library_close(&l->port);
        return error;
    }
    *port = &l->port;
    return 0;
}

const struct port_kind port_library = {
    .prefix = "lib", .after = ":", .open = library_open, .close = library_close
};
