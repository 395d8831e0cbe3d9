/* frames: which function takes what arrives on a node's connections. There is a row for each frame
 * of the control stream, and one for each other upcall of the peer room. A new frame needs a row
 * here and one in wire/frame.h. */
#include "node/frames.h"

#include "node/clock.h"
#include "node/connection.h"
#include "node/exits.h"
#include "node/feed.h"
#include "node/follower.h"
#include "node/http.h"
#include "node/globals.h"
#include "node/hello.h"
#include "node/liveness.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/router.h"
#include "node/rpc.h"
#include "node/seeds.h"
#include "node/spawn_at.h"
#include "node/tables.h"
#include "node/tracer.h"

static int frames_names(struct connection *c, const struct frame *frame)
{
    struct scheduler *s = c->scheduler;
    globals_lock(s);
    int error =
        registry_recv(s->node->registry, c->index, frame->body, frame->len, clock_wall_ms());
    globals_unlock(s);
    return error;
}

static int frames_nodes(struct connection *c, const struct frame *frame)
{
    member_lock(c->scheduler->node);
    int error = members_told(c, frame);
    member_unlock(c->scheduler->node);
    return error;
}

static int frames_pong(struct connection *c, const struct frame *frame)
{
    (void)frame;
    member_lock(c->scheduler->node);
    liveness_pong(c);
    member_unlock(c->scheduler->node);
    return 0;
}

/* Takes a receipt. Only the gateway's process asks for receipts, so scheduler 0 is told. */
static void frames_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    struct scheduler *s = context;
    const struct connection *c = connection_of(p);
    if (c->ready_ns && c->member) {
        runtime_receipt(s->runtime, receipt->id, -(int)(receipt->status & 0xffff));
    }
}

static int frames_leave(struct connection *c, const struct frame *frame)
{
    (void)frame;
    c->left = true;
    return 0;
}

static const struct connection_frame_kind frames_kinds[FRAME_TYPES] = {
    [FRAME_REQUEST] = { .take = rpc_request, .from_clients = true },
    [FRAME_CANCEL] = { .take = rpc_cancel, .from_clients = true },
    [FRAME_REPLY] = { .take = spawn_at_reply },
    [FRAME_LEAVE] = { .take = frames_leave },
    [FRAME_NODES] = { .take = frames_nodes },
    [FRAME_NAMES] = { .take = frames_names },
    [FRAME_PONG] = { .take = frames_pong, .early = true },
    [FRAME_EXIT] = { .take = exits_frame },
};

static const struct peer_events frames_peer_events = {
    .hello = hello_heard,
    .adopt = hello_adopted,
    .ready = hello_ready,
    .frame = connection_frame,
    .receipt = frames_receipt,
    .lane_opened = router_lane_opened,
    .deliver = router_deliver,
    .grant = router_grant,
    .grant_done = router_grant_done,
    .lane_closed = router_lane_closed,
    .lane_lost = router_lane_lost,
    .writable = router_writable,
    .refused = router_refused,
    .room = feed_room,
};

static void frames_ends(struct connection *c)
{
    spawn_at_fail_all(c);
    tables_free(c);
    follower_free(c);
    tracer_free(c);
    rpc_forget_all(c);
}

const struct connection_users frames_users = {
    .frames = frames_kinds,
    .peer = &frames_peer_events,
    .http = http_accept,
    .doubted = liveness_doubt,
    .asked = seeds_closed,
    .ends = frames_ends,
    .ended = exits_free,
};
