/* inspect: what a node tells of one process, beyond the row that a table has. On the thread of the
 * process's scheduler. */
#ifndef SERVICE_INSPECT_H
#define SERVICE_INSPECT_H

#include <stddef.h>
#include <stdint.h>

struct rusm_process;
struct runtime;
struct service;

/* Writes the reply to OP_PROCESS: the columns and the row of RUSM_TABLE_PROCESSES, and those of the
 * process's relations, as many as fit. `global` is its global name or "". rt is the process's
 * runtime. Returns the length. */
size_t inspect_write(uint8_t *body, size_t cap, const struct service *s, struct runtime *rt,
                     const struct rusm_process *p, const char *global);

#endif
