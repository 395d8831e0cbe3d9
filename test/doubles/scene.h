/* scene: for tests of clients: a node on a thread of its own, and a client of the node. */
#ifndef DOUBLES_SCENE_H
#define DOUBLES_SCENE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/stat.h>
#include <cmocka.h>
#include "doubles/folder.h"
#include "rusm.h"

#define MAILBOX 8

/* ---- behaviours ---- */

extern const struct rusm_behaviour stuck;

extern const struct rusm_behaviour broken;

/* ---- a node and its client ---- */

struct scene {
    struct folder *folder;
    char rundir[96], identity[96];
    struct rusm_node *node;
    pthread_t thread;
    int null_fd;
    const char *token; /* the token of HTTP clients; NULL: no HTTP */
    struct rusm_client *client;
    struct rusm_why why;
};

void *node_thread(void *node);

void node_start(struct scene *s);

void node_stop(struct scene *s);

int open_with(struct scene *s, const char *node, const char *identity, uint32_t timeout_ms,
              struct rusm_client **client);

int setup_with(void **state, const char *token);

int setup(void **state);

int teardown(void **state);

#define expect_error(s, operation, error, part)                          \
    do {                                                                 \
        (s)->why.text[0] = '\0';                                         \
        int failed_ = (operation);                                       \
        if (failed_ != (error) || !strstr((s)->why.text, part)) {        \
            fail_msg("%d '%s', not '%s'", failed_, (s)->why.text, part); \
        }                                                                \
    } while (0)

#define expect_done(s, operation)                      \
    do {                                               \
        (s)->why.text[0] = '\0';                       \
        int failed_ = (operation);                     \
        if (failed_ != 0) {                            \
            fail_msg("%d %s", failed_, (s)->why.text); \
        }                                              \
    } while (0)

int call(struct scene *s, struct rusm_client *c, const char *process);

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
