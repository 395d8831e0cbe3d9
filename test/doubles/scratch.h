/* scratch: a folder for a test, under $TMPDIR. test/run makes a new $TMPDIR for each program, and
 * removes it with all that a failed program left there. A fuzz target also leaves its folder there,
 * because it ends without cleaning up. */
#ifndef DOUBLES_SCRATCH_H
#define DOUBLES_SCRATCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define SCRATCH_MAX 80 /* bytes of the path with the 0; a longer path is an error */

bool scratch_make(char path[SCRATCH_MAX]);

#endif
