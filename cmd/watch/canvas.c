/* canvas: see the header. */
#include "canvas.h"

#include "series.h"
#include "rusm.h"

#include <stdlib.h>
#include <string.h>
#include <wchar.h>

int canvas_init(struct canvas *canvas, int rows, int columns, bool utf8)
{
    size_t cells = (size_t)rows * (size_t)columns;

    *canvas = (struct canvas){ .rows = rows, .columns = columns, .utf8 = utf8 };
    canvas->cell = calloc(cells ? cells : 1, sizeof(*canvas->cell));
    for (size_t i = 0; canvas->cell && i < cells; i++) {
        canvas->cell[i].glyph[0] = ' ';
    }
    return canvas->cell ? 0 : RUSM_ENOMEM;
}

void canvas_fini(struct canvas *canvas)
{
    free(canvas->cell);
    canvas->cell = NULL;
}

static struct canvas_cell *canvas_at(struct canvas *canvas, int row, int column)
{
    bool inside = row >= 0 && row < canvas->rows && column >= 0 && column < canvas->columns;

    return inside ? &canvas->cell[row * canvas->columns + column] : NULL;
}

/* ---- characters ---- */

struct canvas_char {
    char glyph[5];
    int width; /* 1 or 2 */
};

/* Returns how many bytes the character that begins with this byte should have. */
static size_t canvas_bytes(unsigned char first)
{
    return first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Takes the next character of a text. What this screen cannot show is "?". Returns how many bytes
 * it took. */
static size_t canvas_next(const struct canvas *canvas, const char *text, struct canvas_char *out)
{
    const unsigned char *in = (const unsigned char *)text;
    size_t bytes = canvas_bytes(in[0]), there = 1;
    wchar_t c = (wchar_t)(bytes == 1 ? in[0] : bytes ? in[0] & (0x7f >> bytes) : 0);

    *out = (struct canvas_char){ .glyph = "?", .width = 1 };
    while (there < bytes && (in[there] & 0xc0) == 0x80) {
        c = (wchar_t)(c << 6 | (in[there++] & 0x3f));
    }
    if (bytes == 1 ? c >= ' ' && c < 0x7f : canvas->utf8 && there == bytes && c >= 0xa0) {
        int width = bytes == 1 ? 1 : wcwidth(c);
        if (width > 0) {
            memcpy(out->glyph, text, bytes);
            out->glyph[bytes] = '\0';
            out->width = width;
        }
    }
    return there;
}

int canvas_width(const struct canvas *canvas, const char *text)
{
    struct canvas_char next;
    int width = 0;

    while (*text) {
        text += canvas_next(canvas, text, &next);
        width += next.width;
    }
    return width;
}

static void canvas_set(struct canvas *canvas, int row, int column, enum face face,
                       const struct canvas_char *c)
{
    for (int i = 0; i < c->width; i++) {
        struct canvas_cell *cell = canvas_at(canvas, row, column + i);
        if (cell) {
            memcpy(cell->glyph, i == 0 ? c->glyph : "", i == 0 ? sizeof(cell->glyph) : 1);
            cell->face = (unsigned char)face;
        }
    }
}

int canvas_put(struct canvas *canvas, int row, int column, int width, enum face face,
               const char *text)
{
    struct canvas_char next, cut;
    int end = column + width < canvas->columns ? column + width : canvas->columns;

    canvas_next(canvas, canvas->utf8 ? "…" : "~", &cut);
    while (*text && column < end) {
        text += canvas_next(canvas, text, &next);
        bool last = column + next.width > end || (column + next.width == end && *text);
        canvas_set(canvas, row, column, face, last ? &cut : &next);
        column += last ? cut.width : next.width;
        if (last) {
            break;
        }
    }
    return column;
}

void canvas_put_right(struct canvas *canvas, int row, int column, int width, enum face face,
                      const char *text)
{
    int needed = canvas_width(canvas, text);

    canvas_put(canvas, row, needed < width ? column + width - needed : column, width, face, text);
}

void canvas_clear(struct canvas *canvas, int row, int column, int width, enum face face)
{
    static const struct canvas_char blank = { .glyph = " ", .width = 1 };

    for (int i = 0; i < width; i++) {
        canvas_set(canvas, row, column + i, face, &blank);
    }
}

void canvas_face(struct canvas *canvas, int row, int column, int width, enum face face)
{
    for (int i = 0; i < width; i++) {
        struct canvas_cell *cell = canvas_at(canvas, row, column + i);
        if (cell) {
            cell->face = (unsigned char)face;
        }
    }
}

void canvas_spark(struct canvas *canvas, int row, int column, int width, enum face face,
                  const struct series *series)
{
    static const char *const blocks[] = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
    static const char *const ascii[] = { " ", "_", ".", ",", "-", "=", "+", "*", "#" };
    uint64_t most = series_most(series, width > 0 ? (size_t)width : 0);

    for (int i = 0; i < width; i++) {
        size_t ago = (size_t)(width - 1 - i);
        uint64_t value = series_value(series, ago);
        /* A value is never shown as nothing, and 0 is a line where there was a sample. */
        size_t height = ago >= series_count(series) ? 0
                        : value == 0                ? 1
                                     : 1 + (size_t)((double)value / (double)most * 7.0 + 0.5);
        canvas_put(canvas, row, column + i, 1, face, canvas->utf8 ? blocks[height] : ascii[height]);
    }
}

char *canvas_text(const struct canvas *canvas, int row, char *text, size_t cap)
{
    size_t len = 0, end = 0;

    for (int i = 0; i < canvas->columns; i++) {
        const char *glyph = canvas->cell[row * canvas->columns + i].glyph;
        size_t bytes = strlen(glyph);
        if (len + bytes + 1 > cap) {
            break;
        }
        memcpy(text + len, glyph, bytes);
        len += bytes;
        end = bytes == 1 && glyph[0] == ' ' ? end : len;
    }
    text[end] = '\0';
    return text;
}
