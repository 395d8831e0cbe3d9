/* client: see the header. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "client/client_events.h"

#define TIMEOUT_MS 5000
/* After a pause this long, first read what came meanwhile. */
#define NAP_NS ((uint64_t)1000000)
/* After a pause this long, the node may have dropped us. Ask it before anything depends on it. */
#define PAUSE_NS ((uint64_t)1000000000)

static int text_copy(char **out, const char *text)
{
    *out = text ? strdup(text) : NULL;
    return text && !*out ? RUSM_ENOMEM : 0;
}

int client_new(struct rusm_client **out, const struct rusm_client_options *options,
               struct rusm_why *why)
{
    int error = options ? err_reserved(options->reserved,
                                       sizeof(options->reserved) / sizeof(*options->reserved), why)
                        : 0;

    if (error) {
        return error;
    }
    struct rusm_client *c = calloc(1, sizeof(*c));
    if (!c) {
        return RUSM_ENOMEM;
    }
    client_pending_init(&c->pending, &c->link);
    client_request_init(&c->request, &c->link);
    error = client_link_init(&c->link, &c->node,
                             options && options->timeout_ms ? options->timeout_ms : TIMEOUT_MS,
                             &client_events_peer, c);
    c->link.deadline_ns = options ? options->deadline_ns : 0;
    if (!error) {
        error = text_copy(&c->node.rundir, options ? options->rundir : NULL);
    }
    if (!error) {
        error = text_copy(&c->identity_given, options ? options->identity : NULL);
    }
    if (!error) {
        error = rusm_identity_path(c->identity_given, c->node.identity_path,
                                   sizeof(c->node.identity_path));
        if (error) {
            err_why(why, error, "no home folder for the identity: set RUSM_IDENTITY or HOME");
        }
    } else {
        err_why(why, error, "%s", rusm_strerror(error));
    }
    if (error) {
        rusm_client_close(c);
        return error;
    }
    *out = c;
    return 0;
}

/* Finds the node, dials it and waits for its hello. Returns 0 or an error. */
static int client_connect(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    int error = client_node_locate(&c->node, why);

    client_follow_lost(c->follow);
    client_pending_calls_lost(&c->pending, RUSM_ENOCONN);
    if (!error && !c->link.identity) {
        error = identity_load(c->node.identity_path, &c->link.identity, why);
    }
    if (!error) {
        error = client_link_dial(&c->link, deadline_ns, why);
    }
    if (error) {
        return error;
    }
    while (!c->link.ready && error == 0) {
        error = client_link_step(&c->link, deadline_ns);
    }
    if (!c->link.ready) {
        error = client_link_why_dial(&c->link, why);
        client_link_drop(&c->link);
        return error;
    }
    client_link_watch(&c->link);
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
    error = text_copy(&c->node.wanted, node);
    if (!error) {
        error = client_connect(c, client_link_deadline(&c->link), why);
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
    client_pending_unask(&c->pending); /* while the clients of other nodes are there */
    while (c->others) {
        struct rusm_client *other = c->others;
        c->others = other->next;
        rusm_client_close(other);
    }
    client_link_fini(&c->link);
    client_pending_forget(&c->pending);
    client_request_fini(&c->request);
    client_follow_free(c->follow);
    identity_free(c->link.identity);
    free(c->node.wanted);
    free(c->node.rundir);
    free(c->identity_given);
    free(c);
}

void rusm_client_deadline(struct rusm_client *c, uint64_t deadline_ns)
{
    c->link.deadline_ns = deadline_ns;
    for (struct rusm_client *other = c->others; other; other = other->next) {
        other->link.deadline_ns = deadline_ns;
    }
}

const char *rusm_client_node(const struct rusm_client *client)
{
    return client->link.name;
}

/* Makes a round trip, to see whether the node still knows us. Ends the connection if not. */
static void client_ping(struct rusm_client *c, uint64_t deadline_ns)
{
    uint64_t half_ns = endpoint_now_ns() + (uint64_t)c->link.timeout_ms * 1000000 / 2;
    uint64_t want = ++c->link.pings;
    uint8_t body[8];
    struct writer w = writer_on(body, sizeof(body));

    writer_u64(&w, want);
    int error = peer_send_frame(c->link.peer, FRAME_PING, true, body, sizeof(body));
    while (!error && c->link.pong != want) {
        error = client_link_step(&c->link, half_ns < deadline_ns ? half_ns : deadline_ns);
    }
    if (error) {
        client_link_drop(&c->link);
    }
}

int client_wake(struct rusm_client *c, uint64_t deadline_ns, struct rusm_why *why)
{
    uint64_t slept_ns = endpoint_now_ns() - c->link.stepped_ns;

    /* If no message is under way, the operation costs a round trip anyway. In a stream of messages,
     * look seldom. */
    if ((c->pending.post_count == 0 && c->pending.asked_count == 0) || slept_ns >= NAP_NS) {
        client_link_poll(&c->link);
    }
    if (c->link.peer && slept_ns >= PAUSE_NS && c->pending.post_count == 0) {
        client_ping(c, deadline_ns);
    }
    if (!c->link.over) {
        return 0;
    }
    if (c->pending.post_count > 0) {
        client_pending_forget(&c->pending);
        return client_link_why_over(&c->link, why);
    }
    c->global[0] = '\0';
    return client_connect(c, deadline_ns, why);
}
