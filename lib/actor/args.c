/* args: see the header. */
#include "actor/args.h"

#include <stdlib.h>
#include <string.h>

int args_copy(struct rusm_args *to, const struct rusm_args *from)
{
    const char **value = from->count ? calloc(from->count, sizeof(*value)) : NULL;

    *to = (struct rusm_args){ .value = value };
    if (from->count && !value) {
        return RUSM_ENOMEM;
    }
    for (size_t i = 0; i < from->count; i++) {
        value[i] = strdup(from->value[i]);
        if (!value[i]) {
            return RUSM_ENOMEM;
        }
        to->count++;
    }
    return 0;
}

void args_fini(struct rusm_args *args)
{
    for (size_t i = 0; i < args->count; i++) {
        free((void *)args->value[i]);
    }
    free((void *)args->value);
    *args = (struct rusm_args){ 0 };
}
