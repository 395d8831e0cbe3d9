/* globals: the registry of global names, behind its lock. Called on any scheduler's thread. */
#ifndef NODE_GLOBALS_H
#define NODE_GLOBALS_H

#include <stddef.h>
#include <stdint.h>

#include "rusm.h"

struct registry_holder;
struct rusm_node;
struct scheduler;

int globals_claim(struct scheduler *s, const char *name, size_t len, uint64_t serial);
int globals_withdraw(struct scheduler *s, const char *name, size_t len, uint64_t serial);
void globals_withdraw_all(struct scheduler *s, uint64_t serial);
/* Returns 0 and fills in *holder, or returns RUSM_ENOPROC. Does not set holder->node_name: call
 * runtime_node_name for that. */
int globals_whereis(struct scheduler *s, const char *name, size_t len,
                    struct registry_holder *holder);
/* Copies the first global name that the process holds, or "". */
void globals_name(struct scheduler *s, uint64_t serial, char name[RUSM_NAME_MAX + 1]);
void globals_init(struct rusm_node *node);
void globals_fini(struct rusm_node *node);
void globals_lock(struct scheduler *s);
void globals_unlock(struct scheduler *s);

#endif
