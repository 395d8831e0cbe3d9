/* order: which rows of a sample are shown, and in which order. Pure. */
#ifndef WATCH_ORDER_H
#define WATCH_ORDER_H

#include "sample.h"

struct order {
    size_t *row; /* rows of the sample */
    size_t count;
};

/* Makes the order of the rows that match `filter`, by a column. Rows that are equal in it are
 * sorted by `then`, the largest first, and keep the node's order if they are equal there too. NULL:
 * by no column. The caller calls order_fini. Returns 0 or RUSM_ENOMEM. */
int order_make(struct order *order, const struct sample *sample, const char *filter,
               const char *column, const char *then, bool descending);
void order_fini(struct order *order);
/* Returns the place of the row with that key, or 0 if it is not shown. */
size_t order_seek(const struct order *order, const struct sample *sample, const char *key);

#endif
