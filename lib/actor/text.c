/* text: the texts of a process: pids in words, lines of output, why an init fails. Implements this
 * part of rusm.h. Called from behaviours only. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "actor/state.h"
#include "base/err.h"
#include "base/id.h"
#include "base/utf8.h"

int rusm_pid_format(const struct rusm_process *self, rusm_pid pid, char *text, size_t cap)
{
    const char *node = runtime_node_name(self->rt, pid.node);

    return id_pid_format(text, cap, pid.serial, node ? node : "?", pid.incarnation);
}

int rusm_pid_parse(struct rusm_process *self, const char *text, rusm_pid *pid)
{
    struct runtime *rt = self->rt;
    struct id_address a;
    uint32_t node = 0;
    int err = id_address_parse(text, strlen(text), &a);

    if (err == 0 && !a.serial) {
        err = RUSM_EINVAL;
    }
    if (err == 0 && a.node) {
        err = nodes_index(&rt->nodes, a.node, a.node_len, &node);
    }
    if (err) {
        return err;
    }
    *pid = (rusm_pid){ .serial = a.serial, .node = node, .incarnation = a.incarnation };
    if (node == 0 && !a.has_incarnation) {
        pid->incarnation = rt->incarnation;
    }
    return 0;
}

/* Prints a line of a process. The line may come from anybody, so everything that a terminal would
 * obey is escaped, newlines too. If there is no memory for all of it, the line is cut. */
static void text_print(struct rusm_process *self, const char *text, size_t len)
{
    struct runtime *rt = self->rt;
    char small[2048];
    size_t cap = len * 4 + 1;
    char *large = cap > sizeof(small) ? malloc(cap) : NULL;

    utf8_escape(large ? large : small, large ? cap : sizeof(small), text, len);
    rt->hooks->print(rt->context, process_pid(self), large ? large : small);
    free(large);
}

void rusm_print(struct rusm_process *self, const char *format, ...)
{
    char small[512];
    va_list args;

    va_start(args, format);
    int wanted = vsnprintf(small, sizeof(small), format, args);
    va_end(args);
    if (wanted < 0) {
        return;
    }
    size_t len = (size_t)wanted;
    char *large = len >= sizeof(small) ? malloc(len + 1) : NULL;
    if (large) {
        va_start(args, format);
        vsnprintf(large, len + 1, format, args);
        va_end(args);
        text_print(self, large, len);
    } else {
        text_print(self, small, len < sizeof(small) ? len : sizeof(small) - 1);
    }
    free(large);
}

void rusm_init_error(struct rusm_process *self, const char *format, ...)
{
    struct runtime *rt = self->rt;
    char text[sizeof(rt->init_why->text)];
    va_list args;

    if (rt->init != self) {
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    err_why(rt->init_why, 0, "%s", text);
}
