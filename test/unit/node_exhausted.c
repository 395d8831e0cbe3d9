/* node: the machine runs out of descriptors or disk space, or many processes are used at once.
 * Inputs and outcomes: rusm-protocol(7), HOSTILE INPUT. */
#include "doubles/foe.h"
#include <sched.h>
#include <sys/mount.h>

/* ---- descriptors ---- */

/* Opens nodes with from 3 to 31 descriptors. Runs in a process of its own, because limits are per
 * process. */
static int start_with_few(const struct victim *v)
{
    int started = 0, refused = 0;

    for (rlim_t few = 3; few < 32; few++) {
        const struct rusm_node_options options = {
            .name = "london", .rundir = v->rundir, .identity = v->identity, .identity_create = true
        };
        struct rusm_node *node = NULL;
        struct rusm_why why = { "" };
        struct rlimit old;
        getrlimit(RLIMIT_NOFILE, &old);
        setrlimit(RLIMIT_NOFILE, &(struct rlimit){ few, old.rlim_max });
        int error = rusm_node_new(&node, &options, &why);
        setrlimit(RLIMIT_NOFILE, &old);
        if (error == 0) {
            started++;
            rusm_node_free(node);
            continue;
        }
        refused++;
        bool clear = error == RUSM_EIO && strstr(why.text, "Too many open files");
        printf("# %d descriptors: %d %s\n", (int)few, error, why.text);
        if (!clear || node || started > 0) {
            return 1;
        }
    }
    return started > 0 && refused > 0 ? 0 : 2;
}

static void test_start_without_descriptors(void **state)
{
    struct victim *v = victim_new();
    int status;

    (void)state;
    fflush(NULL);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int failed = start_with_few(v);
        fflush(NULL);
        _exit(failed);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    victim_free(v);
}

static void test_run_without_descriptors(void **state)
{
    struct victim *v = *state;
    char pid[RUSM_PID_TEXT_MAX];
    struct rusm_client *late;
    struct rusm_why why;
    struct rlimit old;
    struct foe f;

    assert_int_equal(prlimit(v->pid, RLIMIT_NOFILE, NULL, &old), 0);
    const struct rlimit none = { 0, old.rlim_max };
    assert_int_equal(prlimit(v->pid, RLIMIT_NOFILE, &none, NULL), 0);
    victim_alive(v);
    assert_int_equal(rusm_client_spawn(v->client, "echo", NULL, "more", false, pid, &why), 0);
    for (int i = 0; i < 50; i++) {
        if (victim_open(v, &late, &why) != 0) {
            fail_msg("a new client: %s", why.text);
        }
        rusm_client_close(late);
    }
    foe_start(&f, v, HELLO_NODE);
    foe_open(&f, "a new peer");
    foe_stop(&f);
    victim_alive(v);
    assert_int_equal(prlimit(v->pid, RLIMIT_NOFILE, &old, NULL), 0); /* to end in order */
}

/* ---- disk ---- */

/* Fills the file system of the folder. */
static void fill_disk(const struct victim *v)
{
    static const char zeros[4096];
    char path[128];

    snprintf(path, sizeof(path), "%s/filler", v->folder->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (write(fd, zeros, sizeof(zeros)) > 0) {}
    close(fd);
}

static void test_full_disk(void **state)
{
    struct victim *v = victim_new();
    const struct rusm_node_options options = { .name = "london",
                                               .rundir = v->rundir,
                                               .identity = v->identity };
    struct rusm_identity_info info;
    struct rusm_node *node = NULL;
    struct rusm_why why = { "" };
    char filler[128];

    (void)state;
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("rusm-test", v->folder->path, "tmpfs", 0, "size=64k,mode=0700") != 0) {
        victim_free(v);
        skip();
    }
    fill_disk(v);
    snprintf(filler, sizeof(filler), "%s/filler", v->folder->path);

    /* No identity can be made, and no part of one is left. */
    assert_int_equal(rusm_identity_new(v->identity, &info, &why), RUSM_EIO);
    printf("# %s\n", why.text);
    assert_non_null(strstr(why.text, "No space left on device"));
    assert_int_equal(access(v->identity, F_OK), -1);
    assert_int_equal(unlink(filler), 0);
    assert_int_equal(rusm_identity_new(v->identity, &info, &why), 0);

    fill_disk(v);
    assert_int_equal(rusm_node_new(&node, &options, &why), RUSM_EIO);
    printf("# %s\n", why.text);
    assert_non_null(strstr(why.text, "No space left on device"));
    assert_null(node);
    assert_int_equal(unlink(filler), 0);
    if (rusm_node_new(&node, &options, &why) != 0) {
        fail_msg("with room again: %s", why.text);
    }
    rusm_node_free(node);
    assert_int_equal(umount2(v->folder->path, MNT_DETACH), 0);
    victim_free(v);
}

/* ---- processes ---- */

#define CROWD 10000

static void test_crowd(void **state)
{
    struct victim *v = *state;
    char(*pids)[RUSM_PID_TEXT_MAX] = calloc(CROWD, sizeof(*pids));
    struct rusm_why why;
    size_t len;
    void *reply;

    victim_alive(v);
    long before = victim_peak_kib(v);
    bystander_start(v);
    for (int i = 0; i < CROWD; i++) {
        if (rusm_client_spawn(v->client, "echo", NULL, NULL, false, pids[i], &why) != 0) {
            fail_msg("process %d: %s", i, why.text);
        }
    }
    for (int i = 0; i < CROWD; i++) {
        if (rusm_client_call(v->client, pids[i], false, "hi", 2, &reply, &len, &why) != 0) {
            fail_msg("%s: %s", pids[i], why.text);
        }
        assert_string_equal(reply, "hi");
        free(reply);
    }
    victim_grew(v, before, CROWD * 4 + 16384L, "10,000 processes");
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(rusm_client_kill(v->client, pids[i], false, "kill", &why), 0);
    }
    assert_int_equal(rusm_client_kill(v->client, pids[0], false, "kill", &why), RUSM_ENOPROC);
    bystander_stop(v, "10,000 processes");
    free(pids);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_without_descriptors), VICTIM_TEST(test_run_without_descriptors),
        VICTIM_TEST(test_crowd),
        cmocka_unit_test(test_full_disk), /* last, because it changes this process's mounts */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
