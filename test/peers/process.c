/* process: the drivers' processes: workers and a server in the middle are children of the hub, end
 * when it does, and count in its CPU time. */
#include "peer.h"

#include <err.h>
#include <inttypes.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

pid_t peer_fork(struct peer_run *r)
{
    pid_t pid = r->pids < PEER_PROCESSES ? fork() : -1;

    if (pid < 0) {
        err(1, "fork");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        return 0;
    }
    r->pid[r->pids++] = pid;
    return pid;
}

void peer_ready(int ready, uint16_t port)
{
    if (write(ready, &port, sizeof(port)) != sizeof(port)) {
        err(1, "worker");
    }
    close(ready);
}

void process_start(struct peer_run *r, const struct peer *peer)
{
    for (uint32_t i = 0; i < r->workers; i++) {
        int end[2];
        if (pipe(end) != 0) {
            err(1, "pipe");
        }
        if (peer_fork(r) == 0) {
            close(end[0]);
            peer->work(r, i, end[1]);
            _exit(1);
        }
        close(end[1]);
        if (read(end[0], &r->port[i], sizeof(r->port[i])) != sizeof(r->port[i])) {
            errx(1, "worker %u did not start", i);
        }
        close(end[0]);
    }
}

uint64_t process_cpu_ns(const struct peer_run *r)
{
    uint64_t total = clock_ns(CLOCK_PROCESS_CPUTIME_ID);

    for (size_t i = 0; i < r->pids; i++) {
        clockid_t clock;
        if (clock_getcpuclockid(r->pid[i], &clock) == 0) {
            total += clock_ns(clock);
        }
    }
    return total;
}

uint64_t process_peak_kib(void)
{
    char line[256];
    uint64_t kib = 0;
    FILE *f = fopen("/proc/self/status", "r");

    while (f && fgets(line, sizeof(line), f) && sscanf(line, "VmHWM: %" SCNu64, &kib) != 1) {}
    if (f) {
        fclose(f);
    }
    return kib;
}

void process_stop(struct peer_run *r)
{
    while (r->pids-- > 0) { /* a server last */
        kill(r->pid[r->pids], SIGKILL);
        waitpid(r->pid[r->pids], NULL, 0);
    }
}
