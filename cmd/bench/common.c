/* common: what all benches share: words of the command line, the clock, waiting, output. */
#include "bench.h"

#include <stdlib.h>
#include <time.h>

int common_word(const struct bench *b, size_t i, const char *what, uint64_t max, uint64_t *number)
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

uint64_t common_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void common_print_json(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6));
    puts(text ? text : "{}");
    free(text);
    json_decref(o);
}

void common_wait(const struct bench *b, const char *what, uint64_t ms)
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

int common_verdict(const struct bench *b, uint64_t lost)
{
    if (lost > 0) {
        return failure_say(b->options->cmd, EXIT_FAILED, "%llu messages were lost",
                           (unsigned long long)lost);
    }
    return 0;
}
