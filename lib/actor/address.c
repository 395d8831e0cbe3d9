/* address: see the header. */
#include "actor/address.h"

#include <string.h>
#include "base/id.h"

int address_parse(struct rusm_process *self, const char *text, struct address *out)
{
    struct runtime *rt = self->rt;
    struct id_address a;
    int err = id_address_parse(text, strlen(text), &a);

    *out = (struct address){ 0 };
    if (err == 0 && a.node) {
        err = nodes_index(&rt->nodes, a.node, a.node_len, &out->node);
    }
    if (err) {
        return err;
    }
    if (a.serial) {
        out->pid =
            (rusm_pid){ .serial = a.serial, .node = out->node, .incarnation = a.incarnation };
        if (out->node == 0 && !a.has_incarnation) {
            out->pid.incarnation = rt->incarnation;
        }
        out->here = runtime_local(rt, out->pid);
        return 0;
    }
    out->name = a.name;
    out->name_len = a.name_len;
    if (out->node == 0) {
        uint64_t serial;
        out->here = names_find(rt, a.name, a.name_len, &serial);
        if (!out->here && serial) {
            out->pid = (rusm_pid){ .serial = serial, .incarnation = rt->incarnation };
            return 0;
        }
    }
    if (!a.node && !out->here) {
        out->node = RUSM_GLOBAL;
    }
    return 0;
}

void address_named(struct rusm_process *self, uint32_t node, const char *name, struct address *out)
{
    *out = (struct address){ .node = node, .name = name, .name_len = strlen(name) };
    if (node == 0) {
        uint64_t serial;
        out->here = names_find(self->rt, name, out->name_len, &serial);
        if (serial) {
            out->pid = (rusm_pid){ .serial = serial, .incarnation = self->rt->incarnation };
        }
    }
}

int address_pid(struct rusm_process *self, const struct address *to, rusm_pid *pid)
{
    const struct runtime *rt = self->rt;

    *pid = to->here ? process_pid(to->here) : to->pid;
    if (pid->serial) {
        return 0;
    }
    if (!id_process_name_ok(to->name, to->name_len)) {
        return RUSM_EINVAL;
    }
    if (to->node == RUSM_GLOBAL) {
        return rt->hooks->whereis_global(rt->context, to->name, to->name_len, pid) == 0
                   ? 0
                   : RUSM_ENOPROC;
    }
    if (to->node == 0) {
        return RUSM_ENOPROC;
    }
    return nodes_at(&rt->nodes, to->node) ? RUSM_ENOCONN : RUSM_EINVAL;
}
