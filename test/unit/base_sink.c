/* base/sink: lines arrive whole and in order; a reader that stalls holds up nobody and costs lines
 * that are counted; an end is not held up either; a file that takes no more costs lines, which
 * are told. */
#include "base/sink.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <cmocka.h>

#define SIZE 16384

static void add(struct sink *s, unsigned number)
{
    char line[64];
    int len = snprintf(line, sizeof(line), "line %u ----------------------------\n", number);

    sink_line(s, line, (size_t)len);
}

/* Reads until the writing end is closed. */
static char *read_all(int fd)
{
    size_t len = 0, cap = 1 << 20;
    char *text = malloc(cap);
    ssize_t n;

    assert_non_null(text);
    while ((n = read(fd, text + len, cap - len - 1)) > 0) {
        len += (size_t)n;
    }
    text[len] = '\0';
    return text;
}

static void test_in_order(void **state)
{
    struct sink s;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    sink_init(&s, ends[1], SIZE, NULL, NULL);
    for (unsigned i = 0; i < 100; i++) {
        add(&s, i);
    }
    assert_true(sink_flush(&s, 60000));
    assert_int_equal(sink_dropped(&s), 0);
    sink_fini(&s);
    close(ends[1]);
    char *text = read_all(ends[0]), *at = text;
    for (unsigned i = 0; i < 100; i++) {
        char want[32];
        snprintf(want, sizeof(want), "line %u ", i);
        assert_int_equal(strncmp(at, want, strlen(want)), 0);
        at = strchr(at, '\n') + 1;
    }
    assert_string_equal(at, "");
    free(text);
    close(ends[0]);
}

/* The lines that arrived, in order, with a notice in the place of those that are missing. */
static void check_stalled(const char *text, unsigned sent, uint64_t dropped)
{
    unsigned next = 0, missing = 0;

    for (const char *at = text; *at; at = strchr(at, '\n') + 1) {
        unsigned number;
        unsigned long long lines;
        if (sscanf(at, "rusm: %llu lines are missing", &lines) == 1) {
            next += (unsigned)lines;
            missing += (unsigned)lines;
        } else {
            assert_int_equal(sscanf(at, "line %u ", &number), 1);
            assert_int_equal(number, next);
            next++;
        }
    }
    assert_int_equal(next, sent);
    assert_int_equal(missing, dropped);
}

static void test_stalled_reader(void **state)
{
    struct sink s;
    int ends[2];
    char data[4096], *rest, *text;
    unsigned sent = 0;
    size_t len = 0;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    sink_init(&s, ends[1], SIZE, NULL, NULL);
    while (sink_dropped(&s) < 50) { /* the pipe is full, and the buffer: it does not block */
        add(&s, sent++);
    }
    /* The reader goes on: all that was kept comes, then the notice, then what is new. */
    text = calloc(1, 1 << 20);
    assert_non_null(text);
    while (!strstr(text, "missing")) {
        ssize_t n = read(ends[0], data, sizeof(data));
        assert_true(n > 0);
        memcpy(text + len, data, (size_t)n);
        len += (size_t)n;
    }
    add(&s, sent++);
    assert_true(sink_flush(&s, 60000));
    uint64_t dropped = sink_dropped(&s);
    sink_fini(&s);
    close(ends[1]);
    rest = read_all(ends[0]);
    strcat(text, rest);
    check_stalled(text, sent, dropped);
    free(rest);
    free(text);
    close(ends[0]);
}

static void told(void *context, uint64_t lines, const char *cause)
{
    if (strcmp(cause, "nobody read them in time") == 0) {
        atomic_fetch_add((atomic_ullong *)context, lines);
    }
}

static void test_owner_is_told(void **state)
{
    atomic_ullong missing = 0;
    struct sink s;
    int ends[2];
    char data[4096];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    sink_init(&s, ends[1], SIZE, told, &missing);
    for (unsigned i = 0; sink_dropped(&s) < 10; i++) {
        add(&s, i);
    }
    while (atomic_load(&missing) == 0) {
        assert_true(read(ends[0], data, sizeof(data)) > 0);
    }
    assert_int_equal(atomic_load(&missing), sink_dropped(&s));
    sink_fini(&s);
    close(ends[0]);
    close(ends[1]);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that takes no more, in the middle of a line, and later does: the lines that were lost are
 * counted and told, and the one that was cut stands alone. */
static void test_full_disk(void **state)
{
    char path[] = "/tmp/rusm-sink-XXXXXX";
    struct sink s;
    unsigned sent = 0, whole = 0, cut = 0;
    unsigned long long missing = 0;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    sink_init(&s, fd, SIZE, NULL, NULL);
    limit_files(1000);
    while (sent < 100) {
        add(&s, sent++);
    }
    assert_true(sink_flush(&s, 60000));
    limit_files(RLIM_INFINITY);
    add(&s, sent++);
    assert_true(sink_flush(&s, 60000));
    uint64_t dropped = sink_dropped(&s);
    sink_fini(&s);
    lseek(fd, 0, SEEK_SET);
    char *text = read_all(fd);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        size_t len = strlen(line);
        if (sscanf(line, "rusm: %llu lines are missing here: File too large", &missing) == 0) {
            assert_int_equal(strncmp(line, "line ", 5), 0);
            assert_null(strstr(line + 5, "line"));
            cut += len < 33;
            whole += len >= 33;
        }
    }
    assert_int_equal(cut, 1);
    assert_int_equal(missing, dropped);
    assert_int_equal(whole + missing, sent);
    free(text);
    close(fd);
    unlink(path);
}

/* Stuck in a write, as poll says that there is room but others fill the pipe; or never read at
 * all: the end does not wait. */
static void test_end_of_a_stuck_one(void **state)
{
    struct sink s;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    sink_init(&s, ends[1], SIZE, NULL, NULL);
    do { /* until the pipe is full, and the buffer */
        for (unsigned i = 0; i < 1000; i++) {
            add(&s, i);
        }
    } while (sink_flush(&s, 20));
    sink_fini(&s);
    close(ends[0]);
    close(ends[1]);
}

/* A reader that is gone, a descriptor that is closed. */
static void test_nobody(void **state)
{
    struct sink s;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    sink_init(&s, ends[1], SIZE, NULL, NULL);
    for (unsigned i = 0; i < 1000; i++) {
        add(&s, i);
        assert_true(sink_flush(&s, 60000));
    }
    sink_fini(&s);
    close(ends[1]);
    sink_init(&s, -1, SIZE, NULL, NULL); /* never used */
    sink_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_order),      cmocka_unit_test(test_stalled_reader),
        cmocka_unit_test(test_owner_is_told), cmocka_unit_test(test_end_of_a_stuck_one),
        cmocka_unit_test(test_nobody),        cmocka_unit_test(test_full_disk),
    };

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
