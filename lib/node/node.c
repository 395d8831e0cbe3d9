/* node: makes a node of its parts from the options, and tells what it knows of itself. node.h says
 * which thread runs what. */
#include "node/node.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/id.h"
#include "actor/limits.h"
#include "base/limits.h"
#include "node/limits.h"
#include "peer/limits.h"
#include "sched/limits.h"
#include "wire/limits.h"
#include "local/resolve.h"
#include "node/boot.h"
#include "port/environment.h"
#include "node/http.h"
#include "node/http_tcp.h"
#include "node/output.h"
#include "node/globals.h"
#include "node/programs.h"
#include "node/publish.h"
#include "node/reach.h"
#include "node/seeds.h"
#include "node/schedulers.h"
#include "node/tables.h"

/* ---- making one ---- */

static void name_lost(void *user, uint64_t serial, const char *name, size_t len,
                      const struct registry_holder *holder)
{
    struct rusm_node *node = user;
    char text[RUSM_NAME_MAX + 1];
    memcpy(text, name, len);
    text[len] = 0;
    log_warn(&node->log, "process %llu lost the global name '%s' to %llu on %s",
             (unsigned long long)serial, text, (unsigned long long)holder->serial,
             holder->node_name);
    rusm_pid by = { .serial = holder->serial,
                    .node = holder->node,
                    .incarnation = holder->incarnation };
    events_name_lost(node, serial, text, holder->node_name);
    runtime_answer(node->registry_user->runtime, serial, RUSM_NAME_LOST, 0, by, 0, text);
}

static int open_identity(struct rusm_node *node, const struct rusm_node_options *o,
                         struct rusm_why *why)
{
    int error = rusm_identity_path(o->identity, node->identity_path, sizeof(node->identity_path));
    if (error) {
        return err_why(why, error, "no home folder for the identity: set RUSM_IDENTITY or HOME");
    }
    if (o->identity_create) {
        error = identity_create(node->identity_path, why);
        if (error && error != RUSM_EEXIST) {
            return error;
        }
        node->identity_made = error == 0;
    }
    return identity_load(node->identity_path, &node->identity, why);
}

static uint64_t spin_ns(const struct rusm_node_options *o)
{
    return o->spin_us < 0 ? 0 : o->spin_us == 0 ? LIMIT_SPIN_NS : (uint64_t)o->spin_us * 1000;
}

static int open_runtimes(struct rusm_node *node, const struct rusm_node_options *o)
{
    struct runtime_options options = {
        .node = node->name,
        .incarnation = node->incarnation,
        .mailbox_messages = o->mailbox_messages ? o->mailbox_messages : LIMIT_MAILBOX_MESSAGES,
        .mailbox_bytes = o->mailbox_bytes ? o->mailbox_bytes : LIMIT_MAILBOX_BYTES,
        .seed = rng_u64(&node->first->rng),
        .log = &node->log,
        .watched = &node->events.watched,
    };
    struct registry_options registry = { .node = node->name,
                                         .incarnation = node->incarnation,
                                         .seed = rng_u64(&node->first->rng),
                                         .user = node,
                                         .lost = name_lost };
    node->port_node = (struct port_node){ .name = node->name,
                                          .incarnation = node->incarnation,
                                          .log = &node->log,
                                          .env = o->env,
                                          .descriptors = o->exec_descriptors };
    int error = schedulers_open(node, &options);
    return error ? error : registry_new(&node->registry, &registry);
}

/* Opens a scheduler's endpoint. Only scheduler 0 serves HTTP. Another scheduler closes the
 * connection of an HTTP client that comes to it by mistake. */
static int open_endpoint(struct rusm_node *node, struct endpoint_options *options, unsigned index,
                         struct rusm_why *why)
{
    struct endpoint_events events = { 0 };
    options->group = node->scheduler_count;
    options->index = index;
    connection_events(&events);
    return endpoint_new(&node->schedulers[index].endpoint, options, &events,
                        &node->schedulers[index], why);
}

static int open_endpoints(struct rusm_node *node, const struct rusm_node_options *o,
                          struct rusm_why *why)
{
    struct resolved bind;
    int found = resolve(o->listen ? o->listen : "127.0.0.1:0", true, &bind, 1, why);
    if (found < 1) {
        return found < 0 ? found : RUSM_EINVAL;
    }
    struct endpoint_options options = {
        .bind = (struct sockaddr *)&bind.address,
        .bind_len = bind.len,
        .accept = true,
        .identity = node->identity,
        .http = o->http,
        .anonymous = o->http && o->http_token,
        .reset_context = node->name,
        .handshake_timeout_ns = LIMIT_HANDSHAKE_NS,
        .stream_window = LIMIT_LANE_WINDOW,
        .control_window = 4 * LIMIT_FRAME,
        .max_streams_uni = LIMIT_LANES,
        .max_packet = o->max_packet,
        .max_connections = LIMIT_CONNECTIONS,
        .max_half_open = LIMIT_HALF_OPEN,
        .has_share = true,
        .share = id_node_share(node->name, strlen(node->name)),
    };
    peer_idle_options(&options, node->idle_timeout_ns);
    for (unsigned i = 0; i < node->scheduler_count; i++) {
        struct rusm_why cause = { "" };
        int error = open_endpoint(node, &options, i, &cause);
        if (error) {
            return err_why(why, error, "%s: %s", o->listen ? o->listen : "127.0.0.1:0",
                           cause.text[0] ? cause.text : rusm_strerror(error));
        }
        options.bind = endpoint_address(node->first->endpoint, &options.bind_len);
    }
    resolve_format(options.bind, options.bind_len, node->address, sizeof(node->address));
    node->advertise_or_all = node->advertise;
    if (!node->advertise[0] && resolve_reach(node->address) == RESOLVE_NOWHERE) {
        node->advertise_or_all = node->address;
    }
    reach_check(node);
    int error = schedulers_watch(node, spin_ns(o));
    return error ? err_why(why, error, "no event loop: %s", strerror(errno)) : 0;
}

static int check_options(const struct rusm_node_options *o, struct rusm_why *why)
{
    char host[256], port[6];
    int error = err_reserved(o->reserved, sizeof(o->reserved) / sizeof(*o->reserved), why);
    if (error) {
        return error;
    }
    if (!o->name || !id_node_name_ok(o->name, strlen(o->name))) {
        return err_why(why, RUSM_EINVAL,
                       "'%s' is not a node name: 1 to 63 of A-Z a-z 0-9 . _ -, the first one a "
                       "letter or digit",
                       o->name ? o->name : "");
    }
    if (o->listen && id_host_port_parse(o->listen, host, port) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is not an address: write ADDR:PORT", o->listen);
    }
    if (o->advertise && id_host_port_parse(o->advertise, host, port) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is not an address: write HOST:PORT", o->advertise);
    }
    if (o->advertise &&
        (strcmp(port, "0") == 0 || resolve_reach(o->advertise) == RESOLVE_NOWHERE)) {
        return err_why(why, RUSM_EINVAL, "'%s' is not an address that peers can dial",
                       o->advertise);
    }
    if (o->advertise && strlen(o->advertise) >= sizeof((struct member *)0)->address) {
        return err_why(why, RUSM_EINVAL, "the advertised address is too long");
    }
    if (o->http_token && !o->http && !o->http_tcp) {
        return err_why(why, RUSM_EINVAL,
                       "a token needs HTTP: give an address too (--http, --http-tcp)");
    }
    if (o->http_proxy_count > 0 && !o->http && !o->http_tcp) {
        return err_why(why, RUSM_EINVAL,
                       "a proxy needs HTTP: give an address too (--http, --http-tcp)");
    }
    if (o->http_tcp && !o->http_token) {
        return err_why(
            why, RUSM_EINVAL,
            "HTTP over TCP has no certificates, so it needs a token: give a file (--http-token)");
    }
    if (environment_check(o->env, why) != 0) {
        return RUSM_EINVAL;
    }
    if (o->log_format != RUSM_LOG_TEXT && o->log_format != RUSM_LOG_JSON) {
        return err_why(why, RUSM_EINVAL, "log_format must be text or JSON");
    }
    if (o->schedulers > LIMIT_SCHEDULERS) {
        return err_why(why, RUSM_EINVAL, "a node must have from 1 to %d schedulers",
                       LIMIT_SCHEDULERS);
    }
    if (o->max_packet && (o->max_packet < RUSM_PACKET_MIN || o->max_packet > RUSM_PACKET_MAX)) {
        return err_why(why, RUSM_EINVAL, "a packet must have from %d to %d bytes", RUSM_PACKET_MIN,
                       RUSM_PACKET_MAX);
    }
    if (o->restarts > RUSM_RESTARTS_EXIT) {
        return err_why(why, RUSM_EINVAL, "restarts is not one of enum rusm_restarts");
    }
    return 0;
}

static void log_missing(void *context, uint64_t lines, const char *cause)
{
    struct rusm_node *node = context;
    log_error(&node->log, "%llu lines of the log are missing here: %s", (unsigned long long)lines,
              cause);
}

static void open_log(struct rusm_node *node, const struct rusm_node_options *o)
{
    log_init(&node->log, o->log_fd ? o->log_fd : STDERR_FILENO, o->log_level, o->name);
    log_to(&node->log, o->log, o->log_context);
    node->log.format = o->log_format;
    sink_init(&node->log_sink, node->log.fd, LIMIT_LOG_BYTES, log_missing, node);
    node->log.sink = &node->log_sink;
}

static void scan(struct rusm_node *node)
{
    struct rundir_entry *entries;
    size_t count;
    if (runfiles_read(runfiles_rundir(node->runfiles), &entries, &count) == 0) {
        members_near(node, entries, count);
        free(entries);
    }
}

static int node_open(struct rusm_node *node, const struct rusm_node_options *o,
                     struct rusm_why *why)
{
    uint64_t seed;
    int error;
    do {
        if ((error = rng_secret(&node->incarnation, sizeof(node->incarnation))) != 0) {
            return error;
        }
    } while (node->incarnation == 0);
    if ((error = rng_secret(&seed, sizeof(seed))) != 0) {
        return error;
    }
    node->started_ns = endpoint_now_ns();
    map_init(&node->by_name, seed ^ 6);
    if ((error = schedulers_new(node, o->schedulers ? o->schedulers : 1, seed)) != 0) {
        return error;
    }
    node->runfiles = runfiles_new(node->scheduler_count);
    if (!node->runfiles) {
        return RUSM_ENOMEM;
    }
    node->idle_timeout_ns =
        o->idle_timeout_ms ? (uint64_t)o->idle_timeout_ms * 1000000 : LIMIT_IDLE_TIMEOUT_NS;
    forget_init(node, o->forget_ms ? (uint64_t)o->forget_ms * 1000000 : LIMIT_FORGET_NS);
    node->name_overflow = o->name_overflow;
    open_log(node, o);
    life_init(node, o);
    boot_init(node, o->restarts);
    output_open(node, o->output_fd ? o->output_fd : STDOUT_FILENO);
    if ((error = open_identity(node, o, why)) != 0) {
        return error;
    }
    if ((error = rundir_open(runfiles_rundir(node->runfiles), o->rundir, true, why)) != 0) {
        return error;
    }
    if ((error = rundir_lock(runfiles_rundir(node->runfiles), node->name, why)) != 0) {
        return error;
    }
    if ((error = open_runtimes(node, o)) != 0) {
        return error;
    }
    if ((o->http || o->http_tcp) && (error = http_open(node, o, why)) != 0) {
        return error;
    }
    if ((error = open_endpoints(node, o, why)) != 0) {
        return error;
    }
    if (o->http_tcp && (error = http_tcp_open(node, o->http_tcp, why)) != 0) {
        return error;
    }
    if ((error = publish_first(node, why)) != 0) {
        return error;
    }
    /* Looks after it has published itself. So of two nodes that start together, at least one sees
     * the other. */
    scan(node);
    for (size_t i = 0; i < o->join_count; i++) {
        if ((error = seeds_join(node, o->join[i], why)) != 0) {
            return error;
        }
    }
    return 0;
}

int rusm_node_new(struct rusm_node **out, const struct rusm_node_options *o, struct rusm_why *why)
{
    struct rusm_why none;
    if (!why) {
        why = &none;
    }
    why->text[0] = 0;
    int error = check_options(o, why);
    if (error) {
        return error;
    }
    struct rusm_node *node = calloc(1, sizeof(*node));
    if (!node) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    ports_init(&node->ports, programs_host);
    events_init(&node->events, tables_counters);
    tracers_init(&node->tracers);
    globals_init(node);
    members_init(node);
    list_init(&node->seeds);
    posts_init(&node->posts);
    memcpy(node->name, o->name, strlen(o->name) + 1);
    if (o->advertise) {
        memcpy(node->advertise, o->advertise, strlen(o->advertise) + 1);
    }
    error = node_open(node, o, why);
    if (error) {
        if (!why->text[0]) {
            err_why(why, error, "%s", rusm_strerror(error));
        }
        rusm_node_free(node);
        return error;
    }
    node->port_node.env = NULL; /* it was borrowed, and each scheduler has its copy */
    *out = node;
    return 0;
}

void rusm_node_free(struct rusm_node *node)
{
    if (!node) {
        return;
    }
    schedulers_free(node);
    size_t left = posts_fini(&node->posts);
    if (left > 0) {
        log_warn(&node->log, "%zu posted messages found no room before the node left", left);
    }
    ports_fini(&node->ports);
    events_fini(&node->events);
    tracers_fini(&node->tracers);
    globals_fini(node);
    members_fini(node);
    seeds_free(node);
    if (!runfiles_free(node->runfiles)) {
        log_warn(&node->log, "the run folder does not answer: this node's files stay in it");
    }
    identity_free(node->identity);
    output_close(node);
    sink_flush(&node->log_sink, LIMIT_FLUSH_MS);
    sink_fini(&node->log_sink);
    free(node);
}

void rusm_node_log(struct rusm_node *node, enum rusm_log_level level, const char *text)
{
    log_line(&node->log, level, "%s", text);
}

/* ---- what a node says of itself ---- */

const char *rusm_node_name(const struct rusm_node *node)
{
    return node->name;
}

const char *rusm_node_address(const struct rusm_node *node)
{
    return node->address;
}

const char *rusm_node_http_tcp(const struct rusm_node *node)
{
    return http_tcp_address(node);
}

const char *rusm_node_rundir(const struct rusm_node *node)
{
    return runfiles_path(node->runfiles);
}

bool rusm_node_identity_made(const struct rusm_node *node)
{
    return node->identity_made;
}

const char *rusm_node_identity_path(const struct rusm_node *node)
{
    return node->identity_path;
}

const char *rusm_node_fingerprint(const struct rusm_node *node)
{
    return identity_fingerprint(node->identity);
}
