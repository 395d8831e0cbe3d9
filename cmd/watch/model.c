/* model: see the header. */
#include "model.h"

#include <stdio.h>
#include <string.h>

void model_init(struct model *model, enum tab_number number, const char *by, uint64_t interval_ms)
{
    *model = (struct model){ .number = number, .interval_ms = interval_ms };
    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_init(&model->sample[i], (enum rusm_table)i);
    }
    sample_init(&model->process, RUSM_TABLE_PROCESSES);
    sample_init(&model->relations, RUSM_TABLE_NODES);
    for (enum tab_number i = 0; i < TABS; i++) {
        const char *sorted = i == number && by ? by : tab_get(i)->sorted;
        model->tab[i].by = sorted ? tab_column(tab_get(i), sorted) : NULL;
        model->tab[i].descending = model->tab[i].by && model->tab[i].by->descending;
    }
}

void model_fini(struct model *model)
{
    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_fini(&model->sample[i]);
    }
    sample_fini(&model->process);
    sample_fini(&model->relations);
    order_fini(&model->order);
}

const struct tab *model_tab(const struct model *model)
{
    return tab_get(model->number);
}

const struct sample *model_sample(const struct model *model)
{
    return &model->sample[model_tab(model)->table];
}

size_t model_row(const struct model *model, size_t place)
{
    return place < model->order.count ? model->order.row[place] : model_sample(model)->rows;
}

/* Makes the order again, and finds the row under the cursor in it. */
static int model_arrange(struct model *model)
{
    struct model_tab *at = &model->tab[model->number];
    struct order order = { 0 };

    if (model->number != TAB_NODE) {
        int error =
            order_make(&order, model_sample(model), model->filter, at->by ? at->by->column : NULL,
                       model_tab(model)->then, at->descending);
        if (error) {
            return error;
        }
    }
    order_fini(&model->order);
    model->order = order;
    at->cursor = at->selected[0] ? order_seek(&order, model_sample(model), at->selected) : 0;
    return 0;
}

/* ---- readings ---- */

/* Adds what the sparklines of the node show. */
static void model_remember(struct model *model)
{
    const struct sample *counters = &model->sample[RUSM_TABLE_COUNTERS];
    const struct sample *node = &model->sample[RUSM_TABLE_NODE];

    if (counters->rated) {
        series_add(&model->messages, sample_counter(counters, "messages_handled", "rate"));
        series_add(&model->bytes, sample_counter(counters, "bytes_in", "rate") +
                                      sample_counter(counters, "bytes_out", "rate"));
    }
    if (node->rated) {
        series_add(&model->cpu, sample_number(node, 0, sample_find(node, "cpu_rate")));
    }
}

/* Puts `from`, which was read, where `before` is. */
static int model_replace(struct sample *before, struct sample *from)
{
    int error = sample_rate(from, before);

    sample_fini(before);
    *before = *from;
    sample_init(from, from->table);
    return error;
}

/* Takes what was read of the process that is shown. */
static int model_take_process(struct model *model, struct reading *reading)
{
    int error;

    if (!model->detail || strcmp(reading->pid, model->pid) != 0) {
        return 0;
    }
    model->ended = reading->ended;
    if (reading->ended) {
        return 0;
    }
    error = model_replace(&model->process, &reading->process);
    if (!error && model->process.rated) {
        series_add(&model->process_rate,
                   sample_number(&model->process, 0, sample_find(&model->process, "rate")));
        series_add(&model->process_mailbox,
                   sample_number(&model->process, 0, sample_find(&model->process, "mailbox")));
    }
    return error ? error : model_replace(&model->relations, &reading->relations);
}

static int model_take_tables(struct model *model, struct reading *reading)
{
    int error = 0;

    for (size_t i = 0; i < READING_TABLES && !error; i++) {
        if (reading->sample[i].read) {
            error = model_replace(&model->sample[i], &reading->sample[i]);
            if (i == RUSM_TABLE_PROCESSES) {
                series_add(&model->mailboxes, sample_sum(&model->sample[i], "mailbox"));
            }
        }
    }
    return error;
}

int model_take(struct model *model, struct reading *reading)
{
    int error;

    model->error = reading->error;
    if (reading->error) {
        model->why = reading->why;
        model->again_ns = reading->again_ns;
        return 0;
    }
    model->heard_ns = reading->at_ns;
    if (model->paused) {
        return 0;
    }
    error = model_take_tables(model, reading);
    if (!error) {
        model_remember(model);
        error = model_take_process(model, reading);
    }
    return error ? error : model_arrange(model);
}

void model_want(const struct model *model, struct reading_want *want)
{
    *want = (struct reading_want){ .processes_if_few = true };
    want->table[RUSM_TABLE_NODE] = true;
    want->table[RUSM_TABLE_COUNTERS] = true;
    want->table[model_tab(model)->table] = true;
    want->table[RUSM_TABLE_PEERS] |= model->number == TAB_NODE;
    if (model->detail) {
        snprintf(want->process, sizeof(want->process), "%s", model->pid);
    }
}

/* ---- the cursor ---- */

static void model_place(struct model *model, size_t place)
{
    struct model_tab *at = &model->tab[model->number];

    if (model->order.count == 0) {
        return;
    }
    at->cursor = place < model->order.count ? place : model->order.count - 1;
    snprintf(at->selected, sizeof(at->selected), "%s",
             at->cursor == 0 ? "" : sample_key(model_sample(model), model_row(model, at->cursor)));
}

static void model_cursor(struct model *model, int key)
{
    size_t cursor = model->tab[model->number].cursor, rows = model->rows ? model->rows : 1;

    switch (key) {
    case MODEL_UP:
    case 'k': model_place(model, cursor > 0 ? cursor - 1 : 0); break;
    case MODEL_DOWN:
    case 'j': model_place(model, cursor + 1); break;
    case MODEL_PAGE_UP: model_place(model, cursor > rows ? cursor - rows : 0); break;
    case MODEL_PAGE_DOWN: model_place(model, cursor + rows); break;
    case MODEL_HOME:
    case 'g': model_place(model, 0); break;
    case MODEL_END:
    case 'G': model_place(model, SIZE_MAX - 1); break;
    default: break;
    }
}

void model_scroll(struct model *model, size_t rows)
{
    struct model_tab *at = &model->tab[model->number];

    model->rows = rows;
    if (at->cursor < at->top) {
        at->top = at->cursor;
    } else if (rows > 0 && at->cursor >= at->top + rows) {
        at->top = at->cursor + 1 - rows;
    }
    if (at->top + rows > model->order.count) {
        at->top = model->order.count > rows ? model->order.count - rows : 0;
    }
}

/* ---- keys ---- */

static int model_turn(struct model *model, enum tab_number number)
{
    model->number = number;
    model->detail = false;
    model->filter[0] = '\0';
    return model_arrange(model);
}

/* Types the filter. */
static int model_type(struct model *model, int key)
{
    size_t len = strlen(model->filter);

    if (key == MODEL_ENTER) {
        model->filtering = false;
    } else if (key == MODEL_ESCAPE) {
        model->filtering = false;
        model->filter[0] = '\0';
    } else if (key == MODEL_BACKSPACE) {
        while (len > 0 && ((unsigned char)model->filter[--len] & 0xc0) == 0x80) {}
        model->filter[len] = '\0';
    } else if (key >= ' ' && key < 0x100 && len + 1 < sizeof(model->filter)) {
        model->filter[len] = (char)key;
        model->filter[len + 1] = '\0';
    }
    return model_arrange(model);
}

static int model_sort(struct model *model, const struct tab_column *by)
{
    struct model_tab *at = &model->tab[model->number];

    at->descending = at->by == by ? !at->descending : by->descending;
    at->by = by;
    at->top = 0;
    return model_arrange(model);
}

/* Opens the process under the cursor: of the tab of processes or names. */
static void model_open(struct model *model)
{
    const struct sample *sample = model_sample(model);
    size_t row = model_row(model, model->tab[model->number].cursor);

    if (row < sample->rows && sample_find(sample, "pid") >= 0) {
        snprintf(model->pid, sizeof(model->pid), "%s",
                 sample_text(sample, row, sample_find(sample, "pid")));
        model->detail = true;
        model->ended = false;
        model->process_rate = model->process_mailbox = (struct series){ .count = 0 };
        sample_fini(&model->process);
        sample_fini(&model->relations);
    }
}

/* Goes back: from the detail to the tab, or from a filter to all rows. */
static int model_back(struct model *model)
{
    if (model->detail) {
        model->detail = false;
    } else {
        model->filter[0] = '\0';
    }
    return model_arrange(model);
}

static int model_command(struct model *model, int key)
{
    const struct tab_column *by = model->detail ? NULL : tab_key(model_tab(model), key);

    if (key >= '1' && key < '1' + TABS) {
        return model_turn(model, (enum tab_number)(key - '1'));
    }
    if (by) {
        return model_sort(model, by);
    }
    switch (key) {
    case 'q': model->quit = true; return 0;
    case '?':
    case 'h': model->help = true; return 0;
    case 'p':
    case ' ': model->paused = !model->paused; return 0;
    case '/': model->filtering = !model->detail && model->number != TAB_NODE; return 0;
    case MODEL_NEXT: return model_turn(model, (model->number + 1) % TABS);
    case MODEL_BEFORE: return model_turn(model, (model->number + TABS - 1) % TABS);
    case MODEL_BACKSPACE:
    case MODEL_ESCAPE: return model_back(model);
    case MODEL_ENTER:
        if (model->detail) {
            return model_back(model);
        }
        model_open(model);
        return 0;
    default: break;
    }
    if (!model->detail) {
        model_cursor(model, key);
    }
    return 0;
}

int model_key(struct model *model, int key)
{
    if (model->help) {
        model->help = false; /* any key closes it */
        model->quit = key == 'q';
        return 0;
    }
    return model->filtering ? model_type(model, key) : model_command(model, key);
}
