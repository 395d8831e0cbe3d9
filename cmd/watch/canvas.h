/* canvas: a grid of characters, each with a face, that a screen shows. What does not fit is cut.
 * Pure. */
#ifndef WATCH_CANVAS_H
#define WATCH_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

struct series;

/* How a character looks. A screen chooses colours, or none. */
enum face {
    FACE_PLAIN,
    FACE_BOLD,
    FACE_DIM,
    FACE_BAR,      /* the line at the top, and the tab that is open */
    FACE_HEAD,     /* heads of columns */
    FACE_SORTED,   /* the head of the column that the rows are sorted by */
    FACE_SELECTED, /* the row under the cursor */
    FACE_KEY,      /* a key that may be pressed */
    FACE_GOOD,
    FACE_BUSY,
    FACE_WARN,
    FACE_BAD,
    FACE_ALARM, /* a line that nobody should miss */
    FACES,
};

struct canvas_cell {
    char glyph[5]; /* one character in UTF-8; "": the right half of a wide one */
    unsigned char face;
};

struct canvas {
    int rows, columns;
    bool utf8; /* the screen can show more than ASCII */
    struct canvas_cell *cell;
};

/* Makes an empty canvas. Returns 0 or RUSM_ENOMEM. */
int canvas_init(struct canvas *canvas, int rows, int columns, bool utf8);
void canvas_fini(struct canvas *canvas);
/* Writes a text into at most `width` columns. What is longer ends with an ellipsis. Characters that
 * could control a terminal become "?". Returns the column after it. */
int canvas_put(struct canvas *canvas, int row, int column, int width, enum face face,
               const char *text);
/* Writes the text so that it ends at the right end of the `width` columns. */
void canvas_put_right(struct canvas *canvas, int row, int column, int width, enum face face,
                      const char *text);
/* Makes the columns of a row blank, with a face. */
void canvas_clear(struct canvas *canvas, int row, int column, int width, enum face face);
/* Gives the columns of a row a face. What is written there stays. */
void canvas_face(struct canvas *canvas, int row, int column, int width, enum face face);
/* Draws the last values, the latest at the right end, as blocks of eight heights. */
void canvas_spark(struct canvas *canvas, int row, int column, int width, enum face face,
                  const struct series *series);
/* Returns how many columns a text takes. */
int canvas_width(const struct canvas *canvas, const char *text);
/* Writes a row as text, without the blanks at its end. Returns text. */
char *canvas_text(const struct canvas *canvas, int row, char *text, size_t cap);

#endif
