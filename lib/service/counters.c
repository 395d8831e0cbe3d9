/* counters: see the header. To add a counter, add its field where it is counted and a row here, and
 * name it in rusm(7) and rusm-http(7). */
#include "service/counters.h"

#include <stddef.h>
#include <string.h>

/* How the values of all schedulers become one value. */
enum counter_sum { SUM, MAX };

struct counter_row {
    const char *name;
    enum counter_sum sum;
    size_t fields[2]; /* AT(FIELD) of the fields that are added up; 0: none */
    struct gateway_metric metric;
};

/* Returns the offset of a field in counters_source, plus 1. Compiles only for a uint64_t. */
#define AT(field)                                  \
    _Generic(((struct counters_source *)0)->field, \
             uint64_t : 1 + offsetof(struct counters_source, field))

/* The rows of one metric family stand together, and the first of them has the family's help
 * text. */
static const struct counter_row counter_rows[] = {
    { "processes_started",
      SUM,
      { AT(runtime.processes_started) },
      { "processes_started", "counter", .help = "Processes that were started." } },
    { "processes_ended",
      SUM,
      { AT(runtime.processes_ended) },
      { "processes_ended", "counter", .help = "Processes that have ended." } },
    { "processes_restarted",
      SUM,
      { AT(runtime.processes_restarted) },
      { "processes_restarted", "counter",
        .help = "Processes that a supervisor started in place of one that ended." } },
    { "messages_handled",
      SUM,
      { AT(runtime.messages_handled) },
      { "messages_handled", "counter", .help = "Messages that processes have taken." } },
    { "messages_local",
      SUM,
      { AT(runtime.messages_local) },
      { "messages_local", "counter", .help = "Messages sent within the node." } },
    { "messages_held",
      SUM,
      { AT(runtime.messages_held) },
      { "messages_held", "counter",
        .help = "Times that a message of another scheduler or node waited for a full mailbox." } },
    { "undelivered_noproc",
      SUM,
      { AT(causes.noproc), AT(runtime.noproc_local) },
      { "messages_undelivered", "counter", .label = "cause=\"noproc\"",
        .help = "Messages that were not delivered, by cause." } },
    { "undelivered_noconnection",
      SUM,
      { AT(causes.noconnection), AT(runtime.noconnection) },
      { "messages_undelivered", "counter", .label = "cause=\"noconnection\"" } },
    { "undelivered_overflow",
      SUM,
      { AT(causes.overflow), AT(runtime.overflow) },
      { "messages_undelivered", "counter", .label = "cause=\"overflow\"" } },
    { "undelivered_too_large",
      SUM,
      { AT(causes.too_large) },
      { "messages_undelivered", "counter", .label = "cause=\"too-large\"" } },
    { "undelivered_malformed",
      SUM,
      { AT(causes.malformed) },
      { "messages_undelivered", "counter", .label = "cause=\"malformed\"" } },
    { "discarded_in_mailbox",
      SUM,
      { AT(runtime.mailbox_discarded) },
      { "messages_discarded", "counter", .help = "Messages in a mailbox whose process ended." } },
    { "busy_local",
      SUM,
      { AT(runtime.busy_local) },
      { "sends_busy", "counter", .help = "Sends within the node that found no room." } },
    { "replies_late",
      SUM,
      { AT(runtime.replies_late) },
      { "replies_late", "counter", .help = "Replies to calls that were over." } },
    { "handlers_long",
      SUM,
      { AT(runtime.handlers_long) },
      { "handlers_long", "counter",
        .help = "Times that a process held its scheduler for more than 100 ms." } },
    { "schedulers_held",
      SUM,
      { AT(held) },
      { "schedulers_held", "gauge", .help = "Schedulers that a handler holds up now." } },
    { "children_down",
      SUM,
      { AT(runtime.children_down) },
      { "children_down", "gauge", .help = "Booted processes that should run and do not." } },
    { "programs_started",
      SUM,
      { AT(programs.started) },
      { "programs_started", "counter", .help = "Programs that were started for processes." } },
    { "programs_ended",
      SUM,
      { AT(programs.ended) },
      { "programs_ended", "counter", .help = "Programs of processes that have ended." } },
    { "programs_refused",
      SUM,
      { AT(programs.refused) },
      { "programs_refused", "counter", .help = "Messages that a program could not be given." } },
    { "programs_unasked",
      SUM,
      { AT(programs.unasked) },
      { "programs_unasked", "counter", .help = "Lines of programs that answered nothing." } },
    { "programs_bad_lines",
      SUM,
      { AT(programs.bad) },
      { "programs_bad_lines", "counter", .help = "Lines of programs that are not a request." } },
    { "programs_unlogged",
      SUM,
      { AT(programs.unlogged) },
      { "programs_unlogged", "counter",
        .help = "Lines of programs that were not logged, beyond the limit." } },
    { "output_dropped",
      SUM,
      { AT(lines.output) },
      { "output_dropped", "counter",
        .help = "Lines that processes printed and that were not written." } },
    { "log_dropped",
      SUM,
      { AT(lines.log) },
      { "log_dropped", "counter", .help = "Lines of the log that were not written." } },
    { "names_global",
      SUM,
      { AT(registry.names) },
      { "names_global", "gauge", .help = "Global names that have a holder." } },
    { "names_lost",
      SUM,
      { AT(registry.lost) },
      { "names_lost", "counter",
        .help = "Global names that processes here lost to another node's." } },
    { "names_refused",
      SUM,
      { AT(registry.refused) },
      { "names_refused", "counter", .help = "Claims of peers beyond the limit." } },
    { "clock_ahead",
      SUM,
      { AT(registry.ahead) },
      { "claims_clock_ahead", "counter",
        .help = "Claims from more than a minute ahead of this clock." } },
    { "connections",
      SUM,
      { AT(endpoint.connections) },
      { "connections", "gauge", .help = "Connections." } },
    { "connections_half_open",
      SUM,
      { AT(endpoint.half_open) },
      { "connections_half_open", "gauge", .help = "Connections in their handshake." } },
    { "connections_refused",
      SUM,
      { AT(endpoint.refused) },
      { "connections_refused", "counter", .help = "Diallers without the cluster certificate." } },
    { "datagrams_in",
      SUM,
      { AT(endpoint.datagrams_in) },
      { "datagrams_received", "counter", .help = "UDP datagrams received." } },
    { "datagrams_out",
      SUM,
      { AT(endpoint.datagrams_out) },
      { "datagrams_sent", "counter", .help = "UDP datagrams sent." } },
    { "datagrams_passed_on",
      SUM,
      { AT(endpoint.forwards) },
      { "datagrams_passed_on", "counter",
        .help = "UDP datagrams that one scheduler received and another one served." } },
    { "datagram_longest",
      MAX,
      { AT(endpoint.datagram_longest) },
      { "datagram_longest_bytes", "gauge", .unit = "bytes",
        .help = "Payload of the longest UDP datagram received." } },
    { "bytes_in",
      SUM,
      { AT(endpoint.bytes_in) },
      { "received_bytes", "counter", .unit = "bytes", .help = "Payload of UDP received." } },
    { "bytes_out",
      SUM,
      { AT(endpoint.bytes_out) },
      { "sent_bytes", "counter", .unit = "bytes", .help = "Payload of UDP sent." } },
    { "datagrams_malformed",
      SUM,
      { AT(endpoint.malformed) },
      { "datagrams_malformed", "counter", .help = "UDP datagrams that are not QUIC." } },
    { "datagrams_dropped",
      SUM,
      { AT(endpoint.dropped) },
      { "datagrams_dropped", "counter",
        .help = "UDP datagrams of no connection, or beyond a limit." } },
    { "http_requests",
      SUM,
      { AT(http.requests) },
      { "http_requests", "counter", .help = "Requests over HTTP." } },
    { "http_refused",
      SUM,
      { AT(http.refused) },
      { "http_requests_refused", "counter", .help = "Requests without the right token." } },
    { "http_busy",
      SUM,
      { AT(http.busy) },
      { "http_requests_busy", "counter", .help = "Requests that there was no room for." } },
    { "http_slow",
      SUM,
      { AT(http.slow) },
      { "http_requests_slow", "counter", .help = "Requests whose client took too long." } },
    { "http_crowded",
      SUM,
      { AT(http.crowded) },
      { "http_connections_refused", "counter",
        .help = "HTTP/1.1 connections closed, as their client had too many." } },
    { "events_missed",
      SUM,
      { AT(http.missed) },
      { "events_missed", "counter",
        .help = "Events that HTTP clients were not sent, as they read too slowly." } },
};

#define ROWS (sizeof(counter_rows) / sizeof(counter_rows[0]))
_Static_assert(ROWS <= COUNTERS_MAX, "COUNTERS_MAX");

size_t counters_init(struct counter counters[COUNTERS_MAX])
{
    for (size_t i = 0; i < ROWS; i++) {
        counters[i] = (struct counter){ .name = counter_rows[i].name };
    }
    return ROWS;
}

static uint64_t counter_of(const struct counters_source *source, const struct counter_row *row)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 2 && row->fields[i]; i++) {
        uint64_t field;
        memcpy(&field, (const char *)source + row->fields[i] - 1, sizeof(field));
        value += field;
    }
    return value;
}

void counters_add(struct counter counters[COUNTERS_MAX], const struct counters_source *source)
{
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t value = counter_of(source, &counter_rows[i]);

        if (counter_rows[i].sum == SUM) {
            counters[i].value += value;
        } else if (value > counters[i].value) {
            counters[i].value = value;
        }
    }
}

const struct gateway_metric *counters_metric(const char *name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(counter_rows[i].name, name) == 0) {
            return &counter_rows[i].metric;
        }
    }
    return NULL;
}
