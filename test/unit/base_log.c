/* base/log: whole lines, safe to print on a terminal. */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

static struct log log_under_test;
static int pipe_read;
static char got[8192];

static int open_log(void **state)
{
    int fds[2];

    (void)state;
    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
        return -1;
    }
    pipe_read = fds[0];
    log_init(&log_under_test, fds[1], RUSM_LOG_INFO, "london");
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    close(log_under_test.fd);
    close(pipe_read);
    return 0;
}

/* Returns what was written since the last call. */
static const char *lines(void)
{
    ssize_t n = read(pipe_read, got, sizeof(got) - 1);
    got[n > 0 ? n : 0] = '\0';
    return got;
}

struct taken {
    enum rusm_log_level level;
    char text[64];
    size_t len;
};

static void take(void *context, enum rusm_log_level level, const char *text)
{
    struct taken *t = context;

    t->level = level;
    t->len = strlen(text);
    snprintf(t->text, sizeof(t->text), "%s", text);
    errno = EAGAIN;
}

/* A program that takes the lines gets them escaped and cut. Nothing is written to the
 * descriptor. */
static void test_taken(void **state)
{
    struct taken got_line = { .level = RUSM_LOG_ERROR };
    char longer[3000];

    (void)state;
    log_to(&log_under_test, take, &got_line);
    errno = EPIPE;
    log_warn(&log_under_test, "peer\n%s", "tokyo");
    assert_int_equal(errno, EPIPE);
    assert_int_equal(got_line.level, RUSM_LOG_WARN);
    assert_string_equal(got_line.text, "peer\\x0atokyo");
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = 0;
    log_info(&log_under_test, "%s", longer);
    assert_true(got_line.len > 1000 && got_line.len < 1024);
    log_debug(&log_under_test, "below its level");
    assert_true(got_line.len > 1000);
    assert_string_equal(lines(), "");
    log_to(&log_under_test, NULL, NULL);
    log_info(&log_under_test, "again");
    assert_non_null(strstr(lines(), "info london: again\n"));
}

static void test_a_line(void **state)
{
    (void)state;
    int year, month, day, hour, minute, second, ms, at = 0;

    log_warn(&log_under_test, "peer %s: %d", "tokyo", 7);
    const char *line = lines();
    assert_int_equal(sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour,
                            &minute, &second, &ms, &at),
                     7);
    assert_int_equal(at, 25);
    struct tm tm = { .tm_year = year - 1900,
                     .tm_mon = month - 1,
                     .tm_mday = day,
                     .tm_hour = hour,
                     .tm_min = minute,
                     .tm_sec = second };
    assert_in_range(time(NULL) - timegm(&tm), 0, 60);
    assert_string_equal(line + at, "warn london: peer tokyo: 7\n");
}

static void test_levels(void **state)
{
    (void)state;
    log_debug(&log_under_test, "not shown");
    assert_string_equal(lines(), "");
    log_info(&log_under_test, "shown");
    assert_non_null(strstr(lines(), " info london: shown\n"));
    log_error(&log_under_test, "shown");
    assert_non_null(strstr(lines(), " error london: shown\n"));
    log_under_test.level = RUSM_LOG_DEBUG;
    log_debug(&log_under_test, "shown");
    assert_non_null(strstr(lines(), " debug london: shown\n"));
    log_under_test.level = RUSM_LOG_ERROR;
    log_warn(&log_under_test, "not shown");
    assert_string_equal(lines(), "");
}

static void test_foreign_text_makes_no_lines(void **state)
{
    (void)state;
    log_info(&log_under_test, "name %s", "a\nb\x1b[2J\xff zähler");
    assert_non_null(strstr(lines(), ": name a\\x0ab\\x1b[2J\\xff zähler\n"));
}

static void test_a_long_line_is_cut(void **state)
{
    (void)state;
    char text[3000];

    memset(text, 'a', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    log_info(&log_under_test, "%s", text);
    lines();
    assert_int_equal(strlen(got), 1024);
    assert_ptr_equal(strchr(got, '\n'), got + 1023);
    memset(text, '\n', sizeof(text) - 1);
    log_info(&log_under_test, "%s", text);
    lines();
    assert_in_range(strlen(got), 1020, 1024);
    assert_ptr_equal(strchr(got, '\n'), got + strlen(got) - 1);
}

static void test_errno_survives_and_a_full_log_stops_nobody(void **state)
{
    (void)state;
    struct log closed = log_under_test;

    closed.fd = -1;
    errno = ENOENT;
    log_error(&closed, "lost");
    assert_int_equal(errno, ENOENT);
    for (unsigned i = 0; i < 100000 / 50; i++) {
        log_error(&log_under_test, "more than a pipe takes, and nobody reads");
    }
    while (lines()[0]) {}
}

/* Returns the text of the last line, which is JSON and ends with the rest. */
static const char *json_text(void)
{
    char *text = strstr(lines(), "\",\"level\":\"warn\",\"node\":\"london\",\"text\":\"");

    assert_non_null(text);
    assert_int_equal(strncmp(got, "{\"time\":\"", 9), 0);
    assert_int_equal(text - got, 9 + 24);
    assert_int_equal(text[-1], 'Z');
    text = strstr(text, "\"text\":") + 7;
    size_t len = strlen(text);
    assert_string_equal(text + len - 2, "}\n");
    text[len - 2] = '\0';
    return text;
}

static void test_json(void **state)
{
    (void)state;
    char longer[3000];

    log_under_test.format = RUSM_LOG_JSON;
    log_warn(&log_under_test, "peer %s: %d", "tokyo", 7);
    assert_string_equal(json_text(), "\"peer tokyo: 7\"");
    log_warn(&log_under_test, "%s", "\"q\" \\ a\nb\x1b[2J\x7f\xc2\x85 z\xc3\xa4hler \xff\xc3");
    assert_string_equal(json_text(), "\"\\\"q\\\" \\\\ a\\u000ab\\u001b[2J\\u007f\\u0085 "
                                     "z\xc3\xa4hler \xef\xbf\xbd\xef\xbf\xbd\"");
    for (int one = 0; one < 7; one++) { /* each place of the escape at the end of the line */
        memset(longer, '\n', sizeof(longer) - 1);
        memset(longer, 'a', (size_t)one);
        longer[sizeof(longer) - 1] = '\0';
        log_warn(&log_under_test, "%s", longer);
        const char *text = json_text();
        assert_in_range(strlen(got), 1010, 1022);
        assert_int_equal((strlen(text) - 2 - (size_t)one) % 6, 0);
    }
}

static void test_level_names(void **state)
{
    (void)state;
    enum rusm_log_level level;
    static const char *const names[] = { "error", "warn", "info", "debug" };

    for (int i = 0; i < 4; i++) {
        assert_int_equal(log_level_parse(names[i], &level), 0);
        assert_int_equal(level, i);
    }
    assert_int_equal(log_level_parse("", &level), RUSM_EINVAL);
    assert_int_equal(log_level_parse("ERROR", &level), RUSM_EINVAL);
    assert_int_equal(log_level_parse("errors", &level), RUSM_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_taken, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_a_line, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_levels, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_foreign_text_makes_no_lines, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_a_long_line_is_cut, open_log, close_log),
        cmocka_unit_test_setup_teardown(test_errno_survives_and_a_full_log_stops_nobody, open_log,
                                        close_log),
        cmocka_unit_test_setup_teardown(test_json, open_log, close_log),
        cmocka_unit_test(test_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
