#include "doubles/target.h"

void target_say(struct vector *v, const struct target *t)
{
    if (t->kind == TARGET_PID) {
        vector_say(v, "pid %" PRIu64 "#%" PRIx32, t->serial, t->incarnation);
    } else {
        vector_say(v, "%s \"%.*s\"", t->kind == TARGET_NAME ? "name" : "global", (int)t->name_len,
                   t->name);
    }
}
