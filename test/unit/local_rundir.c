/* local/rundir: the run folder: its path, its owner, its entries, and the locks that tell which
 * nodes are alive. */
#include "local/rundir.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "doubles/folder.h"

static const char print[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

static void open_run(const struct folder *f, struct rundir *r)
{
    char path[256];
    struct rusm_why why = { "" };

    if (rundir_open(r, folder_path(f, "run", path), true, &why) != 0) {
        fail_msg("%s", why.text);
    }
}

static struct rundir_entry entry_of(const char *name)
{
    struct rundir_entry e = { .address = "127.0.0.1:4012", .incarnation = 0x5f3a1c };

    e.os_pid = getpid();
    snprintf(e.name, sizeof(e.name), "%s", name);
    snprintf(e.fingerprint, sizeof(e.fingerprint), "%s", print);
    return e;
}

static void run_node(struct rundir *r, const char *name)
{
    struct rundir_entry e = entry_of(name);

    assert_int_equal(rundir_lock(r, name, NULL), 0);
    assert_int_equal(rundir_publish(r, &e, NULL), 0);
}

static mode_t mode_of(const struct folder *f, const char *name)
{
    char path[256];
    struct stat st;

    return lstat(folder_path(f, name, path), &st) == 0 ? st.st_mode & 07777 : 0;
}

/* ---- the folder ---- */

static void test_made_private(void **state)
{
    const struct folder *f = *state;
    struct rundir r;
    char path[256];
    struct rusm_why why;

    assert_int_equal(rundir_open(&r, folder_path(f, "run", path), false, &why), RUSM_ENOPROC);
    open_run(f, &r);
    assert_string_equal(r.path, path);
    assert_int_equal(mode_of(f, "run"), 0700);
    assert_int_equal(rundir_open(&r, path, false, &why), 0);
}

static void test_refused(void **state)
{
    const struct folder *f = *state;
    struct rundir r;
    char path[256], link[256];
    struct rusm_why why;

    open_run(f, &r);
    folder_path(f, "run", path);
    assert_int_equal(chmod(path, 0750), 0);
    assert_int_equal(rundir_open(&r, path, true, &why), RUSM_EREFUSED);
    assert_non_null(strstr(why.text, "chmod 700"));
    assert_int_equal(chmod(path, 0700), 0);

    assert_int_equal(symlink(path, folder_path(f, "link", link)), 0);
    assert_int_equal(rundir_open(&r, link, true, &why), RUSM_EREFUSED);
    strcat(link, "/");
    assert_int_equal(rundir_open(&r, link, true, &why), RUSM_EREFUSED);
    assert_non_null(strstr(why.text, "symbolic link"));

    assert_int_equal(folder_write(f, "file", "", 0), 0);
    assert_int_equal(rundir_open(&r, folder_path(f, "file", link), true, &why), RUSM_EREFUSED);
    assert_int_equal(rundir_open(&r, folder_path(f, "no/where", link), true, &why), RUSM_EIO);
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 1, 1), 0);
        assert_int_equal(rundir_open(&r, path, true, &why), RUSM_EREFUSED);
        assert_non_null(strstr(why.text, "another user"));
    }
}

static void test_named(void **state)
{
    const struct folder *f = *state;
    struct rundir r;
    char path[256], want[256];

    assert_int_equal(setenv("RUSM_RUNDIR", folder_path(f, "mine//", path), 1), 0);
    assert_int_equal(rundir_open(&r, "", true, NULL), 0);
    assert_string_equal(r.path, folder_path(f, "mine", want));
    assert_int_equal(r.also_count, 0);

    assert_int_equal(chdir(f->path), 0);
    assert_int_equal(rundir_open(&r, "here", true, NULL), 0);
    assert_string_equal(r.path, folder_path(f, "here", want));
    assert_int_equal(chdir("/"), 0);
    unsetenv("RUSM_RUNDIR");
}

/* Where the folder is when it is not named. Folders of the test's own stand for /run and /tmp. */
struct machine {
    char run[256], tmp[256], run_place[300], tmp_place[300], user[300], user_place[320];
};

static void machine_make(const struct folder *f, struct machine *m)
{
    unsigned uid = (unsigned)geteuid();

    folder_path(f, "sysrun", m->run);
    folder_path(f, "systmp", m->tmp);
    snprintf(m->run_place, sizeof(m->run_place), "%s/rusm-%u", m->run, uid);
    snprintf(m->tmp_place, sizeof(m->tmp_place), "%s/rusm-%u", m->tmp, uid);
    snprintf(m->user, sizeof(m->user), "%s/user", m->run);
    assert_int_equal(mkdir(m->run, 0755) + mkdir(m->tmp, 0777) + mkdir(m->user, 0755), 0);
    snprintf(m->user, sizeof(m->user), "%s/user/%u", m->run, uid);
    snprintf(m->user_place, sizeof(m->user_place), "%s/rusm", m->user);
    unsetenv("RUSM_RUNDIR");
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("TMPDIR");
}

static int machine_open(const struct machine *m, struct rundir *r, bool create)
{
    return rundir_open_under(r, m->run, m->tmp, create, NULL);
}

static void test_which(void **state)
{
    const struct folder *f = *state;
    struct machine m;
    struct rundir r;
    char text[1024];
    bool root = geteuid() == 0;
    const char *first;

    machine_make(f, &m);
    assert_int_equal(machine_open(&m, &r, false), RUSM_ENOPROC);
    first = root ? m.run_place : m.tmp_place; /* only root makes that in /run */
    if (!root) {
        assert_int_equal(chmod(m.run, 0555), 0);
    }
    assert_string_equal(r.path, first);
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_string_equal(r.path, first);

    /* A login changes nothing: neither its folders nor its variables. */
    assert_int_equal(chmod(m.run, 0755), 0);
    assert_int_equal(mkdir(m.user, 0700), 0);
    assert_int_equal(setenv("XDG_RUNTIME_DIR", m.user, 1) + setenv("TMPDIR", f->path, 1), 0);
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_string_equal(r.path, first);
    assert_int_equal(r.also_count, 0);

    /* What is there already is taken, also by those who could not make it. */
    if (!root) {
        assert_int_equal(mkdir(m.run_place, 0700), 0);
    }
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_string_equal(r.path, m.run_place);
    /* The others are read, each once. */
    assert_int_equal(mkdir(m.user_place, 0700), 0);
    assert_int_equal(mkdir(m.tmp_place, 0700) != 0, !root);
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_string_equal(r.path, m.run_place);
    assert_int_equal(r.also_count, 2);
    rundir_print(&r, text, sizeof(text));
    assert_non_null(strstr(text, m.user_place));
    assert_non_null(strstr(text, m.tmp_place));
    /* But not if others could write to them. */
    assert_int_equal(chmod(m.user_place, 0770), 0);
    assert_int_equal(rmdir(m.tmp_place) + symlink(m.user, m.tmp_place), 0);
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_int_equal(r.also_count, 0);
    assert_int_equal(chmod(m.run_place, 0711), 0);
    assert_int_equal(machine_open(&m, &r, true), RUSM_EREFUSED);
    unsetenv("XDG_RUNTIME_DIR");
    unsetenv("TMPDIR");
}

/* Another user has made the folder in /tmp. The user's own folder of the login serves then. */
static void test_squatted(void **state)
{
    const struct folder *f = *state;
    struct machine m;
    struct rundir r;
    struct rusm_why why;

    if (geteuid() != 0) {
        skip(); /* only root can make what belongs to others */
    }
    machine_make(f, &m);
    assert_int_equal(folder_write(f, "sysrun/rusm-0", "", 0), 0); /* a file in the way */
    assert_int_equal(machine_open(&m, &r, true), RUSM_EREFUSED);
    assert_int_equal(unlink(m.run_place), 0);
    assert_int_equal(rename(m.run, folder_path(f, "away", m.run_place)), 0); /* no /run at all */
    assert_int_equal(mkdir(m.tmp_place, 0700) + chown(m.tmp_place, 1, 1), 0);
    assert_int_equal(rundir_open_under(&r, m.run, m.tmp, true, &why), RUSM_EREFUSED);
    assert_non_null(strstr(why.text, "another user"));
    assert_string_equal(r.path, m.tmp_place);
}

/* Nodes of the other folders are found, and their names are taken. */
static void test_read_too(void **state)
{
    const struct folder *f = *state;
    struct machine m;
    struct rundir r, old;
    struct rundir_entry *list, got, stale = entry_of("oslo");
    size_t count;
    struct rusm_why why;

    machine_make(f, &m);
    assert_int_equal(mkdir(m.user, 0700) + setenv("XDG_RUNTIME_DIR", m.user, 1), 0);
    assert_int_equal(rundir_open(&old, m.user_place, true, NULL), 0);
    run_node(&old, "london");
    assert_int_equal(machine_open(&m, &r, false), 0); /* there is no folder of our own yet */
    assert_int_equal(rundir_find(&r, "london", &got), 0);
    assert_int_equal(machine_open(&m, &r, true), 0);
    assert_string_not_equal(r.path, old.path);
    run_node(&r, "tokyo");
    assert_int_equal(rundir_publish(&old, &stale, NULL), 0);
    assert_int_equal(rundir_find(&r, "london", &got), 0);
    assert_true(got.alive);
    assert_int_equal(rundir_list(&r, &list, &count), 0);
    assert_int_equal(count, 3);
    assert_string_equal(list[0].name, "london");
    assert_true(list[0].alive && !list[1].alive && list[2].alive);
    free(list);
    rundir_clean(&r, "oslo");
    rundir_clean(&r, "london");
    assert_int_equal(rundir_find(&r, "oslo", &got), RUSM_ENOPROC);
    assert_int_equal(rundir_find(&r, "london", &got), 0);
    rundir_close(&r);
    assert_int_equal(rundir_lock(&r, "london", &why), RUSM_EEXIST);
    assert_non_null(strstr(why.text, "is running already"));
    rundir_close(&old);
    assert_int_equal(rundir_lock(&r, "london", &why), 0);
    rundir_close(&r);
    unsetenv("XDG_RUNTIME_DIR");
}

/* ---- entries ---- */

static void test_published(void **state)
{
    const struct folder *f = *state;
    struct rundir r, other;
    struct rundir_entry e = entry_of("london"), got;

    open_run(f, &r);
    open_run(f, &other);
    assert_int_equal(rundir_find(&other, "london", &got), RUSM_ENOPROC);
    run_node(&r, "london");
    assert_int_equal(rundir_find(&other, "london", &got), 0);
    assert_string_equal(got.name, e.name);
    assert_string_equal(got.address, e.address);
    assert_string_equal(got.fingerprint, e.fingerprint);
    assert_int_equal(got.incarnation, e.incarnation);
    assert_int_equal(got.os_pid, e.os_pid);
    assert_true(got.alive);
    assert_int_equal(mode_of(f, "run/london.json"), 0600);
    assert_int_equal(mode_of(f, "run/london.lock"), 0600);
    rundir_close(&r);
    assert_int_equal(mode_of(f, "run/london.json"), 0);
    assert_int_equal(mode_of(f, "run/london.lock"), 0);
    rundir_close(&r);
}

/* An entry with its name, address, process and incarnation. The fingerprint is the caller's. */
#define ENTRY(name, address, os_pid, incarnation, fingerprint)              \
    "{\"name\":\"" name "\",\"address\":\"" address "\",\"os_pid\":" os_pid \
    ",\"incarnation\":" incarnation ",\"fingerprint\":\"" fingerprint "\"}"
static const char *const bad_entries[] = {
    "",
    "{",
    "[]",
    "null",
    "{\"name\":\"x\"}",
    ENTRY("y", "a:1", "1", "\"1\"", "%s"),
    ENTRY("x", "a:0", "1", "\"1\"", "%s"),
    ENTRY("x", "a", "1", "\"1\"", "%s"),
    ENTRY("x", "a:1", "0", "\"1\"", "%s"),
    ENTRY("x", "a:1", "-1", "\"1\"", "%s"),
    ENTRY("x", "a:1", "1e3", "\"1\"", "%s"),
    ENTRY("x", "a:1", "1", "1", "%s"),
    ENTRY("x", "a:1", "1", "\"\"", "%s"),
    ENTRY("x", "a:1", "1", "\"0\"", "%s"),
    ENTRY("x", "a:1", "1", "\"0x1\"", "%s"),
    ENTRY("x", "a:1", "1", "\"123456789\"", "%s"),
    ENTRY("x", "a:1", "1", "\"1\"", "%sa"),
    ENTRY("x", "a:1", "1", "\"1\"", "ab"),
};

static void test_malformed(void **state)
{
    static const char good[] = "{\"name\":\"x\",\"address\":\"a:1\",\"os_pid\":1,\"incarnation\":"
                               "\"1\",\"fingerprint\":\"%s\",\"later\":[1]}";
    const struct folder *f = *state;
    struct rundir r;
    struct rundir_entry e;
    char text[512], path[256], *long_text = calloc(1, 100000);

    open_run(f, &r);
    for (size_t i = 0; i < sizeof(bad_entries) / sizeof(bad_entries[0]); i++) {
        int n = snprintf(text, sizeof(text), bad_entries[i], print);
        assert_int_equal(folder_write(f, "run/x.json", text, (size_t)n), 0);
        if (rundir_find(&r, "x", &e) != RUSM_EMALFORMED) {
            fail_msg("taken: %s", text);
        }
    }
    int n = snprintf(text, sizeof(text), good, print);
    assert_int_equal(folder_write(f, "run/x.json", text, (size_t)n), 0);
    assert_int_equal(rundir_find(&r, "x", &e), 0);
    assert_false(e.alive);

    memset(long_text, ' ', 100000);
    memcpy(long_text, text, (size_t)n);
    assert_int_equal(folder_write(f, "run/x.json", long_text, 100000), 0);
    assert_int_equal(rundir_find(&r, "x", &e), RUSM_EMALFORMED);
    free(long_text);
    assert_int_equal(unlink(folder_path(f, "run/x.json", path)), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(rundir_find(&r, "x", &e), RUSM_EMALFORMED);
    assert_int_equal(rundir_find(&r, "../x", &e), RUSM_ENOPROC);
}

static void test_list(void **state)
{
    const struct folder *f = *state;
    struct rundir tokyo, london, r;
    struct rundir_entry *list;
    size_t count;

    open_run(f, &r);
    assert_int_equal(rundir_list(&r, &list, &count), 0);
    assert_int_equal(count, 0);
    free(list);
    open_run(f, &tokyo);
    open_run(f, &london);
    run_node(&tokyo, "tokyo");
    run_node(&london, "london");
    assert_int_equal(folder_write(f, "run/bad.json", "{}", 2), 0);
    assert_int_equal(folder_write(f, "run/.x.json", "{}", 2), 0);
    assert_int_equal(folder_write(f, "run/.json", "{}", 2), 0);
    assert_int_equal(folder_write(f, "run/london.log", "{}", 2), 0);
    assert_int_equal(rundir_list(&r, &list, &count), 0);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].name, "london");
    assert_string_equal(list[1].name, "tokyo");
    assert_true(list[0].alive && list[1].alive);
    free(list);
    rundir_close(&tokyo);
    rundir_close(&london);
}

/* ---- which nodes are alive ---- */

static void test_taken(void **state)
{
    const struct folder *f = *state;
    struct rundir r, second;
    struct rusm_why why;
    char pid[32];

    open_run(f, &r);
    open_run(f, &second);
    assert_int_equal(rundir_lock(&r, "no good", &why), RUSM_EINVAL);
    run_node(&r, "london");
    assert_int_equal(rundir_lock(&second, "london", &why), RUSM_EEXIST);
    snprintf(pid, sizeof(pid), "process %d ", getpid());
    assert_non_null(strstr(why.text, pid));
    assert_non_null(strstr(why.text, "127.0.0.1:4012"));
    /* A node that did not get the lock removes nothing. */
    rundir_close(&second);
    assert_int_equal(mode_of(f, "run/london.json"), 0600);
    assert_int_equal(rundir_lock(&second, "oslo", &why), 0);
    rundir_close(&r);
    rundir_close(&second);
    assert_int_equal(rundir_lock(&second, "london", &why), 0);
    rundir_close(&second);
}

/* Makes a process that takes a node's lock, and kills it. */
static void kill_node(const struct folder *f, const char *name)
{
    struct rundir r;
    int ready[2], status;
    char byte = 0;

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        open_run(f, &r);
        run_node(&r, name);
        if (write(ready[1], &byte, 1) == 1) {
            pause();
        }
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    close(ready[0]);
    close(ready[1]);
}

static void test_killed(void **state)
{
    const struct folder *f = *state;
    struct rundir r;
    struct rundir_entry e;

    open_run(f, &r);
    kill_node(f, "london");
    assert_int_equal(rundir_find(&r, "london", &e), 0);
    assert_false(e.alive);
    /* The next node that locks the name is not seen before it has published its own entry. */
    assert_int_equal(rundir_lock(&r, "london", NULL), 0);
    assert_int_equal(rundir_find(&r, "london", &e), RUSM_ENOPROC);
    rundir_close(&r);
}

static void test_clean(void **state)
{
    const struct folder *f = *state;
    struct rundir r, live;

    open_run(f, &r);
    open_run(f, &live);
    kill_node(f, "london");
    run_node(&live, "tokyo");
    rundir_clean(&r, "london");
    rundir_clean(&r, "tokyo");
    rundir_clean(&r, "../london");
    assert_int_equal(mode_of(f, "run/london.json"), 0);
    assert_int_equal(mode_of(f, "run/london.lock"), 0);
    assert_int_equal(mode_of(f, "run/tokyo.json"), 0600);
    assert_int_equal(mode_of(f, "run/tokyo.lock"), 0600);
    rundir_close(&live);
}

/* ---- files that somebody removes under a running node ---- */

static void remove_file(const struct folder *f, const char *name)
{
    char path[256];

    assert_int_equal(unlink(folder_path(f, name, path)), 0);
}

static void run_command(const struct folder *f, const char *format)
{
    char command[600];

    snprintf(command, sizeof(command), format, f->path, f->path);
    assert_int_equal(system(command), 0);
}

static void test_kept(void **state)
{
    const struct folder *f = *state;
    struct rundir r, other;
    struct rundir_entry e = entry_of("london"), got;
    struct rusm_why why;

    open_run(f, &r);
    assert_int_equal(rundir_keep(&r, &e, &why), RUSM_EINVAL); /* it has no name */
    run_node(&r, "london");
    assert_int_equal(rundir_keep(&r, &e, &why), 0);
    remove_file(f, "run/london.json");
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    remove_file(f, "run/london.lock");
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    assert_int_equal(folder_write(f, "run/london.json", "", 0), 0); /* emptied */
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    run_command(f, "rm -rf %s/run");
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    assert_int_equal(mode_of(f, "run"), 0700);
    run_command(f, "mv %s/run %s/away");
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    assert_int_equal(rundir_keep(&r, &e, &why), 0);
    assert_int_equal(rundir_find(&r, "london", &got), 0);
    assert_true(got.alive);
    open_run(f, &other);
    assert_int_equal(rundir_lock(&other, "london", &why), RUSM_EEXIST);
    rundir_close(&r);
    assert_int_equal(mode_of(f, "run/london.json"), 0);
    assert_int_equal(mode_of(f, "run/london.lock"), 0);
}

static void test_not_kept(void **state)
{
    const struct folder *f = *state;
    struct rundir r;
    struct rundir_entry e = entry_of("london");
    struct rusm_why why;
    char path[256];

    open_run(f, &r);
    run_node(&r, "london");
    run_command(f, "rm -rf %s/run; ln -s /tmp %s/run");
    assert_int_equal(rundir_keep(&r, &e, &why), RUSM_EREFUSED);
    remove_file(f, "run");
    assert_int_equal(folder_write(f, "run", "", 0), 0);
    assert_int_equal(rundir_keep(&r, &e, &why), RUSM_EREFUSED);
    remove_file(f, "run");
    /* Something in the way of the file, and then no longer. */
    run_command(f, "mkdir -m 700 %s/run && mkdir %s/run/london.json");
    assert_int_equal(rundir_keep(&r, &e, &why), RUSM_EIO);
    assert_non_null(strstr(why.text, "london.json"));
    assert_int_equal(rmdir(folder_path(f, "run/london.json", path)), 0);
    assert_int_equal(rundir_keep(&r, &e, &why), 1);
    rundir_close(&r);
}

/* Two nodes of one name: each is told of the other, and neither removes the other's files. */
static void test_twins(void **state)
{
    const struct folder *f = *state;
    struct rundir first, second;
    struct rundir_entry a = entry_of("london"), b = entry_of("london"), got;
    struct rusm_why why;

    b.incarnation++;
    b.os_pid = 77;
    open_run(f, &first);
    open_run(f, &second);
    run_node(&first, "london");
    run_command(f, "rm -rf %s/run/*");
    assert_int_equal(rundir_lock(&second, "london", &why), 0);
    /* It has not published itself yet. It may be somebody who only cleans. */
    assert_int_equal(rundir_keep(&first, &a, &why), 0);
    assert_int_equal(rundir_publish(&second, &b, &why), 0);
    assert_int_equal(rundir_keep(&second, &b, &why), 0);
    assert_int_equal(rundir_keep(&first, &a, &why), RUSM_EEXIST);
    assert_non_null(strstr(why.text, "process 77 at 127.0.0.1:4012"));
    assert_int_equal(rundir_keep(&second, &b, &why), RUSM_EEXIST);
    assert_non_null(strstr(why.text, "stop one of the two"));
    assert_int_equal(rundir_keep(&first, &a, &why), RUSM_EEXIST);

    /* The second one ends, and the first one has its name again. */
    rundir_close(&second);
    assert_int_equal(rundir_keep(&first, &a, &why), 1);
    assert_int_equal(rundir_keep(&first, &a, &why), 0);
    assert_int_equal(rundir_find(&first, "london", &got), 0);
    assert_int_equal(got.incarnation, a.incarnation);
    assert_int_equal(mode_of(f, "run/.london.twin"), 0);

    /* Again. Now the first one ends, and the second one's files stay. */
    run_command(f, "rm -rf %s/run");
    open_run(f, &second);
    assert_int_equal(rundir_lock(&second, "london", &why), 0);
    assert_int_equal(rundir_publish(&second, &b, &why), 0);
    assert_int_equal(rundir_keep(&first, &a, &why), RUSM_EEXIST);
    rundir_close(&first);
    assert_int_equal(rundir_keep(&second, &b, &why), 0);
    assert_int_equal(rundir_find(&second, "london", &got), 0);
    assert_int_equal(got.incarnation, b.incarnation);
    assert_true(got.alive);
    rundir_close(&second);
    assert_int_equal(rmdir(second.path), 0); /* nothing is left */
}

/* Three processes take and leave the same name, and one cleans. There are never two at a time with
 * the name. */
static void test_one_at_a_time(void **state)
{
    const struct folder *f = *state;
    atomic_int *shared =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[4];

    assert_ptr_not_equal(shared, MAP_FAILED);
    for (int k = 0; k < 4; k++) {
        pids[k] = fork();
        assert_true(pids[k] >= 0);
        if (pids[k] == 0) {
            struct rundir r;
            open_run(f, &r);
            while (k == 3 && shared[2] < 300) {
                rundir_clean(&r, "london");
            }
            for (int taken = 0; k != 3 && taken < 100;) {
                if (rundir_lock(&r, "london", NULL) == 0) {
                    shared[1] += atomic_fetch_add(&shared[0], 1) != 0; /* another has the name */
                    shared[2]++;
                    usleep(50);
                    atomic_fetch_sub(&shared[0], 1);
                    rundir_close(&r);
                    taken++;
                }
            }
            _exit(0);
        }
    }
    for (int k = 0; k < 4; k++) {
        int status;
        assert_int_equal(waitpid(pids[k], &status, 0), pids[k]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(shared[1], 0);
    assert_int_equal(shared[2], 300);
    munmap(shared, 4096);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_made_private),  TEST(test_refused),   TEST(test_which),
        TEST(test_published),     TEST(test_malformed), TEST(test_list),
        TEST(test_taken),         TEST(test_killed),    TEST(test_clean),
        TEST(test_one_at_a_time), TEST(test_kept),      TEST(test_not_kept),
        TEST(test_twins),         TEST(test_named),     TEST(test_squatted),
        TEST(test_read_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
