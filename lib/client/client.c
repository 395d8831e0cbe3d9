/* client: the life of one: open, close, and waking up after a pause. See client.h. */
#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/rng.h"

#define TIMEOUT_MS 5000
/* After a nap this long what came meanwhile is read first. */
#define NAP_NS ((uint64_t)1000000)
/* After a pause this long the node may have given us up: asked before anything hangs on it. */
#define PAUSE_NS ((uint64_t)1000000000)
#define REPLIES_MAX ((size_t)256 * 1024 * 1024)

uint64_t client_deadline(const struct rusm_client *c)
{
    return endpoint_now_ns() + (uint64_t)c->timeout_ms * 1000000;
}

const char *client_seconds(const struct rusm_client *c, char text[16])
{
    snprintf(text, 16, "%g s", c->timeout_ms / 1000.0);
    return text;
}

char *client_copy(const void *data, size_t len)
{
    char *copy = malloc(len + 1);

    if (copy) {
        if (len > 0) {
            memcpy(copy, data, len);
        }
        copy[len] = '\0';
    }
    return copy;
}

static int copy_text(char **out, const char *text)
{
    *out = text ? client_copy(text, strlen(text)) : NULL;
    return text && !*out ? RUSM_ENOMEM : 0;
}

int client_new(struct rusm_client **out, const struct rusm_client_options *options,
               struct rusm_why *why)
{
    for (size_t i = 0; options && i < sizeof(options->reserved) / sizeof(*options->reserved); i++) {
        if (options->reserved[i]) {
            return err_why(why, RUSM_EINVAL,
                           "the options are not of rusm %s: set the struct to zero before it is "
                           "filled",
                           RUSM_VERSION);
        }
    }
    struct rusm_client *c = calloc(1, sizeof(*c));
    int error;

    if (!c) {
        return RUSM_ENOMEM;
    }
    buf_init(&c->replies, REPLIES_MAX);
    c->over = true;
    c->watch_fd = -1;
    lane_pools_init(&c->pools);
    lane_budget_init(&c->budget, 1);
    c->timeout_ms = options && options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    error = copy_text(&c->rundir_given, options ? options->rundir : NULL);
    if (!error) {
        error = copy_text(&c->identity_given, options ? options->identity : NULL);
    }
    if (!error) {
        error = rusm_identity_path(c->identity_given, c->identity_path, sizeof(c->identity_path));
    }
    if (!error) {
        error = rng_secret(&c->seed, sizeof(c->seed));
    }
    if (!error) {
        error = rng_secret(&c->incarnation, sizeof(c->incarnation));
        c->incarnation |= 1; /* never 0 */
    }
    if (error) {
        rusm_client_close(c);
        return err_why(why, error, "%s", rusm_strerror(error));
    }
    *out = c;
    return 0;
}

/* Locates, dials, waits for the node's hello. */
static int client_connect(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    int error = client_locate(c, why);

    if (!error && !c->identity) {
        error = identity_load(c->identity_path, &c->identity, why);
    }
    if (!error) {
        error = link_dial(c, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    while (!c->ready && error == 0) {
        error = link_step(c, deadline_ns);
    }
    if (!c->ready) {
        error = link_why_dial(c, why);
        link_drop(c);
        return error;
    }
    link_watch(c);
    return 0;
}

int rusm_client_open(struct rusm_client **client, const struct rusm_client_options *options,
                     const char *node, struct rusm_why *why)
{
    struct rusm_client *c;
    int error = client_new(&c, options, why);

    *client = NULL;
    if (error) {
        return error;
    }
    error = copy_text(&c->wanted, node);
    if (!error) {
        error = client_connect(c, client_deadline(c), why);
    }
    if (error) {
        rusm_client_close(c);
        return error;
    }
    *client = c;
    return 0;
}

void rusm_client_close(struct rusm_client *c)
{
    if (!c) {
        return;
    }
    while (c->others) {
        struct rusm_client *other = c->others;
        c->others = other->next;
        rusm_client_close(other);
    }
    link_drop(c);
    client_posts_forget(c);
    identity_free(c->identity);
    lane_pools_fini(&c->pools);
    buf_fini(&c->replies);
    free(c->call.reply);
    free(c->wanted);
    free(c->rundir_given);
    free(c->identity_given);
    free(c);
}

const char *rusm_client_node(const struct rusm_client *client)
{
    return client->node;
}

/* A round trip to see whether the node still knows us. */
static void client_ping(struct rusm_client *c, uint64_t deadline_ns)
{
    uint64_t half_ns = endpoint_now_ns() + (uint64_t)c->timeout_ms * 1000000 / 2;
    uint64_t want = ++c->pings;
    uint8_t body[8];
    struct writer w = writer_on(body, sizeof(body));

    writer_u64(&w, want);
    int error = peer_send_frame(c->peer, FRAME_PING, true, body, sizeof(body));
    while (!error && c->pong != want) {
        error = link_step(c, half_ns < deadline_ns ? half_ns : deadline_ns);
    }
    if (error) {
        link_drop(c);
    }
}

int client_wake(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    uint64_t slept_ns = endpoint_now_ns() - c->stepped_ns;

    /* With nothing on its way a call costs a round trip anyway; a stream of posts looks seldom. */
    if (c->post_count == 0 || slept_ns >= NAP_NS) {
        link_poll(c);
    }
    if (c->peer && slept_ns >= PAUSE_NS && c->post_count == 0) {
        client_ping(c, deadline_ns);
    }
    if (!c->over) {
        return 0;
    }
    if (c->post_count > 0) {
        client_posts_forget(c);
        return link_why_over(c, why);
    }
    c->global[0] = '\0';
    return client_connect(c, deadline_ns, why);
}
