#include "doubles/no_globals.h"

void no_globals_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    (void)context, (void)pid, (void)reason, (void)global;
}

int no_globals_register(void *context, rusm_pid pid, const char *name)
{
    (void)context, (void)pid, (void)name;
    return RUSM_ELIMIT;
}

int no_globals_whereis(void *context, const char *name, size_t len, rusm_pid *pid)
{
    (void)context, (void)name, (void)len, (void)pid;
    return RUSM_ENOPROC;
}
