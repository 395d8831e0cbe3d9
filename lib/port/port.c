/* port: see the header. On the node's thread; node/boot.c calls it. */
#include "port/port.h"

#include <stdlib.h>
#include <string.h>
#include "base/err.h"

static const struct port_kind *const port_kinds[] = { &port_library, &port_exec };

void ports_init(struct ports *ports, struct port_host *(*host)(const struct rusm_process *self))
{
    list_init(&ports->all);
    ports->host = host;
}

void ports_fini(struct ports *ports)
{
    list_each_safe(link, &ports->all) {
        struct port *port = container_of(link, struct port, link);
        list_remove(link);
        free(port->spec);
        port->kind->close(port);
    }
}

const struct port_kind *port_kind_of(const char *spec)
{
    for (size_t i = 0; i < sizeof(port_kinds) / sizeof(*port_kinds); i++) {
        const struct port_kind *kind = port_kinds[i];
        size_t len = strlen(kind->prefix);
        if (strncmp(spec, kind->prefix, len) == 0 && spec[len] && strchr(kind->after, spec[len])) {
            return kind;
        }
    }
    return NULL;
}

int ports_find(struct ports *ports, const char *spec, const struct rusm_behaviour **behaviour,
               struct rusm_why *why)
{
    const struct port_kind *kind = port_kind_of(spec);
    struct port *port;
    char *copy;
    int error;

    list_each(link, &ports->all) {
        port = container_of(link, struct port, link);
        if (strcmp(port->spec, spec) == 0) {
            *behaviour = port->behaviour;
            return 0;
        }
    }
    copy = strdup(spec);
    if (!copy) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    error = kind->open(spec + strlen(kind->prefix), &port, why);
    if (error) {
        free(copy);
        return error;
    }
    port->kind = kind;
    port->ports = ports;
    port->spec = copy;
    list_append(&ports->all, &port->link);
    *behaviour = port->behaviour;
    return 0;
}
