/* screen: shows a model on the terminal, full screen, and takes its keys. The only user of ncurses,
 * which sends what has changed. The main thread calls it. */
#ifndef WATCH_SCREEN_H
#define WATCH_SCREEN_H

#include "feed.h"
#include "model.h"

/* Returns whether there is a terminal to show it on and to take keys from. */
bool screen_there(void);
/* Blocks the signals that screen_run takes. Threads that are started after it never get them. */
void screen_block(void);
/* Shows the model until the user quits, a signal ends it, or `frames` readings were shown (0: any
 * number). The terminal is then as it was before. Returns 0, RUSM_ENOMEM, or RUSM_EINVAL if the
 * terminal cannot do it. Ends the program if a signal told it to. */
int screen_run(struct model *model, struct feed *feed, uint64_t frames);

#endif
