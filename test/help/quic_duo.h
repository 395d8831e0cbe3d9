/* quic_duo: two connected sides of quic_pair.h, as most tests of a connection have them: set-ups, and an
 * identity for the program. */
#ifndef HELP_QUIC_DUO_H
#define HELP_QUIC_DUO_H

#include "help/quic_pair.h"

static struct identity *identity;

struct pair {
    struct side a, b; /* a dials b */
};

static inline int pair_identity(void **state)
{
    (void)state;
    identity = side_identity();
    return 0;
}

static inline int pair_no_identity(void **state)
{
    (void)state;
    identity_free(identity);
    return 0;
}

static inline int pair_setup(void **state)
{
    struct pair *p = calloc(1, sizeof(*p));
    struct endpoint_options o = side_options(identity, true);
    assert_non_null(p);
    side_start(&p->a, &o, 0);
    side_start(&p->b, &o, 0);
    side_connect(&p->a, &p->b);
    *state = p;
    return 0;
}

static inline int pair_teardown(void **state)
{
    struct pair *p = *state;
    side_stop(&p->a);
    side_stop(&p->b);
    free(p);
    return 0;
}

#endif
