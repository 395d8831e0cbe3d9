/* cmd/diagnose: the rules, on surveys that are made up: what each finds, and that it finds nothing
 * where nothing is wrong. */
#include "../../cmd/failure.c"
#include "../../cmd/output.c"
#include "../../cmd/diagnose/survey.c"
#include "../../cmd/diagnose/finding.c"
#include "../../cmd/diagnose/rule_mail.c"
#include "../../cmd/diagnose/rule_circle.c"
#include "../../cmd/diagnose/rule_process.c"
#include "../../cmd/diagnose/rule_cluster.c"
#include "../../cmd/diagnose/rule_count.c"
#include "../../cmd/diagnose/rules.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct scene {
    struct survey survey;
    struct findings found;
};

static int setup(void **state)
{
    static struct scene scene;

    scene = (struct scene){ .survey = { .seconds = 1 } };
    *state = &scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *c = *state;

    finding_fini(&c->found);
    survey_fini(&c->survey);
    return 0;
}

/* ---- surveys ---- */

static struct survey_node *node(struct scene *c, const char *name)
{
    struct survey_node *n = survey_node(&c->survey, name, name);

    n->reached = true;
    n->uptime_ms = 60000;
    snprintf(n->version, sizeof(n->version), "1");
    return n;
}

static struct survey_process *process(struct survey_node *n, const char *pid, const char *name,
                                      uint64_t before, uint64_t now, uint64_t handled)
{
    struct survey_process *p = survey_process_add(n, pid, name, "relay");

    p->at[SURVEY_BEFORE] = (struct survey_figures){ .seen = true, .mailbox = before };
    p->at[SURVEY_NOW] =
        (struct survey_figures){ .seen = true, .mailbox = now, .received = handled };
    survey_sort(n);
    return survey_process_find(n, pid);
}

static void relate(struct survey_process *p, enum survey_relation_kind kind, const char *pid)
{
    struct survey_relation *r = survey_relation_add(p);

    r->kind = kind;
    snprintf(r->pid, sizeof(r->pid), "%s", pid);
}

static struct survey_peer *peers(struct survey_node *a, struct survey_node *b, bool connected)
{
    struct survey_peer *p = survey_peer(a, b->name);

    for (int i = 0; i < SURVEY_TIMES; i++) {
        p->at[i] = (struct survey_link){ .seen = true, .connected = connected, .since_ms = 60000 };
    }
    return p;
}

static void counts(struct survey_node *n, const char *name, uint64_t before, uint64_t now)
{
    struct survey_counter *counter = survey_counter(n, name);

    counter->at[SURVEY_BEFORE] = before;
    counter->at[SURVEY_NOW] = now;
}

/* ---- findings ---- */

static void check(struct scene *c, size_t count)
{
    finding_fini(&c->found);
    rules_run(&c->survey, &c->found);
    for (size_t i = 0; c->found.count != count && i < c->found.count; i++) {
        print_message("%s %s %s: %s\n", c->found.list[i].kind, c->found.list[i].node,
                      c->found.list[i].process, c->found.list[i].evidence);
    }
    assert_int_equal(c->found.count, count);
}

static const struct finding *finds(struct scene *c, size_t i, enum finding_severity severity,
                                   const char *kind, const char *where, const char *process)
{
    const struct finding *f = &c->found.list[i];

    assert_string_equal(f->kind, kind);
    assert_int_equal(f->severity, severity);
    assert_string_equal(f->node, where);
    assert_string_equal(f->process, process);
    assert_true(f->summary[0] && f->evidence[0] && f->cure[0]);
    return f;
}

static void test_healthy(void **state)
{
    struct scene *c = *state;
    struct survey_node *a = node(c, "london"), *b = node(c, "oslo");

    check(c, 0);
    peers(a, b, true)->at[SURVEY_BEFORE].sent = 5;
    peers(b, a, true)->at[SURVEY_NOW].received = 5;
    process(a, "1@london#1", "bank", 0, 0, 100);
    process(a, "2@london#1", "", 3, 2, 1);
    counts(a, "undelivered_noproc", 7, 7);
    counts(a, "processes_ended", 7, 9);
    check(c, 0);
}

static void test_mailboxes(void **state)
{
    struct scene *c = *state;
    struct survey_node *n = node(c, "london");

    relate(process(n, "1@london#1", "full", 4, 4, 0), SURVEY_WAITING, "9@london#1");
    relate(survey_process_find(n, "1@london#1"), SURVEY_WAITING, "8@london#1");
    relate(survey_process_find(n, "1@london#1"), SURVEY_WAITING, "8@london#1");
    relate(process(n, "2@london#1", "slow", 4, 4, 3), SURVEY_WAITING, "");
    relate(process(n, "3@london#1", "held", 4, 4, 0), SURVEY_WAITS_FOR, "1@london#1");
    process(n, "4@london#1", "stuck", 1, 1, 0);
    process(n, "5@london#1", "backlog", 600, 700, 10);
    process(n, "6@london#1", "shorter", 700, 600, 10);
    process(n, "7@london#1", "came", 0, 600, 0);
    check(c, 4);
    const struct finding *f = finds(c, 0, FINDING_ERROR, "mailbox", "london", "full");
    assert_non_null(strstr(f->evidence, "wait for room: 2 of 8@london#1, 1 of 9@london#1"));
    f = finds(c, 1, FINDING_WARNING, "mailbox", "london", "slow");
    assert_non_null(strstr(f->evidence, "1 of a client"));
    finds(c, 2, FINDING_WARNING, "stuck", "london", "stuck");
    finds(c, 3, FINDING_WARNING, "backlog", "london", "backlog");
}

static void test_circles(void **state)
{
    struct scene *c = *state;
    struct survey_node *a = node(c, "london"), *b = node(c, "oslo");

    /* 2, which is elsewhere, says that 1 waits for it. 3 waits for 1 and is in no circle. */
    process(a, "1@london#1", "one", 4, 4, 0);
    process(a, "3@london#1", "three", 4, 4, 0);
    process(b, "2@oslo#1", "two", 4, 4, 0);
    relate(survey_process_find(b, "2@oslo#1"), SURVEY_WAITING, "1@london#1");
    relate(survey_process_find(a, "1@london#1"), SURVEY_WAITING, "2@oslo#1");
    relate(survey_process_find(a, "3@london#1"), SURVEY_WAITS_FOR, "1@london#1");
    check(c, 1);
    const struct finding *f = finds(c, 0, FINDING_ERROR, "circle", "london", "one");
    assert_string_equal(f->evidence, "1@london#1 (one, 4 messages) waits for 2@oslo#1 (two, 4 "
                                     "messages) waits for 1@london#1");
    assert_non_null(strstr(f->cure, "rusm kill london 1@london#1"));
    /* One that waits for itself is another circle. */
    relate(process(a, "4@london#1", "self", 4, 4, 0), SURVEY_WAITS_FOR, "4@london#1");
    check(c, 2);
    finds(c, 1, FINDING_ERROR, "circle", "london", "self");
    /* What handles messages goes on. */
    survey_process_find(a, "4@london#1")->at[SURVEY_NOW].received = 1;
    survey_process_find(b, "2@oslo#1")->at[SURVEY_NOW].received = 1;
    finding_fini(&c->found);
    rule_circle(&c->survey, "circle", &c->found);
    assert_int_equal(c->found.count, 0);
}

static void test_processes(void **state)
{
    struct scene *c = *state;
    struct survey_node *n = node(c, "london");

    process(n, "1@london#1", "hot", 0, 0, 5000);
    process(n, "2@london#1", "calm", 0, 0, 900);
    process(n, "3@london#1", "grows", 0, 0, 0)->at[SURVEY_NOW].memory = 2 * 1024 * 1024;
    process(n, "4@london#1", "again", 0, 0, 0)->at[SURVEY_NOW].seen = false;
    survey_process_add(n, "5@london#1", "again", "crash")->at[SURVEY_NOW].seen = true;
    check(c, 3);
    finds(c, 0, FINDING_WARNING, "restarts", "london", "again");
    finds(c, 1, FINDING_NOTE, "hot", "london", "hot");
    finds(c, 2, FINDING_NOTE, "memory", "london", "grows");
}

static void test_system(void **state)
{
    struct scene *c = *state;
    struct survey_node *n = node(c, "london");

    n->descriptors_max = 1024;
    n->descriptors = 900;
    n->memory[SURVEY_BEFORE] = 20 * 1024 * 1024;
    n->memory[SURVEY_NOW] = 30 * 1024 * 1024;
    check(c, 0);
    n->descriptors = 1000;
    n->memory[SURVEY_NOW] = 40 * 1024 * 1024;
    counts(n, "processes_restarted", 3, 4);
    check(c, 3);
    finds(c, 0, FINDING_WARNING, "restarts", "london", "");
    finds(c, 1, FINDING_WARNING, "descriptors", "london", "");
    finds(c, 2, FINDING_NOTE, "memory", "london", "");
}

static void test_counters(void **state)
{
    struct scene *c = *state;
    struct survey_node *n = node(c, "london");

    counts(n, "children_down", 1, 1);
    counts(n, "schedulers_held", 0, 1); /* for a moment */
    counts(n, "undelivered_noproc", 7, 9);
    counts(n, "handlers_long", 0, 1);
    counts(n, "clock_ahead", 0, 1);
    check(c, 4);
    finds(c, 0, FINDING_ERROR, "children", "london", "");
    finds(c, 1, FINDING_WARNING, "handler", "london", "");
    const struct finding *f = finds(c, 2, FINDING_WARNING, "undelivered", "london", "");
    assert_string_equal(f->evidence, "undelivered_noproc grew by 2 in 1.0 s, to 9");
    assert_string_equal(f->cure, "see which names there are: rusm attach --names london");
    finds(c, 3, FINDING_WARNING, "clock", "london", "");
    n->error = RUSM_ETIMEOUT; /* figures of a node that did not answer twice are no evidence */
    check(c, 1);
    finds(c, 0, FINDING_ERROR, "silent", "london", "");
}

static void test_nodes_away(void **state)
{
    struct scene *c = *state;
    struct survey_node *a = node(c, "london"), *b = node(c, "oslo");

    b->reached = false;
    b->error = RUSM_ENOCONN;
    peers(a, b, true);
    check(c, 1);
    const struct finding *f = finds(c, 0, FINDING_ERROR, "silent", "oslo", "");
    assert_non_null(strstr(f->evidence, "; connected with london"));
    peers(a, b, false);
    check(c, 1);
    f = finds(c, 0, FINDING_ERROR, "lost", "oslo", "");
    assert_non_null(strstr(f->evidence, "not connected with london; from here: "));
    b->error = RUSM_EREFUSED;
    snprintf(b->why.text, sizeof(b->why.text), "refused");
    check(c, 1);
    finds(c, 0, FINDING_ERROR, "certificate", "oslo", "");
}

static void test_splits(void **state)
{
    struct scene *c = *state;
    struct survey_node *a = node(c, "london"), *b = node(c, "oslo"), *third = node(c, "tokyo");

    peers(a, b, false);
    peers(b, a, true);
    check(c, 1);
    const struct finding *f = finds(c, 0, FINDING_ERROR, "split", "london", "");
    assert_string_equal(f->evidence, "london alone sees it so; both answer from here");
    /* Neither knows the other, but they have a peer in common, and had the time. */
    a->peers = b->peers = 0;
    check(c, 0);
    peers(third, a, true);
    peers(third, b, true);
    peers(a, third, true);
    peers(b, third, true);
    check(c, 1);
    f = finds(c, 0, FINDING_ERROR, "split", "london", "");
    assert_string_equal(f->evidence, "london and oslo; both answer from here");
    a->uptime_ms = 5000;
    check(c, 0);
}

static void test_delays_and_versions(void **state)
{
    struct scene *c = *state;
    struct survey_node *a = node(c, "london"), *b = node(c, "oslo");

    peers(a, b, true)->at[SURVEY_BEFORE].sent = 5;
    peers(b, a, true)->at[SURVEY_NOW].received = 3;
    snprintf(b->version, sizeof(b->version), "2");
    check(c, 2);
    finds(c, 0, FINDING_WARNING, "delayed", "london", "");
    finds(c, 1, FINDING_WARNING, "versions", "oslo", "");
    /* A full mailbox is the reason, and found by itself. */
    relate(process(b, "2@oslo#1", "two", 4, 4, 1), SURVEY_WAITING, "1@london#1");
    check(c, 2);
    finds(c, 0, FINDING_WARNING, "mailbox", "oslo", "two");
    /* Connections that are younger than the first reading count from 0. */
    survey_process_find(b, "2@oslo#1")->relations = 0;
    survey_process_find(b, "2@oslo#1")->at[SURVEY_NOW].mailbox = 0;
    survey_peer(a, "oslo")->at[SURVEY_NOW].since_ms = 500;
    check(c, 1);
}

int main(void)
{
#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_healthy),    TEST(test_mailboxes), TEST(test_circles),
        TEST(test_processes),  TEST(test_counters),  TEST(test_system),
        TEST(test_nodes_away), TEST(test_splits),    TEST(test_delays_and_versions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
