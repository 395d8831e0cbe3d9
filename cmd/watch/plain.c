/* plain: see the header. */
#include "plain.h"

#include <time.h>

#define PLAIN_FIRST_NS 500000000 /* the first frame has rates, and should not take long */

/* Reads the tab's table into the model. */
static int plain_read(struct model *model, struct rusm_client *client, struct rusm_why *why)
{
    struct reading reading;
    struct reading_want want = { .table = { [RUSM_TABLE_NODE] = true } };
    int error;

    want.table[model_tab(model)->table] = true;
    reading_init(&reading);
    error = reading_read(&reading, client, &want);
    if (error) {
        *why = reading.why;
    } else {
        error = model_take(model, &reading);
    }
    reading_fini(&reading);
    return error;
}

static void plain_sleep(uint64_t until_ns)
{
    struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                              .tv_nsec = (long)(until_ns % 1000000000) };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) != 0) {}
}

/* Prints a row, in JSON with the number of its frame. */
static int plain_row(struct output *out, const struct sample *sample, size_t row, uint64_t frame)
{
    struct rusm_field fields[1 + SAMPLE_COLUMNS];
    size_t count = sample_fields(sample, row, fields + 1);

    fields[0] = (struct rusm_field){ .column = "frame", .type = RUSM_TYPE_COUNT, .number = frame };
    return out->json ? output_row(out, fields, count + 1) : output_row(out, fields + 1, count);
}

static int plain_frame(const struct model *model, bool json, uint64_t frame)
{
    const struct sample *sample = model_sample(model);
    const struct sample *node = &model->sample[RUSM_TABLE_NODE];
    struct rusm_field fields[SAMPLE_COLUMNS];
    struct output out;
    int error = 0;

    output_init(&out, json);
    if (!json && frame > 1) {
        putchar('\n');
    }
    if (!json && sample != node && node->rows > 0) {
        sample_fields(node, 0, fields);
        output_head(&out, fields, node->given);
    }
    for (size_t i = 0; i < model->order.count && !error; i++) {
        error = plain_row(&out, sample, model_row(model, i), frame);
    }
    output_end(&out);
    return fflush(stdout) == 0 ? error : RUSM_ECLOSED;
}

int plain_run(struct model *model, struct rusm_client *client, bool json, uint64_t frames,
              struct rusm_why *why)
{
    uint64_t interval_ns = model->interval_ms * 1000000, now_ns = reading_now_ns();
    uint64_t next_ns = now_ns + (interval_ns < PLAIN_FIRST_NS ? interval_ns : PLAIN_FIRST_NS);
    int error = plain_read(model, client, why);

    for (uint64_t frame = 1; !error && (frames == 0 || frame <= frames); frame++) {
        plain_sleep(next_ns);
        now_ns = reading_now_ns();
        next_ns = next_ns + interval_ns > now_ns ? next_ns + interval_ns : now_ns + interval_ns;
        error = plain_read(model, client, why);
        error = error ? error : plain_frame(model, json, frame);
    }
    return error;
}
