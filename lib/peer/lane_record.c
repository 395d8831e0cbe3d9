/* lane_record: decodes records from a lane's bytes and hands them up to the router. Small records
 * go up straight from the packet. Other records go straight into a block that becomes the message's
 * memory. lane_in.c calls it. */
#include <string.h>

#include "base/must.h"
#include "peer/lane_in_state.h"

/* First size of a block for a record that asks for a grant. The block doubles as bytes arrive. Once
 * the record is granted, its block gets its full size at once, which the budget of grants bounds.
 * Memory that nothing was written to costs nothing yet. */
#define BLOCK_FIRST ((uint64_t)64 * 1024)

/* A record of at least this many bytes gets a block if it does not end in its packet, though it
 * fits in the window. That saves a copy. */
#define BLOCK_LEAST ((uint64_t)4096)

static int block_grow(struct lanes_in *in, struct lane_in *l, uint64_t need)
{
    struct blocks *blocks = &in->pools->blocks;
    uint64_t cap = l->block_cap ? l->block_cap : BLOCK_FIRST;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > l->record.payload_len || l->grant || !l->asks) {
        cap = l->record.payload_len;
    }
    uint8_t *block = blocks_take(blocks, cap + 1);
    if (!block) {
        return RUSM_ENOMEM;
    }
    if (l->block) {
        memcpy(block, l->block, l->block_have);
        blocks_give(blocks, l->block);
    }
    l->block = block;
    l->block_cap = cap;
    return 0;
}

static int block_put(struct lanes_in *in, struct lane_in *l, const uint8_t *p, uint64_t len)
{
    uint64_t need = l->block_have + len;
    if (need > l->block_cap || !l->block) {
        int error = block_grow(in, l, need);
        if (error) {
            return error;
        }
    }
    memcpy(l->block + l->block_have, p, len);
    l->block_have = need;
    l->block[need] = 0;
    return 0;
}

/* Hands a complete record up. Returns false if the lane must hold it. */
static bool lane_hand_up(struct lanes_in *in, struct lane_in *l, const struct record *record,
                         const uint8_t *payload, void *block, uint32_t wire)
{
    switch (in->events->deliver(in->context, in->peer, l, record, payload, block, wire)) {
    case DELIVERY_HOLD:
        must(!l->unordered);
        l->state = LANE_HELD;
        return false;
    case DELIVERY_DISCARDED:
        blocks_give(&in->pools->blocks, block);
        l->taken += wire;
        if (record == &l->record && l->asks) {
            lane_end_grant(in, l);
        }
        break;
    case DELIVERY_TAKEN: break;
    }
    in->records++;
    in->bytes += record->payload_len;
    l->delivered = true;
    return true;
}

/* Puts bytes into the block of the large record, and hands the record up when it is complete. A
 * record that asks waits for its grant even if the window let it through, so that each mailbox has
 * one at a time. It goes up with an account of its own, because the process may take records behind
 * it first. Returns the bytes used, or RUSM_ENOMEM. */
static ssize_t lane_run_large(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n)
{
    uint64_t want = l->record.payload_len - l->block_have;
    if (n > want) {
        n = (size_t)want;
    }
    if (n > 0) {
        if (block_put(in, l, p, n) != 0) {
            return RUSM_ENOMEM;
        }
        l->decoded += n;
    }
    if (!lane_large_complete(l) || (l->asks && (!l->grant || l->deferred))) {
        return (ssize_t)n;
    }
    if (l->asks && !l->granted_credit && !(l->granted_credit = lane_account(in, l))) {
        return RUSM_ENOMEM;
    }
    if (lane_hand_up(in, l, &l->record, l->block, l->block, l->wire)) {
        l->block = NULL;
        l->block_have = l->block_cap = 0;
        l->large = false;
    }
    return (ssize_t)n;
}

/* Begins a record that goes into a block, when its head has been decoded. The record asks for a
 * grant if it is longer than half of the window. */
static void lane_begin_large(struct lanes_in *in, struct lane_in *l, const struct record *record,
                             size_t head)
{
    l->asks = record->payload_len > l->window / 2;
    l->decoded += head;
    l->record = *record;
    l->wire = (uint32_t)(head + record->payload_len);
    l->large = true;
    /* A lane has one grant at a time. The record before may still be in a mailbox, perhaps in that
     * of an earlier holder of the name. */
    l->deferred = l->asks && l->grant;
    if (l->asks && !l->deferred) {
        lane_ask(in, l);
    }
}

/* Returns whether a record wants an answer. Without a sender nobody can get one: a lane to serial 0
 * would be malformed itself. */
static bool wants_answer(const struct record *record)
{
    return record->kind == RECORD_CALL || record->kind == RECORD_LINK ||
           record->kind == RECORD_UNLINK || record->kind == RECORD_MONITOR;
}

ssize_t lane_step(struct lanes_in *in, struct lane_in *l, const uint8_t *p, size_t n)
{
    struct record record;
    if (l->skip) {
        if (n > l->skip) {
            n = (size_t)l->skip;
        }
        l->skip -= n;
        l->decoded += n;
        l->taken += n;
        return (ssize_t)n;
    }
    if (l->large) {
        return lane_run_large(in, l, p, n);
    }
    if (n == 0) {
        return 0;
    }
    if (l->unordered && l->delivered) {
        return RUSM_EMALFORMED;
    }
    ssize_t head = record_head_decode(p, n, &record);
    if (head <= 0) {
        return head;
    }
    if (record.payload_len > RUSM_MESSAGE_MAX) {
        return RUSM_ETOOLARGE;
    }
    if (l->from == 0 && wants_answer(&record)) {
        return RUSM_EMALFORMED;
    }
    if (record.kind >= RECORD_KINDS) {
        if (!record.skip) {
            return RUSM_EMALFORMED;
        }
        l->decoded += (size_t)head;
        l->taken += (size_t)head;
        l->skip = record.payload_len;
        return head;
    }
    size_t wire = (size_t)head + (size_t)record.payload_len;
    if (record.payload_len > l->window / 2 || (n < wire && record.payload_len >= BLOCK_LEAST)) {
        lane_begin_large(in, l, &record, (size_t)head);
        return head;
    }
    if (n < wire) {
        return 0;
    }
    l->decoded += wire;
    if (!lane_hand_up(in, l, &record, p + head, NULL, (uint32_t)wire)) {
        l->decoded -= wire; /* the record will be decoded again */
        return 0;
    }
    return (ssize_t)wire;
}
