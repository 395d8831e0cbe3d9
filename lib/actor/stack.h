/* stack: the stacks of coroutines: mapped, with pages below that nobody may touch, so that one that
 * overflows ends the program and harms no other; those given back are kept for the next. Each takes
 * two of the mappings that Linux grants a program (vm.max_map_count, 65,530): some 32,000
 * coroutines. One thread. */
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
    struct stack_spare *spare[STACK_CLASSES]; /* at the highest bytes of a stack */
    size_t spares[STACK_CLASSES];
};

void stacks_init(struct stacks *s);
void stacks_fini(struct stacks *s); /* all must be back */
/* The class of a stack of at least that many bytes; 0: of the default. RUSM_EINVAL: too many. */
int stack_class(size_t bytes);
size_t stack_bytes(int size_class); /* that can be used */
/* The lowest byte that can be used. NULL: no memory. */
void *stack_take(struct stacks *s, int size_class);
/* Is the address below that stack, where one that overflows gets to? Safe in a signal handler. */
bool stack_guards(const void *stack, const void *address);
void stack_give(struct stacks *s, void *stack, int size_class);

#endif
