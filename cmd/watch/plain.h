/* plain: shows what changes on a node without a terminal: a table each interval, or JSON. The main
 * thread calls it. */
#ifndef WATCH_PLAIN_H
#define WATCH_PLAIN_H

#include "../cmd.h"
#include "model.h"

/* Prints `frames` tables of the tab that the model shows (0: until it is ended), in its order.
 * Returns 0, or the error of a request. */
int plain_run(struct model *model, struct rusm_client *client, bool json, uint64_t frames,
              struct rusm_why *why);

#endif
