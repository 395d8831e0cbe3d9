/* must: how the program ends when it finds a bug in itself. Any thread. */
#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void must_failed(const char *condition, const char *file, int line, const char *function)
{
    dprintf(STDERR_FILENO, "rusm: bug: %s:%d: %s: must be true: %s\n", file, line, function,
            condition);
    abort();
}
