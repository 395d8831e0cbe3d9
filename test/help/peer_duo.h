/* peer_duo: two hosts of peer_pair.h, or one and a raw peer, as most tests of the peer room have them:
 * set-ups, and an identity for the program. */
#ifndef HELP_PEER_DUO_H
#define HELP_PEER_DUO_H

#include "help/peer_pair.h"

static struct identity *identity;

struct duo {
    struct host a, b; /* amber and bronze */
    struct side raw;  /* instead of one of them, in some tests */
    struct side_stream *control;
};

static inline int duo_identity(void **state)
{
    (void)state;
    identity = side_identity();
    return 0;
}

static inline int duo_no_identity(void **state)
{
    (void)state;
    identity_free(identity);
    return 0;
}

/* `streams`: lanes that a may open to b; 0: LIMIT_LANES. */
static inline struct duo *duo_new(uint64_t streams)
{
    struct duo *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    host_start(&p->a, "amber", identity, 0);
    host_start(&p->b, "bronze", identity, streams);
    return p;
}

static inline int duo_connected(void **state)
{
    struct duo *p = duo_new(0);
    pair_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

/* bronze alone, and a raw peer that is let in. */
static inline int duo_raw(void **state)
{
    struct duo *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    host_start(&p->b, "bronze", identity, 0);
    p->control = raw_join(&p->raw, &p->b, identity, RUSM_MESSAGE_MAX);
    *state = p;
    return 0;
}

static inline int duo_teardown(void **state)
{
    struct duo *p = *state;
    if (p->a.e) {
        host_stop(&p->a);
    }
    host_stop(&p->b);
    if (p->raw.e) {
        raw_free(&p->raw);
    }
    free(p);
    return 0;
}

#endif
