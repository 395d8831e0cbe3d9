/* timer: see the header. Implements the timers of rusm.h. Called from behaviours, and by the wheel
 * between them. */
#include "actor/timer.h"

#include <stdlib.h>
#include <string.h>
#include "actor/names.h"
#include "actor/process.h"
#include "actor/address.h"
#include "actor/post.h"
#include "base/id.h"
#include "actor/limits.h"

/* A ref consists of the highest bit (other refs never have it), the number of uses of the place,
 * and the place. */
#define TIMER_REF (UINT64_C(1) << 63)
#define TIMER_PLACE_BITS 22
#define TIMER_PLACES (UINT64_C(1) << TIMER_PLACE_BITS)
#define TIMER_MS ((uint64_t)1000000)
#define TIMER_CHUNK 512 /* places that are made at a time */

_Static_assert(LIMIT_TIMERS <= TIMER_PLACES, "a place for each");

/* A message to be sent when the timer is due. */
struct timer_letter {
    rusm_pid to; /* serial 0: to the holder of the name on to.node */
    size_t len, name_len;
    uint8_t data[]; /* len bytes, then the name */
};

struct timer {
    struct wheel_node wheel;
    struct rusm_process *owner;  /* NULL: free */
    struct owned owned;          /* in its owner's `owned`; free: in rt->timers.free */
    uint64_t ref;                /* ref of its present or last use */
    uint64_t due_ns;             /* of an interval: when it is due next */
    uint32_t every_ms;           /* 0: once */
    bool told;                   /* a RUSM_TIMER of this interval is in the mailbox */
    struct timer_letter *letter; /* NULL: a RUSM_TIMER */
};

void timer_init(struct runtime *rt)
{
    wheel_init(&rt->wheel);
    rt->timers = (struct timers){ 0 };
    list_init(&rt->timers.free);
}

void timer_fini(struct runtime *rt)
{
    for (size_t i = 0; i < rt->timers.chunks; i++) {
        free(rt->timers.chunk[i]);
    }
    free(rt->timers.chunk);
}

/* ---- places ---- */

static void timer_ready(struct wheel_node *node);

static void timer_end(struct rusm_process *owner, struct owned *owned);

static int timer_grow(struct timers *t)
{
    struct timer **chunk = realloc(t->chunk, (t->chunks + 1) * sizeof(struct timer *));

    if (!chunk) {
        return RUSM_ENOMEM;
    }
    t->chunk = chunk;
    struct timer *place = calloc(TIMER_CHUNK, sizeof(struct timer));
    if (!place) {
        return RUSM_ENOMEM;
    }
    for (size_t i = 0; i < TIMER_CHUNK; i++) {
        place[i].ref = TIMER_REF | (t->chunks * TIMER_CHUNK + i);
        place[i].owned.end = timer_end;
        wheel_node_init(&place[i].wheel, timer_ready);
        list_append(&t->free, &place[i].owned.link);
    }
    t->chunk[t->chunks++] = place;
    return 0;
}

static struct timer *timer_find(const struct timers *t, uint64_t ref)
{
    uint64_t place = ref % TIMER_PLACES;

    if (place / TIMER_CHUNK >= t->chunks) {
        return NULL;
    }
    struct timer *it = &t->chunk[place / TIMER_CHUNK][place % TIMER_CHUNK];
    return it->owner && it->ref == ref ? it : NULL;
}

static void timer_free(struct runtime *rt, struct timer *it)
{
    wheel_cancel(&rt->wheel, &it->wheel);
    list_remove(&it->owned.link);
    list_prepend(&rt->timers.free, &it->owned.link); /* the next use finds it in the cache */
    rt->timers.count--;
    free(it->letter);
    it->letter = NULL;
    it->owner = NULL;
}

static void timer_end(struct rusm_process *owner, struct owned *owned)
{
    timer_free(owner->rt, container_of(owned, struct timer, owned));
}

/* Sets a timer. Takes letter, which may be NULL, also on failure. Returns 0, RUSM_ELIMIT or
 * RUSM_ENOMEM. */
static int timer_new(struct rusm_process *owner, uint32_t ms, uint32_t every_ms,
                     struct timer_letter *letter, uint64_t *ref)
{
    struct runtime *rt = owner->rt;
    struct timers *t = &rt->timers;
    int err = t->count >= LIMIT_TIMERS / owner->rt->schedulers ? RUSM_ELIMIT
              : list_empty(&t->free)                           ? timer_grow(t)
                                                               : 0;

    if (err) {
        free(letter);
        return err;
    }
    struct timer *it = container_of(t->free.next, struct timer, owned.link);
    list_remove(&it->owned.link);
    list_append(&owner->owned, &it->owned.link);
    process_has(owner, PART_OWNED);
    t->count++;
    it->ref = (it->ref + TIMER_PLACES) | TIMER_REF;
    it->owner = owner;
    it->every_ms = every_ms;
    it->told = false;
    it->letter = letter;
    it->due_ns = rt->now_ns + ms * TIMER_MS;
    wheel_set(&rt->wheel, &it->wheel, ms, rt->now_ns);
    *ref = it->ref;
    return 0;
}

/* ---- when a timer is due ---- */

/* Sends a letter. Returns true if it is on its way or nobody is there, or false if there is no room
 * now. */
static bool timer_send(struct rusm_process *from, const struct timer_letter *letter)
{
    struct runtime *rt = from->rt;
    const char *name = (const char *)letter->data + letter->len;
    struct address at = { .node = letter->to.node, .pid = letter->to };
    rusm_pid pid;

    at.name = name;
    at.name_len = letter->name_len;
    if (letter->name_len > 0 && at.node == 0) {
        at.here = names_find(rt, name, letter->name_len, &at.pid.serial);
        at.pid.incarnation = rt->incarnation;
    }
    int err = address_pid(from, &at, &pid);
    if (err == RUSM_ENOPROC) {
        rt->counters.noproc_local++;
        return true;
    }
    if (err == RUSM_ENOCONN || runtime_far(rt, pid)) {
        struct post post = { .from = process_pid(from), .node = at.node, .to = pid };
        if (err == 0) {
            post.node = pid.node;
        } else {
            post.name = name;
            post.name_len = letter->name_len;
        }
        post.kind = RUSM_SEND;
        post.data = letter->data;
        post.len = letter->len;
        return runtime_post(rt, &post) != RUSM_BUSY;
    }
    struct rusm_process *to = runtime_local(rt, pid);
    if (!to) {
        rt->counters.noproc_local++;
        return true;
    }
    struct arrival arrival = { .kind = RUSM_SEND, .data = letter->data, .len = letter->len };
    struct message *m =
        process_admit(to, &arrival, NULL) == ADMIT_TAKE ? message_new(rt->pool, letter->len) : NULL;
    if (!m) {
        return false;
    }
    memcpy(message_room(m), letter->data, letter->len);
    m->pub.kind = RUSM_SEND;
    m->pub.from = process_pid(from);
    rt->counters.messages_local++;
    process_push(to, m);
    return true;
}

static void timer_ready(struct wheel_node *node)
{
    struct timer *it = container_of(node, struct timer, wheel);
    struct rusm_process *owner = it->owner;
    struct runtime *rt = owner->rt;
    uint64_t ref = it->ref;

    if (it->letter) {
        if (timer_send(owner, it->letter)) {
            timer_free(rt, it);
        } else {
            wheel_set(&rt->wheel, node, 1, rt->now_ns); /* again, until there is room */
        }
        return;
    }
    bool told = it->told;
    if (it->every_ms) {
        uint64_t every_ns = it->every_ms * TIMER_MS;
        uint64_t late_ns = rt->now_ns > it->due_ns ? rt->now_ns - it->due_ns : 0;
        it->told = true;
        it->due_ns += late_ns / every_ns * every_ns; /* intervals that were missed are skipped */
        wheel_set(&rt->wheel, node, it->every_ms, it->due_ns);
        it->due_ns += every_ns;
    } else {
        timer_free(rt, it);
    }
    if (!told) {
        process_signal(owner, RUSM_TIMER, process_pid(owner), ref, 0, NULL, 0);
    }
}

void timer_taken(struct runtime *rt, uint64_t ref)
{
    struct timer *it = timer_find(&rt->timers, ref);

    if (it) {
        it->told = false;
    }
}

/* ---- for processes ---- */

int rusm_timer(struct rusm_process *self, uint32_t ms, uint64_t *ref)
{
    return timer_new(self, ms, 0, NULL, ref);
}

int rusm_interval(struct rusm_process *self, uint32_t ms, uint64_t *ref)
{
    return ms > 0 ? timer_new(self, ms, ms, NULL, ref) : RUSM_EINVAL;
}

/* Sets a timer that sends a message. to.serial 0: to the holder of that name. */
static int timer_send_after(struct rusm_process *self, uint32_t ms, rusm_pid to, const char *name,
                            size_t name_len, const void *data, size_t len, uint64_t *ref)
{
    int err = post_check(data, len);

    if (err) {
        return err;
    }
    if ((to.node != RUSM_GLOBAL || name_len == 0) && !nodes_at(&self->rt->nodes, to.node)) {
        return RUSM_EINVAL;
    }
    if (to.serial == 0 && !id_process_name_ok(name, name_len)) {
        return RUSM_EINVAL;
    }
    struct timer_letter *letter = malloc(sizeof(*letter) + len + name_len);
    if (!letter) {
        return RUSM_ENOMEM;
    }
    letter->to = to;
    letter->len = len;
    letter->name_len = name_len;
    if (len > 0) {
        memcpy(letter->data, data, len);
    }
    if (name_len > 0) {
        memcpy(letter->data + len, name, name_len);
    }
    return timer_new(self, ms, 0, letter, ref);
}

int rusm_send_after(struct rusm_process *self, uint32_t ms, rusm_pid to, const void *data,
                    size_t len, uint64_t *ref)
{
    return to.serial == 0 ? RUSM_EINVAL : timer_send_after(self, ms, to, "", 0, data, len, ref);
}

int rusm_send_after_name(struct rusm_process *self, uint32_t ms, uint32_t node, const char *name,
                         const void *data, size_t len, uint64_t *ref)
{
    rusm_pid to = { .node = node };

    return timer_send_after(self, ms, to, name, strlen(name), data, len, ref);
}

int rusm_send_after_to(struct rusm_process *self, uint32_t ms, const char *address,
                       const void *data, size_t len, uint64_t *ref)
{
    struct address at;
    int err = address_parse(self, address, &at);

    if (err) {
        return err;
    }
    if (at.name_len == 0) {
        return rusm_send_after(self, ms, at.pid, data, len, ref);
    }
    /* By name, so that the process that has the name when the timer is due gets it. */
    rusm_pid to = { .node = at.node };
    return timer_send_after(self, ms, to, at.name, at.name_len, data, len, ref);
}

int rusm_cancel(struct rusm_process *self, uint64_t ref)
{
    struct timer *it = timer_find(&self->rt->timers, ref);

    if (!it || it->owner != self) {
        return RUSM_ENOPROC;
    }
    timer_free(self->rt, it);
    return 0;
}
