/* seeds: see the header. Which scheduler a node's connection belongs to depends on the node's name.
 * So a seed's address is asked for the name first, as a client would. The connection that asks is
 * closed when the name has come, and the node is dialled as any other. */
#include "node/seeds.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/id.h"
#include "node/limits.h"
#include "node/member_lock.h"
#include "node/node.h"
#include "node/trouble.h"

/* An address of the host, and who answered there the last time. */
struct seed_place {
    struct resolved at;
    char node[RUSM_NODE_NAME_MAX + 1]; /* "": nobody yet */
    bool self;                         /* it is this node */
};

struct seed {
    struct list link; /* in node.seeds */
    struct rusm_node *node;
    struct resolver_ask ask; /* its host_port is what the user wrote */
    struct seed_place places[RESOLVER_ADDRESSES];
    size_t count;
    unsigned asking; /* connections that ask, of this round */
    bool round;      /* a round is under way */
    bool tried;      /* the first round is over */
    uint64_t at_ns;  /* when the next round begins */
    struct backoff backoff;
    uint8_t trouble; /* enum trouble of the last round, which is said once */
    bool said;
    enum trouble worst; /* of this round, and its text; TROUBLE_NONE: none yet */
    char text[400];
};

static const struct backoff_policy seed_backoff = { .min_ns = LIMIT_BACKOFF_MIN_NS,
                                                    .max_ns = LIMIT_BACKOFF_MAX_NS };

static int seed_add(struct rusm_node *node, const char *address, struct rusm_why *why)
{
    struct seed *seed = calloc(1, sizeof(*seed));
    if (!seed) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    seed->node = node;
    seed->at_ns = node->started_ns;
    list_init(&seed->ask.link);
    snprintf(seed->ask.host_port, sizeof(seed->ask.host_port), "%s", address);
    list_append(&node->seeds, &seed->link);
    node->seeds_untried++;
    return 0;
}

int seeds_join(struct rusm_node *node, const char *text, struct rusm_why *why)
{
    struct id_target target;
    char name[256];
    if (resolve_srv_is(text)) {
        return resolve_srv_name(text, name) == 0
                   ? seed_add(node, text, why)
                   : err_why(why, RUSM_EINVAL,
                             "cannot join '%s': write it srv:NAME, where NAME is a name of the DNS",
                             text);
    }
    if (id_target_parse(text, &target) != 0 || !target.host[0]) {
        return err_why(why, RUSM_EINVAL,
                       "cannot join '%s': write it NODE@HOST:PORT, HOST:PORT or srv:NAME", text);
    }
    return target.name[0] ? members_join(node, text, why) : seed_add(node, text, why);
}

void seeds_free(struct rusm_node *node)
{
    list_each_safe(link, &node->seeds) {
        free(container_of(link, struct seed, link));
    }
}

/* ---- the end of a round ---- */

/* Returns whether another node than this one is known at one of the addresses. */
static bool seed_works(const struct seed *seed)
{
    for (size_t i = 0; i < seed->count; i++) {
        if (seed->places[i].node[0]) {
            return true;
        }
    }
    return false;
}

static void seed_say(struct seed *seed)
{
    struct rusm_node *node = seed->node;
    if (seed->worst == (enum trouble)seed->trouble) {
        return;
    }
    seed->trouble = (uint8_t)seed->worst;
    if (seed->worst != TROUBLE_NONE) {
        log_warn(&node->log, "cannot join %s: %s", seed->ask.host_port, seed->text);
    } else if (seed->said) {
        log_warn(&node->log, "a node answers at %s now", seed->ask.host_port);
    }
    seed->said = seed->worst != TROUBLE_NONE;
    if (seed->said && !node->settled && !node->name_refused) {
        snprintf(node->start_trouble, sizeof(node->start_trouble), "cannot join %.90s: %s",
                 seed->ask.host_port, seed->text);
        node->name_refused = seed->worst == TROUBLE_TAKEN;
    }
}

static void seed_round_over(struct seed *seed)
{
    struct scheduler *s = seed->node->first;
    bool works = seed_works(seed);
    if (works && seed->worst != TROUBLE_TAKEN) {
        seed->worst = TROUBLE_NONE; /* that some addresses are old is no trouble */
    }
    seed_say(seed);
    seed->node->seeds_untried -= !seed->tried;
    seed->tried = true;
    seed->round = false;
    if (works) { /* as seldom as it gets: others may come */
        seed->backoff.pause_ns = LIMIT_BACKOFF_MAX_NS;
    }
    dial_ended(s); /* the next tick comes at once, and hears when the next round is due */
    seed->at_ns = s->now_ns + backoff_next_ns(&seed->backoff, &seed_backoff, &s->rng);
}

/* Keeps the trouble of one address for the end of the round. A refusal is more than silence. */
static void seed_trouble(struct seed *seed, enum trouble what, const char *text)
{
    if (what > seed->worst) {
        seed->worst = what;
        snprintf(seed->text, sizeof(seed->text), "%.399s", text);
    }
}

/* ---- asking ---- */

static bool is_connected(struct rusm_node *node, const struct seed_place *p)
{
    const struct member *m = p->node[0] ? member_find(node, p->node, strlen(p->node)) : NULL;
    return m && m->current;
}

static void seed_ask(struct seed *seed, size_t place)
{
    struct scheduler *s = seed->node->first;
    struct connection *c;
    int error = connection_ask(s, &seed->places[place].at, &c);
    if (error == RUSM_EIO) {
        seed_trouble(seed, TROUBLE_ADDRESS,
                     "none of its addresses can be dialled from the address this node listens on");
    } else if (error) {
        seed_trouble(seed, TROUBLE_OTHER, rusm_strerror(error));
    } else {
        c->seed = seed;
        c->seed_place = place;
        seed->asking++;
    }
}

/* Takes the addresses that were found. Keeps what is known of those that were there before. */
static void seed_take(struct seed *seed, const struct resolver_ask *ask)
{
    struct seed_place before[RESOLVER_ADDRESSES];
    size_t count = seed->count;
    memcpy(before, seed->places, count * sizeof(*before));
    memset(seed->places, 0, sizeof(seed->places));
    seed->count = (size_t)ask->count;
    for (size_t i = 0; i < seed->count; i++) {
        struct seed_place *p = &seed->places[i];
        p->at = ask->found[i];
        for (size_t j = 0; j < count; j++) {
            if (before[j].at.len == p->at.len &&
                memcmp(&before[j].at.address, &p->at.address, p->at.len) == 0) {
                *p = before[j];
            }
        }
    }
}

static void seed_resolved(struct resolver_ask *ask)
{
    struct seed *seed = ask->user;
    if (atomic_load(&seed->node->leaving)) {
        return;
    }
    if (ask->count < 0) {
        seed->count = 0;
        seed_trouble(seed, TROUBLE_NAME, ask->why.text);
    } else {
        seed_take(seed, ask);
    }
    for (size_t i = 0; i < seed->count; i++) {
        struct seed_place *p = &seed->places[i];
        if (!p->self && !is_connected(seed->node, p)) {
            seed_ask(seed, i);
        }
    }
    if (seed->asking == 0) {
        seed_round_over(seed);
    }
}

static void seed_round(struct seed *seed)
{
    struct scheduler *s = seed->node->first;
    seed->round = true;
    seed->worst = TROUBLE_NONE;
    seed->ask.done = seed_resolved;
    seed->ask.user = seed;
    int error = resolver_ask(&s->resolver, &seed->ask);
    if (error) {
        seed_trouble(seed, TROUBLE_OTHER, rusm_strerror(error));
        seed_round_over(seed);
    }
}

uint64_t seeds_tick(struct scheduler *s)
{
    struct rusm_node *node = s->node;
    uint64_t next = UINT64_MAX;
    if (s->index > 0 || list_empty(&node->seeds) || atomic_load(&node->leaving)) {
        return next;
    }
    member_lock(node);
    list_each(link, &node->seeds) {
        struct seed *seed = container_of(link, struct seed, link);
        if (!seed->round && seed->at_ns <= s->now_ns) {
            seed_round(seed);
        }
        if (!seed->round && seed->at_ns < next) {
            next = seed->at_ns;
        }
    }
    member_unlock(node);
    return next;
}

/* ---- the answers ---- */

/* A node of our name answered: this one, or another that has the name. */
static void heard_own_name(struct seed *seed, struct seed_place *p, const struct connection *c,
                           const struct hello *hello)
{
    char text[sizeof(seed->text)];
    if (hello->incarnation == seed->node->incarnation) {
        p->self = true;
        return;
    }
    snprintf(text, sizeof(text),
             "refused: at %s is a live node of the cluster that has the name %s already; stop that "
             "one, or start this one with another --name",
             c->address, seed->node->name);
    seed_trouble(seed, TROUBLE_TAKEN, text);
}

enum close_code seeds_heard(struct connection *c, const struct hello *hello)
{
    struct seed *seed = c->seed;
    struct rusm_node *node = seed->node;
    struct seed_place *p = &seed->places[c->seed_place];
    if (hello->role != HELLO_NODE) {
        return CLOSE_WRONG_NODE;
    }
    peer_close(c->peer, CLOSE_NONE, "it asked for the name");
    if (hello->name_len == strlen(node->name) &&
        memcmp(hello->name, node->name, hello->name_len) == 0) {
        p->node[0] = '\0';
        heard_own_name(seed, p, c, hello);
        return CLOSE_NONE;
    }
    member_moved(node, p->node, hello);
    snprintf(p->node, sizeof(p->node), "%.*s", (int)hello->name_len, hello->name);
    member_found(node->first, p->node, c->address);
    return CLOSE_NONE;
}

void seeds_closed(struct connection *c, const struct conn_end *end)
{
    struct seed *seed = c->seed;
    enum trouble what = trouble_kind(end);
    char text[400];
    if (what != TROUBLE_NONE) {
        trouble_explain(text, sizeof(text), seed->node, "a node", what, c, end);
        seed->places[c->seed_place].node[0] = '\0';
        seed_trouble(seed, what, text);
    }
    if (--seed->asking == 0) {
        seed_round_over(seed);
    }
}
