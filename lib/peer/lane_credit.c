/* lane_credit: what a peer may send on a lane: the limit T + W + G, the window's growth, grants. See
 * lane_in.h. Called by lane_in.c and lane_record.c, lane_in_grant by
 * peer.c. */
#include "base/limits.h"
#include "base/must.h"
#include "peer/lane_in_state.h"

/* W grows when a whole window was taken within this time: slower pairs do not need more. */
#define GROW_WITHIN_NS ((uint64_t)100 * 1000000)

void lane_run_later(struct lanes_in *in, struct lane_in *l)
{
    if (!list_linked(&l->resume)) {
        list_append(&in->resumed, &l->resume);
        credit_owner_due(&in->owed);
    }
}

struct credit *lane_account(struct lanes_in *in, struct lane_in *l)
{
    struct credit *c = credit_new(&in->owed);
    if (c) {
        c->user = l;
    }
    return c;
}

void lane_update_limit(struct lanes_in *in, struct lane_in *l)
{
    uint64_t limit = l->taken + l->window + l->grant;
    if (limit <= l->limit) {
        return;
    }
    conn_extend_stream(in->conn, l->stream, limit - l->limit);
    l->limit = limit;
}

void lane_grow_window(struct lanes_in *in, struct lane_in *l)
{
    if (in->now_ns - l->grew_ns > GROW_WITHIN_NS) {
        l->grew_ns = in->now_ns;
        l->grew_at = l->taken;
        return;
    }
    if (l->taken - l->grew_at < l->window || l->window >= LIMIT_LANE_WINDOW_MAX ||
        in->budget->windows_left < l->window) {
        return;
    }
    in->budget->windows_left -= l->window;
    l->window *= 2;
    l->grew_at = l->taken;
    l->grew_ns = in->now_ns;
}

void lane_end_grant(struct lanes_in *in, struct lane_in *l)
{
    if (!list_linked(&l->granted)) {
        return;
    }
    uint64_t len = l->grant;
    l->grant = 0;
    list_remove(&l->granted);
    credit_orphan(l->granted_credit);
    l->granted_credit = NULL;
    in->events->grant_done(in->context, in->peer, l, len);
    if (!l->deferred) {
        return;
    }
    l->deferred = false;
    lane_ask(in, l);
    lane_run_later(in, l);
}

void lane_drop_block(struct lanes_in *in, struct lane_in *l)
{
    blocks_give(&in->pools->blocks, l->block);
    l->block = NULL;
    l->block_have = l->block_cap = 0;
    l->large = false;
}

static void lane_apply_grant(struct lanes_in *in, struct lane_in *l)
{
    l->grant = l->wire;
    l->progress = true;
    list_append(&in->granted, &l->granted);
    lane_update_limit(in, l);
}

void lane_ask(struct lanes_in *in, struct lane_in *l)
{
    int granted = in->events->grant(in->context, in->peer, l, &l->record);
    if (granted > 0) {
        lane_apply_grant(in, l);
    } else if (granted < 0) {
        l->skip = l->record.payload_len - l->block_have;
        l->taken += l->wire - l->skip;
        lane_drop_block(in, l);
        l->delivered = true;
    }
}

void lane_in_grant(struct lanes_in *in, struct lane_in *l)
{
    must(l->large && !list_linked(&l->granted));
    lane_apply_grant(in, l);
    if (lane_large_complete(l)) {
        lane_run_later(in, l);
    }
}
