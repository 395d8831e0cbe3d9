/* stack: the stacks of coroutines. They are mapped, with pages below that nobody may touch: a stack
 * that overflows ends the program and harms no other. Stacks that are given back are kept for the
 * next coroutine. Each stack takes two of the mappings that Linux grants a program
 * (vm.max_map_count, 65,530), so there can be some 32,000 coroutines. One thread. */
#ifndef ACTOR_STACK_H
#define ACTOR_STACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STACK_CLASSES 12 /* powers of two: 16 KiB to 32 MiB */

struct stack_spare {
    struct stack_spare *next;
};

struct stacks {
    struct stack_spare *spare[STACK_CLASSES]; /* in the highest bytes of a spare stack */
    size_t spares[STACK_CLASSES];
};

void stacks_init(struct stacks *s);
void stacks_fini(struct stacks *s); /* all stacks must be back */
/* Returns the class of a stack of at least that many bytes (0: the default), or RUSM_EINVAL if no
 * class is that large. */
int stack_class(size_t bytes);
size_t stack_bytes(int size_class); /* usable bytes */
/* Gives the lowest usable byte of a stack, or NULL if there is no memory. */
void *stack_take(struct stacks *s, int size_class);
/* Returns whether the address is in the pages below that stack, where an overflow ends up. Safe in
 * a signal handler. */
bool stack_guards(const void *stack, const void *address);
void stack_give(struct stacks *s, void *stack, int size_class);

#endif
