/* cores: how many cores this process may keep busy: those that it may run on, or fewer if its
 * control group or one above it has a quota of CPU time (cgroups(7), version 1 or 2). The files are
 * read below a root folder, which is "" but in tests. */
#include "cmd.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

/* A mounted hierarchy of groups that may have quotas. */
struct cores_mount {
    const char *base;  /* the group that is mounted */
    const char *point; /* where */
    bool v2;
};

/* Where they usually are, if mountinfo cannot be read. */
static const struct cores_mount cores_usual[] = {
    { "/", "/sys/fs/cgroup", true },
    { "/", "/sys/fs/cgroup/unified", true },
    { "/", "/sys/fs/cgroup/cpu,cpuacct", false },
    { "/", "/sys/fs/cgroup/cpu", false },
};

/* Reads the first line of a file. Returns whether there is one. */
static bool cores_line(const char *folder, const char *name, char *line, size_t cap)
{
    char path[PATH_MAX];
    FILE *file = (size_t)snprintf(path, sizeof(path), "%s/%s", folder, name) < sizeof(path)
                     ? fopen(path, "re")
                     : NULL;
    bool there = file && fgets(line, (int)cap, file);

    if (file) {
        fclose(file);
    }
    return there;
}

static uint64_t cores_ceil(long long quota, long long period)
{
    return quota <= 0 || period <= 0 ? UINT64_MAX : (uint64_t)((quota - 1) / period) + 1;
}

/* Returns the quota of one group in cores, rounded up. UINT64_MAX: it has none. */
static uint64_t cores_group(const char *folder, bool v2)
{
    char quota[64], period[64];

    if (v2) { /* "QUOTA PERIOD" or "max PERIOD" */
        char *end;
        long long max;
        if (!cores_line(folder, "cpu.max", quota, sizeof(quota))) {
            return UINT64_MAX;
        }
        max = strtoll(quota, &end, 10);
        return end == quota ? UINT64_MAX : cores_ceil(max, strtoll(end, NULL, 10));
    }
    if (!cores_line(folder, "cpu.cfs_quota_us", quota, sizeof(quota)) ||
        !cores_line(folder, "cpu.cfs_period_us", period, sizeof(period))) {
        return UINT64_MAX;
    }
    return cores_ceil(strtoll(quota, NULL, 10), strtoll(period, NULL, 10));
}

/* Returns the least quota of the group BASE/GROUP and of those above it, up to BASE. */
static uint64_t cores_climb(const char *root, const char *base, const char *group, bool v2)
{
    size_t least = strlen(root) + strlen(base);
    uint64_t cores = UINT64_MAX;
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s%s%s", root, base, group) >= sizeof(path)) {
        return UINT64_MAX;
    }
    for (;;) {
        uint64_t quota = cores_group(path, v2);
        char *slash = strrchr(path, '/');
        cores = quota < cores ? quota : cores;
        if (!slash || slash < path + least) {
            return cores;
        }
        *slash = '\0';
    }
}

/* Returns whether a list such as "rw,cpu,cpuacct" has the word "cpu". */
static bool cores_has_cpu(const char *list)
{
    for (const char *at = list; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, "cpu", 3) == 0 && (at[3] == ',' || at[3] == '\0')) {
            return true;
        }
    }
    return false;
}

/* Gives the path of our group in the hierarchy, from lines "NUMBER:CONTROLLERS:PATH". Returns
 * whether there is one. */
static bool cores_own(const char *root, bool v2, char *group, size_t cap)
{
    char *line = NULL, path[PATH_MAX];
    size_t size = 0;
    bool found = false;
    FILE *file;

    snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    file = fopen(path, "re");
    while (file && !found && getline(&line, &size, file) > 0) {
        char *list = strchr(line, ':'), *name = list ? strchr(list + 1, ':') : NULL;
        if (name) {
            *name++ = '\0';
            name[strcspn(name, "\n")] = '\0';
            found = (v2 ? strcmp(line, "0:") == 0 : cores_has_cpu(list + 1)) && strlen(name) < cap;
        }
        if (found) {
            strcpy(group, strcmp(name, "/") == 0 ? "" : name);
        }
    }
    if (file) {
        fclose(file);
    }
    free(line);
    return found;
}

/* Turns the \040 of a path in mountinfo into the byte it stands for. */
static void cores_unescape(char *text)
{
    char *to = text;

    while (*text) {
        unsigned byte;
        if (text[0] == '\\' && sscanf(text + 1, "%3o", &byte) == 1 && strlen(text) >= 4) {
            *to++ = (char)byte;
            text += 4;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

/* Reads a line "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [FIELD]... - TYPE SOURCE OPTIONS" of
 * mountinfo. Returns whether the mount may have quotas. *mount points into line. */
static bool cores_mount(char *line, struct cores_mount *mount)
{
    char *word[5], *save, *type, *options;

    for (size_t i = 0; i < 5; i++) {
        word[i] = strtok_r(i == 0 ? line : NULL, " \n", &save);
        if (!word[i]) {
            return false;
        }
    }
    do {
        type = strtok_r(NULL, " \n", &save);
    } while (type && strcmp(type, "-") != 0);
    type = type ? strtok_r(NULL, " \n", &save) : NULL;
    options = type && strtok_r(NULL, " \n", &save) ? strtok_r(NULL, " \n", &save) : NULL;
    cores_unescape(word[3]);
    cores_unescape(word[4]);
    *mount = (struct cores_mount){ .base = word[3],
                                   .point = word[4],
                                   .v2 = type && strcmp(type, "cgroup2") == 0 };
    return mount->v2 || (type && options && strcmp(type, "cgroup") == 0 && cores_has_cpu(options));
}

/* The least quotas of one version: of mounts that show our own group, and of the others. */
struct cores_seen {
    bool own;
    uint64_t least[2];
};

/* Takes the quota that is seen at a mount. If our group is not below what is mounted, as happens in
 * containers, the mount point stands for it. */
static void cores_see(const char *root, const struct cores_mount *mount, struct cores_seen *seen)
{
    size_t len = strcmp(mount->base, "/") == 0 ? 0 : strlen(mount->base);
    const char *point = strcmp(mount->point, "/") == 0 ? "" : mount->point;
    char group[PATH_MAX];
    uint64_t quota;
    bool own = cores_own(root, mount->v2, group, sizeof(group)) && !strstr(group, "/..") &&
               strncmp(group, mount->base, len) == 0 && (group[len] == '/' || group[len] == '\0');

    seen += mount->v2;
    quota = cores_climb(root, point, own ? group + len : "", mount->v2);
    seen->own |= own;
    seen->least[own] = quota < seen->least[own] ? quota : seen->least[own];
}

uint64_t cores_quota(const char *root)
{
    struct cores_seen seen[2] = { { false, { UINT64_MAX, UINT64_MAX } },
                                  { false, { UINT64_MAX, UINT64_MAX } } };
    char *line = NULL, path[PATH_MAX];
    struct cores_mount mount;
    uint64_t v1, v2;
    size_t size = 0;
    FILE *file;

    snprintf(path, sizeof(path), "%s/proc/self/mountinfo", root);
    file = fopen(path, "re");
    while (file && getline(&line, &size, file) > 0) {
        if (cores_mount(line, &mount)) {
            cores_see(root, &mount, seen);
        }
    }
    free(line);
    if (file) {
        fclose(file);
    } else {
        for (size_t i = 0; i < sizeof(cores_usual) / sizeof(cores_usual[0]); i++) {
            cores_see(root, &cores_usual[i], seen);
        }
    }
    v1 = seen[0].least[seen[0].own];
    v2 = seen[1].least[seen[1].own];
    return v1 < v2 ? v1 : v2;
}

/* Returns the number of cores that this process may run on. The kernel refuses a set that is
 * smaller than its own. */
static uint64_t cores_affinity(void)
{
    for (size_t most = CPU_SETSIZE; most <= (size_t)CPU_SETSIZE * 64; most *= 2) {
        cpu_set_t *set = CPU_ALLOC(most);
        int error = !set || sched_getaffinity(0, CPU_ALLOC_SIZE(most), set) != 0 ? errno : 0;
        int count = error ? 0 : CPU_COUNT_S(CPU_ALLOC_SIZE(most), set);
        CPU_FREE(set);
        if (error != EINVAL) {
            return count > 0 ? (uint64_t)count : 1;
        }
    }
    return 1;
}

uint64_t cores_usable(uint64_t most)
{
    uint64_t cores = cores_affinity(), quota = cores_quota("");

    cores = quota < cores ? quota : cores;
    return cores < most ? cores : most;
}
