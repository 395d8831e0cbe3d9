/* bench: measures rusm on this machine: real nodes, real QUIC, nothing lost. The table of benches,
 * each in a file of its own, and what they share. */
#include "bench.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const struct bench_kind {
    const char *name;
    size_t words; /* its name and numbers on the command line */
    size_t more;  /* that may follow */
    int (*run)(struct bench *bench);
} bench_kinds[] = {
    { "fanout", 3, 0, bench_fanout }, { "closed", 3, 0, bench_closed },
    { "mixed", 2, 0, bench_mixed },   { "flood", 1, 0, bench_flood },
    { "bulk", 1, 1, bench_bulk },     { "connect", 1, 1, bench_connect },
    { "local", 1, 0, bench_local },
};
#define BENCH_KINDS (sizeof(bench_kinds) / sizeof(bench_kinds[0]))

int bench_word(const struct bench *b, size_t i, const char *what, uint64_t max, uint64_t *number)
{
    const char *text = b->options->word[i];
    char *end;

    *number = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || *number == 0 || *number > max) {
        return failure_usage(b->options->cmd, "'%s' is not a number of %s from 1 to %llu", text,
                             what, (unsigned long long)max);
    }
    return 0;
}

uint64_t bench_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void bench_print_json(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts(text ? text : "{}");
    free(text);
    json_decref(o);
}

void bench_wait(const struct bench *b, const char *what, uint64_t ms)
{
    for (uint64_t waited = 0; waited < ms;) {
        uint64_t step = ms - waited < 1000 ? ms - waited : 1000;
        const struct timespec pause = { .tv_sec = (time_t)(step / 1000),
                                        .tv_nsec = (long)(step % 1000) * 1000000 };
        nanosleep(&pause, NULL);
        waited += step;
        if (b->person && what) {
            fprintf(stderr, "\r%s: %llu s ", what, (unsigned long long)waited / 1000);
        }
    }
    if (b->person && what) {
        fprintf(stderr, "\r%*s\r", 40, "");
    }
}

int bench_verdict(const struct bench *b, uint64_t lost)
{
    if (lost > 0) {
        return failure_say(b->options->cmd, EXIT_FAILED, "%llu messages were lost",
                           (unsigned long long)lost);
    }
    return 0;
}

static const struct bench_kind *bench_find(const struct options *options)
{
    char names[256];
    size_t at = 0;

    for (size_t i = 0; i < BENCH_KINDS; i++) {
        if (strcmp(options->word[0], bench_kinds[i].name) == 0) {
            return &bench_kinds[i];
        }
        at += (size_t)snprintf(names + at, sizeof(names) - at, "%s%s", i ? ", " : "",
                               bench_kinds[i].name);
    }
    failure_usage(options->cmd, "no bench '%s' (there are %s)", options->word[0], names);
    return NULL;
}

static int bench_main(struct options *options)
{
    static const char *const words[] = { "BENCH", "SECONDS", "WORKERS", NULL };
    struct bench b = { .options = options, .json = options_has(options, "json") };
    const char *needed[4] = { NULL };
    const struct bench_kind *kind;
    int status = options_words(options, (const char *const[]){ words[0], NULL }, 3);

    if (status != 0) {
        return status;
    }
    kind = bench_find(options);
    if (!kind) {
        return EXIT_USAGE;
    }
    memcpy(needed, words, kind->words * sizeof(words[0]));
    status = options_words(options, needed, kind->words + kind->more);
    if (status == 0 && kind->words > 1) {
        status = bench_word(&b, 1, "seconds", 3600, &b.seconds);
    }
    status = status == 0 ? options_seconds(options, "timeout", 5000, &b.timeout_ms) : status;
    b.person = !b.json && isatty(STDOUT_FILENO);
    return status == 0 ? kind->run(&b) : status;
}

static const struct cmd_option bench_options[] = {
    { "senders", "N", "senders, all together [8 a worker]" },
    { "window", "N", "fanout: messages in flight, a sender [128]" },
    { "payload", "BYTES", "closed: bytes of a message [2]" },
    { "timeout", "SECONDS", "wait at most this long for what is in flight at the end [5]" },
    OPTION_JSON,
    OPTION_END,
};

const struct cmd cmd_bench = {
    .name = "bench",
    .synopsis = "[--senders N] [--window N] [--timeout SECONDS] [--json] fanout SECONDS WORKERS\n"
                "[--senders N] [--payload BYTES] [--timeout SECONDS] [--json] closed SECONDS "
                "WORKERS\n"
                "[--timeout SECONDS] [--json] mixed SECONDS\n"
                "[--timeout SECONDS] [--json] flood\n"
                "[--timeout SECONDS] [--json] bulk [SECONDS]\n"
                "[--json] connect [NODES]\n"
                "[--json] local",
    .summary = "measure nodes on this machine",
    .options = bench_options,
    .run = bench_main,
};
