/* child: see the header. Called by supervisor.c. */
#include "otp/child.h"

#include <stdlib.h>
#include <string.h>
#include "actor/args.h"
#include "actor/runtime.h"
#include "base/id.h"
#include "otp/limits.h"

int child_check(const struct rusm_child *child)
{
    if ((!child->behaviour == !child->supervisor) || child->restart > RUSM_TEMPORARY ||
        (child->name && !id_process_name_ok(child->name, strlen(child->name)))) {
        return RUSM_EINVAL;
    }
    int err = runtime_check_args(&child->args);
    return err || !child->supervisor ? err : child_check_all(child->supervisor);
}

int child_check_all(const struct rusm_supervisor *supervisor)
{
    bool counted = supervisor->max_restarts != RUSM_UNLIMITED;

    if (supervisor->strategy > RUSM_REST_FOR_ONE ||
        (counted && supervisor->max_restarts > LIMIT_RESTARTS)) {
        return RUSM_EINVAL;
    }
    if (supervisor->child_count > LIMIT_CHILDREN) {
        return RUSM_ELIMIT;
    }
    for (size_t i = 0; i < supervisor->child_count; i++) {
        int err = child_check(&supervisor->children[i]);
        if (err) {
            return err;
        }
    }
    return 0;
}

static int child_copy_supervisor(struct rusm_child *to, const struct rusm_supervisor *from)
{
    struct rusm_supervisor *supervisor = malloc(sizeof(*supervisor));
    struct rusm_child *children = calloc(from->child_count + 1, sizeof(*children));

    to->supervisor = supervisor;
    if (!supervisor || !children) {
        free(supervisor);
        free(children);
        to->supervisor = NULL;
        return RUSM_ENOMEM;
    }
    *supervisor = *from;
    supervisor->children = children;
    for (supervisor->child_count = 0; supervisor->child_count < from->child_count;) {
        size_t i = supervisor->child_count++;
        int err = child_copy(&children[i], &from->children[i]);
        if (err) {
            return err;
        }
    }
    return 0;
}

int child_copy(struct rusm_child *to, const struct rusm_child *from)
{
    *to = *from;
    to->name = NULL;
    to->supervisor = NULL;
    int err = args_copy(&to->args, &from->args);
    if (!err && from->name && !(to->name = strdup(from->name))) {
        err = RUSM_ENOMEM;
    }
    return err || !from->supervisor ? err : child_copy_supervisor(to, from->supervisor);
}

void child_fini(struct rusm_child *child)
{
    args_fini(&child->args);
    free((void *)child->name);
    if (child->supervisor) {
        for (size_t i = 0; i < child->supervisor->child_count; i++) {
            child_fini((struct rusm_child *)&child->supervisor->children[i]);
        }
        free((void *)child->supervisor->children);
        free((void *)child->supervisor);
    }
    *child = (struct rusm_child){ 0 };
}

const char *child_title(const struct rusm_child *child)
{
    return child->name ? child->name : child->behaviour ? child->behaviour->name : "supervisor";
}
