/* tab: the tabs that the screen has, each for a table, and their columns. To show another column
 * of a table, add a row in tab.c. Pure. */
#ifndef WATCH_TAB_H
#define WATCH_TAB_H

#include "canvas.h"
#include "sample.h"

enum tab_number {
    TAB_PROCESSES,
    TAB_PEERS,
    TAB_NAMES,
    TAB_COUNTERS,
    TAB_NODE, /* no rows: a summary */
    TABS,
};

struct tab_column {
    const char *column; /* its name in the table */
    const char *head;   /* NULL: ends the columns of a tab */
    const char *word;   /* what the keys' line says of `key` */
    char key;           /* sorts by it; 0: none does */
    bool descending;    /* the first press of the key shows the largest first */
    int width;          /* 0: the column takes what the others leave */
    int least;          /* the screen shows it from this width on */
    /* Returns the face of a cell, by its text or number; NULL: plain. */
    enum face (*face)(const char *text, uint64_t number);
};

struct tab {
    const char *title, *brief; /* brief: on a narrow screen */
    enum rusm_table table;
    int widest; /* what the column of width 0 takes at most */
    const struct tab_column *columns;
    const char *sorted; /* the column that the rows are sorted by at first; NULL: as they come */
    const char *then;   /* and by this one where they are equal, the largest first; or NULL */
};

/* Returns one of the tabs. */
const struct tab *tab_get(enum tab_number number);
/* Returns the column of the tab that the key sorts by, or NULL. */
const struct tab_column *tab_key(const struct tab *tab, int key);
/* Returns the column with that name, or NULL. */
const struct tab_column *tab_column(const struct tab *tab, const char *name);
/* Returns how wide a column is on a screen of `columns` columns; 0: it is not shown. */
int tab_width(const struct tab *tab, const struct tab_column *column, int columns);

#endif
