/* scratch: a folder of a test's own, under $TMPDIR, which test/run makes anew for each program and
 * removes with all that a program left when it failed, or ended without a word (a fuzz target's
 * way). */
#ifndef DOUBLES_SCRATCH_H
#define DOUBLES_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_MAX 80 /* bytes of its path with the 0: longer is an error */

bool scratch_make(char path[SCRATCH_MAX]);

#endif
