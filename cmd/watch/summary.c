/* summary: see the header. */
#include "summary.h"

#include "gauge.h"
#include "text.h"

#include <stdio.h>

/* Writes the counters that say that something went wrong, and how often. */
static void summary_troubles(const struct model *model, struct canvas *canvas, int row, int last)
{
    static const char *const troubles[] = {
        "undelivered_noproc",
        "undelivered_noconnection",
        "undelivered_overflow",
        "undelivered_too_large",
        "undelivered_malformed",
        "discarded_in_mailbox",
        "busy_local",
        "handlers_long",
        "children_down",
        "connections_refused",
        "datagrams_dropped",
        "programs_refused",
    };
    const struct sample *counters = &model->sample[RUSM_TABLE_COUNTERS];
    char text[TEXT_MAX], line[2 * TEXT_MAX];
    int first = row;

    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]) && row < last; i++) {
        uint64_t value = sample_counter(counters, troubles[i], "value");
        if (value > 0) {
            snprintf(line, sizeof(line), "%-26s%6s", troubles[i], text_count(text, value));
            canvas_put(canvas, row++, 1, canvas->columns - 2, FACE_WARN, line);
        }
    }
    if (row == first && row < last && counters->read) {
        canvas_put(canvas, row, 1, canvas->columns - 2, FACE_GOOD,
                   "no message was lost, refused or late");
    }
}

void summary_draw(const struct model *model, struct canvas *canvas, int first, int last)
{
    static const char *const facts[] = { "name",      "address", "incarnation", "version",
                                         "processes", "peers",   "uptime" };
    const struct sample *node = &model->sample[RUSM_TABLE_NODE];
    char text[TEXT_MAX];
    int row = first, half = canvas->columns >= 72 ? canvas->columns / 2 : canvas->columns;

    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && row < last; i++) {
        int column = i % 2 && half < canvas->columns ? half : 1;
        canvas_put(canvas, row, column, 12, FACE_DIM, facts[i]);
        canvas_put(canvas, row, column + 12, half - 13, FACE_BOLD,
                   text_cell(text, node, 0, sample_find(node, facts[i])));
        row += column != 1 || half == canvas->columns;
    }
    row += last - row > 6 ? 2 : 1;
    if (last - row >= 4) {
        row = gauge_column(model, canvas, row) + (last - row > 6);
    }
    summary_troubles(model, canvas, row, last);
}
