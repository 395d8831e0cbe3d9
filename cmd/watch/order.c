/* order: see the header. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

struct order_by {
    const struct sample *sample;
    int column; /* -1: the node's order */
    int then;   /* -1: the node's order */
    bool descending;
};

static int order_compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Compares two pids by their numbers, so that 9 comes before 10. */
static int order_compare_pids(const char *a, const char *b)
{
    int numbers = order_compare_numbers(strtoull(a, NULL, 10), strtoull(b, NULL, 10));

    return numbers ? numbers : strcmp(a, b);
}

/* Compares two texts. Rows without a text come last, whatever the direction. */
static int order_compare_texts(const struct order_by *by, const char *a, const char *b)
{
    if (!a[0] || !b[0]) {
        int empty = !a[0] - !b[0];
        return by->descending ? -empty : empty;
    }
    return by->sample->column[by->column].type == RUSM_TYPE_PID ? order_compare_pids(a, b)
                                                                : strcasecmp(a, b);
}

static int order_compare(const void *a, const void *b, void *context)
{
    const struct order_by *by = context;
    const size_t row_a = *(const size_t *)a, row_b = *(const size_t *)b;
    int result = 0;

    if (sample_is_text(by->sample, by->column)) {
        result = order_compare_texts(by, sample_text(by->sample, row_a, by->column),
                                     sample_text(by->sample, row_b, by->column));
    } else if (by->column >= 0) {
        result = order_compare_numbers(sample_number(by->sample, row_a, by->column),
                                       sample_number(by->sample, row_b, by->column));
    }
    if (result == 0) {
        result = order_compare_numbers(sample_number(by->sample, row_b, by->then),
                                       sample_number(by->sample, row_a, by->then));
        return result ? result : order_compare_numbers(row_a, row_b);
    }
    return by->descending ? -result : result;
}

int order_make(struct order *order, const struct sample *sample, const char *filter,
               const char *column, const char *then, bool descending)
{
    struct order_by by = { .sample = sample,
                           .column = column ? sample_find(sample, column) : -1,
                           .then = column && then ? sample_find(sample, then) : -1,
                           .descending = descending };

    *order = (struct order){ .row = calloc(sample->rows + 1, sizeof(*order->row)) };
    if (!order->row) {
        return RUSM_ENOMEM;
    }
    for (size_t row = 0; row < sample->rows; row++) {
        if (sample_matches(sample, row, filter)) {
            order->row[order->count++] = row;
        }
    }
    qsort_r(order->row, order->count, sizeof(*order->row), order_compare, &by);
    return 0;
}

void order_fini(struct order *order)
{
    free(order->row);
    *order = (struct order){ 0 };
}

size_t order_seek(const struct order *order, const struct sample *sample, const char *key)
{
    for (size_t i = 0; i < order->count; i++) {
        if (strcmp(sample_key(sample, order->row[i]), key) == 0) {
            return i;
        }
    }
    return 0;
}
