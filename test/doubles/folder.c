#include "doubles/folder.h"

int folder_setup(void **state)
{
    struct folder *f = calloc(1, sizeof(*f));

    if (!f) {
        return -1;
    }
    *state = f;
    return scratch_make(f->path) ? 0 : -1;
}

int folder_teardown(void **state)
{
    struct folder *f = *state;
    char command[SCRATCH_MAX + 16];

    snprintf(command, sizeof(command), "rm -rf %s", f->path);
    int status = system(command);
    free(f);
    return status;
}

char *folder_path(const struct folder *f, const char *name, char path[256])
{
    snprintf(path, 256, "%s/%s", f->path, name);
    return path;
}

int folder_write(const struct folder *f, const char *name, const void *data, size_t len)
{
    char path[256];
    int fd = open(folder_path(f, name, path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ssize_t n = fd < 0 ? -1 : write(fd, data, len);

    if (fd >= 0) {
        close(fd);
    }
    return n == (ssize_t)len ? 0 : -1;
}
