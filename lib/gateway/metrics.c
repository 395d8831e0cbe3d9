/* metrics: see the header. */
#include "gateway/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gateway/exchange.h"
#include "gateway/limits.h"
#include "gateway/rows.h"
#include "gateway/work.h"

static const char *const metrics_types[ACCEPT_FORMATS] = {
    [ACCEPT_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
    [ACCEPT_OPEN] = "application/openmetrics-text; version=1.0.0; charset=utf-8",
    [ACCEPT_OPEN_OLD] = "application/openmetrics-text; version=0.0.1; charset=utf-8",
};

struct metrics {
    const struct gateway_node *node;
    bool open; /* OpenMetrics, which names families without _total and knows units and an end */
    struct rows rows;
    void (*row)(struct metrics *m, const struct rusm_field *fields, size_t count);
    struct buf text;
    struct buf peers[TABLE_COLUMNS_MAX]; /* samples by column: a family must be in one piece */
    const char *family;                  /* the last one that has begun */
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

/* Returns what the names of a metric's samples have more than its family's. */
static const char *suffix_of(const struct gateway_metric *it)
{
    return strcmp(it->type, "counter") == 0 ? "_total"
           : strcmp(it->type, "info") == 0  ? "_info"
                                            : "";
}

/* Writes the lines that begin a family, unless the metric before was of the same family. */
static void put_family(struct metrics *m, struct buf *b, const struct gateway_metric *it)
{
    const char *type = m->open || strcmp(it->type, "info") != 0 ? it->type : "gauge";
    char text[400], name[100];

    if (m->family && strcmp(m->family, it->family) == 0) {
        return;
    }
    m->family = it->family;
    snprintf(name, sizeof(name), "rusm_%s%s", it->family, m->open ? "" : suffix_of(it));
    snprintf(text, sizeof(text), "# TYPE %s %s\n", name, type);
    put(m, b, text);
    if (it->unit && m->open) {
        snprintf(text, sizeof(text), "# UNIT %s %s\n", name, it->unit);
        put(m, b, text);
    }
    snprintf(text, sizeof(text), "# HELP %s %s\n", name, it->help);
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

static void put_name(struct metrics *m, struct buf *b, const struct gateway_metric *it)
{
    put(m, b, "rusm_");
    put(m, b, it->family);
    put(m, b, suffix_of(it));
}

/* ---- rows ---- */

static void node_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    static const struct gateway_metric info = { "node", "info", .help = "The node." };
    const char *between = "";

    put_family(m, &m->text, &info);
    put_name(m, &m->text, &info);
    put(m, &m->text, "{");
    for (size_t i = 0; i < count; i++) {
        if (fields[i].text) {
            put(m, &m->text, between);
            put_label(m, &m->text, fields[i].column, fields[i].text);
            between = ",";
        }
    }
    put(m, &m->text, "} 1\n");
    for (size_t i = 0; i < count; i++) {
        const struct gateway_metric *it = m->node->metric(RUSM_TABLE_NODE, fields[i].column);
        if (it) {
            put_family(m, &m->text, it);
            put_name(m, &m->text, it);
            put_value(m, &m->text, &fields[i]);
        }
    }
}

static void counter_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    const struct gateway_metric *it =
        count < 2 || !fields[0].text ? NULL : m->node->metric(RUSM_TABLE_COUNTERS, fields[0].text);

    if (!it) {
        return;
    }
    put_family(m, &m->text, it);
    put_name(m, &m->text, it);
    if (it->label) {
        put(m, &m->text, "{");
        put(m, &m->text, it->label);
        put(m, &m->text, "}");
    }
    put_value(m, &m->text, &fields[1]);
}

static void peer_row(struct metrics *m, const struct rusm_field *fields, size_t count)
{
    for (size_t i = 1; i < count && fields[0].text; i++) {
        const struct gateway_metric *it = m->node->metric(RUSM_TABLE_PEERS, fields[i].column);
        struct buf *b = &m->peers[i];
        struct rusm_field value = fields[i];
        if (!it || (value.text && it->unless && strcmp(value.text, it->unless) == 0)) {
            continue;
        }
        if (value.text) {
            value.type = RUSM_TYPE_COUNT;
            value.number = it->is && strcmp(value.text, it->is) == 0;
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
    for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++) {
        buf_fini(&m->peers[i]);
    }
    free(m);
}

/* Reads a whole table and calls `row` for each row. If it can't, it has answered the request and
 * returns false. */
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
    enum accept_format format = accept_best(&x->accept);
    m->node = x->gateway->node;
    m->open = format != ACCEPT_TEXT;
    buf_init(&m->text, LIMIT_HTTP_PART);
    for (size_t i = 0; i < TABLE_COLUMNS_MAX; i++) {
        buf_init(&m->peers[i], LIMIT_HTTP_PART);
    }
    x->state_of_handler = m;
    x->gone = on_gone;
    x->part = on_part;
    if (!gather(x, RUSM_TABLE_NODE, node_row) || !gather(x, RUSM_TABLE_COUNTERS, counter_row) ||
        !gather(x, RUSM_TABLE_PEERS, peer_row)) {
        return;
    }
    for (size_t i = 0; i < m->rows.columns_count; i++) {
        const struct gateway_metric *it =
            x->gateway->node->metric(RUSM_TABLE_PEERS, m->rows.columns[i].name);
        if (it) {
            put_family(m, &m->text, it);
        }
        if (it && !m->error) {
            m->error = buf_append(&m->text, buf_data(&m->peers[i]), buf_len(&m->peers[i]));
        }
    }
    put(m, &m->text, m->open ? "# EOF\n" : "");
    if (m->error) {
        answer_error(x, m->error, NULL);
    } else {
        answer_field(x, "vary", "accept");
        answer_copy(x, 200, metrics_types[format], buf_data(&m->text), buf_len(&m->text));
    }
}
