/* base/secret: whose file is taken, with which mode; links as an orchestrator mounts them;
 * changes. */
#include "base/secret.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define USER 12345
#define GROUP 23456
#define OTHER_GROUP 34567

static const struct secret_kind kind = { .name = "token", .missing = "make one" };

struct place {
    char folder[64], path[96];
};

static void put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));

    snprintf(p->folder, sizeof(p->folder), "/tmp/rusm-secret-XXXXXX");
    if (!mkdtemp(p->folder) || chmod(p->folder, 0755) != 0) {
        return -1;
    }
    snprintf(p->path, sizeof(p->path), "%s/token", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[128];

    snprintf(command, sizeof(command), "rm -rf %s", p->folder);
    int status = system(command);
    free(p);
    return status;
}

static int get(const char *path, struct rusm_why *why)
{
    char text[16];
    size_t len;

    return secret_read(&kind, path, text, sizeof(text), &len, why);
}

static void refused(const char *path, int error, const char *part)
{
    struct rusm_why why = { "" };

    assert_int_equal(get(path, &why), error);
    if (!strstr(why.text, part)) {
        fail_msg("%s: no '%s'", why.text, part);
    }
}

static void test_own(void **state)
{
    const mode_t bad[] = { 0644, 0640, 0604, 0660, 0601, 0610, 0602 };
    struct place *p = *state;
    char cure[128];

    refused(p->path, RUSM_EREFUSED, "make one");
    put(p->path, "secret", 0600);
    assert_int_equal(get(p->path, NULL), 0);
    put(p->path, "secret", 0400);
    assert_int_equal(get(p->path, NULL), 0);
    snprintf(cure, sizeof(cure), "Run: chmod 600 %s", p->path);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(chmod(p->path, bad[i]), 0);
        refused(p->path, RUSM_EREFUSED, cure);
    }
    refused(p->folder, RUSM_EREFUSED, "not a regular file");
}

static void test_length(void **state)
{
    struct place *p = *state;

    put(p->path, "0123456789abcdef", 0600);
    assert_int_equal(get(p->path, NULL), 0);
    put(p->path, "0123456789abcdef0", 0600);
    refused(p->path, RUSM_EMALFORMED, "too large");
}

/* Reads the file as a user of a group, which root alone can become. Returns the error. */
static int get_as(const char *path, uid_t user, gid_t group)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (setgroups(1, &group) != 0 || setegid(user) != 0 || seteuid(user) != 0) {
            _exit(100);
        }
        _exit(-get(path, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return -WEXITSTATUS(status);
}

static void test_mounted(void **state)
{
    static const struct {
        mode_t mode;
        bool ok;
    } cases[] = { { 0440, true },  { 0640, true },  { 0040, true },  { 0444, false },
                  { 0644, false }, { 0460, false }, { 0450, false }, { 0442, false } };
    struct place *p = *state;
    char data[96], old[96], link[96];

    if (geteuid() != 0) {
        skip(); /* only root can give files away */
    }
    snprintf(old, sizeof(old), "%s/..1", p->folder);
    snprintf(data, sizeof(data), "%s/..data", p->folder);
    snprintf(link, sizeof(link), "%s/..1/token", p->folder);
    assert_int_equal(mkdir(old, 0755), 0);
    put(link, "secret", 0400);
    assert_int_equal(symlink("..1", data), 0);
    assert_int_equal(symlink("..data/token", p->path), 0);
    assert_int_equal(chown(p->path, 0, GROUP), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const int want = cases[i].ok ? 0 : RUSM_EREFUSED;
        assert_int_equal(chmod(p->path, cases[i].mode), 0);
        assert_int_equal(get_as(p->path, USER, GROUP), want);
        assert_int_equal(get_as(p->path, 0, GROUP), want);
        assert_int_equal(get_as(p->path, USER, OTHER_GROUP), RUSM_EREFUSED);
    }
    assert_int_equal(chmod(p->path, 0440), 0);
    refused(p->path, RUSM_EREFUSED, "by others"); /* of a group that we are not in */
    assert_int_equal(chown(p->path, 0, 0), 0);
    assert_int_equal(chmod(p->path, 0440), 0);
    assert_int_equal(get(p->path, NULL), 0);
    assert_int_equal(chown(p->path, USER, GROUP), 0);
    assert_int_equal(chmod(p->path, 0400), 0);
    refused(p->path, RUSM_EREFUSED, "another user");
}

static void test_changed(void **state)
{
    struct place *p = *state;
    struct secret_stamp stamp = { 0 };
    char other[96];

    assert_false(secret_changed(p->path, &stamp));
    put(p->path, "one", 0600);
    assert_true(secret_changed(p->path, &stamp));
    assert_false(secret_changed(p->path, &stamp));
    put(p->path, "four", 0600);
    assert_true(secret_changed(p->path, &stamp));
    snprintf(other, sizeof(other), "%s/other", p->folder);
    put(other, "five", 0600);
    assert_int_equal(rename(other, p->path), 0);
    assert_true(secret_changed(p->path, &stamp));
    assert_int_equal(unlink(p->path), 0);
    assert_true(secret_changed(p->path, &stamp));
    assert_false(secret_changed(p->path, &stamp));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_own, setup, teardown),
        cmocka_unit_test_setup_teardown(test_length, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mounted, setup, teardown),
        cmocka_unit_test_setup_teardown(test_changed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
