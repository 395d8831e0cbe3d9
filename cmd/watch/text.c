/* text: see the header. What attach shows likewise is from output.c. */
#include "text.h"

#include "../cmd.h"

#include <stdlib.h>
#include <string.h>

static char *text_scaled(char text[TEXT_MAX], double number, const char *const *unit)
{
    while (number >= 999.5 && unit[1]) {
        number /= 1000;
        unit++;
    }
    snprintf(text, TEXT_MAX, unit[0][0] && number < 9.95 ? "%.1f%s" : "%.0f%s", number, unit[0]);
    return text;
}

char *text_count(char text[TEXT_MAX], uint64_t number)
{
    static const char *const units[] = { "", "k", "M", "G", "T", "P", "E", NULL };

    if (number < 100000) {
        snprintf(text, TEXT_MAX, "%llu", (unsigned long long)number);
        return text;
    }
    return text_scaled(text, (double)number, units);
}

char *text_micros(char text[TEXT_MAX], uint64_t us)
{
    static const char *const units[] = { "us", "ms", "s", NULL };

    text_scaled(text, (double)us, units);
    if (us < 1000) {
        snprintf(text, TEXT_MAX, "%lluus", (unsigned long long)us);
    }
    return text;
}

/* Writes a value as attach does on a terminal. */
static char *text_field(char text[TEXT_MAX], const struct rusm_field *field)
{
    const struct output out = { .person = true };
    char *cell = output_cell(&out, field);

    snprintf(text, TEXT_MAX, "%s", cell);
    free(cell);
    return text;
}

char *text_bytes(char text[TEXT_MAX], uint64_t bytes)
{
    return text_field(text, &(struct rusm_field){ .type = RUSM_TYPE_BYTES, .number = bytes });
}

char *text_cell(char text[TEXT_MAX], const struct sample *sample, size_t row, int column)
{
    struct rusm_field field[SAMPLE_COLUMNS];

    text[0] = '\0';
    if (column < 0) {
        return text;
    }
    sample_fields(sample, row, field);
    field[0] = field[column];
    if (field[0].type == RUSM_TYPE_COUNT) {
        return text_count(text, field[0].number);
    }
    if (field[0].type == RUSM_TYPE_MICROS) {
        return text_micros(text, field[0].number);
    }
    text_field(text, field);
    if (field[0].type == RUSM_TYPE_PID) {
        text[strcspn(text, "@")] = '\0';
    }
    return text;
}
