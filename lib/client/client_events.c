/* client_events: see the header. */
#include "client/client_events.h"

#include <stdlib.h>
#include <string.h>
#include "client/client_state.h"

static enum close_code on_hello(void *context, struct peer *p, const struct hello *hello)
{
    struct rusm_client *c = context;

    (void)p;
    if (hello->role != HELLO_NODE) {
        return CLOSE_WRONG_NODE;
    }
    memcpy(c->link.name, hello->name, hello->name_len);
    c->link.name[hello->name_len] = '\0';
    c->link.incarnation_there = hello->incarnation;
    c->link.max_message = hello->max_message;
    return c->node.expected[0] && strcmp(c->node.expected, c->link.name) != 0 ? CLOSE_WRONG_NODE
                                                                              : CLOSE_NONE;
}

static void on_peer_ready(void *context, struct peer *p)
{
    struct rusm_client *c = context;

    (void)p;
    c->link.ready = true;
}

static int on_frame(void *context, struct peer *p, const struct frame *frame)
{
    struct rusm_client *c = context;

    (void)p;
    if (frame->type == FRAME_REPLY) {
        struct reader r = reader_on(frame->body, frame->len);
        if (!client_follow_reply(c, frame, reader_varint(&r))) {
            client_request_reply(&c->request, frame);
        }
    } else if (frame->type == FRAME_PONG) {
        struct reader r = reader_on(frame->body, frame->len);
        c->link.pong = reader_u64(&r);
    }
    return 0;
}

static void on_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    struct rusm_client *c = context;

    (void)p;
    client_pending_receipt(&c->pending, receipt);
}

static void on_lane_opened(void *context, struct peer *p, struct lane_in *lane)
{
    (void)context, (void)p, (void)lane;
}

/* Returns whether the lane leads to our one process. A client takes nothing for others. */
static bool lane_is_ours(const struct rusm_client *c, const struct lane_in *lane)
{
    return lane->to.kind == TARGET_PID && lane->to.serial == CLIENT_SERIAL &&
           lane->to.incarnation == c->link.incarnation;
}

static enum delivery on_deliver(void *context, struct peer *p, struct lane_in *lane,
                                const struct record *record, const uint8_t *payload, void *block,
                                uint32_t wire_bytes)
{
    struct rusm_client *c = context;

    (void)p;
    if (!lane_is_ours(c, lane) || !client_pending_record(&c->pending, record, payload)) {
        return DELIVERY_DISCARDED;
    }
    struct credit *credit = peer_lane_credit(lane);
    credit_hold(credit);
    credit_give(credit, wire_bytes);
    free(block);
    return DELIVERY_TAKEN;
}

static int on_grant(void *context, struct peer *p, struct lane_in *lane,
                    const struct record *record)
{
    (void)p, (void)record;
    return lane_is_ours(context, lane) ? 1 : RUSM_ENOPROC;
}

static void on_grant_done(void *context, struct peer *p, struct lane_in *lane)
{
    (void)context, (void)p, (void)lane;
}

static void on_lane_closed(void *context, struct peer *p, struct lane_in *lane)
{
    (void)context, (void)p, (void)lane;
}

static void on_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    struct rusm_client *c = context;

    (void)p;
    if (lane_is_ours(c, lane)) {
        client_pending_broken(&c->pending, cause);
    }
}

static void on_writable(void *context, struct peer *p, uint64_t from)
{
    struct rusm_client *c = context;

    (void)p, (void)from;
    c->link.writable = true;
}

static void on_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause)
{
    struct rusm_client *c = context;

    (void)p, (void)from;
    if (records > 0) {
        client_pending_broken(&c->pending, cause);
    }
}

const struct peer_events client_events_peer = {
    .hello = on_hello,
    .ready = on_peer_ready,
    .frame = on_frame,
    .receipt = on_receipt,
    .lane_opened = on_lane_opened,
    .deliver = on_deliver,
    .grant = on_grant,
    .grant_done = on_grant_done,
    .lane_closed = on_lane_closed,
    .lane_lost = on_lane_lost,
    .writable = on_writable,
    .refused = on_refused,
};
