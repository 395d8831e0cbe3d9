/* bench: measures rusm on this machine, with real nodes and real QUIC, and no message may be lost.
 * The command and its table of benches. Each bench has a file of its own. */
#include "bench.h"

#include <string.h>
#include <unistd.h>

static const struct bench_kind {
    const char *name;
    size_t words; /* its name and the numbers that must follow */
    size_t more;  /* numbers that may follow */
    int (*run)(struct bench *bench);
} bench_kinds[] = {
    { "fanout", 3, 0, bench_fanout }, { "closed", 3, 0, bench_closed },
    { "mixed", 2, 0, bench_mixed },   { "flood", 1, 0, bench_flood },
    { "bulk", 1, 1, bench_bulk },     { "connect", 1, 1, bench_connect },
    { "local", 1, 0, bench_local },
};
#define BENCH_KINDS (sizeof(bench_kinds) / sizeof(bench_kinds[0]))

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
        status = common_word(&b, 1, "seconds", 3600, &b.seconds);
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
