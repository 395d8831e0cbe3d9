/* view: see the header. Of a screen, the first two lines say what is shown, a third has the gauges
 * if there is room, and the last one or two have the keys. */
#include "view.h"

#include "detail.h"
#include "gauge.h"
#include "summary.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

#define VIEW_TALL 14   /* rows from which there are gauges and a second line of keys */
#define VIEW_LATE 2000 /* ms beyond the interval until the screen says that no answer came */

/* ---- the top ---- */

/* Writes what is going on with the node, for the right end of the bar. */
static enum face view_status(const struct model *model, char text[TEXT_MAX])
{
    uint64_t silent_ms = (model->now_ns - model->heard_ns) / 1000000;

    if (model->error) {
        snprintf(text, TEXT_MAX, "LOST");
        return FACE_ALARM;
    }
    if (model->paused) {
        snprintf(text, TEXT_MAX, "PAUSED");
        return FACE_ALARM;
    }
    if (model->now_ns > model->heard_ns && silent_ms > model->interval_ms + VIEW_LATE) {
        snprintf(text, TEXT_MAX, "no answer for %llus", (unsigned long long)silent_ms / 1000);
        return FACE_ALARM;
    }
    snprintf(text, TEXT_MAX, "every %gs", (double)model->interval_ms / 1000);
    return FACE_BAR;
}

/* Writes a value of the node behind a label, if there is room for it. Returns the column after
 * it. */
static int view_fact(const struct model *model, struct canvas *canvas, int column, int end,
                     const char *label, const char *name)
{
    const struct sample *node = &model->sample[RUSM_TABLE_NODE];
    char cell[TEXT_MAX], text[2 * TEXT_MAX];

    text_cell(cell, node, 0, sample_find(node, name));
    snprintf(text, sizeof(text), "%s%s", label, cell);
    if (node->rows == 0 || column + canvas_width(canvas, text) > end) {
        return column;
    }
    return canvas_put(canvas, 0, column, end - column, FACE_BAR, text) + 2;
}

static void view_bar(const struct model *model, struct canvas *canvas)
{
    char status[TEXT_MAX];
    enum face face = view_status(model, status);
    int width = canvas_width(canvas, status), end = canvas->columns - width - 2;
    int column = 1;

    canvas_face(canvas, 0, 0, canvas->columns, FACE_BAR);
    column = view_fact(model, canvas, column, end, "", "name");
    column = view_fact(model, canvas, column, end, "up ", "uptime");
    column = view_fact(model, canvas, column, end, "processes ", "processes");
    column = view_fact(model, canvas, column, end, "peers ", "peers");
    column = view_fact(model, canvas, column, end, "", "address");
    canvas_put(canvas, 0, end > 0 ? end + 1 : 0, width, face, status);
}

/* Writes how many rows there are, and which filter chose them. */
static void view_chosen(const struct model *model, char text[TEXT_MAX])
{
    size_t rows = model_sample(model)->rows;

    text[0] = '\0';
    if (model->filter[0]) {
        snprintf(text, TEXT_MAX, "/%s %zu of %zu", model->filter, model->order.count, rows);
    } else if (model->number != TAB_NODE && !model->detail) {
        snprintf(text, TEXT_MAX, "%zu", rows);
    }
}

static void view_tabs(const struct model *model, struct canvas *canvas)
{
    char text[TEXT_MAX];
    bool brief = canvas->columns < 64;
    int column = 0, width;

    for (enum tab_number i = 0; i < TABS; i++) {
        const char *title = brief ? tab_get(i)->brief : tab_get(i)->title;
        enum face face = i == model->number ? FACE_SELECTED : FACE_PLAIN;
        snprintf(text, sizeof(text), " %d %s ", i + 1, title);
        canvas_put(canvas, 1, column, canvas->columns - column, face, text);
        canvas_face(canvas, 1, column + 1, 1, i == model->number ? face : FACE_KEY);
        column += canvas_width(canvas, text) - (brief && i + 1 < TABS);
    }
    view_chosen(model, text);
    width = canvas_width(canvas, text);
    if (column + width + 2 <= canvas->columns) {
        canvas_put(canvas, 1, canvas->columns - width - 1, width, FACE_DIM, text);
    } else if (model->filter[0]) { /* it matters more than the tabs */
        width = width < canvas->columns ? width : canvas->columns - 1;
        canvas_clear(canvas, 1, canvas->columns - width - 1, 1, FACE_PLAIN);
        canvas_put(canvas, 1, canvas->columns - width, width, FACE_WARN, text);
    }
}

/* Says over the whole line why the node does not answer. */
static void view_alarm(const struct model *model, struct canvas *canvas, int row)
{
    char text[sizeof(model->why.text) + 64];
    uint64_t left_ns = model->again_ns > model->now_ns ? model->again_ns - model->now_ns : 0;

    snprintf(text, sizeof(text), " Trying again in %llu s: %s",
             (unsigned long long)(left_ns + 999999999) / 1000000000,
             model->why.text[0] ? model->why.text : rusm_strerror(model->error));
    canvas_clear(canvas, row, 0, canvas->columns, FACE_ALARM);
    canvas_put(canvas, row, 0, canvas->columns, FACE_ALARM, text);
}

/* ---- the bottom ---- */

/* Writes a key and what it does, unless it does not fit. Returns the column after it. */
static int view_key(struct canvas *canvas, int row, int column, const char *key, const char *word)
{
    int width = canvas_width(canvas, key) + 1 + canvas_width(canvas, word);

    if (column + width > canvas->columns) {
        return canvas->columns; /* later ones matter less: none of them follows */
    }
    column = canvas_put(canvas, row, column, canvas->columns, FACE_KEY, key) + 1;
    return canvas_put(canvas, row, column, canvas->columns, FACE_DIM, word) + 2;
}

static void view_sort_keys(const struct model *model, struct canvas *canvas, int row)
{
    int column = canvas_put(canvas, row, 1, canvas->columns, FACE_DIM, "sort by") + 2;

    for (const struct tab_column *c = model_tab(model)->columns; c->head; c++) {
        if (c->key) {
            column = view_key(canvas, row, column, (const char[]){ c->key, '\0' }, c->word);
        }
    }
}

static void view_keys(const struct model *model, struct canvas *canvas)
{
    int row = canvas->rows - 1, column = 1;
    char text[MODEL_FILTER + 4];
    bool rows = model->number != TAB_NODE && !model->detail;

    if (model->filtering) {
        snprintf(text, sizeof(text), "/%s_", model->filter);
        column = canvas_put(canvas, row, 0, canvas->columns, FACE_BOLD, text) + 2;
        column = view_key(canvas, row, column, "Enter", "keep");
        view_key(canvas, row, column, "Esc", "all rows");
        return;
    }
    column = view_key(canvas, row, column, "q", "quit");
    column = view_key(canvas, row, column, "?", "help");
    column = view_key(canvas, row, column, "p", model->paused ? "go on" : "pause");
    if (model->detail) {
        column = view_key(canvas, row, column, "Esc", "back");
    } else if (rows) {
        column = view_key(canvas, row, column, "/", "filter");
        if (sample_find(model_sample(model), "pid") >= 0) {
            column = view_key(canvas, row, column, "Enter", "detail");
        }
    }
    view_key(canvas, row, column, "1-5", "tabs");
    if (rows && canvas->rows >= VIEW_TALL) {
        view_sort_keys(model, canvas, row - 1);
    }
}

/* ---- rows ---- */

static void view_head(const struct model *model, struct canvas *canvas, int row)
{
    const struct model_tab *at = &model->tab[model->number];
    const struct sample *sample = model_sample(model);
    int column = 0;

    canvas_face(canvas, row, 0, canvas->columns, FACE_HEAD);
    for (const struct tab_column *c = model_tab(model)->columns; c->head; c++) {
        int width = tab_width(model_tab(model), c, canvas->columns);
        int index = sample_find(sample, c->column);
        char text[TEXT_MAX];
        if (width == 0) {
            continue;
        }
        const char *arrow = c != at->by      ? ""
                            : at->descending ? canvas->utf8 ? "▾" : "v"
                            : canvas->utf8   ? "▴"
                                             : "^";
        snprintf(text, sizeof(text), "%s%s", c->head, arrow);
        enum face face = c == at->by ? FACE_SORTED : FACE_HEAD;
        if (index < 0 || sample_is_text(sample, index)) {
            canvas_put(canvas, row, column, width, face, text);
        } else {
            canvas_put_right(canvas, row, column, width, face, text);
        }
        column += width + 1;
    }
}

/* Writes a cell. A process without a name is shown by its behaviour. */
static void view_cell(const struct sample *sample, size_t row, const struct tab_column *c,
                      struct canvas *canvas, int line, int column, int width)
{
    int index = sample_find(sample, c->column), behaviour = sample_find(sample, "behaviour");
    char text[TEXT_MAX];
    enum face face =
        c->face ? c->face(sample_text(sample, row, index), sample_number(sample, row, index))
                : FACE_PLAIN;

    text_cell(text, sample, row, index);
    if (sample_is_text(sample, index) && !sample_text(sample, row, index)[0] && behaviour >= 0) {
        snprintf(text, sizeof(text), "(%s)", sample_text(sample, row, behaviour));
        face = FACE_DIM;
    }
    if (sample_is_text(sample, index)) {
        canvas_put(canvas, line, column, width, face, text);
    } else {
        canvas_put_right(canvas, line, column, width, face, text);
    }
}

static void view_row(const struct model *model, size_t place, struct canvas *canvas, int line)
{
    const struct tab *tab = model_tab(model);
    int column = 0;

    for (const struct tab_column *c = tab->columns; c->head; c++) {
        int width = tab_width(tab, c, canvas->columns);
        if (width > 0) {
            view_cell(model_sample(model), model_row(model, place), c, canvas, line, column, width);
            column += width + 1;
        }
    }
    if (place == model->tab[model->number].cursor) {
        canvas_face(canvas, line, 0, canvas->columns, FACE_SELECTED);
    }
}

static void view_rows(struct model *model, struct canvas *canvas, int first, int last)
{
    const struct model_tab *at = &model->tab[model->number];
    int room = last > first ? last - first : 0;

    view_head(model, canvas, first - 1);
    model_scroll(model, (size_t)room);
    for (int i = 0; i < room && at->top + (size_t)i < model->order.count; i++) {
        view_row(model, at->top + (size_t)i, canvas, first + i);
    }
    if (model->order.count == 0 && room > 0 && model_sample(model)->read) {
        canvas_put(canvas, first, 1, canvas->columns - 1, FACE_DIM,
                   model->filter[0] ? "nothing matches the filter: Esc shows all rows" : "none");
    }
}

/* ---- help ---- */

static void view_help(struct canvas *canvas)
{
    static const struct {
        const char *key, *word;
    } lines[] = {
        { "1-5  Tab", "processes, peers, names, counters, node" },
        { "arrows j k", "move the cursor; PgUp PgDn Home End too" },
        { "Enter", "links, monitors and senders of a process" },
        { "Esc", "back; or show all rows again" },
        { "/", "show only rows that contain a text" },
        { "a letter", "sort by a column; again: the other way" },
        { "p  Space", "pause; the node is asked again on p" },
        { "q", "quit" },
        { "RATE/s", "messages handled each second, lately" },
        { "mailboxes", "messages that wait, of all processes" },
        { "network", "bytes in and out" },
        { "cpu", "100% is one core" },
    };

    canvas_put(canvas, 0, 0, canvas->columns, FACE_BAR, " Keys and words (any key goes back)");
    canvas_face(canvas, 0, 0, canvas->columns, FACE_BAR);
    for (int i = 0; i < (int)(sizeof(lines) / sizeof(lines[0])) && i + 1 < canvas->rows; i++) {
        int row = canvas->rows >= VIEW_TALL ? i + 2 : i + 1;
        canvas_put(canvas, row, 1, 10, FACE_KEY, lines[i].key);
        canvas_put(canvas, row, 12, canvas->columns - 12, FACE_PLAIN, lines[i].word);
    }
}

void view_draw(struct model *model, struct canvas *canvas)
{
    bool tall = canvas->rows >= VIEW_TALL;
    bool rows = model->number != TAB_NODE && !model->detail;
    int first = tall ? 4 : 2, last = canvas->rows - (tall && rows ? 2 : 1);

    if (model->help) {
        view_help(canvas);
        return;
    }
    view_bar(model, canvas);
    view_tabs(model, canvas);
    if (tall && model->number != TAB_NODE) {
        gauge_row(model, canvas, 2);
    }
    if (model->detail) {
        detail_draw(model, canvas, first, last);
    } else if (model->number == TAB_NODE) {
        summary_draw(model, canvas, tall ? 3 : 2, last);
    } else {
        view_rows(model, canvas, tall ? 4 : 3, last);
    }
    if (model->error) {
        view_alarm(model, canvas, tall ? 2 : 1);
    }
    view_keys(model, canvas);
}
