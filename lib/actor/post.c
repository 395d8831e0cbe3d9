/* post: see the header. */
#include "actor/post.h"

#include "actor/process.h"
#include "actor/trace.h"
#include "actor/wait.h"

int post_here(struct rusm_process *self, struct rusm_process *target, enum rusm_kind kind,
              uint64_t ref, const void *data, size_t len)
{
    struct runtime *rt = self->rt;

    if (!target) {
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    int err = wait_admit(self, target, len);
    if (err) {
        return err;
    }
    struct message *m = post_message(self, kind, ref, data, len);
    if (!m) {
        return RUSM_ENOMEM;
    }
    rt->counters.messages_local++;
    trace_sent_here(self, process_pid(target), &m->pub);
    process_push(target, m);
    return 0;
}

/* Posts to the holder of a global name, a process of this node. */
static int runtime_post_here(struct runtime *rt, const struct post *post, uint64_t serial)
{
    struct rusm_process *self = process_table_find(&rt->processes_by_serial, post->from.serial);
    rusm_pid to = { .serial = serial, .incarnation = rt->incarnation };

    if (runtime_far(rt, to)) {
        struct post far = *post;
        far.node = 0;
        far.to = to;
        return rt->far->post(rt, &far);
    }
    if (!self) { /* self has ended; its exit notices are for other nodes */
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    int err = post_here(self, process_table_find(&rt->processes_by_serial, serial), post->kind,
                        post->ref, post->data, post->len);
    if (!err && post->receipt) {
        rt->hooks->receipt(rt->context, post->from, post->receipt, 0);
    }
    return err;
}

/* Posts to another node, by the scheduler that has the connection. Returns at once if this
 * scheduler knows that there is no connection. */
static int runtime_post_out(struct runtime *rt, const struct post *post)
{
    const struct node_name *node = rt->far ? nodes_at(&rt->nodes, post->node) : NULL;

    if (!rt->far || (node && runtime_node_share(rt, node) == rt->index)) {
        return rt->hooks->post(rt->context, post);
    }
    /* Relaxed is enough: the store came before the news by which this scheduler learned of the
     * node. */
    if (!node || (!node->client && !atomic_load_explicit(&node->known->up, memory_order_relaxed))) {
        rt->counters.noconnection++;
        return RUSM_ENOCONN;
    }
    return rt->far->post(rt, post);
}

static int runtime_post_global(struct runtime *rt, const struct post *post)
{
    struct post to = *post;
    rusm_pid holder;

    if (rt->hooks->whereis_global(rt->context, post->name, post->name_len, &holder) != 0) {
        rt->counters.noproc_local++;
        return RUSM_ENOPROC;
    }
    if (holder.node == 0) {
        return runtime_post_here(rt, post, holder.serial);
    }
    to.node = holder.node;
    to.global = true;
    return runtime_post_out(rt, &to);
}

int runtime_post(struct runtime *rt, const struct post *post)
{
    if (post->node == 0) {
        return rt->far->post(rt, post);
    }
    return post->node == RUSM_GLOBAL ? runtime_post_global(rt, post) : runtime_post_out(rt, post);
}
