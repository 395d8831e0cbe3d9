/* fuzz: how a command prints a node's tables (cmd/output.c), with any columns and rows that a
 * client lets through. In a pipe, each row is a line with a word for each column. On a terminal, no
 * text controls it. JSON can be read back. */
#include "../cmd/cmd.h"
#include <jansson.h>
#include "doubles/fuzz.h"
#include "wire/table.h"

#define ROWS_MAX 16

struct table {
    struct column columns[TABLE_COLUMNS_MAX];
    size_t count, rows;
    struct rusm_field field[ROWS_MAX][TABLE_COLUMNS_MAX];
    char *text[ROWS_MAX][TABLE_COLUMNS_MAX]; /* owned by the table */
};

/* Reads a table as the replies to OP_TABLE have it. Returns false if there is nothing to print. */
static bool table_read(struct table *t, struct reader *r)
{
    bool whole = columns_read(r, t->columns, &t->count) == 0;

    for (t->rows = 0; whole && t->rows < ROWS_MAX && reader_left(r) > 0; t->rows += whole) {
        for (size_t i = 0; i < t->count && whole; i++) {
            struct rusm_field *f = &t->field[t->rows][i];
            size_t len;
            *f = (struct rusm_field){ .column = t->columns[i].name, .type = t->columns[i].type };
            if (!column_is_text(f->type)) {
                f->number = reader_varint(r);
            } else {
                const uint8_t *bytes = reader_text(r, &len, SIZE_MAX);
                if (!r->bad) {
                    f->text = t->text[t->rows][i] = strndup((const char *)bytes, len);
                }
            }
            whole = !r->bad;
        }
    }
    return t->rows > 0;
}

static void table_free(struct table *t)
{
    for (size_t i = 0; i < ROWS_MAX; i++) {
        for (size_t k = 0; k < TABLE_COLUMNS_MAX; k++) {
            free(t->text[i][k]);
        }
    }
}

/* Returns all that the command prints. The caller frees it. */
static char *print(const struct table *t, bool json, bool person, bool head)
{
    struct output out;
    FILE *before = stdout;
    char *said;
    size_t len;

    output_init(&out, json);
    out.person = person;
    stdout = open_memstream(&said, &len);
    must(stdout);
    for (size_t i = 0; i < t->rows; i++) {
        must((head ? output_head : output_row)(&out, t->field[i], t->count) == 0);
    }
    output_end(&out);
    fclose(stdout);
    stdout = before;
    must(strlen(said) == len);
    return said;
}

static size_t words(const char *line, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        count += line[i] != ' ' && (i == 0 || line[i - 1] == ' ');
    }
    return count;
}

/* Checks that the text has that many lines, and frees it. `count` is the number of words in each
 * line, 0 for any. */
static void lines_ok(char *said, size_t lines, size_t count)
{
    char *at = said;

    for (; *at; lines--) {
        size_t len = strcspn(at, "\n");
        must(lines > 0 && at[len] == '\n');
        fuzz_line_ok(at, len);
        must(count == 0 || words(at, len) == count);
        at += len + 1;
    }
    must(lines == 0);
    free(said);
}

static void json_ok(const struct table *t, char *said)
{
    char *at = said;

    for (size_t row = 0; row < t->rows; row++) {
        size_t len = strcspn(at, "\n");
        must(at[len] == '\n');
        json_t *object = json_loadb(at, len, 0, NULL);
        must(object && json_is_object(object));
        for (size_t i = 0; i < t->count; i++) {
            const json_t *value = json_object_get(object, t->columns[i].name);
            must(json_is_string(value) || json_is_number(value) || json_is_null(value));
        }
        json_decref(object);
        at += len + 1;
    }
    must(*at == '\0');
    free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_on(data, len);
    static struct table t;

    memset(&t, 0, sizeof(t));
    if (table_read(&t, &r)) {
        lines_ok(print(&t, false, false, false), t.rows + 1, t.count);
        lines_ok(print(&t, false, true, false), t.rows + 1, 0);
        lines_ok(print(&t, false, true, true), t.rows, 0);
        json_ok(&t, print(&t, true, false, false));
    }
    table_free(&t);
    return 0;
}
