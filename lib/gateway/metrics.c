/* metrics: GET /metrics, the node's tables of itself, its counters and its peers as OpenMetrics text (the
 * specification's version 1.0.0). On the gateway's thread. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/exchange.h"
#include "gateway/rows.h"

#define METRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* What becomes of a column or counter. */
struct metric {
    const char *from;   /* its name here */
    const char *family; /* without rusm_; one after the other if it is the same */
    const char *type;   /* "counter", "gauge", "info" */
    const char *unit;   /* NULL: none; the family ends with it */
    const char *label;  /* KEY="VALUE"; NULL: none */
    const char *help;
};

static const struct metric counter_metrics[] = {
    { "processes_started", "processes_started", "counter", NULL, NULL, "Processes, ever." },
    { "processes_ended", "processes_ended", "counter", NULL, NULL, "Processes that have ended." },
    { "messages_handled", "messages_handled", "counter", NULL, NULL,
      "Messages that processes have taken." },
    { "messages_local", "messages_local", "counter", NULL, NULL, "Messages sent within the node." },
    { "undelivered_noproc", "messages_undelivered", "counter", NULL, "cause=\"noproc\"",
      "Messages that were not delivered, by cause." },
    { "undelivered_noconnection", "messages_undelivered", "counter", NULL, "cause=\"noconnection\"",
      NULL },
    { "undelivered_overflow", "messages_undelivered", "counter", NULL, "cause=\"overflow\"", NULL },
    { "undelivered_too_large", "messages_undelivered", "counter", NULL, "cause=\"too-large\"",
      NULL },
    { "undelivered_malformed", "messages_undelivered", "counter", NULL, "cause=\"malformed\"",
      NULL },
    { "discarded_in_mailbox", "messages_discarded", "counter", NULL, NULL,
      "Messages in a mailbox whose process ended." },
    { "busy_local", "sends_busy", "counter", NULL, NULL,
      "Sends within the node that found no room." },
    { "replies_late", "replies_late", "counter", NULL, NULL, "Replies to calls that were over." },
    { "handlers_long", "handlers_long", "counter", NULL, NULL,
      "Times that a process held its scheduler for more than 100 ms." },
    { "names_global", "names_global", "gauge", NULL, NULL, "Global names that have a holder." },
    { "names_lost", "names_lost", "counter", NULL, NULL,
      "Global names that processes here lost to another node's." },
    { "names_refused", "names_refused", "counter", NULL, NULL,
      "Claims of peers beyond the limit." },
    { "clock_ahead", "claims_clock_ahead", "counter", NULL, NULL,
      "Claims from more than a minute ahead of this clock." },
    { "connections", "connections", "gauge", NULL, NULL, "Connections." },
    { "connections_half_open", "connections_half_open", "gauge", NULL, NULL,
      "Connections in their handshake." },
    { "connections_refused", "connections_refused", "counter", NULL, NULL,
      "Diallers without the cluster certificate." },
    { "datagrams_in", "datagrams_received", "counter", NULL, NULL, "UDP datagrams received." },
    { "datagrams_out", "datagrams_sent", "counter", NULL, NULL, "UDP datagrams sent." },
    { "datagram_longest", "datagram_longest_bytes", "gauge", "bytes", NULL,
      "Payload of the longest UDP datagram received." },
    { "bytes_in", "received_bytes", "counter", "bytes", NULL, "Payload of UDP received." },
    { "bytes_out", "sent_bytes", "counter", "bytes", NULL, "Payload of UDP sent." },
    { "datagrams_malformed", "datagrams_malformed", "counter", NULL, NULL,
      "UDP datagrams that are not QUIC." },
    { "datagrams_dropped", "datagrams_dropped", "counter", NULL, NULL,
      "UDP datagrams of no connection, or beyond a limit." },
    { "http_requests", "http_requests", "counter", NULL, NULL, "Requests over HTTP." },
    { "http_refused", "http_requests_refused", "counter", NULL, NULL,
      "Requests without the right token." },
    { "http_busy", "http_requests_busy", "counter", NULL, NULL,
      "Requests that there was no room for." },
    { "http_slow", "http_requests_slow", "counter", NULL, NULL,
      "Requests whose client took too long." },
    { "http_crowded", "http_connections_refused", "counter", NULL, NULL,
      "HTTP/1.1 connections refused, as their client had too many." },
};

static const struct metric node_metrics[] = {
    { "uptime", "uptime_seconds", "gauge", "seconds", NULL, "Time since the node was started." },
    { "processes", "processes", "gauge", NULL, NULL, "Processes." },
    { "peers", "peers", "gauge", NULL, NULL, "Nodes that are connected." },
};

static const struct metric peer_metrics[] = {
    { "state", "peer_up", "gauge", NULL, NULL, "Whether the peer is connected." },
    { "rtt_us", "peer_rtt_seconds", "gauge", "seconds", NULL, "Round trip time to the peer." },
    { "sent", "peer_messages_sent", "counter", NULL, NULL,
      "Messages and signals sent on the present connection." },
    { "received", "peer_messages_received", "counter", NULL, NULL,
      "Messages and signals received on the present connection." },
    { "lost", "peer_messages_lost", "counter", NULL, NULL,
      "Messages and signals that were not acknowledged when a connection ended, or refused." },
    { "lanes", "peer_lanes", "gauge", NULL, NULL, "Lanes of the present connection." },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct metrics {
    struct rows rows;
    void (*row)(struct metrics *m, const struct rusm_field *fields, size_t count);
    struct buf text;
    struct buf peers[COUNT(peer_metrics)]; /* each family is in one piece */
    const char *family;                    /* the last one that was begun */
    int error;
};

/* ---- text ---- */

static void put(struct metrics *m, struct buf *b, const char *text)
{
    if (!m->error) {
        m->error = buf_append(b, text, strlen(text));
    }
}

static void put_label(struct metrics *m, struct buf *b, const char *key, const char *value)
{
    put(m, b, key);
    put(m, b, "=\"");
    for (const char *c = value; *c; c++) {
        char one[2] = { *c, '\0' };
        put(m, b, *c == '\\' ? "\\\\" : *c == '"' ? "\\\"" : *c == '\n' ? "\\n" : one);
    }
    put(m, b, "\"");
}

/* The family's lines, unless it has them. */
static void put_family(struct metrics *m, struct buf *b, const struct metric *it)
{
    char text[400];

    if (m->family && strcmp(m->family, it->family) == 0) {
        return;
    }
    m->family = it->family;
    snprintf(text, sizeof(text), "# TYPE rusm_%s %s\n", it->family, it->type);
    put(m, b, text);
    if (it->unit) {
        snprintf(text, sizeof(text), "# UNIT rusm_%s %s\n", it->family, it->unit);
        put(m, b, text);
    }
    snprintf(text, sizeof(text), "# HELP rusm_%s %s\n", it->family, it->help);
    put(m, b, text);
}

static void put_value(struct metrics *m, struct buf *b, const struct rusm_field *f)
{
    char text[64];
    uint64_t n = f->number;

    if (f->type == RUSM_TYPE_SECONDS) {
        snprintf(text, sizeof(text), " %llu.%03llu\n", (unsigned long long)(n / 1000),
                 (unsigned long long)(n % 1000));
    } else if (f->type == RUSM_TYPE_MICROS) {
        snprintf(text, sizeof(text), " %llu.%06llu\n", (unsigned long long)(n / 1000000),
                 (unsigned long long)(n % 1000000));
    } else {
        snprintf(text, sizeof(text), " %llu\n", (unsigned long long)n);
    }
    put(m, b, text);
}

static void put_name(struct metrics *m, struct buf *b, const struct metric *it)
{
    put(m, b, "rusm_");
    put(m, b, it->family);
    put(m, b, strcmp(it->type, "counter") == 0 ? "_total" : "");
}

/* ---- rows ---- */

static const struct metric *metric_find(const struct metric *metrics, size_t count,
                                        const char *from)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(metrics[i].from, from) == 0) {
            return &metrics[i];
        }
    }
    return NULL;
}

static void node_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    static const struct metric info = { "", "node", "info", NULL, NULL, "The node." };
    const char *between = "";

    put_family(m, &m->text, &info);
    put(m, &m->text, "rusm_node_info{");
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text) {
            put(m, &m->text, between);
            put_label(m, &m->text, fields[i].column, fields[i].text);
            between = ",";
        }
    }
    put(m, &m->text, "} 1\n");
    for (size_t i = 0; i < count; i++) {
        const struct metric *it = metric_find(node_metrics, COUNT(node_metrics), fields[i].column);
        if (it) {
            put_family(m, &m->text, it);
            put_name(m, &m->text, it);
            put_value(m, &m->text, &fields[i]);
        }
    }
}

/* One that has no place in the table above is a counter by its own name. */
static void counter_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    const struct metric *it;
    char name[64];

    if (count < 2 || !fields[0].text) {
        return;
    }
    it = metric_find(counter_metrics, COUNT(counter_metrics), fields[0].text);
    snprintf(name, sizeof(name), "%s", fields[0].text);
    struct metric other = { name, name, "counter", NULL, NULL, "See rusm(7), COUNTERS." };
    it = it ? it : &other;
    put_family(m, &m->text, it);
    put_name(m, &m->text, it);
    if (it->label) {
        put(m, &m->text, "{");
        put(m, &m->text, it->label);
        put(m, &m->text, "}");
    }
    put_value(m, &m->text, &fields[1]);
    m->family = it == &other ? NULL : m->family; /* its name is gone */
}

static void peer_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    for (size_t i = 1; i < count && fields[0].text; i++) {
        const struct metric *it = metric_find(peer_metrics, COUNT(peer_metrics), fields[i].column);
        struct buf *b = it ? &m->peers[it - peer_metrics] : NULL;
        struct rusm_field value = fields[i];
        if (!it) {
            continue;
        }
        if (value.text) { /* its state */
            value.type = RUSM_TYPE_COUNT;
            value.number = strcmp(value.text, "connected") == 0;
        }
        put_name(m, b, it);
        put(m, b, "{");
        put_label(m, b, "peer", fields[0].text);
        put(m, b, "}");
        put_value(m, b, &value);
    }
}

/* ---- the request ---- */

static void on_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct metrics *m = context;
    m->row(m, fields, count);
}

static void on_part(struct exchange *x, const uint8_t *body, size_t len)
{
    struct metrics *m = x->state_of_handler;
    int error = rows_read(&m->rows, body, len, on_row, m);

    m->error = m->error ? m->error : error;
}

static void on_gone(struct exchange *x)
{
    struct metrics *m = x->state_of_handler;

    buf_fini(&m->text);
    for (size_t i = 0; i < COUNT(peer_metrics); i++) {
        buf_fini(&m->peers[i]);
    }
    free(m);
}

/* All of a table. False: it can't be had, and the request is answered. */
static bool gather(struct exchange *x, enum rusm_table table,
                   void (*row)(struct metrics *m, const struct rusm_field *fields, size_t count))
{
    struct metrics *m = x->state_of_handler;
    struct gateway *g = x->gateway;

    m->rows.columns_count = 0;
    m->row = row;
    x->job.op = GATEWAY_TABLE;
    x->job.table = table;
    work_begin(x);
    if (!x->working) {
        return false;
    }
    while (g->node->more(g->context, &x->job)) {}
    x->working = false;
    return true;
}

void metrics_get(struct exchange *x)
{
    struct metrics *m = calloc(1, sizeof(*m));

    if (!m) {
        answer_error(x, RUSM_ENOMEM, NULL);
        return;
    }
    buf_init(&m->text, LIMIT_HTTP_PART);
    for (size_t i = 0; i < COUNT(peer_metrics); i++) {
        buf_init(&m->peers[i], LIMIT_HTTP_PART);
    }
    x->state_of_handler = m;
    x->gone = on_gone;
    x->part = on_part;
    if (!gather(x, RUSM_TABLE_NODE, node_row) || !gather(x, RUSM_TABLE_COUNTERS, counter_row) ||
        !gather(x, RUSM_TABLE_PEERS, peer_row)) {
        return;
    }
    for (size_t i = 0; i < COUNT(peer_metrics); i++) {
        put_family(m, &m->text, &peer_metrics[i]);
        if (!m->error) {
            m->error = buf_append(&m->text, buf_data(&m->peers[i]), buf_len(&m->peers[i]));
        }
    }
    put(m, &m->text, "# EOF\n");
    if (m->error) {
        answer_error(x, m->error, NULL);
    } else {
        answer_copy(x, 200, METRICS_TYPE, buf_data(&m->text), buf_len(&m->text));
    }
}
