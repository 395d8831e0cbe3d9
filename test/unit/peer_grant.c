/* peer/grant: the budget of large records is bounded. One connection has at most half of it. Grants
 * go round the connections. No record waits for ever, and none waits while its bytes are free. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "peer/limits.h"
#include "sched/limits.h"
#include "wire/limits.h"
#include "base/rng.h"
#include "peer/grant.h"

#define CONNECTIONS 7
#define CLAIMS 40

struct claim {
    struct grant grant; /* first member */
    bool waits;
    uint64_t asked; /* how many grants were given when it asked */
    uint64_t ahead; /* it must be among the next so many grants */
};

struct connection {
    struct grant_share share; /* first member */
    struct claim claim[CLAIMS];
};

static struct grant_budget budget;
static struct connection connection[CONNECTIONS];
static uint64_t given_count;

static const uint64_t longest[] = { LIMIT_GRANT_SHORT, LIMIT_GRANT_MIDDLE, LIMIT_RECORD };
static const uint64_t whole[] = { LIMIT_GRANT_SHORTER_BUDGET, LIMIT_GRANT_SHORTER_BUDGET,
                                  LIMIT_GRANT_BUDGET };

static void given(struct grant_share *share, struct grant *grant)
{
    struct claim *c = (struct claim *)grant;

    assert_true(c->waits && grant->given && !list_linked(&grant->at));
    assert_true((struct connection *)share >= connection);
    c->waits = false;
    given_count++;
    if (given_count - c->asked > c->ahead) {
        fail_msg("%llu went first of one that had %llu before it",
                 (unsigned long long)(given_count - c->asked), (unsigned long long)c->ahead);
    }
}

static int set_up(void **state)
{
    (void)state;
    memset(connection, 0, sizeof(connection));
    given_count = 0;
    grant_budget_init(&budget, 1, given);
    for (int i = 0; i < CONNECTIONS; i++) {
        grant_share_init(&connection[i].share);
        for (int k = 0; k < CLAIMS; k++) {
            list_init(&connection[i].claim[k].grant.at);
        }
    }
    return 0;
}

static bool ask(struct connection *c, struct claim *claim, uint64_t len)
{
    bool now = grant_ask(&budget, &c->share, &claim->grant, (uint32_t)len);

    claim->waits = !now;
    claim->asked = given_count;
    claim->ahead = UINT64_MAX;
    assert_true(now == claim->grant.given);
    return now;
}

static void end(struct connection *c, struct claim *claim)
{
    claim->waits = false;
    grant_end(&budget, &c->share, &claim->grant);
    assert_false(claim->grant.given);
}

/* ---- how far one connection can hold up others ---- */

/* A peer that takes all it can and gives nothing back leaves as much to others. */
static void test_one_takes_a_half(void **state)
{
    (void)state;
    for (int i = 0; i < CLAIMS; i++) {
        (void)ask(&connection[0], &connection[0].claim[i], LIMIT_RECORD);
    }
    assert_true(connection[0].claim[1].grant.given);
    assert_false(connection[0].claim[2].grant.given);
    assert_true(ask(&connection[1], &connection[1].claim[0], LIMIT_RECORD));
    assert_false(
        grant_wanted(&budget, &connection[0].claim[0].grant)); /* only its own connection waits */
    assert_true(ask(&connection[2], &connection[2].claim[0], LIMIT_RECORD));
    assert_false(ask(&connection[3], &connection[3].claim[0], LIMIT_RECORD));
    assert_true(grant_wanted(&budget, &connection[0].claim[0].grant));
    /* What it gives back goes to a connection that waits, not to itself. */
    end(&connection[0], &connection[0].claim[0]);
    assert_true(connection[3].claim[0].grant.given);
    assert_false(connection[0].claim[2].grant.given);
}

/* The longest records, even if nobody takes them, do not hold up shorter ones. The shorter ones do
 * not hold up the shortest. */
static void test_long_ones_hold_up_no_short_ones(void **state)
{
    (void)state;
    for (int i = 0; i < CONNECTIONS; i++) {
        for (int k = 0; k < CLAIMS / 2; k++) {
            (void)ask(&connection[i], &connection[i].claim[k], k < 4 ? LIMIT_RECORD : longest[1]);
        }
    }
    assert_false(connection[CONNECTIONS - 1].claim[0].grant.given);
    assert_false(connection[CONNECTIONS - 1].claim[4].grant.given);
    for (int i = 0; i < CONNECTIONS; i++) {
        for (int k = CLAIMS / 2; k < CLAIMS; k++) {
            assert_true(ask(&connection[i], &connection[i].claim[k], longest[0]));
        }
    }
}

/* Each of many schedulers has a share of the budget. In a share, each connection finds room for one
 * record of each class. */
static void test_schedulers(void **state)
{
    const unsigned count[] = { 1, 2, 3, LIMIT_SCHEDULERS };
    (void)state;
    for (size_t i = 0; i < sizeof(count) / sizeof(count[0]); i++) {
        set_up(state);
        grant_budget_init(&budget, count[i], given);
        for (int class = 0; class < GRANT_CLASSES; class ++) {
            uint64_t most = whole[class] / count[i], least = LIMIT_GRANT_SHARES * longest[class];
            assert_in_range(budget.class[class].left, least, most > least ? most : least);
            for (int k = 0; k < LIMIT_GRANT_SHARES; k++) {
                assert_true(ask(&connection[k], &connection[k].claim[class], longest[class]));
            }
        }
    }
}

/* A record that waits keeps its place behind those that came first. Shorter ones do not pass it. */
static void test_a_long_one_is_not_starved(void **state)
{
    (void)state;
    struct connection *c = connection;
    assert_true(ask(&c[0], &c[0].claim[0], LIMIT_RECORD));
    assert_true(ask(&c[0], &c[0].claim[1], LIMIT_RECORD));
    assert_true(ask(&c[1], &c[1].claim[0], LIMIT_RECORD));
    assert_true(ask(&c[1], &c[1].claim[1], longest[1] + 1));
    assert_false(ask(&c[2], &c[2].claim[0], LIMIT_RECORD));
    assert_false(ask(&c[3], &c[3].claim[0], longest[1] + 1)); /* would fit */
    end(&c[1], &c[1].claim[1]);
    assert_true(c[2].claim[0].grant.given);
    assert_false(c[3].claim[0].grant.given);
    /* A record that asks no more makes room. */
    end(&c[2], &c[2].claim[0]);
    assert_true(c[3].claim[0].grant.given);
    assert_false(grant_wanted(&budget, &c[3].claim[0].grant));
}

/* ---- random steps ---- */

/* Checks the invariants between two steps. */
static void check_all(void)
{
    for (int class = 0; class < GRANT_CLASSES; class ++) {
        uint64_t all = 0;
        for (int i = 0; i < CONNECTIONS; i++) {
            uint64_t held = 0;
            for (int k = 0; k < CLAIMS; k++) {
                const struct grant *g = &connection[i].claim[k].grant;
                held += g->given && g->class == class ? g->len : 0;
            }
            assert_true(held <= whole[class] / LIMIT_GRANT_SHARES);
            assert_int_equal(held, connection[i].share.line[class].held);
            all += held;
        }
        assert_true(all <= whole[class]);
        assert_int_equal(all, whole[class] - budget.class[class].left);
        for (int i = 0; i < CONNECTIONS && list_empty(&budget.class[class].turn); i++) {
            const struct grant_line *line = &connection[i].share.line[class];
            const struct list *first = line->waiting.next;
            assert_true(first == &line->waiting ||
                        line->held + container_of(first, struct grant, at)->len >
                            whole[class] / LIMIT_GRANT_SHARES);
        }
    }
}

/* Ends given claims in some order until none is left. Every claim that waits is given: none is
 * forgotten. */
static void drain(struct rng *rng)
{
    for (int left = CONNECTIONS * CLAIMS * 2; left > 0; left--) {
        int start = (int)rng_below(rng, CONNECTIONS * CLAIMS), found = -1;
        for (int i = 0; i < CONNECTIONS * CLAIMS && found < 0; i++) {
            int at = (start + i) % (CONNECTIONS * CLAIMS);
            found = connection[at / CLAIMS].claim[at % CLAIMS].grant.given ? at : -1;
        }
        if (found < 0) {
            break;
        }
        end(&connection[found / CLAIMS], &connection[found / CLAIMS].claim[found % CLAIMS]);
        check_all();
    }
    for (int i = 0; i < CONNECTIONS * CLAIMS; i++) {
        assert_false(connection[i / CLAIMS].claim[i % CLAIMS].waits);
    }
    for (int class = 0; class < GRANT_CLASSES; class ++) {
        assert_int_equal(budget.class[class].left, whole[class]);
        assert_true(list_empty(&budget.class[class].turn));
    }
}

static void test_whatever_happens(void **state)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        set_up(state);
        for (int step = 0; step < 400; step++) {
            struct connection *c = &connection[rng_below(&rng, CONNECTIONS)];
            struct claim *claim = &c->claim[rng_below(&rng, CLAIMS)];
            if (claim->waits || claim->grant.given) {
                if (rng_below(&rng, 3) == 0) {
                    end(c, claim);
                }
            } else {
                uint64_t most = longest[rng_below(&rng, GRANT_CLASSES)];
                (void)ask(c, claim, 1 + rng_below(&rng, most));
            }
            check_all();
        }
        drain(&rng);
    }
}

/* A claim that is the first of its connection's line is among the next CONNECTIONS grants, however
 * greedy the other connections are. */
static void test_rounds(void **state)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct rng rng;
        rng_init(&rng, seed);
        set_up(state);
        for (int step = 0; step < 2000; step++) {
            struct connection *c = &connection[rng_below(&rng, CONNECTIONS)];
            struct claim *claim = &c->claim[rng_below(&rng, CLAIMS)];
            if (claim->grant.given) {
                end(c, claim);
            } else if (!claim->waits && (c != connection || step % 10 == 0)) {
                uint64_t mine = 0;
                for (int k = 0; k < CLAIMS; k++) {
                    mine += c->claim[k].waits;
                }
                (void)ask(c, claim, longest[1] + 1 + rng_below(&rng, longest[2] - longest[1]));
                if (mine == 0 && claim->waits && list_linked(&c->share.line[2].at)) {
                    claim->ahead = CONNECTIONS;
                }
            }
        }
        drain(&rng);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_one_takes_a_half, set_up),
        cmocka_unit_test_setup(test_long_ones_hold_up_no_short_ones, set_up),
        cmocka_unit_test_setup(test_schedulers, set_up),
        cmocka_unit_test_setup(test_a_long_one_is_not_starved, set_up),
        cmocka_unit_test_setup(test_whatever_happens, set_up),
        cmocka_unit_test_setup(test_rounds, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
