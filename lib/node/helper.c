/* helper: see the header. */
#include "node/helper.h"

#include <signal.h>
#include <stddef.h>

#include "rusm.h"

int helper_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    int error = pthread_create(thread, NULL, run, context) == 0 ? 0 : RUSM_EIO;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}
