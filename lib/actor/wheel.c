/* wheel: see the header. A node's level is the highest base-64 digit in which its tick differs from
 * the present tick. Its slot is its own digit at that level. When time reaches that digit, the node
 * moves to a lower level. So all nodes of a level are due later than those of the levels below, no
 * node is in a slot that has passed, and nodes of one tick are always in one slot. */
#include "actor/wheel.h"

#include "base/must.h"

#define WHEEL_DIGIT 6
#define WHEEL_MS ((uint64_t)1000000)

void wheel_init(struct wheel *w)
{
    *w = (struct wheel){ 0 };
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++) {
            list_init(&w->slot[level][slot]);
        }
    }
}

static struct list *wheel_slot(struct wheel *w, uint64_t due, uint64_t **used, uint64_t *bit)
{
    uint64_t differ = due ^ w->now;
    unsigned level = differ ? (63 - (unsigned)__builtin_clzll(differ)) / WHEEL_DIGIT : 0;

    must(level < WHEEL_LEVELS);
    unsigned slot = (unsigned)(due >> (level * WHEEL_DIGIT)) % WHEEL_SLOTS;
    *used = &w->used[level];
    *bit = UINT64_C(1) << slot;
    return &w->slot[level][slot];
}

static void wheel_link(struct wheel *w, struct wheel_node *n)
{
    uint64_t *used, bit;

    list_append(wheel_slot(w, n->due, &used, &bit), &n->link);
    *used |= bit;
}

void wheel_set(struct wheel *w, struct wheel_node *n, uint64_t ms, uint64_t now_ns)
{
    uint64_t due_ns = ms < (UINT64_MAX - now_ns) / WHEEL_MS ? now_ns + ms * WHEEL_MS : UINT64_MAX;
    uint64_t due = due_ns >> WHEEL_TICK_BITS;

    wheel_cancel(w, n);
    if (due < UINT64_MAX >> WHEEL_TICK_BITS) {
        due++; /* all of its time must have passed */
    }
    n->due = ms > 0 && due > w->least ? due : w->least;
    w->count++;
    wheel_link(w, n);
}

void wheel_cancel(struct wheel *w, struct wheel_node *n)
{
    uint64_t *used, bit;

    if (!list_linked(&n->link)) {
        return;
    }
    list_remove(&n->link);
    w->count--;
    if (list_empty(wheel_slot(w, n->due, &used, &bit))) {
        *used &= ~bit;
    }
}

/* Finds the first slot with nodes, and the tick when it is reached. Returns false if there is
 * none. */
static bool wheel_first(const struct wheel *w, unsigned *level, unsigned *slot, uint64_t *tick)
{
    for (unsigned l = 0; l < WHEEL_LEVELS; l++) {
        if (w->used[l]) {
            unsigned shift = l * WHEEL_DIGIT;
            *level = l;
            *slot = (unsigned)__builtin_ctzll(w->used[l]);
            *tick = (w->now >> shift >> WHEEL_DIGIT << WHEEL_DIGIT | *slot) << shift;
            return true;
        }
    }
    return false;
}

void wheel_advance(struct wheel *w, uint64_t now_ns)
{
    uint64_t until = now_ns >> WHEEL_TICK_BITS, tick;
    unsigned level, slot;
    struct list *l;

    if (until < w->now) {
        return;
    }
    w->least = until + 1; /* a node that `ready` sets again waits for the next tick */
    while (wheel_first(w, &level, &slot, &tick) && tick <= until) {
        w->now = tick;
        w->used[level] &= w->used[level] - 1;
        while ((l = list_first(&w->slot[level][slot]))) {
            struct wheel_node *n = container_of(l, struct wheel_node, link);
            list_remove(l);
            if (level > 0) {
                wheel_link(w, n);
            } else {
                w->count--;
                n->ready(n);
            }
        }
    }
    w->now = w->least = until;
}

uint64_t wheel_next_ns(const struct wheel *w)
{
    unsigned level, slot;
    uint64_t tick;

    return wheel_first(w, &level, &slot, &tick) ? tick << WHEEL_TICK_BITS : UINT64_MAX;
}
