/* cmd/watch: what is drawn, at many sizes, in UTF-8 and in ASCII. */
#include "../../cmd/failure.c"
#include "../../cmd/output.c"
#include "../../cmd/watch/canvas.c"
#include "../../cmd/watch/detail.c"
#include "../../cmd/watch/gauge.c"
#include "../../cmd/watch/series.c"
#include "../../cmd/watch/model.c"
#include "../../cmd/watch/order.c"
#include "../../cmd/watch/sample.c"
#include "../../cmd/watch/summary.c"
#include "../../cmd/watch/tab.c"
#include "../../cmd/watch/text.c"
#include "../../cmd/watch/view.c"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define LINE 2000

static void row(struct sample *sample, const struct rusm_field *fields, size_t count)
{
    assert_int_equal(sample_row(sample, fields, count), 0);
    sample->read = true;
}

static void add_node(struct sample *sample, uint64_t cpu_ms)
{
    const struct rusm_field fields[] = {
        { "name", RUSM_TYPE_TEXT, "london", 0 },
        { "address", RUSM_TYPE_TEXT, "127.0.0.1:4433", 0 },
        { "incarnation", RUSM_TYPE_TEXT, "5f3a1c", 0 },
        { "uptime", RUSM_TYPE_SECONDS, NULL, 3723000 },
        { "processes", RUSM_TYPE_COUNT, NULL, 3 },
        { "peers", RUSM_TYPE_COUNT, NULL, 2 },
        { "version", RUSM_TYPE_TEXT, "0.1.0", 0 },
        { "cpu", RUSM_TYPE_SECONDS, NULL, cpu_ms },
    };

    row(sample, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_process(struct sample *sample, const char *pid, const char *name, const char *state,
                        uint64_t mailbox, uint64_t received)
{
    const struct rusm_field fields[] = {
        { "pid", RUSM_TYPE_PID, pid, 0 },
        { "name", RUSM_TYPE_TEXT, name, 0 },
        { "behaviour", RUSM_TYPE_TEXT, "supervisor", 0 },
        { "state", RUSM_TYPE_TEXT, state, 0 },
        { "mailbox", RUSM_TYPE_COUNT, NULL, mailbox },
        { "received", RUSM_TYPE_COUNT, NULL, received },
        { "memory", RUSM_TYPE_BYTES, NULL, 1300 },
        { "links", RUSM_TYPE_COUNT, NULL, 2 },
        { "age", RUSM_TYPE_SECONDS, NULL, 90061000 },
    };

    row(sample, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_peer(struct sample *sample, uint64_t sent)
{
    const struct rusm_field fields[] = {
        { "node", RUSM_TYPE_TEXT, "tokyo", 0 },
        { "address", RUSM_TYPE_TEXT, "127.0.0.1:4434", 0 },
        { "direction", RUSM_TYPE_TEXT, "out", 0 },
        { "state", RUSM_TYPE_TEXT, "connected", 0 },
        { "rtt_us", RUSM_TYPE_MICROS, NULL, 1234 },
        { "sent", RUSM_TYPE_COUNT, NULL, sent },
        { "received", RUSM_TYPE_COUNT, NULL, 2 * sent },
        { "lost", RUSM_TYPE_COUNT, NULL, 4 },
        { "lanes", RUSM_TYPE_COUNT, NULL, 2 },
        { "since", RUSM_TYPE_SECONDS, NULL, 61000 },
    };

    row(sample, fields, sizeof(fields) / sizeof(fields[0]));
}

static void add_relation(struct sample *sample, const char *relation, const char *pid,
                         const char *name, uint64_t bytes)
{
    const struct rusm_field fields[] = { { "relation", RUSM_TYPE_TEXT, relation, 0 },
                                         { "pid", RUSM_TYPE_PID, pid, 0 },
                                         { "name", RUSM_TYPE_TEXT, name, 0 },
                                         { "bytes", RUSM_TYPE_BYTES, NULL, bytes } };

    row(sample, fields, sizeof(fields) / sizeof(fields[0]));
}

/* Takes a reading of a node whose processes have worked for that many seconds. */
static void take(struct model *model, uint64_t seconds)
{
    struct reading reading = { .at_ns = seconds * SECOND };
    struct rusm_field counter[] = { { "counter", RUSM_TYPE_TEXT, "messages_handled", 0 },
                                    { "value", RUSM_TYPE_COUNT, NULL, 1500 * seconds } };

    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_init(&reading.sample[i], (enum rusm_table)i);
        reading.sample[i].at_ns = reading.at_ns;
    }
    sample_init(&reading.process, RUSM_TABLE_PROCESSES);
    sample_init(&reading.relations, RUSM_TABLE_NODES);
    snprintf(reading.pid, sizeof(reading.pid), "7@london#5f3a1c");
    reading.process.at_ns = reading.at_ns;
    add_node(&reading.sample[RUSM_TABLE_NODE], 250 * seconds);
    add_process(&reading.sample[RUSM_TABLE_PROCESSES], "2@london#5f3a1c", "", "waiting", 0, 0);
    add_process(&reading.sample[RUSM_TABLE_PROCESSES], "7@london#5f3a1c", "gr\xc3\xbc\xc3\x9f\x65",
                "holding", 1024, 1500 * seconds);
    add_process(&reading.sample[RUSM_TABLE_PROCESSES], "9@london#5f3a1c",
                "\xe6\xbc\xa2\xe5\xad\x97", "running", 1, 123456789);
    add_peer(&reading.sample[RUSM_TABLE_PEERS], 10 * seconds);
    row(&reading.sample[RUSM_TABLE_COUNTERS], counter, 2);
    add_process(&reading.process, "7@london#5f3a1c", "gr\xc3\xbc\xc3\x9f\x65", "holding", 1024,
                1500 * seconds);
    add_relation(&reading.relations, "link", "2@london#5f3a1c", "", 0);
    add_relation(&reading.relations, "monitored_by", "3@tokyo#1", "", 0);
    add_relation(&reading.relations, "monitored_by", "4@tokyo#1", "clerk", 0);
    add_relation(&reading.relations, "waiting", "5@tokyo#1", "", 70000);
    assert_int_equal(model_take(model, &reading), 0);
    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_fini(&reading.sample[i]);
    }
    sample_fini(&reading.process);
    sample_fini(&reading.relations);
    model->now_ns = reading.at_ns;
}

static void draw(struct model *model, struct canvas *canvas, int rows, int columns, bool utf8)
{
    assert_int_equal(canvas_init(canvas, rows, columns, utf8), 0);
    view_draw(model, canvas);
}

/* Fails unless the line of the screen is the text. */
static void expect_line(struct canvas *canvas, int line, const char *text)
{
    char got[LINE];

    assert_string_equal(canvas_text(canvas, line, got, sizeof(got)), text);
}

/* Fails unless the screen has the text somewhere. */
static void expect_text(const struct canvas *canvas, const char *text)
{
    char got[LINE];

    for (int i = 0; i < canvas->rows; i++) {
        if (strstr(canvas_text(canvas, i, got, sizeof(got)), text)) {
            return;
        }
        print_message("%s\n", got);
    }
    fail_msg("there is no '%s'", text);
}

static void test_processes(void **state)
{
    struct model model;
    struct canvas c;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    take(&model, 1);
    take(&model, 2);
    draw(&model, &c, 24, 80, true);
    expect_line(&c, 0,
                " london  up 1h02m  processes 3  peers 2  127.0.0.1:4433                every 1s");
    expect_line(&c, 1,
                " 1 Processes  2 Peers  3 Names  4 Counters  5 Node                            3");
    expect_line(&c, 2,
                " msg/s  1500            █  mailboxes  1025       ██  cpu   25%              █");
    expect_line(&c, 3,
                "PID      NAME       BEHAVIOUR  STATE   MAILBOX▾  RATE/s RECEIVED   MEMORY    AGE");
    expect_line(&c, 4,
                "7        grüße      supervisor holding     1024    1500     3000  1.3 KiB  1d01h");
    expect_line(&c, 5,
                "9        漢字       supervisor running        1       0     123M  1.3 KiB  1d01h");
    expect_line(&c, 6,
                "2        (supervis… supervisor waiting        0       0        0  1.3 KiB  1d01h");
    expect_line(&c, 7, "");
    expect_line(&c, 22, " sort by  n name  b mailbox  r rate  m memory  a age");
    expect_line(&c, 23, " q quit  ? help  p pause  / filter  Enter detail  1-5 tabs");
    assert_int_equal(c.cell[4 * 80].face, FACE_SELECTED);
    assert_int_equal(c.cell[5 * 80 + 31].face, FACE_GOOD);
    canvas_fini(&c);
    model_fini(&model);
}

static void test_narrow(void **state)
{
    struct model model;
    struct canvas c;

    (void)state;
    model_init(&model, TAB_PROCESSES, "rate", 500);
    take(&model, 1);
    take(&model, 2);
    draw(&model, &c, 12, 40, false);
    expect_line(&c, 0, " london  up 1h02m  peers 2   every 0.5s");
    expect_line(&c, 1, " 1 Proc 2 Peer 3 Name 4 Cnt 5 Node    3");
    expect_line(&c, 2, "PID      NAME            MAILBOX RATE/sv");
    expect_line(&c, 3, "7        gr??e              1024    1500");
    expect_line(&c, 4, "2        (supervisor)          0       0");
    expect_line(&c, 11, " q quit  ? help  p pause  / filter");
    canvas_fini(&c);
    model_fini(&model);
}

static void test_detail(void **state)
{
    struct model model;
    struct canvas c;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    take(&model, 1);
    assert_int_equal(model_key(&model, MODEL_ENTER), 0);
    draw(&model, &c, 24, 80, true);
    expect_text(&c, "The node has not told yet.");
    canvas_fini(&c);
    take(&model, 2);
    take(&model, 3);
    draw(&model, &c, 24, 80, true);
    expect_line(&c, 4, " 7@london#5f3a1c  grüße");
    expect_line(&c, 5, " behaviour supervisor                   state     holding");
    expect_line(&c, 9,
                " msg/s      1500                                                              █");
    expect_line(&c, 11, " link             2@london");
    expect_line(&c, 12, " monitored by     3@tokyo");
    expect_line(&c, 13, "                  4@tokyo                   clerk");
    expect_line(&c, 14, " waiting          5@tokyo                   68 KiB");
    canvas_fini(&c);
    model.ended = true;
    draw(&model, &c, 24, 80, true);
    expect_text(&c, "This process has ended.");
    canvas_fini(&c);
    model_fini(&model);
}

static void test_others(void **state)
{
    struct model model;
    struct canvas c;

    (void)state;
    model_init(&model, TAB_PEERS, NULL, 1000);
    take(&model, 1);
    take(&model, 2);
    draw(&model, &c, 24, 80, true);
    expect_line(&c, 4,
                "tokyo                 connected    1.2ms      10      20      4     2 out  1m01s");
    canvas_fini(&c);
    assert_int_equal(model_key(&model, '3'), 0);
    draw(&model, &c, 24, 80, true);
    canvas_fini(&c);
    assert_int_equal(model_key(&model, '4'), 0);
    draw(&model, &c, 24, 80, true);
    expect_line(&c, 4, "messages_handled                         3000     1500");
    canvas_fini(&c);
    assert_int_equal(model_key(&model, '5'), 0);
    draw(&model, &c, 24, 80, true);
    expect_text(&c, "incarnation 5f3a1c");
    expect_text(&c, "no message was lost");
    canvas_fini(&c);
    assert_int_equal(model_key(&model, '?'), 0);
    draw(&model, &c, 24, 80, true);
    expect_text(&c, "1-5  Tab");
    canvas_fini(&c);
    model_fini(&model);
}

static void test_lost(void **state)
{
    struct model model;
    struct canvas c;

    (void)state;
    model_init(&model, TAB_PROCESSES, NULL, 1000);
    take(&model, 1);
    model.now_ns = 6 * SECOND;
    draw(&model, &c, 24, 80, true);
    expect_text(&c, "no answer for 5s");
    canvas_fini(&c);
    model.error = RUSM_ENOCONN;
    model.again_ns = 8 * SECOND;
    snprintf(model.why.text, sizeof(model.why.text), "node 'london' is not running");
    draw(&model, &c, 24, 80, true);
    expect_line(&c, 2, " Trying again in 2 s: node 'london' is not running");
    assert_int_equal(c.cell[2 * 80 + 79].face, FACE_ALARM);
    expect_text(&c, "LOST");
    expect_text(&c, "grüße"); /* what was seen last stays */
    canvas_fini(&c);
    model_fini(&model);
}

/* On a canvas of any size, whatever is shown, nothing is written outside: a sanitizer would see it.
 * Every line has as many columns as the screen. */
static void test_sizes(void **state)
{
    static const char keys[] = "?12345/x\n\x1b"
                               "1\np\x1b";
    struct model model;
    struct canvas c;

    (void)state;
    for (int columns = 1; columns < 220; columns += columns < 100 ? 1 : 7) {
        model_init(&model, TAB_PROCESSES, NULL, 1000);
        take(&model, 1);
        take(&model, 2);
        for (int i = 0; keys[i]; i++) {
            char text[LINE];
            int rows = 1 + (columns * 7 + i) % 30;
            assert_int_equal(model_key(&model, keys[i]), 0);
            draw(&model, &c, rows, columns, columns % 2);
            for (int line = 0; line < rows; line++) {
                canvas_text(&c, line, text, sizeof(text));
                assert_true(canvas_width(&c, text) <= columns);
            }
            canvas_fini(&c);
        }
        model_fini(&model);
    }
}

static void test_texts(void **state)
{
    char text[TEXT_MAX];

    (void)state;
    assert_string_equal(text_count(text, 99999), "99999");
    assert_string_equal(text_count(text, 100000), "100k");
    assert_string_equal(text_count(text, 1234567), "1.2M");
    assert_string_equal(text_count(text, 999600), "1.0M");
    assert_string_equal(text_count(text, UINT64_MAX), "18E");
    assert_string_equal(text_micros(text, 850), "850us");
    assert_string_equal(text_micros(text, 1234), "1.2ms");
    assert_string_equal(text_micros(text, 34000), "34ms");
    assert_string_equal(text_micros(text, 1500000), "1.5s");
}

/* A node's texts never control the terminal. */
static void test_hostile(void **state)
{
    struct canvas c;

    (void)state;
    assert_int_equal(canvas_init(&c, 1, 40, true), 0);
    canvas_put(&c, 0, 0, 40, FACE_PLAIN, "a\x1b[2Jb\x7f\xc2\x9b\xff\xe6\xbcz\xe2\x80\xae!");
    expect_line(&c, 0, "a?[2Jb????z?!");
    canvas_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_processes), cmocka_unit_test(test_narrow),
        cmocka_unit_test(test_detail),    cmocka_unit_test(test_others),
        cmocka_unit_test(test_lost),      cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_texts),     cmocka_unit_test(test_hostile),
    };

    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
