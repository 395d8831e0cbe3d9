/* victim: a real node in a process of its own, which hostile tests do their worst to, and a client
 * of it that must be answered all the time. The process's memory and its exit status are looked
 * at: a crash, a leak or a sanitizer's report fails the test that it happens in. */
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
#define VICTIM_SANITIZED 1 /* slower, and what is freed stays in memory for a while */
#else
#define VICTIM_SANITIZED 0
#endif

/* The well-behaved client is answered within this, whatever goes on: by the time that the node's
 * process has had of a processor, as others may want those too; and it is answered at all. */
#define VICTIM_ANSWER_MS (VICTIM_SANITIZED ? 10000u : 1000u)
#define VICTIM_PATIENCE_MS 60000u

struct victim_time {
    uint64_t ms, cpu_ms;
};

/* One more client, on a thread of its own, that calls all the time. */
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

/* It was answered all the time. */
void bystander_stop(struct victim *v, const char *what);

void victim_free(struct victim *v);

/* It must still be there, and leave without a complaint. */
int victim_teardown(void **state);

/* A call to echo, answered in time. */
void victim_alive(const struct victim *v);

/* ---- figures ---- */

/* The most resident memory that it ever had. */
long victim_peak_kib(const struct victim *v);

/* Its memory has never grown by more than `kib` since the peak was `before`. */
void victim_grew(const struct victim *v, long before, long kib, const char *what);

struct victim_row {
    const char *counter;
    uint64_t value;
};

/* One of the node's counters, as `attach --counters` shows it. */
uint64_t victim_counter(const struct victim *v, const char *counter);

/* The node counts so many, in time: what was sent may be lost once and be on its way again. */
void victim_counts(const struct victim *v, const char *counter, uint64_t want);

#define VICTIM_TEST(name) cmocka_unit_test_setup_teardown(name, victim_setup, victim_teardown)

#endif
