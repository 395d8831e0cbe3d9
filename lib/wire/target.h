/* target: the process that a lane or a request is for, as the receiving node sees it.
 *
 *     kind        varint   0 pid, 1 local name, 2 global name
 *     pid:        serial varint, incarnation u32 (of the receiving node)
 *     name:       length varint (1..255), bytes (a valid process name)
 */
#ifndef WIRE_TARGET_H
#define WIRE_TARGET_H

#include "wire/varint.h"

enum target_kind { TARGET_PID = 0, TARGET_NAME = 1, TARGET_GLOBAL = 2 };

struct target {
    enum target_kind kind;
    uint64_t serial;
    uint32_t incarnation;
    const char *name; /* borrowed */
    size_t name_len;
};

/* Reads a target. Sets r->bad if it is malformed. */
void target_read(struct reader *r, struct target *t);
void target_write(struct writer *w, const struct target *t);

#endif
