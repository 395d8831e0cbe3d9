/* quic_pair: endpoints for tests, on real sockets, driven in one thread. A `side` records what its
 * endpoint reports, gives credit, and sends what its streams are told to send. A `pair` is two
 * sides. */
#ifndef DOUBLES_QUIC_PAIR_H
#define DOUBLES_QUIC_PAIR_H

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "doubles/scratch.h"
#include "quic/endpoint.h"

#define SIDE_STREAMS 4096
#define SIDE_MS ((uint64_t)1000000)

struct side_stream {
    int64_t id;
    const uint8_t *data; /* to send; NULL: nothing */
    size_t len, at, acked;
    bool fin, fin_sent, blocked, closed, opened;
    bool stopped, reset;
    uint64_t stop_code, reset_code;
    size_t got;
    bool got_fin;
    bool garbled; /* a byte was not the one that side_byte gives */
};

struct side {
    struct endpoint *e;
    struct endpoint_options options;
    struct conn *c; /* the last one that an upcall named */
    size_t readies, closes, refusals, available, pulls;
    struct conn_end end;
    char refused_text[160];
    struct side_stream *streams;
    size_t count;
    size_t piece;           /* bytes offered in one pull; 0: all that is left */
    bool hold_credit;       /* do not extend streams as data arrives */
    uint64_t close_on_data; /* conn_close with this code from within stream_data */
};

struct side_stream *side_find(struct side *s, int64_t id);

extern const struct endpoint_events side_events;

struct endpoint_options side_options(const struct identity *id, bool accept);

/* Starts a side. It binds to 127.0.0.1 unless the options say where. Port 0 is any port. */
void side_start(struct side *s, const struct endpoint_options *options, uint16_t port);

void side_stop(struct side *s);

uint16_t side_port(const struct side *s);

struct conn *side_dial(struct side *s, const struct side *to);

/* Runs one tick of both sides. Sleeps up to `ms` milliseconds if there was nothing to do. */
void side_tick(struct side *a, struct side *b, int ms);

/* Ticks until the condition holds. Fails after 60 seconds. */
#define side_until(a, b, condition)                                \
    do {                                                           \
        uint64_t give_up_ns = endpoint_now_ns() + 60000 * SIDE_MS; \
        while (!(condition)) {                                     \
            if (endpoint_now_ns() > give_up_ns)                    \
                fail_msg("never: %s", #condition);                 \
            side_tick(a, b, 1);                                    \
        }                                                          \
    } while (0)

void side_for(struct side *a, struct side *b, uint64_t ms);

void side_connect(struct side *a, struct side *b);

/* Opens a unidirectional stream that sends `len` patterned bytes and FIN. */
struct side_stream *side_send(struct side *s, const uint8_t *data, size_t len);

uint8_t *side_pattern(size_t len);

/* Makes a new identity in a folder of its own. */
struct identity *side_identity(void);

/* ---- two connected sides ---- */

extern struct identity *identity;

struct side_pair {
    struct side a, b; /* a dials b */
};

/* Makes the program's identity. pair_no_identity frees it. */
int pair_identity(void **state);

int pair_no_identity(void **state);

int pair_setup(void **state);

int pair_teardown(void **state);

#endif
