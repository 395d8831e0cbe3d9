/* target: a target in the words of the test vectors. */
#ifndef HELP_TARGET_H
#define HELP_TARGET_H

#include <inttypes.h>
#include "help/vectors.h"
#include "wire/target.h"

static inline void target_say(struct vector *v, const struct target *t)
{
    if (t->kind == TARGET_PID) {
        vector_say(v, "pid %" PRIu64 "#%" PRIx32, t->serial, t->incarnation);
    } else {
        vector_say(v, "%s \"%.*s\"", t->kind == TARGET_NAME ? "name" : "global", (int)t->name_len,
                   t->name);
    }
}

#endif
