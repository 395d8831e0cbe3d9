/* notify: tells systemd, or who else speaks sd_notify(3), how the node is: one datagram a state, to
 * the socket that NOTIFY_SOCKET names. If nobody named one, nothing is told. Any thread. */
#include "cmd.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* Does not wait: a manager that reads nothing must not hold up the node. */
static void notify_send(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t len = path ? strlen(path) : 0;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
    int fd;

    if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@')) {
        return;
    }
    memcpy(to.sun_path, path, len);
    if (path[0] == '@') {
        to.sun_path[0] = '\0'; /* an abstract socket */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return;
    }
    while (sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
                  size) < 0 &&
           errno == EINTR) {}
    close(fd);
}

static void notify_life(void *context, enum rusm_life life)
{
    (void)context;
    notify_send(life == RUSM_LIFE_RUNS ? "WATCHDOG=1" : "STOPPING=1\nSTATUS=leaving");
}

void notify_watch(struct rusm_node_options *how)
{
    const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    long whose = pid ? strtol(pid, NULL, 10) : getpid();
    uint64_t ms;

    if (!getenv("NOTIFY_SOCKET")) {
        return;
    }
    how->life = notify_life;
    if (!usec || (whose != getpid() && whose != getppid())) {
        return;
    }
    ms = strtoull(usec, NULL, 10) / 2000;
    if (ms > 0) {
        how->alive_ms = ms < UINT32_MAX ? (uint32_t)ms : UINT32_MAX;
    }
}

void notify_ready(const struct rusm_node *node)
{
    char text[256];

    snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\nSTATUS=%s ready at %s", (long)getpid(),
             rusm_node_name(node), rusm_node_address(node));
    notify_send(text);
}

void notify_reloading(void)
{
    struct timespec now;
    char text[96];

    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    notify_send(text);
}
