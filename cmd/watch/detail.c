/* detail: see the header. */
#include "detail.h"

#include "gauge.h"
#include "text.h"

#include <stdio.h>
#include <string.h>

/* Writes who or what a relation is with: a pid, a name, and the length of a message. */
static void detail_relation(const struct sample *all, size_t row, bool wide, char *text, size_t cap)
{
    const char *pid = sample_text(all, row, sample_find(all, "pid"));
    const char *name = sample_text(all, row, sample_find(all, "name"));
    uint64_t bytes = sample_number(all, row, sample_find(all, "bytes"));
    char size[TEXT_MAX] = "";

    if (bytes > 0) {
        text_bytes(size, bytes);
    }
    snprintf(text, cap, "%-*.*s%s%-*s%s", pid[0] && wide ? 24 : 0, (int)strcspn(pid, "#"), pid,
             pid[0] && (name[0] || size[0]) ? "  " : "", name[0] && wide ? 20 : 0, name, size);
}

static void detail_relations(const struct model *model, struct canvas *canvas, int row, int last)
{
    const struct sample *all = &model->relations;
    int kind = sample_find(all, "relation"), column = canvas->columns < 60 ? 14 : 18;
    char text[3 * TEXT_MAX];
    const char *before = "";

    for (size_t i = 0; i < all->rows && row < last; i++, row++) {
        if (row + 1 == last && i + 1 < all->rows) {
            snprintf(text, sizeof(text), "and %zu more", all->rows - i);
            canvas_put(canvas, row, column, canvas->columns - column, FACE_DIM, text);
            return;
        }
        if (strcmp(sample_text(all, i, kind), before) != 0) {
            before = sample_text(all, i, kind);
            snprintf(text, sizeof(text), "%s", before);
            for (char *c = text; (c = strchr(c, '_'));) {
                *c = ' ';
            }
            canvas_put(canvas, row, 1, column - 2, FACE_DIM, text);
        }
        detail_relation(all, i, canvas->columns >= 60, text, sizeof(text));
        canvas_put(canvas, row, column, canvas->columns - column, FACE_PLAIN, text);
    }
}

void detail_draw(const struct model *model, struct canvas *canvas, int first, int last)
{
    static const char *const facts[] = {
        "behaviour", "state", "memory", "links", "received", "age"
    };
    const struct sample *p = &model->process;
    char text[TEXT_MAX], name[2 * TEXT_MAX];
    int row = first, half = canvas->columns / 2;

    snprintf(name, sizeof(name), "%s  %s", model->pid, sample_text(p, 0, sample_find(p, "name")));
    canvas_put(canvas, row++, 1, canvas->columns - 2, FACE_BOLD, name);
    if (model->ended) {
        canvas_put(canvas, row++, 1, canvas->columns - 2, FACE_BAD, "This process has ended.");
    }
    if (p->rows == 0) {
        canvas_put(canvas, row, 1, canvas->columns - 2, FACE_DIM, "The node has not told yet.");
        return;
    }
    for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]) && row < last; i++) {
        int column = i % 2 ? half : 1;
        canvas_put(canvas, row, column, 9, FACE_DIM, facts[i]);
        canvas_put(canvas, row, column + 10, half - 11, FACE_BOLD,
                   text_cell(text, p, 0, sample_find(p, facts[i])));
        row += column != 1;
    }
    gauge_draw(canvas, row++, 1, canvas->columns - 2, "mailbox  ",
               text_cell(text, p, 0, sample_find(p, "mailbox")), FACE_WARN,
               &model->process_mailbox);
    gauge_draw(canvas, row, 1, canvas->columns - 2, "msg/s    ",
               text_cell(text, p, 0, sample_find(p, "rate")), FACE_GOOD, &model->process_rate);
    detail_relations(model, canvas, row + (last - row > 6 ? 2 : 1), last);
}
