/* cmd/watch: rates between two samples, order and filter, series, and what keys do. */
#include "../../cmd/watch/series.c"
#include "../../cmd/watch/model.c"
#include "../../cmd/watch/order.c"
#include "../../cmd/watch/sample.c"
#include "../../cmd/watch/tab.c"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

struct worker {
    const char *pid, *name;
    uint64_t mailbox, received;
};

static void add_worker(struct sample *sample, const struct worker *w)
{
    const struct rusm_field fields[] = {
        { "pid", RUSM_TYPE_PID, w->pid, 0 },
        { "name", RUSM_TYPE_TEXT, w->name, 0 },
        { "behaviour", RUSM_TYPE_TEXT, "echo", 0 },
        { "mailbox", RUSM_TYPE_COUNT, NULL, w->mailbox },
        { "received", RUSM_TYPE_COUNT, NULL, w->received },
    };

    assert_int_equal(sample_row(sample, fields, sizeof(fields) / sizeof(fields[0])), 0);
}

static void fill(struct sample *sample, uint64_t at_ns, const struct worker *workers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        add_worker(sample, &workers[i]);
    }
    sample->at_ns = at_ns;
    sample->read = true;
}

static const struct worker then[] = {
    { "9@london#a", "nine", 0, 100 },
    { "10@london#a", "", 7, 1000 },
    { "11@london#a", "gone", 0, 5 },
};
static const struct worker now[] = {
    { "9@london#a", "nine", 3, 150 },
    { "10@london#a", "", 7, 3000 },
    { "12@london#a", "new", 0, 40 },
};

/* ---- samples ---- */

static void test_rates(void **state)
{
    struct sample before, after;

    (void)state;
    sample_init(&before, RUSM_TABLE_PROCESSES);
    sample_init(&after, RUSM_TABLE_PROCESSES);
    fill(&before, 5 * SECOND, then, 3);
    fill(&after, 7 * SECOND, now, 3);
    assert_int_equal(sample_rate(&after, &before), 0);
    assert_true(after.rated);
    assert_int_equal(after.columns, after.given + 1);
    int rate = sample_find(&after, "rate");
    assert_int_equal(sample_number(&after, 0, rate), 25);
    assert_int_equal(sample_number(&after, 1, rate), 1000);
    assert_int_equal(sample_number(&after, 2, rate), 20); /* all of it since then */
    sample_fini(&before);
    sample_fini(&after);
}

static void test_rates_unknown(void **state)
{
    struct sample never, one;
    struct rusm_field fields[SAMPLE_COLUMNS];

    (void)state;
    sample_init(&never, RUSM_TABLE_PROCESSES);
    sample_init(&one, RUSM_TABLE_PROCESSES);
    fill(&one, SECOND, now, 3);
    assert_int_equal(sample_rate(&one, &never), 0);
    assert_false(one.rated);
    assert_int_equal(sample_fields(&one, 0, fields), 6);
    assert_string_equal(fields[5].column, "rate");
    assert_int_equal(fields[5].type, RUSM_TYPE_TEXT); /* null in JSON, "-" in a table */
    assert_null(fields[5].text);
    sample_fini(&one);
}

/* A node that was started again counts from 0. */
static void test_rates_restart(void **state)
{
    static const struct rusm_field fields[] = { { "counter", RUSM_TYPE_TEXT, "messages", 0 },
                                                { "value", RUSM_TYPE_COUNT, NULL, 1000 } };
    struct rusm_field less[] = { fields[0], fields[1] };
    struct sample before, after;

    (void)state;
    less[1].number = 30;
    sample_init(&before, RUSM_TABLE_COUNTERS);
    sample_init(&after, RUSM_TABLE_COUNTERS);
    assert_int_equal(sample_row(&before, fields, 2), 0);
    assert_int_equal(sample_row(&after, less, 2), 0);
    before.read = true;
    before.at_ns = SECOND;
    after.at_ns = 2 * SECOND;
    assert_int_equal(sample_rate(&after, &before), 0);
    assert_int_equal(sample_counter(&after, "messages", "value"), 30);
    assert_int_equal(sample_counter(&after, "messages", "rate"), 30);
    assert_int_equal(sample_counter(&after, "others", "rate"), 0);
    sample_fini(&before);
    sample_fini(&after);
}

/* ---- order ---- */

static void check_order(const struct sample *sample, const char *filter, const char *column,
                        const char *also, bool descending, const char *keys)
{
    struct order order;
    char text[200] = "";

    assert_int_equal(order_make(&order, sample, filter, column, also, descending), 0);
    for (size_t i = 0; i < order.count; i++) {
        strncat(text, sample_key(sample, order.row[i]), 60);
        strcat(text, " ");
    }
    assert_string_equal(text, keys);
    order_fini(&order);
}

static void test_order(void **state)
{
    struct sample sample;

    (void)state;
    sample_init(&sample, RUSM_TABLE_PROCESSES);
    fill(&sample, SECOND, then, 3);
    check_order(&sample, "", NULL, NULL, false, "9@london#a 10@london#a 11@london#a ");
    check_order(&sample, "", "pid", NULL, true, "11@london#a 10@london#a 9@london#a ");
    check_order(&sample, "", "mailbox", NULL, true, "10@london#a 9@london#a 11@london#a ");
    check_order(&sample, "", "mailbox", "received", false, "9@london#a 11@london#a 10@london#a ");
    /* Who has no name comes last, either way. */
    check_order(&sample, "", "name", NULL, false, "11@london#a 9@london#a 10@london#a ");
    check_order(&sample, "", "name", NULL, true, "9@london#a 11@london#a 10@london#a ");
    check_order(&sample, "NIN", "pid", NULL, false, "9@london#a ");
    check_order(&sample, "echo", "rate", NULL, true, "9@london#a 10@london#a 11@london#a ");
    check_order(&sample, "nobody", NULL, NULL, true, "");
    sample_fini(&sample);
}

static void test_series(void **state)
{
    struct series series = { .count = 0 };

    (void)state;
    assert_int_equal(series_value(&series, 0), 0);
    assert_int_equal(series_count(&series), 0);
    for (uint64_t i = 1; i <= 3 * SERIES_VALUES; i++) {
        series_add(&series, i);
    }
    assert_int_equal(series_count(&series), SERIES_VALUES);
    assert_int_equal(series_value(&series, 0), 3 * SERIES_VALUES);
    assert_int_equal(series_value(&series, SERIES_VALUES - 1), 2 * SERIES_VALUES + 1);
    assert_int_equal(series_value(&series, SERIES_VALUES), 0);
    assert_int_equal(series_most(&series, 10), 3 * SERIES_VALUES);
}

/* ---- the model ---- */

static void take(struct model *model, uint64_t at_ns, const struct worker *workers, size_t count)
{
    struct reading reading = { .at_ns = at_ns };

    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_init(&reading.sample[i], (enum rusm_table)i);
    }
    fill(&reading.sample[RUSM_TABLE_PROCESSES], at_ns, workers, count);
    assert_int_equal(model_take(model, &reading), 0);
    sample_fini(&reading.sample[RUSM_TABLE_PROCESSES]);
}

static const char *under_cursor(const struct model *model)
{
    return sample_key(model_sample(model), model_row(model, model->tab[model->number].cursor));
}

static void press(struct model *model, const char *keys)
{
    for (; *keys; keys++) {
        assert_int_equal(model_key(model, *keys), 0);
    }
}

static void test_cursor(void **state)
{
    struct model model;

    (void)state;
    model_init(&model, TAB_PROCESSES, "rate", 1000);
    take(&model, 5 * SECOND, then, 3);
    take(&model, 7 * SECOND, now, 3);
    model_scroll(&model, 2);
    assert_string_equal(under_cursor(&model), "10@london#a"); /* the busiest */
    model_key(&model, MODEL_DOWN);
    assert_string_equal(under_cursor(&model), "9@london#a");
    press(&model, "b"); /* the cursor stays with its row: by mailbox it is the second, too */
    assert_string_equal(under_cursor(&model), "9@london#a");
    press(&model, "b");
    assert_string_equal(under_cursor(&model), "9@london#a");
    assert_false(model.tab[TAB_PROCESSES].descending);
    model_key(&model, MODEL_END);
    assert_int_equal(model.tab[TAB_PROCESSES].cursor, 2);
    model_scroll(&model, 2);
    assert_int_equal(model.tab[TAB_PROCESSES].top, 1);
    model_key(&model, MODEL_HOME);
    model_scroll(&model, 2);
    assert_int_equal(model.tab[TAB_PROCESSES].top, 0);
    model_fini(&model);
}

static void test_filter(void **state)
{
    struct model model;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    take(&model, SECOND, then, 3);
    press(&model, "/ninx");
    assert_int_equal(model.order.count, 0);
    press(&model, "\x7f");
    assert_int_equal(model.order.count, 1);
    press(&model, "\nq"); /* now a key is a key again */
    assert_true(model.quit);
    assert_string_equal(model.filter, "nin");
    press(&model, "\x1b");
    assert_int_equal(model.order.count, 3);
    press(&model, "/");
    for (int i = 0; i < 2 * MODEL_FILTER; i++) {
        press(&model, "x");
    }
    assert_int_equal(strlen(model.filter), MODEL_FILTER - 1);
    model_fini(&model);
}

static void test_detail(void **state)
{
    struct reading_want want;
    struct model model;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    press(&model, "\n"); /* there is nothing to open yet */
    assert_false(model.detail);
    take(&model, SECOND, then, 3);
    press(&model, "\n");
    assert_true(model.detail);
    model_want(&model, &want);
    assert_string_equal(want.process, "10@london#a");
    press(&model, "\x1b");
    assert_false(model.detail);
    press(&model, "2");
    model_want(&model, &want);
    assert_string_equal(want.process, "");
    assert_true(want.table[RUSM_TABLE_PEERS]);
    assert_false(want.table[RUSM_TABLE_PROCESSES]);
    assert_true(want.processes_if_few);
    model_fini(&model);
}

static void test_pause_and_loss(void **state)
{
    struct reading lost = { .error = RUSM_ENOCONN, .again_ns = 9 * SECOND };
    struct model model;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    take(&model, SECOND, then, 3);
    press(&model, "p");
    take(&model, 2 * SECOND, now, 3);
    assert_int_equal(model_sample(&model)->at_ns, SECOND);
    press(&model, "p");
    assert_int_equal(model_take(&model, &lost), 0);
    assert_int_equal(model.error, RUSM_ENOCONN);
    assert_int_equal(model_sample(&model)->rows, 3); /* what was seen last stays */
    take(&model, 3 * SECOND, now, 3);
    assert_int_equal(model.error, 0);
    assert_int_equal(model_sample(&model)->at_ns, 3 * SECOND);
    press(&model, "?");
    assert_true(model.help);
    press(&model, "x");
    assert_false(model.help);
    model_fini(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),          cmocka_unit_test(test_rates_unknown),
        cmocka_unit_test(test_rates_restart),  cmocka_unit_test(test_order),
        cmocka_unit_test(test_series),         cmocka_unit_test(test_cursor),
        cmocka_unit_test(test_filter),         cmocka_unit_test(test_detail),
        cmocka_unit_test(test_pause_and_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
