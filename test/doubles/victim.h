/* victim: a real node in a process of its own, which hostile tests attack, and a client that the
 * node must answer all the time. The tests look at the process's memory and exit status. A crash, a
 * leak or a sanitizer's report fails the test in which it happens. */
#ifndef DOUBLES_VICTIM_H
#define DOUBLES_VICTIM_H

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <cmocka.h>
#include "doubles/folder.h"
#include "rusm.h"

#if defined(__SANITIZE_ADDRESS__)
#define VICTIM_SANITIZED 1 /* slower, and freed memory is kept for a while */
#else
#define VICTIM_SANITIZED 0
#endif

/* The node must answer the well-behaved client within this, whatever else happens. The time is the
 * processor time of the node's process, because other processes may need the processor too.
 * VICTIM_PATIENCE_MS is how long the answer may take by the clock. */
#define VICTIM_ANSWER_MS (VICTIM_SANITIZED ? 10000u : 1000u)
#define VICTIM_PATIENCE_MS 60000u

struct victim_time {
    uint64_t ms, cpu_ms;
};

/* One more client, on a thread of its own, which calls all the time. */
struct bystander {
    const struct victim *victim;
    struct rusm_client *client;
    pthread_t thread;
    atomic_bool enough;
    bool running;
    unsigned calls, failures;
    struct victim_time worst;
    struct rusm_why why;
};

struct victim {
    struct folder *folder;
    char rundir[96], identity[96], address[80];
    pid_t pid;
    struct rusm_client *client;
    struct bystander bystander;
};

uint64_t victim_ms(void);

struct victim_time victim_time(const struct victim *v);

struct victim_time victim_since(const struct victim *v, struct victim_time since);

void victim_in_time(struct victim_time took);

struct victim *victim_new(void);

int victim_open(const struct victim *v, struct rusm_client **client, struct rusm_why *why);

int victim_setup(void **state);

/* ---- the bystander ---- */

void bystander_start(struct victim *v);

/* Ends the bystander. Fails unless the node answered it all the time. */
void bystander_stop(struct victim *v, const char *what);

void victim_free(struct victim *v);

/* Ends the node. Fails unless it still runs and exits without a complaint. */
int victim_teardown(void **state);

/* Calls echo, and fails unless the answer comes in time. */
void victim_alive(const struct victim *v);

/* ---- figures ---- */

/* Returns the process's peak resident memory in KiB. */
long victim_peak_kib(const struct victim *v);

/* Fails if the peak memory has grown by more than `kib` since it was `before`. */
void victim_grew(const struct victim *v, long before, long kib, const char *what);

struct victim_row {
    const char *counter;
    uint64_t value;
};

/* Returns one of the node's counters, as `attach --counters` shows it. */
uint64_t victim_counter(const struct victim *v, const char *counter);

/* Waits until the node's counter is at least `want`, and fails unless it is `want`. A lost packet
 * is sent again, so this may take a while. */
void victim_counts(const struct victim *v, const char *counter, uint64_t want);

#define VICTIM_TEST(name) cmocka_unit_test_setup_teardown(name, victim_setup, victim_teardown)

#endif
