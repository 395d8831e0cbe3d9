/* identity_path: the public functions on identity files. They find the file, make one or show one.
 * quic/identity does the work. The file calls block. Any thread. */
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"
#include "quic/identity.h"
#include "rusm.h"

/* Copies $HOME or, without it, the home folder from the user database. Returns 0, or RUSM_EINVAL if
 * there is neither or the path is too long. */
static int home_find(char *home, size_t cap)
{
    const char *set = getenv("HOME");
    struct passwd entry, *found = NULL;
    char text[4096];

    if (!set || !set[0]) {
        getpwuid_r(geteuid(), &entry, text, sizeof(text), &found);
        set = found ? found->pw_dir : NULL;
    }
    int n = set && set[0] ? snprintf(home, cap, "%s", set) : -1;
    return n >= 0 && (size_t)n < cap ? 0 : RUSM_EINVAL;
}

int rusm_identity_path(const char *given, char *path, size_t cap)
{
    const char *config = getenv("XDG_CONFIG_HOME");
    char home[4096];
    int n;

    if (!given || !given[0]) {
        given = getenv("RUSM_IDENTITY");
    }
    if (given && given[0]) {
        n = snprintf(path, cap, "%s", given);
    } else if (config && config[0] == '/') {
        n = snprintf(path, cap, "%s/rusm/cluster.pem", config);
    } else if (home_find(home, sizeof(home)) == 0) {
        n = snprintf(path, cap, "%s/.config/rusm/cluster.pem", home);
    } else {
        n = -1;
    }
    return n >= 0 && (size_t)n < cap ? 0 : RUSM_EINVAL;
}

int rusm_identity_show(const char *path, struct rusm_identity_info *info, struct rusm_why *why)
{
    struct identity *identity;
    int error = identity_load(path, &identity, why);

    if (!error) {
        identity_describe(identity, info);
        identity_free(identity);
    }
    return error;
}

int rusm_identity_new(const char *path, struct rusm_identity_info *info, struct rusm_why *why)
{
    int error = identity_create(path, why);

    return error ? error : rusm_identity_show(path, info, why);
}
