/* fuzz: names, pids and addresses as text (base/id.h). */
#include "base/id.h"
#include "base/utf8.h"
#include "doubles/fuzz.h"

static void check_address(const char *text, size_t len)
{
    struct id_address a, b;
    char pid[128];

    if (id_address_parse(text, len, &a) != 0) {
        return;
    }
    must((a.serial != 0) != (a.name != NULL));
    must(!a.name || id_process_name_ok(a.name, a.name_len));
    must(!a.node || id_node_name_ok(a.node, a.node_len));
    must(!a.has_incarnation || (a.serial && a.node && a.incarnation));
    if (!a.has_incarnation) {
        return;
    }
    char node[RUSM_NODE_NAME_MAX + 1];
    snprintf(node, sizeof(node), "%.*s", (int)a.node_len, a.node);
    int n = id_pid_format(pid, sizeof(pid), a.serial, node, a.incarnation);
    must(n > 0 && (size_t)n < RUSM_PID_TEXT_MAX);
    must(id_address_parse(pid, (size_t)n, &b) == 0);
    must(a.serial == b.serial && a.incarnation == b.incarnation && a.node_len == b.node_len);
    must(memcmp(a.node, b.node, a.node_len) == 0);
}

static void check_host_port(const char *text, size_t len)
{
    char host[256], port[6], again[300], host_again[256], port_again[6];
    bool ok = id_host_port_parse(text, host, port) == 0;

    /* A NUL does not end the text for a function that gets the length. */
    must(id_host_port_ok(text, strlen(text)) == (ok && strcmp(port, "0") != 0));
    must(strlen(text) == len || !id_host_port_ok(text, len));
    if (!ok) {
        return;
    }
    must(strlen(text) <= ID_HOST_PORT_MAX && strlen(host) > 0 && strlen(port) > 0);
    snprintf(again, sizeof(again), strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
    must(id_host_port_parse(again, host_again, port_again) == 0);
    must(strcmp(host, host_again) == 0 && strcmp(port, port_again) == 0);
}

static void check_target(const char *text)
{
    struct id_target t, u;
    char again[400];

    if (id_target_parse(text, &t) != 0) {
        return;
    }
    must(t.name[0] || t.host[0]);
    must(!t.name[0] || id_node_name_ok(t.name, strlen(t.name)));
    must(!t.host[0] == !t.port[0] && strcmp(t.port, "0") != 0);
    bool v6 = strchr(t.host, ':') != NULL;
    snprintf(again, sizeof(again), "%s%s%s%s%s%s%s", t.name, t.name[0] && t.host[0] ? "@" : "",
             v6 ? "[" : "", t.host, v6 ? "]" : "", t.host[0] ? ":" : "", t.port);
    must(id_target_parse(again, &u) == 0);
    must(strcmp(t.name, u.name) == 0 && strcmp(t.host, u.host) == 0 && strcmp(t.port, u.port) == 0);
}

/* Checks that a valid name is text that is safe on a terminal. */
static void check_name(const char *text, size_t len)
{
    char out[4 * RUSM_NAME_MAX + 8];

    if (id_process_name_ok(text, len)) {
        must(len <= RUSM_NAME_MAX && !memchr(text, '@', len));
        utf8_escape(out, sizeof(out), text, len);
        must(strlen(out) == len && memcmp(out, text, len) == 0);
    }
    if (id_node_name_ok(text, len)) {
        struct id_target t;
        must(len <= RUSM_NODE_NAME_MAX && id_target_parse(text, &t) == 0);
        must(strcmp(t.name, text) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *text = malloc(len + 1), *exact = malloc(len ? len : 1);

    must(text && exact);
    memcpy(text, data, len);
    memcpy(exact, data, len);
    text[len] = '\0';
    check_address(exact, len);
    check_name(text, len);
    check_host_port(text, len);
    check_target(text);
    free(text);
    free(exact);
    return 0;
}
