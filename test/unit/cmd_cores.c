/* cmd/cores: quotas of control groups, from files as the kernel shows them. */
#include "../../cmd/cores.c"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "doubles/folder.h"

#define NO_QUOTA UINT64_MAX
#define V2 "30 22 0:27 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1 "33 32 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
#define OTHERS                                       \
    "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n" \
    "31 32 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"

static void put(const struct folder *f, const char *name, const char *text)
{
    char path[256];

    folder_path(f, name, path);
    for (char *at = path + strlen(f->path) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        (void)mkdir(path, 0700);
        *at = '/';
    }
    assert_int_equal(folder_write(f, name, text, strlen(text)), 0);
}

static void place(const struct folder *f, const char *mounts, const char *groups)
{
    put(f, "proc/self/mountinfo", mounts);
    put(f, "proc/self/cgroup", groups);
}

static void quota_v1(const struct folder *f, const char *folder, const char *quota)
{
    char name[200];

    snprintf(name, sizeof(name), "sys/fs/cgroup/%s/cpu.cfs_quota_us", folder);
    put(f, name, quota);
    snprintf(name, sizeof(name), "sys/fs/cgroup/%s/cpu.cfs_period_us", folder);
    put(f, name, "100000\n");
}

static void test_none(void **state)
{
    const struct folder *f = *state;

    assert_int_equal(cores_quota(f->path), NO_QUOTA);
    place(f, OTHERS, "0::/\n");
    assert_int_equal(cores_quota(f->path), NO_QUOTA);
    place(f, "nonsense\n\n1 2 3 / \n1 2 3 / /x rw -\n", "0:\n:::\nnonsense\n");
    assert_int_equal(cores_quota(f->path), NO_QUOTA);
    assert_true(cores_usable(64) >= 1);
    assert_int_equal(cores_usable(1), 1);
}

static void test_v2(void **state)
{
    static const struct {
        const char *max;
        uint64_t cores;
    } cases[] = { { "max 100000\n", NO_QUOTA }, { "50000 100000\n", 1 },
                  { "100000 100000\n", 1 },     { "100001 100000\n", 2 },
                  { "1000 100000\n", 1 },       { "250000 100000\n", 3 },
                  { "20000 10000\n", 2 },       { "nonsense\n", NO_QUOTA },
                  { "5\n", NO_QUOTA },          { "", NO_QUOTA },
                  { "10000 0\n", NO_QUOTA } };
    const struct folder *f = *state;

    place(f, OTHERS V2, "0::/system.slice/rusm.service\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(f, "sys/fs/cgroup/system.slice/rusm.service/cpu.max", cases[i].max);
        assert_int_equal(cores_quota(f->path), cases[i].cores);
    }
}

static void test_parents(void **state)
{
    const struct folder *f = *state;

    place(f, V2, "0::/a.slice/b.slice/c\n");
    put(f, "sys/fs/cgroup/a.slice/b.slice/c/cpu.max", "400000 100000\n");
    put(f, "sys/fs/cgroup/a.slice/cpu.max", "150000 100000\n");
    assert_int_equal(cores_quota(f->path), 2);
    put(f, "sys/fs/cgroup/a.slice/b.slice/cpu.max", "max 100000\n");
    assert_int_equal(cores_quota(f->path), 2);
    place(f, V1, "5:cpuset:/\n4:cpu,cpuacct:/x/y\n0::/elsewhere\n");
    quota_v1(f, "cpu,cpuacct/x", "300000\n");
    quota_v1(f, "cpu,cpuacct/x/y", "-1\n");
    quota_v1(f, "cpu,cpuacct", "-1\n");
    assert_int_equal(cores_quota(f->path), 3);
}

static void test_v1(void **state)
{
    const struct folder *f = *state;

    place(f, OTHERS V1, "6:cpuset,cpuacct:/no\n4:cpu,cpuacct:/docker/1\n");
    quota_v1(f, "cpu,cpuacct/docker/1", "50000\n");
    quota_v1(f, "cpu,cpuacct/no", "900000\n");
    assert_int_equal(cores_quota(f->path), 1);
    quota_v1(f, "cpu,cpuacct/docker/1", "200001\n");
    assert_int_equal(cores_quota(f->path), 3);
    quota_v1(f, "cpu,cpuacct/docker/1", "-1\n");
    assert_int_equal(cores_quota(f->path), NO_QUOTA);
}

/* Both versions are mounted, and the least counts. */
static void test_hybrid(void **state)
{
    const struct folder *f = *state;

    place(f, V1 "40 32 0:37 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
          "1:cpu:/g\n0::/g\n");
    quota_v1(f, "cpu,cpuacct/g", "500000\n");
    assert_int_equal(cores_quota(f->path), 5);
    put(f, "sys/fs/cgroup/unified/g/cpu.max", "200000 100000\n");
    assert_int_equal(cores_quota(f->path), 2);
}

/* In a container: its own group is mounted, with and without a namespace of groups. */
static void test_namespaces(void **state)
{
    const struct folder *f = *state;

    put(f, "sys/fs/cgroup/cpu.max", "150000 100000\n");
    place(f, V2, "0::/\n");
    assert_int_equal(cores_quota(f->path), 2);
    place(f, "30 22 0:27 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "0::/docker/1\n");
    assert_int_equal(cores_quota(f->path), 2);
    place(f, V2, "0::/../../kubepods/pod1\n");
    assert_int_equal(cores_quota(f->path), 2);
    place(f, "30 22 0:27 /../.. /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "0::/\n");
    assert_int_equal(cores_quota(f->path), 2);
    place(f, "30 22 0:27 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro\n", "0::/docker/12\n");
    assert_int_equal(cores_quota(f->path), 2);
    put(f, "sys/fs/cgroup/inner/cpu.max", "50000 100000\n");
    place(f, "30 22 0:27 /docker/1 /sys/fs/cgroup ro - cgroup2 cgroup ro\n",
          "0::/docker/1/inner\n");
    assert_int_equal(cores_quota(f->path), 1);
}

static void test_mount_points(void **state)
{
    const struct folder *f = *state;

    put(f, "my groups/g/cpu.max", "250000 100000\n");
    place(f, "30 22 0:27 / /my\\040groups rw - cgroup2 cgroup2 rw\n", "0::/g\n");
    assert_int_equal(cores_quota(f->path), 3);
}

/* A mount of somebody else's group says nothing where our own can be seen. */
static void test_foreign(void **state)
{
    const struct folder *f = *state;

    put(f, "sys/fs/cgroup/g/cpu.max", "300000 100000\n");
    put(f, "other/cpu.max", "50000 100000\n");
    place(f, "29 22 0:27 /docker/1 /other rw - cgroup2 cgroup2 rw\n" V2, "0::/g\n");
    assert_int_equal(cores_quota(f->path), 3);
}

/* Without mountinfo, at the usual places. */
static void test_usual(void **state)
{
    const struct folder *f = *state;

    put(f, "proc/self/cgroup", "3:cpu:/g\n0::/g\n");
    quota_v1(f, "cpu/g", "300000\n");
    assert_int_equal(cores_quota(f->path), 3);
    put(f, "sys/fs/cgroup/g/cpu.max", "200000 100000\n");
    assert_int_equal(cores_quota(f->path), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_none),         TEST(test_v2),     TEST(test_parents),
        TEST(test_v1),           TEST(test_hybrid), TEST(test_namespaces),
        TEST(test_mount_points), TEST(test_usual),  TEST(test_foreign),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
