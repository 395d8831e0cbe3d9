/* farewell: see the header. Called by monitor.c and link.c, and by the runtime to try again. */
#include "actor/farewell.h"

#include <stdlib.h>
#include <string.h>
#include "actor/process.h"

struct farewell {
    struct list at; /* in rt->unsent */
    struct post post;
    char text[]; /* the name or the reason, which post points to */
};

/* As a lane would: from one process to one address, in order. */
static bool farewell_busy(struct runtime *rt, const struct post *post)
{
    return farewell_waits(rt, post->from) || runtime_post(rt, post) == RUSM_BUSY;
}

static void farewell_send(struct runtime *rt, const struct post *post)
{
    if (!farewell_busy(rt, post)) {
        return; /* any error but RUSM_BUSY: that node is gone, and knows by that */
    }
    const char *text = post->name ? post->name : post->data;
    size_t size = strlen(text) + 1;
    struct farewell *f = malloc(sizeof(*f) + size);
    if (!f) {
        return;
    }
    f->post = *post;
    memcpy(f->text, text, size);
    if (post->name) {
        f->post.name = f->text;
    } else {
        f->post.data = f->text;
    }
    list_append(&rt->unsent, &f->at);
}

void farewell_post(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                   uint64_t ref, const char *reason)
{
    struct post post = { .from = from,
                         .node = to.node,
                         .to = to,
                         .kind = kind,
                         .ref = ref,
                         .data = reason,
                         .len = strlen(reason) };

    farewell_send(rt, &post);
}

void farewell_post_name(struct runtime *rt, enum rusm_kind kind, rusm_pid from, uint32_t node,
                        const char *name, uint64_t ref)
{
    struct post post = { .from = from,
                         .node = node,
                         .name = name,
                         .name_len = strlen(name),
                         .kind = kind,
                         .ref = ref,
                         .data = "" };

    farewell_send(rt, &post);
}

static struct farewell *farewell_find(const struct runtime *rt, rusm_pid from)
{
    list_each(l, &rt->unsent) {
        struct farewell *f = list_entry(l, struct farewell, at);
        if (from.serial == 0 || rusm_pid_eq(f->post.from, from)) {
            return f;
        }
    }
    return NULL;
}

bool farewell_waits(const struct runtime *rt, rusm_pid from)
{
    return !list_empty(&rt->unsent) && farewell_find(rt, from);
}

void farewell_retry(struct runtime *rt, rusm_pid from)
{
    struct farewell *f;

    while ((f = farewell_find(rt, from))) {
        list_remove(&f->at); /* the hook may lose that node, which frees what is for it */
        if (runtime_post(rt, &f->post) == RUSM_BUSY) {
            list_prepend(&rt->unsent, &f->at);
            return; /* we shall be called again */
        }
        free(f);
    }
}

void farewell_node_lost(struct runtime *rt, uint32_t node, uint32_t incarnation)
{
    list_each_safe(l, &rt->unsent) {
        struct farewell *f = list_entry(l, struct farewell, at);
        uint32_t to = f->post.to.incarnation;
        if (f->post.node == node && (to == incarnation || to == 0)) {
            list_remove(l);
            free(f);
        }
    }
}

void farewell_fini(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->unsent))) {
        list_remove(l);
        free(list_entry(l, struct farewell, at));
    }
}
