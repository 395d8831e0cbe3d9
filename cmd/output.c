/* output: prints rows of the library as a table or as JSON. Spaces align a table. Except on a
 * terminal, no cell contains a space, so that awk sees columns. On a terminal, numbers have units.
 * In a pipe they are plain bytes and seconds. */
#include "cmd.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct output_column {
    char *head;
    enum rusm_type type;
    size_t width;
};

#define OUTPUT_BOLD "\033[1m"
#define OUTPUT_PLAIN "\033[0m"

static void *output_alloc(void *memory)
{
    if (!memory) {
        exit(failure_say(NULL, EXIT_FAILED, "%s", rusm_strerror(RUSM_ENOMEM)));
    }
    return memory;
}

void output_init(struct output *out, bool json)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

    *out = (struct output){ .json = json, .person = isatty(STDOUT_FILENO) == 1 };
    out->color = out->person && !(no_color && no_color[0]) && term && strcmp(term, "dumb") != 0;
}

bool output_says(void)
{
    return isatty(STDERR_FILENO) == 1;
}

/* ---- cells ---- */

char *output_clean(const char *text, bool blanks)
{
    char *clean = output_alloc(strdup(text && text[0] ? text : "-"));

    for (unsigned char *c = (unsigned char *)clean; *c; c++) {
        bool control = *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0);
        if (control) {
            *c = '?';
        } else if (*c == ' ' && !blanks) {
            *c = '_';
        }
    }
    return clean;
}

static void output_seconds(char *text, size_t cap, uint64_t ms)
{
    unsigned long long s = ms / 1000;

    if (s < 10) {
        snprintf(text, cap, "%llu.%llus", s, (unsigned long long)(ms % 1000 / 100));
    } else if (s < 60) {
        snprintf(text, cap, "%llus", s);
    } else if (s < 3600) {
        snprintf(text, cap, "%llum%02llus", s / 60, s % 60);
    } else if (s < 86400) {
        snprintf(text, cap, "%lluh%02llum", s / 3600, s % 3600 / 60);
    } else {
        snprintf(text, cap, "%llud%02lluh", s / 86400, s % 86400 / 3600);
    }
}

static void output_bytes(char *text, size_t cap, uint64_t bytes)
{
    static const char *const unit[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
    double n = (double)bytes;
    size_t u = 0;

    while (n >= 1023.5 && u + 1 < sizeof(unit) / sizeof(unit[0])) {
        n /= 1024;
        u++;
    }
    snprintf(text, cap, u > 0 && n < 9.95 ? "%.1f %s" : "%.0f %s", n, unit[u]);
}

char *output_cell(const struct output *out, const struct rusm_field *field)
{
    unsigned long long n = field->number;
    char text[64];

    switch (field->type) {
    case RUSM_TYPE_TEXT: return output_clean(field->text, out->person);
    case RUSM_TYPE_PID: {
        /* The table leaves out the incarnation: people take it to be the present one. JSON has the
         * full pid. */
        char *pid = output_clean(field->text, false);
        size_t len = strcspn(pid, "#");
        pid[len > 0 ? len : strlen(pid)] = '\0'; /* a cell is never empty */
        return pid;
    }
    case RUSM_TYPE_BYTES:
        if (out->person) {
            output_bytes(text, sizeof(text), n);
        } else {
            snprintf(text, sizeof(text), "%llu", n);
        }
        break;
    case RUSM_TYPE_SECONDS:
        if (out->person) {
            output_seconds(text, sizeof(text), n);
        } else {
            snprintf(text, sizeof(text), "%llu.%03llu", n / 1000, n % 1000);
        }
        break;
    case RUSM_TYPE_COUNT:
    case RUSM_TYPE_MICROS:
    default: snprintf(text, sizeof(text), "%llu", n); break;
    }
    return output_alloc(strdup(text));
}

/* Returns the columns of a UTF-8 text. Counts one for each character. */
static size_t output_width(const char *text)
{
    size_t width = 0;

    for (const char *c = text; *c; c++) {
        width += ((unsigned char)*c & 0xc0) != 0x80;
    }
    return width;
}

/* ---- JSON ---- */

static json_t *output_value(const struct rusm_field *field)
{
    json_t *value;

    switch (field->type) {
    case RUSM_TYPE_TEXT:
    case RUSM_TYPE_PID:
        if (!field->text) {
            return json_null();
        }
        value = json_string(field->text);
        if (!value) { /* it is not UTF-8 */
            char *clean = output_clean(field->text, true);
            for (char *c = clean; *c; c++) {
                *c = (char)((unsigned char)*c < 0x80 ? *c : '?');
            }
            value = json_string(clean);
            free(clean);
        }
        return value;
    case RUSM_TYPE_SECONDS:
        if (field->number % 1000 != 0) {
            return json_real((double)field->number / 1000);
        }
        return json_integer((json_int_t)(field->number / 1000));
    case RUSM_TYPE_COUNT:
    case RUSM_TYPE_BYTES:
    case RUSM_TYPE_MICROS:
    default: return json_integer(field->number > INT64_MAX ? INT64_MAX : (json_int_t)field->number);
    }
}

int output_object(FILE *to, const struct rusm_field *fields, size_t count)
{
    json_t *object = json_object();
    int error = object ? 0 : RUSM_ENOMEM;

    for (size_t i = 0; i < count && error == 0; i++) {
        if (json_object_set_new(object, fields[i].column, output_value(&fields[i])) != 0) {
            error = RUSM_ENOMEM;
        }
    }
    if (error == 0 && (json_dumpf(object, to, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0 ||
                       putc('\n', to) == EOF)) {
        error = RUSM_EIO;
    }
    json_decref(object);
    return error;
}

/* ---- rows ---- */

static void output_columns(struct output *out, const struct rusm_field *fields, size_t count)
{
    out->column = output_alloc(calloc(count, sizeof(*out->column)));
    out->columns = count;
    for (size_t i = 0; i < count; i++) {
        char *head = output_clean(fields[i].column, false);
        for (char *c = head; *c; c++) {
            *c = (char)(*c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c);
        }
        out->column[i] = (struct output_column){ head, fields[i].type, output_width(head) };
    }
}

int output_row(void *output, const struct rusm_field *fields, size_t count)
{
    struct output *out = output;

    if (out->json) {
        return output_object(stdout, fields, count);
    }
    if (!out->column) {
        output_columns(out, fields, count);
    }
    if (out->cells + out->columns > out->cells_cap) {
        out->cells_cap = 2 * out->cells_cap + out->columns * 16;
        out->cell = output_alloc(reallocarray(out->cell, out->cells_cap, sizeof(*out->cell)));
    }
    for (size_t i = 0; i < out->columns && i < count; i++) {
        char *cell = output_cell(out, &fields[i]);
        size_t width = output_width(cell);
        out->cell[out->cells++] = cell;
        if (width > out->column[i].width) {
            out->column[i].width = width;
        }
    }
    return 0;
}

static void output_put(const struct output *out, size_t at, const char *text)
{
    const struct output_column *column = &out->column[at];
    bool left = column->type == RUSM_TYPE_TEXT || column->type == RUSM_TYPE_PID;
    int pad = (int)(column->width - output_width(text));
    bool last = at + 1 == out->columns;

    printf("%*s%s%*s%s", left ? 0 : pad, "", text, left && !last ? pad : 0, "", last ? "" : "  ");
}

void output_end(struct output *out)
{
    if (out->columns > 0) {
        fputs(out->color ? OUTPUT_BOLD : "", stdout);
        for (size_t i = 0; i < out->columns; i++) {
            output_put(out, i, out->column[i].head);
        }
        puts(out->color ? OUTPUT_PLAIN : "");
    }
    for (size_t i = 0; i < out->cells; i++) {
        output_put(out, i % out->columns, out->cell[i]);
        fputs((i + 1) % out->columns == 0 ? "\n" : "", stdout);
        free(out->cell[i]);
    }
    for (size_t i = 0; i < out->columns; i++) {
        free(out->column[i].head);
    }
    free(out->column);
    free(out->cell);
    out->column = NULL;
    out->cell = NULL;
    out->columns = out->cells = out->cells_cap = 0;
}

int output_head(void *output, const struct rusm_field *fields, size_t count)
{
    const struct output *out = output;

    for (size_t i = 0; i < count; i++) {
        char *cell = output_cell(out, &fields[i]);
        if (i == 0) {
            printf("%s%s%s", out->color ? OUTPUT_BOLD : "", cell, out->color ? OUTPUT_PLAIN : "");
        } else if (i == 1) {
            printf(" at %s", cell);
        } else {
            printf(", %s %s", fields[i].column, cell);
        }
        free(cell);
    }
    putchar('\n');
    return 0;
}
