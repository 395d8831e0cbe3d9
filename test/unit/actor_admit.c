/* actor/deliver: process_admit decides whether a mailbox takes a message. Tests each kind, with and
 * without room, from senders that wait and senders that do not, to processes that trap exit signals
 * and processes that do not. */
#include "actor/limits.h"
#include "base/list.h"
#include "doubles/actor.h"

struct row {
    enum rusm_kind kind;
    const char *data;
    bool traps, unordered, urgent;
    enum admission empty, full; /* the results for an empty and a full mailbox */
};

static const struct row rows[] = {
    { RUSM_SEND, "x", false, false, false, ADMIT_TAKE, ADMIT_HOLD },
    { RUSM_SEND, "x", false, true, false, ADMIT_TAKE, ADMIT_REFUSE },
    { RUSM_SEND, "x", true, false, false, ADMIT_TAKE, ADMIT_HOLD },
    { RUSM_CALL, "x", false, false, false, ADMIT_TAKE, ADMIT_HOLD },
    { RUSM_REPLY, "x", false, false, false, ADMIT_TAKE, ADMIT_TAKE },
    { RUSM_EXIT, "x", false, false, false, ADMIT_TAKE, ADMIT_TAKE },
    { RUSM_EXIT, "x", false, false, true, ADMIT_TAKE, ADMIT_TAKE },
    { RUSM_EXIT, "x", true, false, false, ADMIT_TAKE, ADMIT_HOLD },
    { RUSM_EXIT, "x", true, true, false, ADMIT_TAKE, ADMIT_REFUSE },
    { RUSM_EXIT, "x", true, false, true, ADMIT_DROP, ADMIT_DROP },
    { RUSM_EXIT, "kill", true, false, false, ADMIT_TAKE, ADMIT_TAKE }, /* cannot be trapped */
    { RUSM_EXIT, "kill", true, false, true, ADMIT_TAKE, ADMIT_TAKE },
    { MESSAGE_LINK_EXIT, "x", true, false, false, ADMIT_TAKE, ADMIT_TAKE },
    { RUSM_DOWN, "x", true, false, false, ADMIT_TAKE, ADMIT_TAKE },
    { RUSM_DOWN, "x", false, true, false, ADMIT_TAKE, ADMIT_TAKE },
};

static void never(struct waiter *w)
{
    (void)w;
    fail();
}

static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        const struct row *r = &rows[i];
        struct world *w = world_new();
        struct probe *a = probe_new(w), *b = probe_new(w);
        struct waiter waiter = { .ready = never };
        struct arrival arrival = { .kind = r->kind,
                                   .data = r->data,
                                   .len = strlen(r->data),
                                   .unordered = r->unordered,
                                   .urgent = r->urgent };
        list_init(&waiter.link);
        rusm_trap_exit(b->self, r->traps);
        assert_int_equal(process_admit(b->self, &arrival, &waiter), r->empty);
        assert_false(list_linked(&waiter.link));
        probe_fill(a, b, WORLD_MESSAGES);
        assert_int_equal(process_admit(b->self, &arrival, NULL), r->full);
        assert_int_equal(process_admit(b->self, &arrival, &waiter), r->full);
        assert_int_equal(list_linked(&waiter.link), r->full == ADMIT_HOLD);
        assert_int_equal(runtime_counters(w->rt)->messages_held, r->full == ADMIT_HOLD);
        list_remove(&waiter.link);
        world_free(w);
        free(a);
        free(b);
    }
}

/* A full mailbox still takes replies, up to LIMIT_MAILBOX_REPLIES. */
static void test_replies(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    struct arrival reply = { .kind = RUSM_REPLY, .data = "r", .len = 1 };
    struct waiter waiter = { .ready = never };
    uint64_t ref;

    (void)state;
    list_init(&waiter.link);
    for (unsigned i = 0; i < LIMIT_MAILBOX_REPLIES; i++) {
        assert_int_equal(process_admit(a->self, &reply, &waiter), ADMIT_TAKE);
        assert_int_equal(rusm_request(a->self, b->pid, "q", 1, RUSM_FOREVER, &ref), 0);
        rusm_pid from = b->pid;
        process_deliver(a->self, world_message(w, RUSM_REPLY, from, ref, "r"));
        struct process_info info;
        process_info(b->self, &info, 0);
        if (info.mailbox == WORLD_MESSAGES) {
            b->on = NULL;
            runtime_kill(w->rt, b->pid.serial, "normal");
            free(b);
            b = probe_new(w);
        }
    }
    assert_int_equal(process_admit(a->self, &reply, &waiter), ADMIT_HOLD);
    assert_true(list_linked(&waiter.link));
    list_remove(&waiter.link);
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
