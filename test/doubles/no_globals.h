/* no_globals: runtime hooks for simulations without global names. */
#ifndef DOUBLES_NO_GLOBALS_H
#define DOUBLES_NO_GLOBALS_H

#include "actor/hooks.h"

void no_globals_exited(void *context, rusm_pid pid, const char *reason, bool global);

int no_globals_register(void *context, rusm_pid pid, const char *name);

int no_globals_whereis(void *context, const char *name, size_t len, rusm_pid *pid);

#endif
