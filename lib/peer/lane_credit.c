/* lane_credit: what a peer may send on a lane: the limit T + W + G, the window's growth, grants.
 * See lane_in.h. lane_in.c and lane_record.c call it. peer.c calls lane_in_grant. */
#include "peer/limits.h"
#include "wire/limits.h"
#include "base/must.h"
#include "peer/lane_in_state.h"
#include "peer/peer_state.h"

_Static_assert(RUSM_MESSAGE_MAX + RECORD_HEAD_MAX <= LIMIT_RECORD,
               "the longest record can be granted");

/* W grows when the process takes a whole window within this time. Slower pairs do not need more. */
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

void lane_credit_init(struct lane_in *l, uint64_t now_ns)
{
    l->window = l->limit = LIMIT_LANE_WINDOW;
    l->grew_ns = now_ns;
    list_init(&l->claim.at);
}

void lane_credit_fini(struct lanes_in *in, struct lane_in *l)
{
    uint64_t grown = l->window - LIMIT_LANE_WINDOW;
    in->grown -= grown;
    in->budget->windows_left += grown + l->shrunk;
    credit_orphan(l->credit);
}

void lane_update_limit(struct lanes_in *in, struct lane_in *l)
{
    uint64_t limit = l->taken + l->window + l->grant;
    if (limit <= l->limit) {
        return;
    }
    conn_extend_stream(in->conn, l->stream, limit - l->limit);
    l->limit = limit;
    in->budget->windows_left += l->shrunk; /* the peer has no claim to it any more */
    l->shrunk = 0;
}

/* ---- windows ---- */

static void window_grow(struct lanes_in *in, struct lane_in *l)
{
    in->grown += l->window;
    in->budget->windows_left -= l->window;
    l->window *= 2;
}

/* Halves the window, but not while a large record is under way, which may need the whole window. */
static void window_shrink(struct lanes_in *in, struct lane_in *l)
{
    if (l->large) {
        return;
    }
    l->window /= 2;
    l->shrunk = l->window;
    in->grown -= l->window;
}

void lane_grow_window(struct lanes_in *in, struct lane_in *l)
{
    uint64_t left = in->budget->windows_left;
    if (in->now_ns - l->grew_ns > GROW_WITHIN_NS) {
        l->grew_ns = in->now_ns;
        l->grew_at = l->taken;
        return;
    }
    if (l->taken - l->grew_at < l->window || l->shrunk) {
        return;
    }
    if (in->grown / 2 > left && l->window > LIMIT_LANE_WINDOW) {
        window_shrink(in, l);
    } else if (l->window < LIMIT_LANE_WINDOW_MAX && in->grown + 2 * l->window <= left) {
        window_grow(in, l);
    } else {
        return;
    }
    l->grew_at = l->taken;
    l->grew_ns = in->now_ns;
}

/* ---- grants ---- */

static void lane_apply_grant(struct lanes_in *in, struct lane_in *l)
{
    l->grant = l->wire;
    l->paced = false;
    list_append(&in->granted, &l->claim.at);
    lane_update_limit(in, l);
}

/* Asks the budget for the large record, which has its turn in its mailbox. Returns true if the
 * budget grants it at once. */
static bool lane_claim(struct lanes_in *in, struct lane_in *l)
{
    if (!grant_ask(&in->budget->grants, &in->share, &l->claim, l->wire)) {
        return false;
    }
    lane_apply_grant(in, l);
    return true;
}

static void lane_granted_late(struct lanes_in *in, struct lane_in *l)
{
    if (lane_large_complete(l)) {
        lane_run_later(in, l);
    }
    peer_needs_tick(in->peer);
    conn_wake(in->conn);
}

static void lane_given(struct grant_share *share, struct grant *claim)
{
    struct lanes_in *in = container_of(share, struct lanes_in, share);
    struct lane_in *l = container_of(claim, struct lane_in, claim);
    lane_apply_grant(in, l);
    lane_granted_late(in, l);
}

void lane_in_grant(struct lanes_in *in, struct lane_in *l)
{
    must(l->large && !l->grant);
    if (lane_claim(in, l)) {
        lane_granted_late(in, l);
    }
}

void lane_ask(struct lanes_in *in, struct lane_in *l)
{
    int granted = in->events->grant(in->context, in->peer, l, &l->record);
    if (granted > 0) {
        (void)lane_claim(in, l);
    } else if (granted < 0) {
        l->skip = l->record.payload_len - l->block_have;
        l->taken += l->wire - l->skip;
        lane_drop_block(in, l);
        l->delivered = true;
    }
}

void lane_end_grant(struct lanes_in *in, struct lane_in *l)
{
    bool granted = l->grant > 0;
    l->grant = 0;
    if (granted) {
        list_remove(&l->claim.at);
        credit_orphan(l->granted_credit);
        l->granted_credit = NULL;
    }
    grant_end(&in->budget->grants, &in->share, &l->claim);
    if (!granted) {
        return;
    }
    in->events->grant_done(in->context, in->peer, l);
    if (!l->deferred) {
        return;
    }
    l->deferred = false;
    lane_ask(in, l);
    lane_run_later(in, l);
}

/* Only an incomplete record has a pace. A complete one waits for its receiver. */
bool lane_keeps_pace(struct lanes_in *in, struct lane_in *l, uint64_t now_ns)
{
    bool comes = l->large && l->asks && !l->deferred && !lane_large_complete(l);
    uint64_t came = l->block_have - l->paced_at, least = 1;
    if (comes && l->paced) {
        if (now_ns - l->paced_ns < LIMIT_GRANT_STALL_NS) {
            return true;
        }
        if (grant_wanted(&in->budget->grants, &l->claim)) {
            least = l->wire / LIMIT_GRANT_PACE;
        }
        if (came < least) {
            return false;
        }
    }
    l->paced = comes;
    l->paced_at = l->block_have;
    l->paced_ns = now_ns;
    return true;
}

void lane_drop_block(struct lanes_in *in, struct lane_in *l)
{
    blocks_give(&in->pools->blocks, l->block);
    l->block = NULL;
    l->block_have = l->block_cap = 0;
    l->large = false;
}

void lane_budget_init(struct lane_budget *b, unsigned schedulers)
{
    b->windows_left = LIMIT_WINDOW_BUDGET / schedulers;
    grant_budget_init(&b->grants, schedulers, lane_given);
}
