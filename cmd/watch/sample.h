/* sample: a table of a node as it was at one moment, and how fast its counts grew since an earlier
 * one. Pure: the caller gives the time. One thread at a time. */
#ifndef WATCH_SAMPLE_H
#define WATCH_SAMPLE_H

#include "rusm.h"

#define SAMPLE_COLUMNS 24 /* more columns of a node are left out */

struct sample_column {
    char name[32];
    enum rusm_type type;
};

struct sample {
    enum rusm_table table;
    struct sample_column column[SAMPLE_COLUMNS]; /* the node's, then those of the rates */
    size_t columns;                              /* 0: there was no row */
    size_t given;                                /* how many of them the node has */
    uint64_t *cell; /* row by row: a number, or the offset of a text in `text` plus 1 (0: none) */
    size_t rows, cells_cap;
    char *text;
    size_t text_len, text_cap;
    uint64_t at_ns; /* when it was read */
    bool read;      /* it was read at all */
    bool rated;     /* the rates are known */
};

/* Begins an empty sample. */
void sample_init(struct sample *sample, enum rusm_table table);
void sample_fini(struct sample *sample);
/* Adds a row. A rusm_row_fn, the context is the sample. Returns 0 or RUSM_ENOMEM. */
int sample_row(void *sample, const struct rusm_field *fields, size_t count);
/* Fills in the rates: what the counts grew by each second since `before`, a sample of the same
 * table. A row that is new has grown from 0. Does nothing if `before` was not read. Returns 0 or
 * RUSM_ENOMEM. */
int sample_rate(struct sample *sample, const struct sample *before);

/* Returns the index of a column, or -1 if there is none. */
int sample_find(const struct sample *sample, const char *column);
bool sample_is_text(const struct sample *sample, int column);
/* Return a cell: "" and 0 where there is none. */
const char *sample_text(const struct sample *sample, size_t row, int column);
uint64_t sample_number(const struct sample *sample, size_t row, int column);
/* Returns the text that tells a row from the others: its first column. */
const char *sample_key(const struct sample *sample, size_t row);
/* Returns the row with that key, or `rows` if there is none. */
size_t sample_seek(const struct sample *sample, const char *key);
/* Returns the sum of a column. */
uint64_t sample_sum(const struct sample *sample, const char *column);
/* Returns that column of the counter, or 0. For RUSM_TABLE_COUNTERS. */
uint64_t sample_counter(const struct sample *sample, const char *counter, const char *column);
/* Returns whether a column of the row contains the text, in either case. "" is in every row. */
bool sample_matches(const struct sample *sample, size_t row, const char *text);
/* Makes the fields of a row, for output_row. A rate that is not known yet is a text that is
 * absent. Returns how many there are. */
size_t sample_fields(const struct sample *sample, size_t row,
                     struct rusm_field fields[SAMPLE_COLUMNS]);

#endif
