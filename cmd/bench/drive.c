/* drive: the parent's side of a load: gives orders to its nodes, and waits until they are done. */
#include "load.h"

#include <stdlib.h>
#include <string.h>

#define DRIVE_POLL_MS 20

int load_order(struct cluster *c, const struct bench *b, size_t index,
               const struct load_order *order, struct load_state *state)
{
    struct rusm_why why;
    void *reply;
    size_t len;
    int error = rusm_client_call(c->node[index].client, "load", false, order, sizeof(*order),
                                 &reply, &len, &why);

    if (error != 0) {
        return failure_report(b->options->cmd, error, &why);
    }
    bool good = len == sizeof(*state);
    if (good && state) {
        memcpy(state, reply, sizeof(*state));
    }
    free(reply);
    return good ? 0 : failure_say(b->options->cmd, EXIT_FAILED, "bad answer");
}

int load_probe(struct cluster *c, const struct bench *b, const char *what, size_t from, size_t to,
               struct histogram *rtt, uint64_t *lost)
{
    struct load_order order = { .what = LOAD_PROBE, .duration_ns = b->seconds * 1000000000 };
    struct load_state state;

    snprintf(order.node, sizeof(order.node), "%s", c->node[to].name);
    int status = load_order(c, b, from, &order, &state);
    if (status != 0) {
        return status;
    }
    order.what = LOAD_ASK;
    common_wait(b, what, b->seconds * 1000);
    status = load_order(c, b, from, &order, &state);
    for (uint32_t waited = 0; status == 0 && state.probing && waited < b->timeout_ms;
         waited += DRIVE_POLL_MS) {
        common_wait(b, NULL, DRIVE_POLL_MS);
        status = load_order(c, b, from, &order, &state);
    }
    *lost += state.asked - state.answered;
    *rtt = state.rtt;
    return status;
}

/* Asks all nodes once. Gives the taker's state, what all nodes have sent, and how many senders are
 * not done. */
static int drive_look(struct cluster *c, const struct bench *b, size_t to, struct load_state *taker,
                      uint64_t *sent, uint32_t *sending)
{
    const struct load_order ask = { .what = LOAD_ASK };
    uint64_t send_ns = UINT64_MAX;
    struct load_state state;
    int status = 0;

    *sent = 0;
    *sending = 0;
    for (size_t i = 0; status == 0 && i < c->nodes; i++) {
        status = load_order(c, b, i, &ask, &state);
        *sent += state.sent;
        *sending += state.sending;
        if (state.sent && state.send_ns < send_ns) {
            send_ns = state.send_ns;
        }
    }
    status = status == 0 ? load_order(c, b, to, &ask, taker) : status;
    taker->send_ns = send_ns;
    return status;
}

int load_drain(struct cluster *c, const struct bench *b, size_t to, struct load_state *taker,
               uint64_t *lost)
{
    uint64_t sent = 0, last = UINT64_MAX;
    uint32_t sending = 0, quiet = 0;
    int status = 0;

    /* While messages arrive, none counts as lost. What is missing counts as lost after a timeout in
     * which nothing came. */
    for (;;) {
        status = drive_look(c, b, to, taker, &sent, &sending);
        if (status != 0 || (sending == 0 && taker->taken == sent) || quiet >= b->timeout_ms) {
            break;
        }
        quiet = taker->taken == last ? quiet + DRIVE_POLL_MS : 0;
        last = taker->taken;
        common_wait(b, NULL, DRIVE_POLL_MS);
    }
    *lost += sent - taker->taken;
    return status;
}
