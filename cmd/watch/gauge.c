/* gauge: see the header. */
#include "gauge.h"

#include "text.h"

#include <stdio.h>
#include <string.h>

#define GAUGE_LEAST 20 /* columns: a label, a value and a short sparkline */
#define GAUGE_WIDE 26  /* so wide that every gauge has them */
#define GAUGE_VALUE 5  /* what most values take */
#define GAUGE_LABEL 9

static char *gauge_percent(char text[TEXT_MAX], uint64_t ms)
{
    snprintf(text, TEXT_MAX, "%llu%%", (unsigned long long)(ms + 5) / 10); /* ms each second */
    return text;
}

static char *gauge_rate(char text[TEXT_MAX], uint64_t bytes)
{
    text_bytes(text, bytes);
    strncat(text, "/s", TEXT_MAX - strlen(text) - 1);
    return text;
}

static const struct gauge {
    const char *label;
    size_t series; /* offset in struct model */
    char *(*text)(char text[TEXT_MAX], uint64_t value);
    enum face face;
} gauges[] = {
    { "msg/s", offsetof(struct model, messages), text_count, FACE_GOOD },
    { "mailboxes", offsetof(struct model, mailboxes), text_count, FACE_WARN },
    { "cpu", offsetof(struct model, cpu), gauge_percent, FACE_BUSY },
    { "network", offsetof(struct model, bytes), gauge_rate, FACE_KEY },
};

#define GAUGES ((int)(sizeof(gauges) / sizeof(gauges[0])))

void gauge_draw(struct canvas *canvas, int row, int column, int width, const char *label,
                const char *text, enum face face, const struct series *series)
{
    int end = column + width, value = canvas_width(canvas, text);

    value = value < GAUGE_VALUE ? GAUGE_VALUE : value;
    column = canvas_put(canvas, row, column, end - column, FACE_DIM, label) + 1;
    canvas_put_right(canvas, row, column, value, FACE_BOLD, text);
    column += value + 1;
    canvas_spark(canvas, row, column, end - column, face, series);
}

static void gauge_one(const struct model *model, struct canvas *canvas, const struct gauge *gauge,
                      int row, int column, int width)
{
    char label[GAUGE_LABEL + 1];
    const struct series *series =
        (const struct series *)(const void *)((const char *)model + gauge->series);
    char text[TEXT_MAX] = "-";

    snprintf(label, sizeof(label), "%-*s", width > 2 * GAUGE_WIDE ? GAUGE_LABEL : 0, gauge->label);
    if (series_count(series) > 0) {
        gauge->text(text, series_value(series, 0));
    }
    gauge_draw(canvas, row, column, width, label, text, gauge->face, series);
}

void gauge_row(const struct model *model, struct canvas *canvas, int row)
{
    int fit = canvas->columns / (canvas->columns < 2 * GAUGE_WIDE ? GAUGE_LEAST : GAUGE_WIDE);
    int count = fit < 1 ? 1 : fit < GAUGES ? fit : GAUGES;
    int width = canvas->columns / count;

    for (int i = 0; i < count; i++) {
        gauge_one(model, canvas, &gauges[i], row, i * width + 1, width - 2);
    }
}

int gauge_column(const struct model *model, struct canvas *canvas, int row)
{
    for (int i = 0; i < GAUGES; i++) {
        gauge_one(model, canvas, &gauges[i], row++, 1, canvas->columns - 2);
    }
    return row;
}
