/* exit: the second copy of an exit signal. It travels on the control stream, so that it can pass
 * messages that wait for room. The first copy is the EXIT record with the same ref, in its place in
 * the pair's lane.
 *
 *     EXIT    ref, from (serial of the sending process), to (serial of the receiving process),
 *             incarnation u32 of the receiving node, reason text
 */
#ifndef WIRE_EXIT_H
#define WIRE_EXIT_H

#include "wire/varint.h"

struct exit_copy {
    uint64_t ref, from, to; /* none of them 0 */
    uint32_t incarnation;
    const char *reason; /* borrowed, at most RUSM_REASON_MAX bytes, not NUL-terminated */
    size_t len;
};

int exit_copy_decode(const uint8_t *in, size_t len, struct exit_copy *out);
void exit_copy_write(struct writer *w, const struct exit_copy *copy);

#endif
