/* sample: see the header. To show how fast another column grows, add it to sample_rates and name it
 * in rusm-attach(1). */
#include "sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum rusm_table table;
    const char *of, *name;
} sample_rates[] = {
    { RUSM_TABLE_NODE, "cpu", "cpu_rate" }, /* milliseconds each second */
    { RUSM_TABLE_PROCESSES, "received", "rate" },
    { RUSM_TABLE_PEERS, "sent", "sent_rate" },
    { RUSM_TABLE_PEERS, "received", "received_rate" },
    { RUSM_TABLE_COUNTERS, "value", "rate" },
};

#define SAMPLE_RATES (sizeof(sample_rates) / sizeof(sample_rates[0]))

void sample_init(struct sample *sample, enum rusm_table table)
{
    *sample = (struct sample){ .table = table };
}

void sample_fini(struct sample *sample)
{
    free(sample->cell);
    free(sample->text);
    sample_init(sample, sample->table);
}

/* ---- columns ---- */

int sample_find(const struct sample *sample, const char *column)
{
    for (size_t i = 0; i < sample->columns; i++) {
        if (strcmp(sample->column[i].name, column) == 0) {
            return (int)i;
        }
    }
    return -1;
}

bool sample_is_text(const struct sample *sample, int column)
{
    return column >= 0 && (sample->column[column].type == RUSM_TYPE_TEXT ||
                           sample->column[column].type == RUSM_TYPE_PID);
}

static void sample_add(struct sample *sample, const char *name, enum rusm_type type)
{
    struct sample_column *column = &sample->column[sample->columns];

    if (sample->columns < SAMPLE_COLUMNS) {
        snprintf(column->name, sizeof(column->name), "%s", name);
        column->type = type;
        sample->columns++;
    }
}

static void sample_begin(struct sample *sample, const struct rusm_field *fields, size_t count)
{
    for (size_t i = 0; i < count && i < SAMPLE_COLUMNS - SAMPLE_RATES; i++) {
        sample_add(sample, fields[i].column, fields[i].type);
    }
    sample->given = sample->columns;
    for (size_t i = 0; i < SAMPLE_RATES; i++) {
        if (sample_rates[i].table == sample->table &&
            sample_find(sample, sample_rates[i].of) >= 0) {
            sample_add(sample, sample_rates[i].name, RUSM_TYPE_COUNT);
        }
    }
}

/* ---- rows ---- */

/* Keeps a text. Returns its offset plus 1, or 0 if there is no memory for it. */
static uint64_t sample_keep(struct sample *sample, const char *text)
{
    size_t len = strlen(text) + 1, at = sample->text_len;

    if (at + len > sample->text_cap) {
        size_t cap = 2 * (at + len) + 1024;
        char *grown = realloc(sample->text, cap);
        if (!grown) {
            return 0;
        }
        sample->text = grown;
        sample->text_cap = cap;
    }
    memcpy(sample->text + at, text, len);
    sample->text_len += len;
    return at + 1;
}

int sample_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct sample *sample = context;
    size_t at;

    if (sample->columns == 0) {
        sample_begin(sample, fields, count);
    }
    at = sample->rows * sample->columns;
    if (at + sample->columns > sample->cells_cap) {
        size_t cap = 2 * at + 64 * SAMPLE_COLUMNS;
        uint64_t *grown = reallocarray(sample->cell, cap, sizeof(*grown));
        if (!grown) {
            return RUSM_ENOMEM;
        }
        sample->cell = grown;
        sample->cells_cap = cap;
    }
    memset(sample->cell + at, 0, sample->columns * sizeof(*sample->cell));
    for (size_t i = 0; i < sample->given && i < count; i++) {
        bool text = sample_is_text(sample, (int)i);
        sample->cell[at + i] = !text             ? fields[i].number
                               : !fields[i].text ? 0
                                                 : sample_keep(sample, fields[i].text);
        if (text && fields[i].text && sample->cell[at + i] == 0) {
            return RUSM_ENOMEM;
        }
    }
    sample->rows++;
    return 0;
}

static uint64_t sample_cell(const struct sample *sample, size_t row, int column)
{
    return row < sample->rows && column >= 0 ? sample->cell[row * sample->columns + (size_t)column]
                                             : 0;
}

const char *sample_text(const struct sample *sample, size_t row, int column)
{
    uint64_t at = sample_is_text(sample, column) ? sample_cell(sample, row, column) : 0;

    return at ? sample->text + at - 1 : "";
}

uint64_t sample_number(const struct sample *sample, size_t row, int column)
{
    return sample_is_text(sample, column) ? 0 : sample_cell(sample, row, column);
}

const char *sample_key(const struct sample *sample, size_t row)
{
    return sample_text(sample, row, 0);
}

size_t sample_seek(const struct sample *sample, const char *key)
{
    size_t row = 0;

    while (row < sample->rows && strcmp(sample_key(sample, row), key) != 0) {
        row++;
    }
    return row;
}

uint64_t sample_sum(const struct sample *sample, const char *column)
{
    int at = sample_find(sample, column);
    uint64_t sum = 0;

    for (size_t row = 0; row < sample->rows; row++) {
        sum += sample_number(sample, row, at);
    }
    return sum;
}

uint64_t sample_counter(const struct sample *sample, const char *counter, const char *column)
{
    return sample_number(sample, sample_seek(sample, counter), sample_find(sample, column));
}

bool sample_matches(const struct sample *sample, size_t row, const char *text)
{
    bool found = !text[0];

    for (int i = 0; i < (int)sample->columns && !found; i++) {
        found = sample_is_text(sample, i) && strcasestr(sample_text(sample, row, i), text);
    }
    return found;
}

size_t sample_fields(const struct sample *sample, size_t row,
                     struct rusm_field fields[SAMPLE_COLUMNS])
{
    for (size_t i = 0; i < sample->columns; i++) {
        bool known = i < sample->given || sample->rated;
        fields[i] = (struct rusm_field){ .column = sample->column[i].name,
                                         .type = known ? sample->column[i].type : RUSM_TYPE_TEXT,
                                         .number = sample_number(sample, row, (int)i) };
        if (sample_is_text(sample, (int)i)) {
            fields[i].text = sample_text(sample, row, (int)i);
        }
    }
    return sample->columns;
}

/* ---- rates ---- */

struct sample_place {
    const char *key;
    size_t row;
};

static int sample_compare(const void *a, const void *b)
{
    return strcmp(((const struct sample_place *)a)->key, ((const struct sample_place *)b)->key);
}

/* Returns the rows in the order of their keys, which the caller frees, or NULL without memory. */
static struct sample_place *sample_index(const struct sample *sample)
{
    struct sample_place *index = calloc(sample->rows + 1, sizeof(*index));

    for (size_t row = 0; index && row < sample->rows; row++) {
        index[row] = (struct sample_place){ sample_key(sample, row), row };
    }
    if (index) {
        qsort(index, sample->rows, sizeof(*index), sample_compare);
    }
    return index;
}

/* Returns what the cell grew by each second, rounded. What shrank began again from 0. */
static uint64_t sample_growth(uint64_t now, uint64_t before, uint64_t elapsed_ns)
{
    uint64_t grown = now >= before ? now - before : now;

    return (uint64_t)((double)grown * 1e9 / (double)elapsed_ns + 0.5);
}

static void sample_rate_row(struct sample *sample, size_t row, const struct sample *before,
                            size_t row_before)
{
    uint64_t elapsed_ns = sample->at_ns - before->at_ns;
    int to = (int)sample->given;

    for (size_t i = 0; i < SAMPLE_RATES && to < (int)sample->columns; i++) {
        if (sample_rates[i].table == sample->table &&
            sample_find(sample, sample_rates[i].of) >= 0) {
            uint64_t now = sample_number(sample, row, sample_find(sample, sample_rates[i].of));
            uint64_t then =
                sample_number(before, row_before, sample_find(before, sample_rates[i].of));
            sample->cell[row * sample->columns + (size_t)to++] =
                sample_growth(now, then, elapsed_ns);
        }
    }
}

int sample_rate(struct sample *sample, const struct sample *before)
{
    struct sample_place *index;

    if (!before->read || sample->at_ns <= before->at_ns || sample->columns == sample->given) {
        return 0;
    }
    index = sample_index(before);
    if (!index) {
        return RUSM_ENOMEM;
    }
    for (size_t row = 0; row < sample->rows; row++) {
        struct sample_place wanted = { .key = sample_key(sample, row) }, *found;
        found = bsearch(&wanted, index, before->rows, sizeof(*index), sample_compare);
        sample_rate_row(sample, row, before, found ? found->row : before->rows);
    }
    sample->rated = true;
    free(index);
    return 0;
}
