/* fuzz: requests to the gateway (lib/gateway), as a transport hands them over. A request is a line
 * with the method and path, lines "name: value", an empty line, and the body, which comes in
 * pieces. Another request follows a 0 byte. The last bytes of the input are the orders of the node
 * and of the client that reads. */
#include "doubles/fuzz_gateway.h"
#include "gateway/route.h"

#include <netinet/in.h>

static struct http_world world;
static bool gave_up;

static void on_ready(void *context, struct exchange *x)
{
    struct http_world *w = context;

    must(w == &world);
    http_head_ok(exchange_head(x));
}

static void on_give_up(void *context, struct exchange *x)
{
    (void)context;
    exchange_cancel(x);
    gave_up = true;
}

static const struct gateway_transport transport = { .ready = on_ready, .give_up = on_give_up };

/* Returns the next line without its end, and moves on behind it. */
static const char *line(const char **at, const char *end, size_t *len)
{
    const char *start = *at, *stop = memchr(start, '\n', (size_t)(end - start));

    *len = (size_t)((stop ? stop : end) - start);
    *at = stop ? stop + 1 : end;
    return start;
}

static void head(struct exchange *x, const char **at, const char *end)
{
    size_t len;
    const char *text = line(at, end, &len), *blank = memchr(text, ' ', len);
    size_t method = blank ? (size_t)(blank - text) : len;

    exchange_field(x, ":method", 7, text, method);
    if (blank) {
        exchange_field(x, ":path", 5, blank + 1, len - method - 1);
    }
    while (*at < end) {
        text = line(at, end, &len);
        if (len == 0) {
            break;
        }
        const char *colon = memchr(text, ':', len);
        size_t name = colon ? (size_t)(colon - text) : len;
        size_t skip = colon && name + 1 < len && colon[1] == ' ' ? 2 : colon ? 1 : 0;
        exchange_field(x, text, name, text + name + skip, len - name - skip);
    }
}

/* Reads the response in pieces, acknowledges them late, lets time pass, or goes away. */
static void response(struct exchange *x)
{
    struct http_world *w = &world;
    char body[32768];
    size_t len = 0, unacked = 0;
    bool end = false;

    for (unsigned i = 0; i < 200 && !end && !gave_up; i++) {
        const uint8_t *data;
        size_t n = exchange_pull(x, &data, 1 + fuzz_below(&w->in, 512), &end);
        must(n == 0 || exchange_head(x));
        if (len + n > sizeof(body)) {
            return;
        }
        if (n > 0) {
            memcpy(body + len, data, n);
        }
        len += n;
        unacked += n;
        switch (fuzz_below(&w->in, 16)) {
        case 1: http_outcome(w); break;
        case 2: http_pass(w); break;
        case 3: return;
        case 4: break;
        default:
            if (unacked > 0) {
                exchange_acked(x, unacked);
                unacked = 0;
            }
            if (n == 0 && !end) {
                http_outcome(w);
            }
        }
    }
    if (end && !gave_up && fuzz_below(&w->in, 4) != 3 && !x->head_only) {
        http_body_ok(exchange_head(x), body, len);
    }
}

static void request(const char *at, const char *end)
{
    struct http_world *w = &world;
    struct sockaddr_in from = { .sin_family = AF_INET };
    struct exchange_options o = { .transport = &transport,
                                  .context = w,
                                  .from = (struct sockaddr *)&from,
                                  .trusted = fuzz_below(&w->in, 8) != 7 };
    struct exchange *x = exchange_new(w->gateway, &o);
    bool more;

    must(x);
    gave_up = false;
    head(x, &at, end);
    more = exchange_head_end(x);
    must(more == !exchange_head(x));
    must(exchange_allowed(x) || !more || x->route->access == ROUTE_OPEN);
    while (more && at < end) {
        size_t n = 1 + fuzz_below(&w->in, 4096);
        n = n < (size_t)(end - at) ? n : (size_t)(end - at);
        more = exchange_body(x, at, n);
        must(more || exchange_head(x));
        at += n;
    }
    if (more) {
        exchange_end(x);
    }
    response(x);
    exchange_free(x);
    must(gateway_pending(w->gateway) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t orders = len < 64 ? len / 4 : 32 + len / 16;
    const char *at = (const char *)data, *end = (const char *)data + (len - orders);

    if (len > 65536) {
        return 0;
    }
    http_open(&world, data + (len - orders), orders);
    while (at < end) {
        const char *stop = memchr(at, '\0', (size_t)(end - at));
        request(at, stop ? stop : end);
        at = stop ? stop + 1 : end;
    }
    http_close(&world);
    return 0;
}
