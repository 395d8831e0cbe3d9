#include "doubles/actor.h"

static int world_hook_post(void *context, const struct post *post)
{
    struct world *w = context;

    assert_true(w->post_count < WORLD_POSTS);
    struct world_post *copy = &w->posts[w->post_count++];
    *copy = (struct world_post){ .post = *post };
    if (post->name) {
        memcpy(copy->name, post->name, post->name_len);
        copy->post.name = copy->name;
    }
    assert_non_null(post->data);
    memcpy(copy->data, post->data, post->len < RUSM_REASON_MAX ? post->len : RUSM_REASON_MAX);
    copy->post.data = copy->data;
    if (w->on_post) {
        w->on_post(w, post);
    }
    return w->post_result;
}

static void world_hook_give_up(void *context, uint32_t node)
{
    struct world *w = context;

    w->give_ups++;
    w->given_up = node;
}

static void world_hook_exited(void *context, rusm_pid pid, const char *reason, bool global)
{
    struct world *w = context;

    w->exit_count++;
    w->exited = pid;
    snprintf(w->reason, sizeof(w->reason), "%s", reason);
    (void)global;
    assert_null(runtime_find(w->rt, pid.serial));
}

static int world_hook_global(void *context, rusm_pid pid, const char *name)
{
    struct world *w = context;

    (void)pid;
    (void)name;
    w->globals++;
    return 0;
}

static int world_hook_whereis_global(void *context, const char *name, size_t len, rusm_pid *pid)
{
    struct world *w = context;

    assert_true(len > 0 && name[0]);
    *pid = w->holder;
    return w->holder.serial ? 0 : RUSM_ENOPROC;
}

static int world_hook_spawn_at(void *context, rusm_pid self, uint32_t node, const char *spawnable,
                               const struct rusm_args *args, uint64_t ref)
{
    struct world *w = context;

    (void)self;
    (void)node;
    (void)spawnable;
    (void)args;
    (void)ref;
    w->spawns++;
    return w->post_result;
}

static uint64_t world_hook_clock(void *context)
{
    return ((struct world *)context)->clock;
}

static void world_hook_print(void *context, rusm_pid self, const char *line)
{
    struct world *w = context;

    (void)self;
    w->line_count++;
    snprintf(w->line, sizeof(w->line), "%s", line);
}

const struct runtime_hooks world_hooks = {
    .post = world_hook_post,
    .give_up = world_hook_give_up,
    .exited = world_hook_exited,
    .register_global = world_hook_global,
    .unregister_global = world_hook_global,
    .whereis_global = world_hook_whereis_global,
    .spawn_at = world_hook_spawn_at,
    .clock_ns = world_hook_clock,
    .print = world_hook_print,
};

int world_try(struct world *w)
{
    struct runtime_options options = { .node = "london",
                                       .incarnation = WORLD_INCARNATION,
                                       .mailbox_messages = WORLD_MESSAGES,
                                       .mailbox_bytes = WORLD_BYTES,
                                       .seed = 7,
                                       .log = &w->log,
                                       .hooks = &world_hooks,
                                       .context = w };

    *w = (struct world){ .now = 1000 };
    log_init(&w->log, 2, RUSM_LOG_ERROR, "london");
    return runtime_new(&w->rt, &options);
}

struct world *world_new(void)
{
    struct world *w = malloc(sizeof(*w));

    assert_non_null(w);
    assert_int_equal(world_try(w), 0);
    return w;
}

void world_free(struct world *w)
{
    runtime_free(w->rt);
    free(w);
}

void world_run(struct world *w)
{
    for (int ticks = 0; runtime_run(w->rt, 1000, ++w->now); ticks++) {
        assert_true(ticks < 10000);
    }
    assert_false(runtime_ready(w->rt));
}

/* ---- probes ---- */

struct probe *probe_next; /* probe_init fills it; a behaviour has no other way to find it */

static int probe_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    struct probe *p = probe_next;

    assert_non_null(args);
    p->self = self;
    p->pid = rusm_self(self);
    *state = p;
    if (p->on_init) {
        p->on_init(p);
    }
    return p->init_result;
}

static void probe_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    struct probe *p = state;

    assert_ptr_equal(self, p->self);
    assert_non_null(m->data);
    assert_int_equal(m->data[m->len], 0);
    assert_true(p->count < PROBE_GOT);
    struct got *g = &p->got[p->count++];
    *g = (struct got){ .kind = m->kind, .error = m->error, .from = m->from, .ref = m->ref };
    g->len = m->len;
    memcpy(g->text, m->data, m->len < sizeof(g->text) - 1 ? m->len : sizeof(g->text) - 1);
    if (p->on) {
        p->on(p, m);
    }
}

static void probe_stop(struct rusm_process *self, void *state, const char *reason)
{
    struct probe *p = state;

    assert_ptr_equal(self, p->self);
    p->stops++;
    snprintf(p->reason, sizeof(p->reason), "%s", reason);
    if (p->on_stop) {
        p->on_stop(p);
    }
    p->self = NULL;
}

const struct rusm_behaviour probe_behaviour = {
    .name = "probe", .init = probe_init, .receive = probe_receive, .stop = probe_stop
};

int probe_try(struct world *w, struct probe *p, struct rusm_why *why)
{
    rusm_pid pid;

    probe_next = p;
    return runtime_spawn(w->rt, &probe_behaviour, NULL, &pid, why, w->now);
}

struct probe *probe_new(struct world *w)
{
    struct probe *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    assert_int_equal(probe_try(w, p, NULL), 0);
    return p;
}

int probe_send(struct probe *from, struct probe *to, const char *text)
{
    return rusm_send(from->self, to->pid, text, strlen(text), 0);
}

size_t probe_kinds(const struct probe *p, enum rusm_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < p->count; i++) {
        count += p->got[i].kind == kind;
    }
    return count;
}

void probe_fill(struct probe *from, struct probe *to, int n)
{
    for (int i = 0; i < n; i++) {
        assert_int_equal(probe_send(from, to, "fill"), 0);
    }
}

const struct got *probe_down(const struct probe *p, uint64_t ref)
{
    const struct got *down = NULL;

    for (size_t i = 0; i < p->count; i++) {
        if (p->got[i].kind == RUSM_DOWN && p->got[i].ref == ref) {
            assert_null(down);
            down = &p->got[i];
        }
    }
    assert_non_null(down);
    return down;
}

uint64_t probe_links(struct probe *p)
{
    struct process_info info;

    process_info(p->self, &info, 0);
    return info.links;
}

struct message *world_message(struct world *w, enum rusm_kind kind, rusm_pid from, uint64_t ref,
                              const char *text)
{
    struct message *m = message_new(runtime_pool(w->rt), strlen(text));

    assert_non_null(m);
    memcpy(message_room(m), text, strlen(text));
    m->pub.kind = kind;
    m->pub.from = from;
    m->pub.ref = ref;
    return m;
}

uint32_t world_node(struct world *w, const char *name)
{
    uint32_t index;

    assert_int_equal(runtime_node_index(w->rt, name, strlen(name), &index), 0);
    return index;
}
