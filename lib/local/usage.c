/* usage: see the header. */
#include "local/usage.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static uint64_t usage_cpu_ms(void)
{
    struct rusage used;

    if (getrusage(RUSAGE_SELF, &used) != 0) {
        return 0;
    }
    return (uint64_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000 +
           (uint64_t)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1000;
}

/* The second number of statm is in pages. */
static uint64_t usage_memory(void)
{
    char text[128];
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

    if (fd >= 0) {
        close(fd);
    }
    if (n <= 0) {
        return 0;
    }
    text[n] = '\0';
    const char *resident = strchr(text, ' ');
    return resident ? strtoull(resident, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* Linux has the number as the size of the folder since 6.2. Before, its entries are counted, and
 * three of them are not ours: ".", "..", and the folder's own descriptor. */
static uint64_t usage_descriptors(void)
{
    struct stat is;
    DIR *folder;
    uint64_t count = 0;

    if (stat("/proc/self/fd", &is) == 0 && is.st_size > 0) {
        return (uint64_t)is.st_size;
    }
    folder = opendir("/proc/self/fd");
    if (!folder) {
        return 0;
    }
    while (readdir(folder)) {
        count++;
    }
    closedir(folder);
    return count > 3 ? count - 3 : 0;
}

void usage_now(struct usage *u)
{
    struct rlimit most = { 0 };

    *u = (struct usage){
        .cpu_ms = usage_cpu_ms(),
        .memory = usage_memory(),
        .descriptors = usage_descriptors(),
    };
    if (getrlimit(RLIMIT_NOFILE, &most) == 0) {
        u->descriptors_max = most.rlim_cur;
    }
}
