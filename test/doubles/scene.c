#include "doubles/scene.h"

/* ---- behaviours ---- */

/* Never answers. */
static void mute_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)self, (void)state, (void)m;
}

static const struct rusm_behaviour mute = { .name = "mute", .receive = mute_receive };

/* Never takes a message. */
static void stuck_receive(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state, (void)m;
    rusm_hold(self);
}

const struct rusm_behaviour stuck = { .name = "stuck", .receive = stuck_receive };

static int broken_init(struct rusm_process *self, const struct rusm_args *args, void **state)
{
    (void)state;
    rusm_init_error(self, "no luck with %zu arguments", args->count);
    return RUSM_EINVAL;
}

const struct rusm_behaviour broken = { .name = "broken",
                                       .init = broken_init,
                                       .receive = mute_receive };

/* ---- a node and its client ---- */

void *node_thread(void *node)
{
    rusm_node_run(node);
    return NULL;
}

void node_start(struct scene *s)
{
    char token[112];
    const struct rusm_node_options options = { .name = "london",
                                               .rundir = s->rundir,
                                               .identity = s->identity,
                                               .identity_create = true,
                                               .mailbox_messages = MAILBOX,
                                               .output_fd = s->null_fd,
                                               .http = s->token != NULL,
                                               .http_token = s->token ? token : NULL };

    snprintf(token, sizeof(token), "%s/token", s->folder->path);
    if (s->token) {
        assert_int_equal(folder_write(s->folder, "token", s->token, strlen(s->token)), 0);
        assert_int_equal(chmod(token, 0600), 0);
    }

    if (rusm_node_new(&s->node, &options, &s->why) != 0) {
        fail_msg("%s", s->why.text);
    }
    assert_int_equal(rusm_node_teach_spec(s->node, "echo", "echo", &s->why), 0);
    assert_int_equal(rusm_node_teach(s->node, "mute", &mute), 0);
    assert_int_equal(rusm_node_teach(s->node, "stuck", &stuck), 0);
    assert_int_equal(rusm_node_teach(s->node, "broken", &broken), 0);
    for (const char *const *name = (const char *const[]){ "echo", "mute", "stuck", "crash", NULL };
         *name; name++) {
        const struct rusm_boot boot = { .name = *name, .spawnable = *name };
        assert_int_equal(rusm_node_boot(s->node, &boot, &s->why), 0);
    }
    assert_int_equal(pthread_create(&s->thread, NULL, node_thread, s->node), 0);
}

void node_stop(struct scene *s)
{
    rusm_node_stop(s->node);
    pthread_join(s->thread, NULL);
    rusm_node_free(s->node);
    s->node = NULL;
}

int open_with(struct scene *s, const char *node, const char *identity, uint32_t timeout_ms,
              struct rusm_client **client)
{
    const struct rusm_client_options options = { .rundir = s->rundir,
                                                 .identity = identity,
                                                 .timeout_ms = timeout_ms };

    return rusm_client_open(client, &options, node, &s->why);
}

int setup_with(void **state, const char *token)
{
    struct scene *s = calloc(1, sizeof(*s));
    void *folder = NULL;

    if (!s || folder_setup(&folder) != 0) {
        return -1;
    }
    s->folder = folder;
    s->token = token;
    snprintf(s->rundir, sizeof(s->rundir), "%s/run", s->folder->path);
    snprintf(s->identity, sizeof(s->identity), "%s/cluster.pem", s->folder->path);
    s->null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    node_start(s);
    *state = s;
    return open_with(s, "london", s->identity, 60000, &s->client);
}

int setup(void **state)
{
    return setup_with(state, NULL);
}

int teardown(void **state)
{
    struct scene *s = *state;
    void *folder = s->folder;

    rusm_client_close(s->client);
    if (s->node) {
        node_stop(s);
    }
    close(s->null_fd);
    free(s);
    return folder_teardown(&folder);
}

int call(struct scene *s, struct rusm_client *c, const char *process)
{
    void *reply;
    size_t len;
    int error = rusm_client_call(c, process, false, "hi", 2, &reply, &len, &s->why);

    if (error == 0) {
        assert_string_equal(reply, "hi");
        assert_int_equal(len, 2);
    } else {
        assert_null(reply);
    }
    free(reply);
    return error;
}
