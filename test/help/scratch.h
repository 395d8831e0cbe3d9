/* scratch: a folder of a test's own, under $TMPDIR, which test/run makes anew for each program and
 * removes with all that a program left when it failed, or ended without a word (a fuzz target's way). */
#ifndef HELP_SCRATCH_H
#define HELP_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_MAX 80 /* bytes of its path with the 0: longer is an error */

static inline bool scratch_make(char path[SCRATCH_MAX])
{
    const char *tmp = getenv("TMPDIR");
    int n = snprintf(path, SCRATCH_MAX, "%s/rusm-test-XXXXXX", tmp && tmp[0] ? tmp : "/tmp");
    return n > 0 && n < SCRATCH_MAX && mkdtemp(path);
}

#endif
