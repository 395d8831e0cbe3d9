/* quic_identity: the file of the cluster certificate. It is made once, and read only if it is ours
 * alone. Otherwise it is refused, and the reason says what to do. */
#include "quic/identity.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <cmocka.h>
#include "doubles/scratch.h"

struct place {
    char folder[SCRATCH_MAX], path[SCRATCH_MAX + 32];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof(*p));
    assert_non_null(p);
    assert_true(scratch_make(p->folder));
    snprintf(p->path, sizeof(p->path), "%s/cluster.pem", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    char command[SCRATCH_MAX + 16];
    snprintf(command, sizeof(command), "rm -rf %s", p->folder);
    assert_int_equal(system(command), 0);
    free(p);
    return 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

static char *read_file(const char *path)
{
    char *text = calloc(1, 65536);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_true(fread(text, 1, 65535, f) > 0);
    fclose(f);
    return text;
}

static void create(const char *path)
{
    struct rusm_why why;
    if (identity_create(path, &why) != 0) {
        fail_msg("%s", why.text);
    }
}

static void refused(const char *path, int error, const char *words)
{
    struct identity *id = (struct identity *)(uintptr_t)1;
    struct rusm_why why = { "" };
    assert_int_equal(identity_load(path, &id, &why), error);
    assert_null(id);
    if (!strstr(why.text, words)) {
        fail_msg("'%s' does not say '%s'", why.text, words);
    }
    assert_null(strchr(why.text, '\n'));
}

static size_t entries(const char *folder)
{
    char command[SCRATCH_MAX + 16];
    int n = 0;
    FILE *f;
    snprintf(command, sizeof(command), "ls -A %s | wc -l", folder);
    f = popen(command, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%d", &n), 1);
    pclose(f);
    return (size_t)n;
}

static void test_create_and_load(void **state)
{
    struct place *p = *state;
    struct identity *id;
    struct rusm_identity_info info;
    struct rusm_why why;
    struct stat st;
    char year[16];
    time_t now = time(NULL);
    struct tm tm;
    create(p->path);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(entries(p->folder), 1); /* no temporary file is left */
    assert_int_equal(identity_load(p->path, &id, &why), 0);
    identity_describe(id, &info);
    assert_string_equal(info.path, p->path);
    assert_string_equal(info.subject, "CN=rusm cluster");
    assert_int_equal(strlen(info.fingerprint), 64);
    assert_int_equal(strspn(info.fingerprint, "0123456789abcdef"), 64);
    assert_string_equal(info.fingerprint, identity_fingerprint(id));
    gmtime_r(&now, &tm);
    snprintf(year, sizeof(year), "%d", tm.tm_year + 2000);
    assert_int_equal(strlen(info.not_after), 10);
    assert_int_equal(strncmp(info.not_after, year, 4), 0);
    identity_free(id);
    identity_free(NULL);
}

static void test_two_are_different(void **state)
{
    struct place *p = *state;
    struct identity *a, *b, *again;
    struct rusm_why why;
    char other[160];
    snprintf(other, sizeof(other), "%s/other.pem", p->folder);
    create(p->path);
    create(other);
    assert_int_equal(identity_load(p->path, &a, &why), 0);
    assert_int_equal(identity_load(other, &b, &why), 0);
    assert_int_equal(identity_load(p->path, &again, &why), 0);
    assert_string_not_equal(identity_fingerprint(a), identity_fingerprint(b));
    assert_string_equal(identity_fingerprint(a), identity_fingerprint(again));
    identity_free(a);
    identity_free(b);
    identity_free(again);
}

static void test_makes_the_folders(void **state)
{
    struct place *p = *state;
    char deep[160], folder[128];
    struct stat st;
    snprintf(folder, sizeof(folder), "%s/a/b", p->folder);
    snprintf(deep, sizeof(deep), "%s/a/b/cluster.pem", p->folder);
    create(deep);
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_never_over_another_file(void **state)
{
    struct place *p = *state;
    struct rusm_why why;
    char *text;
    write_file(p->path, "mine", 0600);
    assert_int_equal(identity_create(p->path, &why), RUSM_EEXIST);
    text = read_file(p->path);
    assert_string_equal(text, "mine");
    free(text);
    /* Does not write through a symbolic link to nothing. */
    assert_int_equal(unlink(p->path), 0);
    assert_int_equal(symlink("nowhere", p->path), 0);
    assert_int_equal(identity_create(p->path, &why), RUSM_EEXIST);
    assert_int_equal(entries(p->folder), 1);
}

static void test_cannot_write(void **state)
{
    struct rusm_why why;
    (void)state;
    assert_int_equal(identity_create("/proc/rusm/cluster.pem", &why), RUSM_EIO);
    assert_non_null(strstr(why.text, "/proc/rusm"));
}

#define RACERS 8

struct racer {
    pthread_t thread;
    const char *path;
    pthread_barrier_t *start;
    int error;
};

static void *race(void *context)
{
    struct racer *r = context;
    struct rusm_why why;
    pthread_barrier_wait(r->start);
    r->error = identity_create(r->path, &why);
    return NULL;
}

static void test_one_of_many_makers_wins(void **state)
{
    struct place *p = *state;
    struct racer racers[RACERS];
    pthread_barrier_t start;
    struct identity *id;
    struct rusm_why why;
    int won = 0;
    pthread_barrier_init(&start, NULL, RACERS);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){ .path = p->path, .start = &start };
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    for (int i = 0; i < RACERS; i++) {
        pthread_join(racers[i].thread, NULL);
        assert_true(racers[i].error == 0 || racers[i].error == RUSM_EEXIST);
        won += racers[i].error == 0;
    }
    pthread_barrier_destroy(&start);
    assert_int_equal(won, 1);
    assert_int_equal(identity_load(p->path, &id, &why), 0);
    identity_free(id);
    assert_int_equal(entries(p->folder), 1);
}

static void test_missing(void **state)
{
    struct place *p = *state;
    refused(p->path, RUSM_EREFUSED, "rusm cert new");
    refused(p->path, RUSM_EREFUSED, p->path);
    refused("/dev/null/x", RUSM_EREFUSED, "no identity");
}

static void test_readable_by_others(void **state)
{
    struct place *p = *state;
    char cure[256];
    struct identity *id;
    struct rusm_why why;
    const mode_t bad[] = { 0644, 0640, 0604, 0660, 0601, 0610 };
    create(p->path);
    snprintf(cure, sizeof(cure), "chmod 600 %s", p->path);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(chmod(p->path, bad[i]), 0);
        refused(p->path, RUSM_EREFUSED, cure);
    }
    assert_int_equal(chmod(p->path, 0400), 0);
    assert_int_equal(identity_load(p->path, &id, &why), 0);
    identity_free(id);
}

static void test_of_another_user(void **state)
{
    struct place *p = *state;
    create(p->path);
    if (chown(p->path, 12345, (gid_t)-1) != 0) {
        skip(); /* only root can give files away */
    }
    refused(p->path, RUSM_EREFUSED, "another user");
}

static void test_not_a_file(void **state)
{
    struct place *p = *state;
    refused(p->folder, RUSM_EREFUSED, "not a regular file");
    assert_int_equal(mkfifo(p->path, 0600), 0);
    refused(p->path, RUSM_EREFUSED, "not a regular file"); /* does not wait for a writer */
    refused("/dev/null", RUSM_EREFUSED, "not a regular file");
}

static void test_symbolic_link(void **state)
{
    struct place *p = *state;
    char link[160];
    struct identity *id;
    struct rusm_why why;
    snprintf(link, sizeof(link), "%s/link.pem", p->folder);
    create(p->path);
    assert_int_equal(symlink("cluster.pem", link), 0);
    assert_int_equal(identity_load(link, &id, &why), 0);
    identity_free(id);
    assert_int_equal(chmod(p->path, 0644), 0);
    refused(link, RUSM_EREFUSED, "chmod 600");
}

/* Appends the part of a PEM text from `from` to the next END line, inclusive. */
static void append_part(char *out, const char *pem, const char *from)
{
    const char *start = strstr(pem, from), *end = strstr(start, "-----END");
    assert_non_null(start);
    end = strchr(end, '\n') + 1;
    strncat(out, start, (size_t)(end - start));
}

static void test_malformed(void **state)
{
    struct place *p = *state;
    char other[160], mixed[8192] = "";
    char *a, *b, *at;
    snprintf(other, sizeof(other), "%s/other.pem", p->folder);
    create(p->path);
    create(other);
    a = read_file(p->path);
    b = read_file(other);

    write_file(p->path, "", 0600);
    refused(p->path, RUSM_EMALFORMED, "one certificate and one private key");
    write_file(p->path, "hello\n", 0600);
    refused(p->path, RUSM_EMALFORMED, "one certificate and one private key");
    /* The key alone, the certificate alone, a key and a certificate of different clusters, two
     * certificates. */
    append_part(mixed, a, "-----BEGIN EC PRIVATE KEY-----");
    write_file(p->path, mixed, 0600);
    refused(p->path, RUSM_EMALFORMED, "one certificate and one private key");
    append_part(mixed, b, "-----BEGIN CERTIFICATE-----");
    write_file(p->path, mixed, 0600);
    refused(p->path, RUSM_EMALFORMED, "does not belong");
    append_part(mixed, a, "-----BEGIN CERTIFICATE-----");
    write_file(p->path, mixed, 0600);
    refused(p->path, RUSM_EMALFORMED, "one certificate and one private key");
    mixed[0] = '\0';
    append_part(mixed, a, "-----BEGIN CERTIFICATE-----");
    write_file(p->path, mixed, 0600);
    refused(p->path, RUSM_EMALFORMED, "one certificate and one private key");
    /* A changed byte in the certificate breaks its signature or its form. */
    at = strstr(a, "-----BEGIN CERTIFICATE-----") + 200;
    *at = *at == 'A' ? 'B' : 'A';
    write_file(p->path, a, 0600);
    refused(p->path, RUSM_EMALFORMED, "certificate");
    free(a);
    free(b);
}

static time_t in_2060(time_t *t)
{
    if (t) {
        *t = 2840140800;
    }
    return 2840140800;
}

static time_t in_2020(time_t *t)
{
    if (t) {
        *t = 1577836800;
    }
    return 1577836800;
}

/* A clock that is wrong changes nothing: not whether it is taken, and not whether a signature must
 * be right. */
static void test_dates_do_not_count(void **state)
{
    static const wc_time_cb clocks[] = { in_2020, in_2060, NULL };
    struct place *p = *state;
    struct rusm_why why;
    for (size_t made = 0; made < 3; made++) {
        wc_SetTimeCb(clocks[made]);
        unlink(p->path);
        create(p->path);
        char *text = read_file(p->path);
        char *at = strstr(text, "-----END CERTIFICATE-----") - 12; /* in the signature */
        at -= *at == '\n';
        for (size_t used = 0; used < 3; used++) {
            struct identity *id;
            wc_SetTimeCb(clocks[used]);
            assert_int_equal(identity_load(p->path, &id, &why), 0);
            identity_free(id);
        }
        *at = *at == 'A' ? 'B' : 'A';
        write_file(p->path, text, 0600);
        for (size_t used = 0; used < 3; used++) {
            wc_SetTimeCb(clocks[used]);
            refused(p->path, RUSM_EMALFORMED, "must be self-signed");
        }
        free(text);
    }
    wc_SetTimeCb(NULL);
}

static void test_too_long(void **state)
{
    struct place *p = *state;
    create(p->path);
    assert_int_equal(truncate(p->path, 100000), 0);
    refused(p->path, RUSM_EMALFORMED, "too large");
}

static void test_derive(void **state)
{
    struct place *p = *state;
    struct identity *id, *other;
    struct rusm_why why;
    char path[160], long_text[600];
    uint8_t a[32], b[32];
    snprintf(path, sizeof(path), "%s/other.pem", p->folder);
    create(p->path);
    create(path);
    assert_int_equal(identity_load(p->path, &id, &why), 0);
    assert_int_equal(identity_load(path, &other, &why), 0);
    assert_int_equal(identity_derive(id, "reset", "london", a, sizeof(a)), 0);
    assert_int_equal(identity_derive(id, "reset", "london", b, sizeof(b)), 0);
    assert_memory_equal(a, b, sizeof(a));
    assert_int_equal(identity_derive(id, "reset", "tokyo", b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(identity_derive(id, "retry", "london", b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(identity_derive(id, "resetl", "ondon", b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    assert_int_equal(identity_derive(other, "reset", "london", b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
    memset(long_text, 'x', sizeof(long_text));
    long_text[sizeof(long_text) - 1] = '\0';
    assert_int_equal(identity_derive(id, "reset", long_text, b, sizeof(b)), RUSM_EIO);
    assert_int_equal(identity_derive(id, long_text, "london", b, sizeof(b)), RUSM_EIO);
    identity_free(id);
    identity_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_create_and_load, setup, teardown),
        cmocka_unit_test_setup_teardown(test_two_are_different, setup, teardown),
        cmocka_unit_test_setup_teardown(test_makes_the_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_over_another_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cannot_write, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_of_many_makers_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(test_missing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_readable_by_others, setup, teardown),
        cmocka_unit_test_setup_teardown(test_of_another_user, setup, teardown),
        cmocka_unit_test_setup_teardown(test_not_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_symbolic_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dates_do_not_count, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_long, setup, teardown),
        cmocka_unit_test_setup_teardown(test_derive, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
