/* helper: threads for what may block and so must not run on a scheduler. */
#ifndef NODE_HELPER_H
#define NODE_HELPER_H

#include <pthread.h>

/* Starts a thread whose signals are all blocked, as they are the program's. Returns 0 or
 * RUSM_EIO. */
int helper_start(pthread_t *thread, void *(*run)(void *context), void *context);

#endif
