/* trace: how a client asks a node to trace a process. The events come as those of follow.h.
 *
 *     OP_TRACE       target, count, payload. A count of 0 has no end. With a payload of 1, events
 *                    have the data of messages too, with 0 only its size
 *     first reply    0: the ids of the events begin with 1
 *     other replies  events: queued, taken, sent, ended, missed
 *     last reply     empty, without MORE: `count` events have come, or the process has ended
 */
#ifndef WIRE_TRACE_H
#define WIRE_TRACE_H

#include <stdbool.h>

#include "wire/target.h"

struct trace {
    struct target target;
    uint64_t count;
    bool payload;
};
/* Reads the fields of the request. Returns 0 or RUSM_EMALFORMED. The target's name is borrowed. */
int trace_read(struct reader *r, struct trace *out);
void trace_write(struct writer *w, const struct trace *trace);

#endif
