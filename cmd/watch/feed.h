/* feed: a thread that reads a node again and again, so that keys work while the node does not
 * answer. It opens the connection again when that is lost. The thread of the screen calls all
 * functions. */
#ifndef WATCH_FEED_H
#define WATCH_FEED_H

#include "reading.h"

struct feed;

struct feed_options {
    struct rusm_client *client; /* taken */
    const char *node;           /* kept; opened again when the connection is lost */
    struct rusm_client_options how;
    uint64_t interval_ms;
};

/* Starts the thread, with what it is to read. Returns NULL without memory or threads. The client is
 * closed then. */
struct feed *feed_start(const struct feed_options *options, const struct reading_want *want);
/* Ends the thread. If the node does not answer, the thread stays behind until the program ends. */
void feed_stop(struct feed *feed);
/* Returns a descriptor that can be read when there is something to take. */
int feed_fd(const struct feed *feed);
/* Gives the last reading, which the caller frees after reading_fini, or NULL if there is no new
 * one. */
struct reading *feed_take(struct feed *feed);
/* Says what to read from now on. Reads it at once if it is something else. */
void feed_want(struct feed *feed, const struct reading_want *want);

#endif
