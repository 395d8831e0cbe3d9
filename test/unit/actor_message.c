/* actor/message and actor/mailbox: messages from a pool, and queues of them.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
 *
 * The sanitizers check that each message is freed exactly once. */
#include "actor/mailbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "doubles/memory.h"

static void test_room(void **state)
{
    (void)state;
    struct message_pool *pool = message_pool_new(NULL);

    assert_non_null(pool);
    /* The second round uses the free lists, with what the first round left in them. */
    for (int round = 0; round < 2; round++) {
        for (size_t len = 0; len < 20000; len += len < 300 ? 1 : 97) {
            struct message *m = message_new(pool, len);
            assert_non_null(m);
            assert_int_equal(m->pub.len, len);
            assert_ptr_equal(m->pub.data, message_room(m));
            assert_int_equal(m->pub.data[len], 0);
            assert_int_equal(m->pub.kind, RUSM_SEND);
            assert_int_equal(m->pub.error, 0);
            assert_int_equal(m->pub.ref, 0);
            assert_int_equal(m->pub.from.serial, 0);
            assert_int_equal(m->credit_bytes, 0);
            assert_null(m->next);
            assert_null(m->credit);
            assert_null(m->block);
            memset(message_room(m), 0xff, len + 1);
            m->pub.kind = RUSM_DOWN;
            m->pub.error = -1;
            m->pub.ref = m->pub.from.serial = 9;
            m->next = m;
            message_free(pool, m);
        }
    }
    message_free(pool, NULL);
    message_pool_free(pool);
    message_pool_free(NULL);
}

static void test_many_at_once(void **state)
{
    (void)state;
    enum { MANY = 20000 }; /* more than a free list keeps */
    struct message_pool *pool = message_pool_new(NULL);
    struct message **m = calloc(MANY, sizeof(*m));

    assert_non_null(m);
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < MANY; i++) {
            m[i] = message_new(pool, (i * 7 + round) % 500);
            assert_non_null(m[i]);
            memset(message_room(m[i]), (int)i, m[i]->pub.len);
        }
        for (size_t i = 0; i < MANY; i++) {
            for (size_t k = 0; k < m[i]->pub.len; k++) {
                assert_int_equal(m[i]->pub.data[k], i & 0xff);
            }
            message_free(pool, m[i]);
        }
    }
    free(m);
    message_pool_free(pool);
}

static void test_block(void **state)
{
    (void)state;
    struct message_pool *pool = message_pool_new(NULL);
    char *block = malloc(1001);

    assert_non_null(block);
    memset(block, 'x', 1000);
    block[1000] = 0;
    memory_fail_after(0);
    assert_null(message_new_block(pool, block, 1000)); /* does not take the block */
    memory_works();
    struct message *m = message_new_block(pool, block, 1000);
    assert_non_null(m);
    assert_ptr_equal(m->pub.data, block);
    assert_ptr_equal(message_room(m), block);
    assert_int_equal(m->pub.len, 1000);
    message_free(pool, m);
    m = message_new(pool, 3); /* the same memory, now without a block */
    assert_non_null(m);
    assert_null(m->block);
    message_free(pool, m);
    message_pool_free(pool);
}

static void test_credit(void **state)
{
    (void)state;
    struct message_pool *pool = message_pool_new(NULL);
    struct credit_owner owner;
    credit_owner_init(&owner, NULL);
    struct credit *credit = credit_new(&owner);
    struct message *m = message_new(pool, 3);

    assert_non_null(m);
    credit_hold(credit);
    m->credit = credit;
    m->credit_bytes = 77;
    message_free(pool, m);
    assert_int_equal(credit->given, 77);
    assert_int_equal(credit->refs, 1);
    m = message_new(pool, 3);
    message_free(pool, m);
    assert_int_equal(credit->messages, 1);
    credit_orphan(credit);
    message_pool_free(pool);
}

static void test_no_memory(void **state)
{
    (void)state;
    memory_fail_after(0);
    assert_null(message_pool_new(NULL));
    memory_works();
    struct message_pool *pool = message_pool_new(NULL);
    memory_fail_after(0);
    assert_null(message_new(pool, 0));
    assert_null(message_new(pool, 100000));
    memory_works();
    message_pool_free(pool); /* no message is in use */
}

/* ---- mailbox ---- */

static struct message *numbered(struct message_pool *pool, uint64_t ref, size_t len)
{
    struct message *m = message_new(pool, len);

    assert_non_null(m);
    m->pub.ref = ref;
    return m;
}

static void pop(struct message_pool *pool, struct mailbox *mb, uint64_t ref)
{
    struct message *m = mailbox_pop(mb);

    assert_int_equal(m->pub.ref, ref);
    message_free(pool, m);
}

static void test_queue(void **state)
{
    (void)state;
    struct message_pool *pool = message_pool_new(NULL);
    struct mailbox mb = { 0 };

    for (uint64_t i = 0; i < 3; i++) {
        mailbox_push(&mb, numbered(pool, i, 10));
    }
    assert_int_equal(mb.count, 3);
    assert_int_equal(mb.bytes, 30);
    struct message *m = mailbox_pop(&mb);
    assert_int_equal(m->pub.ref, 0);
    assert_int_equal(mb.bytes, 20);
    mailbox_unpop(&mb, m);
    assert_int_equal(mb.count, 3);
    assert_int_equal(mb.bytes, 30);
    pop(pool, &mb, 0);
    pop(pool, &mb, 1);
    m = mailbox_pop(&mb);
    assert_null(mb.head);
    assert_int_equal(mb.bytes, 0);
    mailbox_unpop(&mb, m); /* into an empty mailbox, then more behind it */
    mailbox_push(&mb, numbered(pool, 3, 0));
    pop(pool, &mb, 2);
    pop(pool, &mb, 3);
    assert_int_equal(mb.count, 0);
    assert_int_equal(mailbox_discard(&mb, pool), 0);
    for (uint64_t i = 0; i < 5; i++) {
        mailbox_push(&mb, numbered(pool, i, 1));
    }
    assert_int_equal(mailbox_discard(&mb, pool), 5);
    assert_int_equal(mb.count, 0);
    assert_int_equal(mb.bytes, 0);
    message_pool_free(pool);
}

static void test_limits(void **state)
{
    (void)state;
    const struct mailbox_limits limits = { .messages = 3, .bytes = 100 };
    struct message_pool *pool = message_pool_new(NULL);
    struct mailbox mb = { 0 };

    assert_true(mailbox_has_room(&mb, &limits, 0));
    assert_true(mailbox_has_room(&mb, &limits, 1000000)); /* an empty mailbox takes any message */
    mailbox_push(&mb, numbered(pool, 0, 0));
    assert_true(mailbox_has_room(&mb, &limits, 100));
    assert_false(mailbox_has_room(&mb, &limits, 101));
    mailbox_push(&mb, numbered(pool, 1, 60));
    assert_true(mailbox_has_room(&mb, &limits, 40));
    assert_false(mailbox_has_room(&mb, &limits, 41));
    mb.reserved = 1;
    assert_false(mailbox_has_room(&mb, &limits, 0));
    mb.reserved = 0;
    mailbox_push(&mb, numbered(pool, 2, 0));
    assert_false(mailbox_has_room(&mb, &limits, 0));
    mailbox_discard(&mb, pool);
    mb.reserved = 3;
    assert_false(mailbox_has_room(&mb, &limits, 0));
    message_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_room),      cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_block),     cmocka_unit_test(test_credit),
        cmocka_unit_test(test_queue),     cmocka_unit_test(test_limits),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
