/* peer_raw: a peer of a host that says what a test tells it to, byte by byte. A `duo` is two hosts,
 * or a host and such a peer, as most tests of the peer room need them. */
#ifndef DOUBLES_PEER_RAW_H
#define DOUBLES_PEER_RAW_H

#include "doubles/peer_pair.h"

/* ---- what a raw side says ---- */

#define RAW_CAP ((size_t)256 * 1024)

/* Opens a stream. The test appends bytes to it as it goes on. */
struct side_stream *raw_open(struct side *raw, bool bidi);

void raw_say(struct side *raw, struct side_stream *st, const void *bytes, size_t len);

void raw_fin(struct side *raw, struct side_stream *st);

void raw_frame(struct side *raw, struct side_stream *st, uint64_t type, bool skip, const void *body,
               size_t len);

void raw_hello(struct side *raw, struct side_stream *st, uint64_t version);

/* Dials a host and becomes its peer. Returns the control stream. `streams` is how many streams the
 * host may open. */
struct side_stream *raw_join_with(struct side *raw, struct host *h, const struct identity *id,
                                  uint64_t max_message, uint64_t streams);

struct side_stream *raw_join(struct side *raw, struct host *h, const struct identity *id,
                             uint64_t max_message);

void raw_header(struct side *raw, struct side_stream *st, enum lane_type type, uint64_t after,
                uint64_t from, uint64_t to);

void raw_letter(struct side *raw, struct side_stream *st, size_t len, uint64_t number);

/* ---- two hosts, or a host and a raw peer ---- */

struct duo {
    struct host a, b; /* a is amber, b is bronze */
    struct side raw;  /* takes the place of a or b in some tests */
    struct side_stream *control;
};

/* Makes a duo. `streams` is how many lanes a may open to b, 0 for LIMIT_LANES. */
struct duo *duo_new(uint64_t streams);

int duo_connected(void **state);

/* Sets up bronze with a raw peer that it has let in. */
int duo_raw(void **state);

int duo_teardown(void **state);

#endif
