#include "doubles/victim.h"

uint64_t victim_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t victim_cpu_ms(const struct victim *v)
{
    struct timespec t = { 0 };
    clockid_t clock;

    if (clock_getcpuclockid(v->pid, &clock) == 0) {
        clock_gettime(clock, &t);
    }
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct victim_time victim_time(const struct victim *v)
{
    return (struct victim_time){ .ms = victim_ms(), .cpu_ms = victim_cpu_ms(v) };
}

struct victim_time victim_since(const struct victim *v, struct victim_time since)
{
    return (struct victim_time){ .ms = victim_ms() - since.ms,
                                 .cpu_ms = victim_cpu_ms(v) - since.cpu_ms };
}

void victim_in_time(struct victim_time took)
{
    assert_in_range(took.ms, 0, VICTIM_PATIENCE_MS);
    assert_in_range(took.cpu_ms, 0, VICTIM_ANSWER_MS);
}

/* Never takes a message. */
static void victim_stuck(struct rusm_process *self, void *state, const struct rusm_message *m)
{
    (void)state;
    (void)m;
    rusm_hold(self);
}

static const struct rusm_behaviour victim_stuck_behaviour = { .name = "stuck",
                                                              .receive = victim_stuck };

static struct rusm_node *victim_node; /* only set in the child, for its signal handler */

static void victim_on_term(int signal_number)
{
    (void)signal_number;
    rusm_node_stop(victim_node);
}

/* Runs the node "london" in the child until SIGTERM. Writes its address to fd. Does not return. */
static void victim_run(const struct victim *v, int fd)
{
    static const char *const boots[] = { "echo", "sink", "stuck" };
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC), failed = 1;
    const struct rusm_node_options options = { .name = "london",
                                               .rundir = v->rundir,
                                               .identity = v->identity,
                                               .identity_create = true,
                                               .log_fd = null_fd,
                                               .output_fd = null_fd,
                                               .schedulers = 2 };
    struct rusm_why why;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (rusm_node_new(&victim_node, &options, &why) != 0) {
        dprintf(fd, "%s", why.text);
        exit(1);
    }
    signal(SIGTERM, victim_on_term);
    rusm_node_teach(victim_node, "stuck", &victim_stuck_behaviour);
    for (size_t i = 0; i < sizeof(boots) / sizeof(boots[0]); i++) {
        const struct rusm_boot boot = { .name = boots[i], .spawnable = boots[i] };
        rusm_node_teach_spec(victim_node, boots[i], boots[i], &why);
        rusm_node_boot(victim_node, &boot, &why);
    }
    dprintf(fd, "%s", rusm_node_address(victim_node));
    close(fd);
    failed = rusm_node_run(victim_node);
    rusm_node_free(victim_node);
    close(null_fd);
    exit(failed ? 2 : 0);
}

/* Starts the node's process. Its first words are put into v->address: the node's address, or why it
 * failed to start. */
static void victim_spawn(struct victim *v)
{
    int fds[2];
    size_t len = 0;
    ssize_t n;

    assert_int_equal(pipe(fds), 0);
    fflush(NULL);
    v->pid = fork();
    assert_true(v->pid >= 0);
    if (v->pid == 0) {
        close(fds[0]);
        victim_run(v, fds[1]);
    }
    close(fds[1]);
    while (len < sizeof(v->address) - 1 &&
           (n = read(fds[0], v->address + len, sizeof(v->address) - 1 - len)) > 0) {
        len += (size_t)n;
    }
    v->address[len] = '\0';
    close(fds[0]);
}

struct victim *victim_new(void)
{
    struct victim *v = calloc(1, sizeof(*v));
    void *folder = NULL;

    if (!v || folder_setup(&folder) != 0) {
        abort();
    }
    v->folder = folder;
    snprintf(v->rundir, sizeof(v->rundir), "%s/run", v->folder->path);
    snprintf(v->identity, sizeof(v->identity), "%s/cluster.pem", v->folder->path);
    return v;
}

int victim_open(const struct victim *v, struct rusm_client **client, struct rusm_why *why)
{
    const struct rusm_client_options options = { .rundir = v->rundir,
                                                 .identity = v->identity,
                                                 .timeout_ms = VICTIM_PATIENCE_MS };

    return rusm_client_open(client, &options, "london", why);
}

int victim_setup(void **state)
{
    struct victim *v = victim_new();
    struct rusm_why why;

    victim_spawn(v);
    *state = v;
    if (victim_open(v, &v->client, &why) != 0) {
        fprintf(stderr, "%s: %s\n", v->address, why.text);
        return -1;
    }
    return 0;
}

/* ---- the bystander ---- */

static void *bystander_run(void *context)
{
    struct bystander *b = context;

    while (!atomic_load(&b->enough)) {
        struct victim_time since = victim_time(b->victim), took;
        void *reply;
        size_t len;
        b->calls++;
        if (rusm_client_call(b->client, "echo", false, "hi", 2, &reply, &len, &b->why) != 0) {
            b->failures++;
            break;
        }
        free(reply);
        took = victim_since(b->victim, since);
        b->worst.ms = took.ms > b->worst.ms ? took.ms : b->worst.ms;
        b->worst.cpu_ms = took.cpu_ms > b->worst.cpu_ms ? took.cpu_ms : b->worst.cpu_ms;
        usleep(1000);
    }
    return NULL;
}

void bystander_start(struct victim *v)
{
    struct bystander *b = &v->bystander;

    *b = (struct bystander){ .victim = v };
    if (victim_open(v, &b->client, &b->why) != 0) {
        fail_msg("%s", b->why.text);
    }
    b->running = pthread_create(&b->thread, NULL, bystander_run, b) == 0;
    assert_true(b->running);
}

static void bystander_end(struct bystander *b)
{
    if (b->running) {
        atomic_store(&b->enough, true);
        pthread_join(b->thread, NULL);
        rusm_client_close(b->client);
    }
    b->running = false;
}

void bystander_stop(struct victim *v, const char *what)
{
    struct bystander *b = &v->bystander;

    bystander_end(b);
    printf("# %s: %u calls by the bystander, the slowest took %lu ms, %lu ms of the node's\n", what,
           b->calls, (unsigned long)b->worst.ms, (unsigned long)b->worst.cpu_ms);
    if (b->failures > 0) {
        fail_msg("%s: the bystander: %s", what, b->why.text);
    }
    victim_in_time(b->worst);
}

/* Ends the node's process and returns its wait status. */
static int victim_stop(struct victim *v)
{
    int status = -1;

    bystander_end(&v->bystander); /* a failed test left it running */
    rusm_client_close(v->client);
    v->client = NULL;
    if (v->pid > 0) {
        kill(v->pid, SIGTERM);
        waitpid(v->pid, &status, 0);
    }
    v->pid = 0;
    return status;
}

void victim_free(struct victim *v)
{
    void *folder = v->folder;

    folder_teardown(&folder);
    free(v);
}

int victim_teardown(void **state)
{
    int status = victim_stop(*state);

    if (status != 0) {
        fprintf(stderr, "the node's process ended with status %#x\n", (unsigned)status);
    }
    victim_free(*state);
    return status;
}

void victim_alive(const struct victim *v)
{
    struct victim_time since = victim_time(v);
    struct rusm_why why;
    void *reply;
    size_t len;

    if (rusm_client_call(v->client, "echo", false, "hi", 2, &reply, &len, &why) != 0) {
        fail_msg("the client is not answered: %s", why.text);
    }
    assert_string_equal(reply, "hi");
    free(reply);
    victim_in_time(victim_since(v, since));
}

/* ---- figures ---- */

long victim_peak_kib(const struct victim *v)
{
    char path[64], line[128];
    long kib = -1;

    snprintf(path, sizeof(path), "/proc/%d/status", (int)v->pid);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    while (kib < 0 && fgets(line, sizeof(line), f)) {
        sscanf(line, "VmHWM: %ld", &kib);
    }
    fclose(f);
    assert_true(kib > 0);
    return kib;
}

void victim_grew(const struct victim *v, long before, long kib, const char *what)
{
    long now = victim_peak_kib(v);

    printf("# %s: %ld KiB before, %ld KiB at most, bound %ld KiB more\n", what, before, now, kib);
    if (!VICTIM_SANITIZED && now - before > kib) {
        fail_msg("%s: %ld KiB more, the bound is %ld", what, now - before, kib);
    }
}

static int victim_on_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct victim_row *row = context;

    assert_int_equal(count, 2);
    if (strcmp(fields[0].text, row->counter) == 0) {
        row->value = fields[1].number;
    }
    return 0;
}

uint64_t victim_counter(const struct victim *v, const char *counter)
{
    struct victim_row row = { .counter = counter, .value = UINT64_MAX };
    struct rusm_why why;

    if (rusm_client_list(v->client, RUSM_TABLE_COUNTERS, victim_on_row, &row, &why) != 0) {
        fail_msg("%s", why.text);
    }
    assert_true(row.value != UINT64_MAX);
    return row.value;
}

void victim_counts(const struct victim *v, const char *counter, uint64_t want)
{
    uint64_t give_up_ms = victim_ms() + VICTIM_PATIENCE_MS;
    uint64_t value = victim_counter(v, counter);

    while (value < want && victim_ms() < give_up_ms) {
        value = victim_counter(v, counter);
    }
    assert_int_equal(value, want);
}
