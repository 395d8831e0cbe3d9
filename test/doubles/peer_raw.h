/* peer_raw: a peer of a host that says what a test tells it to, byte by byte; and a `duo`, two
 * hosts or a host and such a peer, as most tests of the peer room have them. */
#ifndef DOUBLES_PEER_RAW_H
#define DOUBLES_PEER_RAW_H

#include "doubles/peer_pair.h"

/* ---- a raw side's words ---- */

#define RAW_CAP ((size_t)256 * 1024)

/* A stream whose bytes are appended as the test goes. */
struct side_stream *raw_open(struct side *raw, bool bidi);

void raw_say(struct side *raw, struct side_stream *st, const void *bytes, size_t len);

void raw_fin(struct side *raw, struct side_stream *st);

void raw_frame(struct side *raw, struct side_stream *st, uint64_t type, bool skip, const void *body,
               size_t len);

void raw_hello(struct side *raw, struct side_stream *st, uint64_t version);

/* Dials a host and becomes its peer: returns the control stream. `streams`: that the host may
 * open. */
struct side_stream *raw_join_with(struct side *raw, struct host *h, const struct identity *id,
                                  uint64_t max_message, uint64_t streams);

struct side_stream *raw_join(struct side *raw, struct host *h, const struct identity *id,
                             uint64_t max_message);

void raw_header(struct side *raw, struct side_stream *st, enum lane_type type, uint64_t after,
                uint64_t from, uint64_t to);

void raw_letter(struct side *raw, struct side_stream *st, size_t len, uint64_t number);

/* ---- two hosts, or a host and a raw peer ---- */

struct duo {
    struct host a, b; /* amber and bronze */
    struct side raw;  /* instead of one of them, in some tests */
    struct side_stream *control;
};

/* `streams`: lanes that a may open to b; 0: LIMIT_LANES. */
struct duo *duo_new(uint64_t streams);

int duo_connected(void **state);

/* bronze alone, and a raw peer that is let in. */
int duo_raw(void **state);

int duo_teardown(void **state);

#endif
