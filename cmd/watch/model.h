/* model: what the screen shows and where the user is: samples, rates, tab, order, filter, cursor.
 * Pure: it takes readings and keys, and the time with them. One thread. */
#ifndef WATCH_MODEL_H
#define WATCH_MODEL_H

#include "series.h"
#include "order.h"
#include "tab.h"
#include "reading.h"

#define MODEL_FILTER 64

/* Keys that are no characters. */
enum model_key {
    MODEL_ENTER = '\n',
    MODEL_ESCAPE = 0x1b,
    MODEL_BACKSPACE = 0x7f,
    MODEL_UP = 0x1000,
    MODEL_DOWN,
    MODEL_PAGE_UP,
    MODEL_PAGE_DOWN,
    MODEL_HOME,
    MODEL_END,
    MODEL_NEXT, /* the next tab, and the one before */
    MODEL_BEFORE,
};

struct model_tab {
    const struct tab_column *by; /* NULL: the node's order */
    bool descending;
    char selected[320]; /* the key of the row under the cursor; "": the first row */
    size_t cursor, top; /* places in the order */
};

struct model {
    enum tab_number number;
    struct model_tab tab[TABS];
    struct sample sample[READING_TABLES]; /* the last of each table */
    struct order order;                   /* of the tab */
    size_t rows;                          /* how many rows the screen shows; model_scroll */
    char filter[MODEL_FILTER];
    bool filtering; /* the filter is being typed */
    bool help, paused, quit;
    bool detail; /* one process is shown, `pid` */
    char pid[RUSM_PID_TEXT_MAX];
    struct sample process, relations;              /* of that process */
    bool ended;                                    /* that process is gone */
    struct series messages, mailboxes, cpu, bytes; /* of the node */
    struct series process_rate, process_mailbox;   /* of that process */
    uint64_t interval_ms;
    uint64_t now_ns, heard_ns; /* the node answered last at */
    int error;                 /* why it does not answer; 0: it does */
    struct rusm_why why;
    uint64_t again_ns; /* with an error: when it is tried again */
};

/* Starts on a tab. by: the column that its rows are sorted by; NULL: as usual. */
void model_init(struct model *model, enum tab_number number, const char *by, uint64_t interval_ms);
void model_fini(struct model *model);
/* Takes a reading: moves what is in it, and leaves it empty. While paused, drops it. Returns 0 or
 * RUSM_ENOMEM. */
int model_take(struct model *model, struct reading *reading);
/* Takes a key. Returns 0 or RUSM_ENOMEM. */
int model_key(struct model *model, int key);
/* Tells how many rows there is room for. Moves the top so that the cursor is seen. */
void model_scroll(struct model *model, size_t rows);
/* Says what is to be read. */
void model_want(const struct model *model, struct reading_want *want);

const struct tab *model_tab(const struct model *model);
/* Returns the sample that the tab shows. */
const struct sample *model_sample(const struct model *model);
/* Returns the row of a place in the order, or `rows` of the sample if there is none. */
size_t model_row(const struct model *model, size_t place);

#endif
