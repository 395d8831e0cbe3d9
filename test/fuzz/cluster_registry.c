/* fuzz: the registry (lib/cluster). Peers come, go and send any NAMES frames, while this node
 * claims and withdraws names. A second registry, connected only to the first, gets the first one's
 * frames. In the end it must know all that the first owns, and nothing else. */
#include "cluster/registry.h"
#include "doubles/fuzz.h"
#include "wire/gossip.h"

#define NOW UINT64_C(1800000000000)
#define PEERS 4
#define NAMES_MAX 6
#define FRAME 1024

static const char *const peer_names[PEERS] = { "bonn", "london", "oslo", "tokyo" };
static const char *const names[] = { "a", "b", "bank", "c", "till", "zz", "y", "x" };
#define NAMES (sizeof(names) / sizeof(names[0]))

/* What a peer claims, according to all its frames. Only for a few names, and as long as nothing is
 * refused. */
struct heard {
    bool there;
    uint64_t serial, time, epoch;
};

struct model {
    struct heard claim[NAMES];
    uint64_t epoch;
    bool in_snapshot;
};

struct world {
    struct registry *r, *mirror;
    struct model model[PEERS];
    bool limited; /* some names are refused: the model does not know which */
    bool up[PEERS + 1];
    uint64_t now_ms;
};

static void lost(void *user, uint64_t serial, const char *name, size_t len,
                 const struct registry_holder *holder)
{
    struct world *w = user;
    struct registry_holder now;

    must(serial != 0 && strlen(name) == len && holder->serial != 0 && holder->node != 0);
    must(registry_whereis(w->r, name, len, &now) == 0 && now.node == holder->node);
    must(w->up[holder->node]);
    if (serial % 3 == 0) { /* a process that ends when it loses a name */
        registry_withdraw_all(w->r, serial, w->now_ms);
    } else if (serial % 3 == 1) {
        must(registry_withdraw(w->r, name, len, serial, w->now_ms) == 0);
    }
}

/* Makes a valid frame: flags, and claims to few names at few times. */
static size_t frame_make(struct reader *in, uint8_t *body)
{
    struct writer w = writer_on(body, FRAME);

    writer_varint(&w, fuzz_below(in, 4));
    for (size_t n = fuzz_below(in, 8); n > 0; n--) {
        const char *name = names[fuzz_below(in, NAMES)];
        size_t what = fuzz_below(in, 256);
        claim_write(&w, &(struct claim){ .flags = what & 1,
                                         .serial = 1 + (what >> 1 & 3),
                                         .time = (NOW + fuzz_below(in, 200) * 1000) << 16 | what,
                                         .name = name,
                                         .name_len = strlen(name) });
    }
    must(!w.bad);
    return writer_len(&w);
}

static void model_hear(struct model *m, const uint8_t *body, size_t len)
{
    struct reader r = reader_on(body, len);
    struct claim c;
    uint64_t flags = reader_varint(&r);

    if (flags & NAMES_FIRST) {
        m->epoch++;
        m->in_snapshot = true;
    }
    while (claim_read(&r, &c) == 1) {
        for (size_t i = 0; i < NAMES; i++) {
            struct heard *h = &m->claim[i];
            bool tombstone = c.flags & CLAIM_TOMBSTONE, newer = !h->there || c.time > h->time;
            if (strlen(names[i]) != c.name_len || memcmp(names[i], c.name, c.name_len) != 0) {
                continue;
            }
            h->epoch = tombstone ? h->epoch : m->epoch;
            if (newer) { /* withdrawing a name that was never claimed changes nothing */
                h->there = !tombstone;
                h->serial = c.serial;
                h->time = c.time;
            }
        }
    }
    for (size_t i = 0; i < NAMES && m->in_snapshot && flags & NAMES_LAST; i++) {
        m->claim[i].there = m->claim[i].there && m->claim[i].epoch == m->epoch;
    }
    m->in_snapshot = m->in_snapshot && !(flags & NAMES_LAST);
}

/* Checks that the least of the peers' claims, by time and then by node name, holds the name, unless
 * we hold it. */
static void model_check(const struct world *w)
{
    for (size_t i = 0; i < NAMES; i++) {
        struct registry_holder holder;
        size_t least = PEERS;
        for (size_t p = 0; p < PEERS - 1; p++) {
            const struct heard *h = &w->model[p].claim[i];
            if (w->up[p + 1] && h->there &&
                (least == PEERS || h->time < w->model[least].claim[i].time)) {
                least = p; /* the peers are in the order of their names */
            }
        }
        int rc = registry_whereis(w->r, names[i], strlen(names[i]), &holder);
        must(rc == 0 || least == PEERS);
        if (rc == 0 && holder.node != 0) {
            must(holder.node == least + 1);
            must(holder.serial == w->model[least].claim[i].serial);
        }
    }
}

static void hear(struct world *w, uint32_t index, const uint8_t *body, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);

    must(copy);
    if (len > 0) {
        memcpy(copy, body, len);
    }
    int rc = registry_recv(w->r, index, copy, len, w->now_ms);
    free(copy);
    must(w->up[index] ? rc == 0 || rc == RUSM_EMALFORMED : rc == RUSM_ENOCONN);
    if (rc == 0) {
        model_hear(&w->model[index - 1], body, len);
    }
    if (rc == RUSM_EMALFORMED) { /* as the node does: it ends the connection */
        registry_peer_down(w->r, index);
        w->up[index] = false;
    }
}

/* Fetches a frame for a peer and checks that it is well formed. The mirror receives its frames. */
static bool tell(struct world *w, uint32_t index)
{
    uint8_t body[FRAME];
    size_t len = registry_next(w->r, index, body, REGISTRY_FRAME_LEAST);
    struct reader r = reader_on(body, len);
    struct claim claim;
    int rc;

    must(len <= REGISTRY_FRAME_LEAST && (len == 0 || w->up[index]));
    if (len == 0) {
        return false;
    }
    must(reader_varint(&r) <= (NAMES_FIRST | NAMES_LAST));
    while ((rc = claim_read(&r, &claim)) == 1) {}
    must(rc == 0);
    if (index == PEERS) {
        must(registry_recv(w->mirror, 1, body, len, w->now_ms) == 0);
    }
    return true;
}

static void own(struct world *w, struct reader *in)
{
    const char *name = names[fuzz_below(in, NAMES)];
    size_t what = fuzz_below(in, 256);
    uint64_t serial = 1 + what % 7;
    struct registry_holder holder;
    int rc;

    if (what < 160) {
        rc = registry_claim(w->r, name, strlen(name), serial, w->now_ms);
        must(rc == 0 || rc == RUSM_EEXIST || rc == RUSM_ELIMIT);
        must(rc == RUSM_ELIMIT || registry_whereis(w->r, name, strlen(name), &holder) == 0);
        must(rc != 0 || (holder.node == 0 && holder.serial == serial));
    } else if (what < 230) {
        rc = registry_withdraw(w->r, name, strlen(name), serial, w->now_ms);
        must(rc == 0 || rc == RUSM_ENOPROC);
    } else {
        registry_withdraw_all(w->r, serial, w->now_ms);
    }
}

static void step(struct world *w, struct reader *in)
{
    uint32_t index = 1 + (uint32_t)fuzz_below(in, PEERS - 1);
    uint8_t body[FRAME];
    size_t len;

    switch (fuzz_below(in, 8)) {
    case 0:
        must(registry_peer_up(w->r, peer_names[index - 1], index, 1) == 0);
        w->up[index] = true;
        w->model[index - 1] = (struct model){ 0 };
        break;
    case 1:
        registry_peer_down(w->r, index);
        w->up[index] = false;
        break;
    case 2: {
        const uint8_t *raw = fuzz_bytes(in, 255, &len);
        hear(w, index, raw, len);
        break;
    }
    case 3:
    case 4: hear(w, index, body, frame_make(in, body)); break;
    case 5: own(w, in); break;
    case 6: tell(w, index); break;
    case 7: tell(w, PEERS); break;
    }
    w->now_ms += fuzz_below(in, 256);
    if (!w->limited) {
        model_check(w);
    }
}

static void each(void *user, const char *name, size_t len, const struct registry_holder *holder)
{
    struct world *w = user;
    struct registry_holder again;

    must(strlen(name) == len && holder->serial != 0 && holder->node <= PEERS);
    must(holder->node == 0 || w->up[holder->node]);
    must(registry_whereis(w->r, name, len, &again) == 0);
    must(again.node == holder->node && again.serial == holder->serial);
    if (holder->node == 0) {
        must(registry_whereis(w->mirror, name, len, &again) == 0);
        must(again.node == 1 && again.serial == holder->serial);
    }
}

static void check_all(struct world *w)
{
    struct map_scan scan = { 0 };
    while (registry_scan(w->r, &scan, each, w)) {}
}

static void check(struct world *w)
{
    struct registry_counters ours, mirrors;

    while (tell(w, PEERS)) {}
    check_all(w);
    registry_count(w->r, &ours);
    registry_count(w->mirror, &mirrors);
    must(mirrors.names == ours.own && mirrors.refused == 0 && mirrors.malformed == 0);
    for (uint32_t i = 1; i < PEERS; i++) {
        registry_peer_down(w->r, i);
        w->up[i] = false;
    }
    registry_count(w->r, &ours);
    must(ours.names == ours.own); /* no other node's name is left */
    check_all(w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct world w = { .now_ms = NOW, .limited = len % 4 == 0 };
    struct registry_options options = { .node = "node",
                                        .incarnation = 7,
                                        .seed = 1,
                                        .names_max = w.limited ? NAMES_MAX : 0,
                                        .user = &w,
                                        .lost = lost };
    struct registry_options mirror = { .node = "mirror", .incarnation = 8, .seed = 2 };
    struct reader in = reader_on(data, len);

    must(registry_new(&w.r, &options) == 0 && registry_new(&w.mirror, &mirror) == 0);
    must(registry_peer_up(w.r, "mirror", PEERS, 8) == 0);
    must(registry_peer_up(w.mirror, "node", 1, 7) == 0);
    w.up[PEERS] = true;
    while (reader_left(&in) > 0) {
        step(&w, &in);
    }
    check(&w);
    registry_free(w.r);
    registry_free(w.mirror);
    return 0;
}
