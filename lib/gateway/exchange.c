/* exchange: a request as it comes in, the time its client has, and the response's body as it goes
 * out. Called by the transports, on the gateway's thread. */
#include "gateway/exchange.h"
#include "gateway/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/must.h"
#include "gateway/route.h"

struct exchange *exchange_new(struct gateway *g, const struct exchange_options *options)
{
    struct exchange *x = g->count < LIMIT_HTTP_REQUESTS ? calloc(1, sizeof(*x)) : NULL;

    g->counters.requests++;
    if (!x) {
        g->counters.busy++;
        return NULL;
    }
    x->gateway = g;
    x->transport = options->transport;
    x->context = options->context;
    x->trusted = options->trusted;
    proxy_begin(&x->client, &g->proxies, options->from);
    x->content_length = UINT64_MAX;
    x->json = true;
    buf_init(&x->body, 0);
    list_init(&x->pieces);
    list_init(&x->job.link);
    list_init(&x->link);
    x->pulling = &x->pieces;
    g->count++;
    exchange_progress(x);
    return x;
}

static void piece_free(struct exchange *x, struct piece *p)
{
    if (p->owned) {
        x->charged -= p->len;
        x->gateway->budget += p->len;
    }
    list_remove(&p->link);
    free(p->owned);
    free(p);
}

void exchange_cancel(struct exchange *x)
{
    void (*gone)(struct exchange * x) = x ? x->gone : NULL;

    if (!x) {
        return;
    }
    x->gave_up = true;
    x->state = EXCHANGE_ANSWERED; /* ignore whatever still comes */
    if (x->working) {
        x->working = false;
        x->gateway->node->cancel(x->gateway->context, &x->job);
    }
    x->gone = NULL;
    x->drained = NULL;
    if (gone) {
        gone(x);
    }
    exchange_progress(x);
}

void exchange_free(struct exchange *x)
{
    if (!x) {
        return;
    }
    exchange_cancel(x);
    list_each_safe(link, &x->pieces) {
        piece_free(x, container_of(link, struct piece, link));
    }
    url_fini(&x->url);
    buf_fini(&x->body);
    list_remove(&x->link);
    x->gateway->budget += x->charged;
    x->gateway->count--;
    free(x);
}

bool exchange_charge(struct exchange *x, uint64_t bytes)
{
    if (bytes > x->gateway->budget) {
        return false;
    }
    x->gateway->budget -= bytes;
    x->charged += bytes;
    return true;
}

/* The budget that the response's body takes stays charged. */
void exchange_body_free(struct exchange *x)
{
    uint64_t len = buf_len(&x->body);

    must(len <= x->charged);
    x->charged -= len;
    x->gateway->budget += len;
    buf_fini(&x->body);
}

bool exchange_allowed(const struct exchange *x)
{
    return x->trusted || x->bearer;
}

/* ---- the client's time ---- */

void exchange_progress(struct exchange *x)
{
    struct gateway *g = x->gateway;
    bool clients = x->state < EXCHANGE_WORKING || (x->state == EXCHANGE_ANSWERED && x->waiting > 0);

    x->progress_ns = g->now_ns;
    x->progress_bytes = 0;
    list_remove(&x->link);
    if (x->broken && !x->gave_up) {
        list_prepend(&g->clients, &x->link); /* the next exchange_tick gives it up */
    } else {
        list_append(clients && !x->gave_up ? &g->clients : &g->others, &x->link);
    }
}

static void progressed(struct exchange *x, size_t len)
{
    x->progress_bytes += len;
    if (x->progress_bytes >= LIMIT_HTTP_PROGRESS) {
        exchange_progress(x);
    }
}

uint64_t exchange_tick(struct gateway *g)
{
    while (!list_empty(&g->clients)) {
        struct exchange *x = container_of(list_first(&g->clients), struct exchange, link);
        if (!x->broken && g->now_ns < x->progress_ns + LIMIT_HTTP_STALL_NS) {
            return x->progress_ns + LIMIT_HTTP_STALL_NS;
        }
        if (x->state < EXCHANGE_WORKING) {
            answer_fail(x, 408, "the request did not come within %u s: send it faster",
                        (unsigned)(LIMIT_HTTP_STALL_NS / 1000000000));
        } else {
            x->gave_up = true;
            g->counters.slow += !x->broken;
            exchange_progress(x);
            x->transport->give_up(x->context, x);
        }
    }
    return UINT64_MAX;
}

/* ---- the request ---- */

static bool is(const char *name, size_t len, const char *what)
{
    return len == strlen(what) && strncasecmp(name, what, len) == 0;
}

static void field_method(struct exchange *x, const char *value, size_t len)
{
    x->head_only = len == 4 && memcmp(value, "HEAD", 4) == 0;
    if (len < sizeof(x->method) && !memchr(value, '\0', len)) {
        memcpy(x->method, value, len);
        x->method[len] = '\0';
    } else {
        memcpy(x->method, "?", 2);
    }
}

static void field_path(struct exchange *x, const char *value, size_t len)
{
    int error = len > LIMIT_HTTP_TARGET ? RUSM_ETOOLARGE : url_parse(&x->url, value, len);

    x->overflow |= error == RUSM_ETOOLARGE;
    x->no_memory |= error == RUSM_ENOMEM;
    x->bad |= error == RUSM_EINVAL;
}

/* Takes a new token if its file has changed. */
static void renew_token(struct gateway *g)
{
    struct rusm_why why = { "" };
    int news = token_look(&g->token, g->now_ns, &why);

    if (news > 0) {
        log_info(g->log, "HTTP clients need the new token now: %s has changed", g->token.path);
    } else if (news < 0) {
        log_warn(g->log, "%s. HTTP clients still need the old token", why.text);
    }
}

static void field_token(struct exchange *x, const char *value, size_t len)
{
    struct gateway *g = x->gateway;

    if (x->trusted || x->bearer) {
        return;
    }
    x->tried = true;
    renew_token(g);
    x->bearer = token_is(&g->token, value, len);
    x->wrong += !x->bearer;
}

/* Counts the wrong tokens, now that it is known who sent them. */
static void count_wrong(struct exchange *x)
{
    struct gateway *g = x->gateway;
    struct sockaddr_in6 from;
    char text[PROXY_TEXT];

    if (x->overflow) {
        proxy_forget(&x->client);
    }
    if (x->wrong == 0) {
        return;
    }
    proxy_address(&x->client, &from);
    uint32_t origin = token_origin(&g->token, (const struct sockaddr *)&from);
    for (unsigned i = 0; i < x->wrong; i++) {
        x->throttled = !x->bearer && token_throttled(&g->token, origin, g->now_ns);
        if (!x->throttled) {
            token_wrong(&g->token, origin, g->now_ns);
        }
    }
    if (x->throttled && g->repeat) {
        char key[PROXY_TEXT + 16];
        proxy_text(&x->client, text);
        snprintf(key, sizeof(key), "wrong token %s", text);
        repeat_warn(g->repeat, g->now_ns, key,
                    "HTTP client %s: more than %d wrong tokens within %u s", text, LIMIT_HTTP_WRONG,
                    (unsigned)(LIMIT_HTTP_WRONG_NS / 1000000000));
    }
}

static void field_length(struct exchange *x, const char *value, size_t len)
{
    uint64_t length = 0;

    for (size_t i = 0; i < len; i++) {
        if (value[i] < '0' || value[i] > '9' || length > UINT64_MAX / 10 - 10) {
            x->bad = true;
            return;
        }
        length = length * 10 + (uint64_t)(value[i] - '0');
    }
    x->content_length = length;
}

static void field_type(struct exchange *x, const char *value, size_t len)
{
    static const char json[] = "application/json";
    const size_t json_len = sizeof(json) - 1;

    x->json = len >= json_len && strncasecmp(value, json, json_len) == 0 &&
              (len == json_len || value[json_len] == ';' || value[json_len] == ' ');
}

void exchange_field(struct exchange *x, const char *name, size_t name_len, const char *value,
                    size_t value_len)
{
    x->field_bytes += name_len + value_len;
    if (x->field_bytes > LIMIT_HTTP_FIELDS) {
        x->overflow = true;
        return;
    }
    if (x->state != EXCHANGE_FIELDS_COME) {
        return;
    }
    if (is(name, name_len, ":method")) {
        field_method(x, value, value_len);
    } else if (is(name, name_len, ":path")) {
        field_path(x, value, value_len);
    } else if (is(name, name_len, "authorization")) {
        field_token(x, value, value_len);
    } else if (is(name, name_len, "content-length")) {
        field_length(x, value, value_len);
    } else if (is(name, name_len, "content-type")) {
        field_type(x, value, value_len);
    } else if (is(name, name_len, "x-forwarded-for")) {
        proxy_field(&x->client, &x->gateway->proxies, value, value_len);
    } else if (is(name, name_len, "accept")) {
        accept_add(&x->accept, value, value_len);
    }
}

/* Refuses a request with a body of that length, if the route or the budget does not allow it.
 * Returns whether it has done so. */
static bool refuse_length(struct exchange *x, uint64_t length)
{
    if (length > 0 && x->route->body == 0) {
        answer_fail(x, 413, "%s %s takes no body: send none", x->method, x->route->path);
    } else if (length > x->route->body) {
        answer_fail(x, 413, "the body has more than %zu bytes: send less", x->route->body);
    } else if (length > x->gateway->budget + buf_len(&x->body)) {
        answer_fail(x, 503, "the node holds too many request bodies now: try again");
    } else {
        return false;
    }
    return true;
}

bool exchange_head_end(struct exchange *x)
{
    if (x->state != EXCHANGE_FIELDS_COME) {
        return false;
    }
    exchange_progress(x);
    count_wrong(x);
    x->route = x->gateway->find_route(x);
    if (!x->route) {
        return false;
    }
    if (x->content_length != UINT64_MAX && refuse_length(x, x->content_length)) {
        return false;
    }
    buf_init(&x->body, x->route->body);
    x->state = EXCHANGE_BODY_COMES;
    return true;
}

bool exchange_body(struct exchange *x, const void *data, size_t len)
{
    if (x->state != EXCHANGE_BODY_COMES) {
        return false;
    }
    if (len == 0) {
        return true;
    }
    if (refuse_length(x, buf_len(&x->body) + len)) {
        exchange_body_free(x);
        return false;
    }
    if (buf_append(&x->body, data, len) != 0) {
        exchange_body_free(x);
        answer_fail(x, 503, "the node has no memory for the body: try again");
        return false;
    }
    must(exchange_charge(x, len));
    progressed(x, len);
    return true;
}

void exchange_end(struct exchange *x)
{
    if (x->state != EXCHANGE_BODY_COMES) {
        return;
    }
    x->state = EXCHANGE_WORKING;
    exchange_progress(x);
    x->route->handle(x);
}

/* ---- the response ---- */

const struct exchange_head *exchange_head(const struct exchange *x)
{
    return x->state == EXCHANGE_ANSWERED ? &x->head : NULL;
}

size_t exchange_pull(struct exchange *x, const uint8_t **data, size_t cap, bool *end)
{
    struct piece *p;
    size_t len;

    *data = NULL;
    *end = false;
    if (x->state != EXCHANGE_ANSWERED) {
        return 0;
    }
    if (x->gave_up) {
        *end = true;
        return 0;
    }
    if (x->pulling == &x->pieces) { /* no piece is begun: take the first one that was not pulled */
        x->pulling = x->behind ? x->behind->next : x->pieces.next;
        x->pulled = 0;
    }
    if (x->pulling == &x->pieces) {
        *end = !x->streaming;
        return 0;
    }
    p = container_of(x->pulling, struct piece, link);
    len = p->len - x->pulled < cap ? p->len - x->pulled : cap;
    *data = p->data + x->pulled;
    x->pulled += len;
    if (x->pulled == p->len) {
        x->behind = x->pulling;
        x->pulling = x->pulling->next;
        x->pulled = 0;
    }
    *end = x->pulling == &x->pieces && !x->streaming;
    return len;
}

void exchange_acked(struct exchange *x, size_t len)
{
    progressed(x, len);
    while (len > 0 && !list_empty(&x->pieces)) {
        struct piece *p = container_of(list_first(&x->pieces), struct piece, link);
        size_t part = p->len - x->acked < len ? p->len - x->acked : len;
        x->acked += part;
        x->waiting -= part;
        len -= part;
        if (x->acked == p->len) {
            must(x->pulling != &p->link);
            x->acked = 0;
            if (x->behind == &p->link) {
                x->behind = NULL;
            }
            piece_free(x, p);
        }
    }
    must(len == 0);
    if (x->waiting == 0) {
        exchange_progress(x); /* the client has taken all that there is */
        if (x->streaming && x->drained) {
            x->drained(x);
        }
    }
}
