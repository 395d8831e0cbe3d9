/* node/history: the events that are kept for followers. */
#include "node/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "gateway/gateway.h"
#include "node/limits.h"
#include "wire/follow.h"

static void add(struct history *h, const char *text)
{
    const struct gateway_field field[] = { { .key = "text", .text = text },
                                           { .key = "number", .number = 7 } };

    history_add(h, &(struct gateway_event){
                       .type = "seen", .wall_ms = 99, .field = field, .count = 2 });
}

static void test_events(void **state)
{
    static struct follow_event event;
    struct history h = { .last = 0 };
    char texts[64];

    (void)state;
    history_init(&h);
    assert_null(history_after(&h, 0));
    add(&h, "one");
    add(&h, "two");
    const struct history_event *e = history_after(&h, 1);
    assert_int_equal(e->id, 2);
    assert_null(history_next(&h, e));
    assert_ptr_equal(history_next(&h, history_after(&h, 0)), e);
    assert_null(history_after(&h, 2));
    struct reader r = reader_on(e->body, e->len);
    assert_int_equal(follow_event_read(&r, &event, texts, sizeof(texts)), 1);
    assert_int_equal(event.id, 2);
    assert_int_equal(event.time_ms, 99);
    assert_string_equal(event.field[0].text, "two");
    assert_int_equal(event.field[1].number, 7);
    history_close(&h);
}

/* Events that found no room before they got here, and those that had to go. */
static void test_missing(void **state)
{
    struct history h = { .last = 0 };
    char text[1001];

    (void)state;
    history_init(&h);
    add(&h, "one");
    history_skip(&h, 5);
    add(&h, "seven");
    assert_int_equal(history_after(&h, 1)->id, 7);
    assert_int_equal(history_missing(&h, 1, 7), 5);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    while (h.last < 5000) {
        add(&h, text);
        assert_true(h.bytes <= LIMIT_EVENTS_KEPT);
    }
    uint64_t first = history_after(&h, 0)->id;
    assert_true(first > 3000 && first < 4500);
    assert_int_equal(history_missing(&h, 7, first), first - 8);
    history_close(&h);
    assert_int_equal(h.bytes, 0);
}

/* While nobody watches, nothing is counted. */
static void test_uncounted(void **state)
{
    struct history h = { .last = 0 };

    (void)state;
    history_init(&h);
    add(&h, "one");
    add(&h, "two");
    history_close(&h);
    add(&h, "later");
    uint64_t id = history_after(&h, 1)->id;
    assert_true(id > 3);
    assert_int_equal(history_missing(&h, 2, id), 0);
    history_skip(&h, 2);
    assert_int_equal(history_missing(&h, id, id + 3), 2);
    history_close(&h);
}

/* An event that is too long is one that is missing. */
static void test_too_long(void **state)
{
    struct history h = { .last = 0 };
    char text[20001];

    (void)state;
    history_init(&h);
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    add(&h, text);
    assert_null(history_after(&h, 0));
    assert_int_equal(h.last, 1);
    history_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_missing),
        cmocka_unit_test(test_uncounted),
        cmocka_unit_test(test_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
