/* wire/table: the columns of a table. */
#include "wire/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/vectors.h"

static ssize_t show_columns(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct column columns[TABLE_COLUMNS_MAX];
    size_t count = 99;
    int rc = columns_read(&r, columns, &count);

    assert_int_equal(rc < 0, r.bad);
    if (rc != 0) {
        assert_int_equal(count, 0);
        return rc;
    }
    for (size_t i = 0; i < count; i++) {
        vector_say(v, "%s%d:%s", i > 0 ? " " : "", (int)columns[i].type, columns[i].name);
    }
    columns_write(&w, columns, count);
    v->again_len = writer_len(&w);
    return 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("columns", show_columns, 0) >= 12);
}

static void test_texts_and_numbers(void **state)
{
    (void)state;
    assert_true(column_is_text(RUSM_TYPE_TEXT));
    assert_true(column_is_text(RUSM_TYPE_PID));
    assert_false(column_is_text(RUSM_TYPE_COUNT));
    assert_false(column_is_text(RUSM_TYPE_BYTES));
    assert_false(column_is_text(RUSM_TYPE_SECONDS));
    assert_false(column_is_text(RUSM_TYPE_MICROS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_texts_and_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
