/* udpfloor: what this machine can do at all: 64 bytes over UDP there and back between two processes
 * on loopback, one in flight. Busy: both ask the socket again and again, each on a CPU of its own;
 * sleeping: both wait in epoll, on two CPUs and on one. Prints one line of JSON. */
#include "bench.h"

#include <err.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SIZE 64

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void floor_pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set) != 0) {
        err(1, "cpu %d", cpu);
    }
}

static int floor_socket(struct sockaddr_in *at)
{
    socklen_t size = sizeof(*at);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    *at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || bind(fd, (struct sockaddr *)at, size) != 0 ||
        getsockname(fd, (struct sockaddr *)at, &size) != 0) {
        err(1, "socket");
    }
    return fd;
}

static int floor_epoll(int fd)
{
    int ep = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN };

    if (ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event) != 0) {
        err(1, "epoll");
    }
    return ep;
}

/* One datagram; ep < 0: busy. */
static void floor_receive(int fd, int ep, char *data)
{
    struct epoll_event event;

    while (recv(fd, data, SIZE, 0) != SIZE) {
        if (ep >= 0) {
            epoll_wait(ep, &event, 1, -1);
        }
    }
}

static void floor_send(int fd, const char *data)
{
    if (send(fd, data, SIZE, 0) != SIZE) {
        err(1, "send");
    }
}

static void floor_run(const char *name, bool busy, int cpu, int other_cpu, uint32_t probes)
{
    struct sockaddr_in here, there;
    int fd = floor_socket(&here), other = floor_socket(&there);
    char data[SIZE] = "";
    static struct histogram rtt;

    if (connect(fd, (struct sockaddr *)&there, sizeof(there)) != 0 ||
        connect(other, (struct sockaddr *)&here, sizeof(here)) != 0) {
        err(1, "connect");
    }
    pid_t pid = fork();
    if (pid < 0) {
        err(1, "fork");
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        floor_pin(other_cpu);
        for (int ep = busy ? -1 : floor_epoll(other);;) {
            floor_receive(other, ep, data);
            floor_send(other, data);
        }
    }
    floor_pin(cpu);
    int ep = busy ? -1 : floor_epoll(fd);
    histogram_clear(&rtt);
    for (uint32_t i = 0; i < BENCH_WARMUP + probes; i++) {
        uint64_t then = now_ns();
        floor_send(fd, data);
        floor_receive(fd, ep, data);
        if (i >= BENCH_WARMUP) {
            histogram_add(&rtt, now_ns() - then);
        }
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    printf(",\"%s\":{\"p50\":%.6g,\"p99\":%.6g,\"samples\":%u}", name, histogram_us(&rtt, 0.5),
           histogram_us(&rtt, 0.99), probes);
    close(fd);
    close(other);
    close(ep);
}

int main(void)
{
    cpu_set_t set;
    int cpu[2] = { 0, 0 }, cpus = 0;

    if (sched_getaffinity(0, sizeof(set), &set) != 0) {
        err(1, "sched_getaffinity");
    }
    for (int i = 0; i < CPU_SETSIZE && cpus < 2; i++) {
        if (CPU_ISSET((size_t)i, &set)) {
            cpu[cpus++] = i;
        }
    }
    printf("{\"peer\":\"udpfloor\",\"bench\":\"floor\",\"payload\":%d", SIZE);
    fflush(stdout); /* before there are children */
    if (cpus == 2) {
        floor_run("busy", true, cpu[0], cpu[1], 10 * BENCH_PROBES);
        floor_run("sleeping", false, cpu[0], cpu[1], BENCH_PROBES);
    }
    floor_run("sleeping_one_cpu", false, cpu[0], cpu[0], BENCH_PROBES);
    puts("}");
    return 0;
}
