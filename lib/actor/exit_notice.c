/* exit_notice: see the header. Called by the files that post for processes, by monitor.c, link.c
 * and signal.c, and by the runtime to try again. */
#include "actor/exit_notice.h"

#include <stdlib.h>
#include <string.h>
#include "actor/process.h"
#include "actor/post.h"
#include "actor/limits.h"
#include "base/must.h"

/* A name or a reason, which notices share: a process with many links ends with one reason for all
 * of them. */
struct exit_notice_text {
    size_t users;
    char text[];
};

struct exit_notice {
    struct map_node by_pair; /* in rt->exit_notices, if it is the first of its pair */
    struct list at; /* the first: in its node's `unsent`; others: in the first's `behind` */
    struct list behind;
    struct exit_notice_text *text; /* the name or the reason; post points to it */
    struct post post;
};

void exit_notice_init(struct runtime *rt, uint64_t seed)
{
    map_init(&rt->exit_notices, seed);
    list_init(&rt->unsent);
    slab_init(&rt->exit_notice_slab, sizeof(struct exit_notice));
}

/* ---- texts ---- */

static struct exit_notice_text *exit_notice_text(struct runtime *rt, const char *text)
{
    if (!rt->exit_notice_text || strcmp(rt->exit_notice_text->text, text) != 0) {
        size_t size = strlen(text) + 1;
        struct exit_notice_text *t = malloc(sizeof(*t) + size);
        if (!t) {
            return NULL;
        }
        t->users = 0;
        memcpy(t->text, text, size);
        rt->exit_notice_text = t;
    }
    rt->exit_notice_text->users++;
    return rt->exit_notice_text;
}

static void exit_notice_text_done(struct runtime *rt, struct exit_notice_text *t)
{
    if (--t->users > 0) {
        return;
    }
    if (rt->exit_notice_text == t) {
        rt->exit_notice_text = NULL;
    }
    free(t);
}

/* ---- pairs ---- */

static uint64_t exit_notice_hash(const struct runtime *rt, const struct post *post)
{
    const struct map *m = &rt->exit_notices;
    uint64_t from = map_hash_u64(m, post->from.serial);
    uint64_t to = post->name ? map_hash_bytes(m, post->name, post->name_len)
                             : map_hash_u64(m, post->to.serial);

    return map_hash_u64(m, from ^ (to << 1 | to >> 63) ^ post->node);
}

static bool exit_notice_eq(const struct map_node *node, const void *key)
{
    const struct post *a = &container_of(node, struct exit_notice, by_pair)->post, *b = key;

    if (!rusm_pid_eq(a->from, b->from) || a->node != b->node || !a->name != !b->name) {
        return false;
    }
    return a->name ? a->name_len == b->name_len && memcmp(a->name, b->name, a->name_len) == 0
                   : rusm_pid_eq(a->to, b->to);
}

static struct exit_notice *exit_notice_find(const struct runtime *rt, const struct post *post)
{
    if (rt->exit_notices.count == 0) {
        return NULL; /* nearly always so */
    }
    struct map_node *found =
        map_find(&rt->exit_notices, exit_notice_hash(rt, post), exit_notice_eq, post);

    return found ? container_of(found, struct exit_notice, by_pair) : NULL;
}

bool exit_notice_waits(const struct runtime *rt, const struct post *post)
{
    return exit_notice_find(rt, post) != NULL;
}

/* ---- keeping ---- */

/* Puts f behind the notices of its pair, or makes it the first of them. Returns 0 or
 * RUSM_ENOMEM. */
static int exit_notice_line_up(struct runtime *rt, struct node_name *node, struct exit_notice *f)
{
    struct exit_notice *first = exit_notice_find(rt, &f->post);

    if (first) {
        list_append(&first->behind, &f->at);
        return 0;
    }
    if (map_insert(&rt->exit_notices, exit_notice_hash(rt, &f->post), &f->by_pair) != 0) {
        return RUSM_ENOMEM;
    }
    if (list_empty(&node->unsent)) {
        list_append(&rt->unsent, &node->unsent_at);
    }
    list_append(&node->unsent, &f->at);
    return 0;
}

/* Keeps a copy of a post. Returns 0, RUSM_ELIMIT or RUSM_ENOMEM. */
static int exit_notice_keep(struct runtime *rt, const struct post *post)
{
    struct node_name *node = nodes_at(&rt->nodes, post->node);

    if (post->answer && node->answers >= LIMIT_EXIT_NOTICES) {
        return RUSM_ELIMIT;
    }
    struct exit_notice *f = slab_take(&rt->exit_notice_slab);
    if (!f) {
        return RUSM_ENOMEM;
    }
    *f = (struct exit_notice){ .post = *post };
    list_init(&f->at);
    list_init(&f->behind);
    f->text = exit_notice_text(rt, post->name ? post->name : post->data);
    if (!f->text) {
        slab_give(&rt->exit_notice_slab, f);
        return RUSM_ENOMEM;
    }
    if (post->name) {
        f->post.name = f->text->text;
    } else {
        f->post.data = f->text->text;
    }
    if (exit_notice_line_up(rt, node, f) != 0) {
        exit_notice_text_done(rt, f->text);
        slab_give(&rt->exit_notice_slab, f);
        return RUSM_ENOMEM;
    }
    node->answers += post->answer;
    return 0;
}

static void exit_notice_free(struct runtime *rt, struct exit_notice *f)
{
    nodes_at(&rt->nodes, f->post.node)->answers -= f->post.answer;
    exit_notice_text_done(rt, f->text);
    slab_give(&rt->exit_notice_slab, f);
}

/* Frees f, the first of its pair. The next notice of the pair takes its place. */
static void exit_notice_next(struct runtime *rt, struct node_name *node, struct exit_notice *f)
{
    struct list *l = list_first(&f->behind);
    uint64_t hash = f->by_pair.hash;

    map_remove(&rt->exit_notices, &f->by_pair);
    list_remove(&f->at);
    if (l) {
        struct exit_notice *next = container_of(l, struct exit_notice, at);
        list_remove(l);
        list_move_all(&next->behind, &f->behind);
        must(map_insert(&rt->exit_notices, hash, &next->by_pair) == 0); /* it has buckets */
        list_prepend(&node->unsent, &next->at);
    } else if (list_empty(&node->unsent)) {
        list_remove(&node->unsent_at);
    }
    exit_notice_free(rt, f);
}

/* ---- posting ---- */

/* Handles the result of a post, except RUSM_BUSY. If the signal could not be kept, asks for the end
 * of the connection. After any other error the node is gone, and its processes learn the news from
 * that. */
static void exit_notice_posted(struct runtime *rt, uint32_t node, int err)
{
    if ((err != RUSM_ENOMEM && err != RUSM_ELIMIT) || node == 0) {
        return;
    }
    unsigned whose = runtime_node_share(rt, nodes_at(&rt->nodes, node));
    if (whose == rt->index) {
        rt->hooks->give_up(rt->context, node);
    } else {
        rt->far->give_up(rt, whose, node);
    }
}

int process_post(struct rusm_process *self, const struct post *post)
{
    struct runtime *rt = self->rt;

    if (post->node != RUSM_GLOBAL && !nodes_at(&rt->nodes, post->node)) {
        return RUSM_EINVAL;
    }
    int err = exit_notice_waits(rt, post) ? RUSM_BUSY : runtime_post(rt, post);
    if (err == RUSM_BUSY) {
        self->busy_far = true;
    } else if (err == 0) {
        trace_sent(self, post);
    }
    return err;
}

static void exit_notice_send(struct runtime *rt, const struct post *post)
{
    int err = exit_notice_waits(rt, post) ? RUSM_BUSY : runtime_post(rt, post);

    exit_notice_posted(rt, post->node, err == RUSM_BUSY ? exit_notice_keep(rt, post) : err);
}

static void exit_notice_send_pid(struct runtime *rt, enum rusm_kind kind, rusm_pid from,
                                 rusm_pid to, uint64_t ref, const char *reason, bool answer)
{
    struct post post = { .from = from,
                         .node = to.node,
                         .to = to,
                         .kind = kind,
                         .ref = ref,
                         .data = reason,
                         .len = strlen(reason),
                         .answer = answer };

    exit_notice_send(rt, &post);
}

void exit_notice_post(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                      uint64_t ref, const char *reason)
{
    exit_notice_send_pid(rt, kind, from, to, ref, reason, false);
}

void exit_notice_answer(struct runtime *rt, enum rusm_kind kind, rusm_pid from, rusm_pid to,
                        uint64_t ref, const char *reason)
{
    exit_notice_send_pid(rt, kind, from, to, ref, reason, true);
}

void exit_notice_post_name(struct runtime *rt, enum rusm_kind kind, rusm_pid from, uint32_t node,
                           const char *name, uint64_t ref)
{
    struct post post = { .from = from,
                         .node = node,
                         .name = name,
                         .name_len = strlen(name),
                         .kind = kind,
                         .ref = ref,
                         .data = "" };

    exit_notice_send(rt, &post);
}

/* Posts the node's notices until one is RUSM_BUSY. All others would be RUSM_BUSY too: they lack the
 * same thing, a place among the node's pairs. */
static void exit_notice_retry_node(struct runtime *rt, struct node_name *node)
{
    struct list *l;
    int err = 0;

    while (err != RUSM_BUSY && (l = list_first(&node->unsent))) {
        struct exit_notice *f = container_of(l, struct exit_notice, at);
        struct post post = f->post;
        struct exit_notice_text *text = f->text;
        rt->exit_notice_now = f;
        text->users++; /* the hook may lose that node, which drops its notices */
        err = runtime_post(rt, &post);
        if (err != RUSM_BUSY) {
            exit_notice_posted(rt, node->index, err);
        }
        if (err != RUSM_BUSY && rt->exit_notice_now) {
            exit_notice_next(rt, node, f);
        }
        rt->exit_notice_now = NULL;
        exit_notice_text_done(rt, text);
    }
}

void exit_notice_retry(struct runtime *rt)
{
    struct list nodes;
    struct list *l;

    list_init(&nodes);
    list_move_all(&nodes, &rt->unsent);
    while ((l = list_first(&nodes))) {
        list_remove(l);
        list_append(&rt->unsent, l);
        exit_notice_retry_node(rt, container_of(l, struct node_name, unsent_at));
    }
}

/* ---- the end ---- */

/* Frees a notice and all others of its pair. */
static void exit_notice_drop(struct runtime *rt, struct exit_notice *first)
{
    struct list *l;

    while ((l = list_first(&first->behind))) {
        list_remove(l);
        exit_notice_free(rt, container_of(l, struct exit_notice, at));
    }
    if (rt->exit_notice_now == first) {
        rt->exit_notice_now = NULL;
    }
    map_remove(&rt->exit_notices, &first->by_pair);
    list_remove(&first->at);
    exit_notice_free(rt, first);
}

void exit_notice_node_lost(struct runtime *rt, struct node_name *node, uint32_t incarnation)
{
    list_each_safe(l, &node->unsent) {
        struct exit_notice *first = container_of(l, struct exit_notice, at);
        uint32_t to = first->post.to.incarnation;
        if (to == incarnation || to == 0) {
            exit_notice_drop(rt, first);
        }
    }
    if (list_empty(&node->unsent)) {
        list_remove(&node->unsent_at);
    }
}

void exit_notice_fini(struct runtime *rt)
{
    struct list *l;

    while ((l = list_first(&rt->unsent))) {
        struct node_name *node = container_of(l, struct node_name, unsent_at);
        list_remove(l);
        while ((l = list_first(&node->unsent))) {
            exit_notice_drop(rt, container_of(l, struct exit_notice, at));
        }
    }
    map_fini(&rt->exit_notices);
    slab_fini(&rt->exit_notice_slab);
}
