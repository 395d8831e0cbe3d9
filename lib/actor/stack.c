/* stack: see the header. */
#include "actor/stack.h"

#include <sys/mman.h>
#include <unistd.h>
#include "actor/limits.h"

#define STACK_LEAST ((size_t)16 * 1024)

/* Bytes below a stack that nobody may touch. A function with a large frame may step over one page,
 * so they are more than a page. */
#define STACK_GUARD ((size_t)64 * 1024)

void stacks_init(struct stacks *s)
{
    *s = (struct stacks){ 0 };
}

int stack_class(size_t bytes)
{
    int size_class = 0;

    if (bytes == 0) {
        bytes = LIMIT_STACK_DEFAULT;
    }
    while (size_class < STACK_CLASSES && stack_bytes(size_class) < bytes) {
        size_class++;
    }
    return size_class < STACK_CLASSES ? size_class : RUSM_EINVAL;
}

size_t stack_bytes(int size_class)
{
    return STACK_LEAST << size_class;
}

static void stack_unmap(void *stack, int size_class)
{
    munmap((uint8_t *)stack - STACK_GUARD, STACK_GUARD + stack_bytes(size_class));
}

/* Returns where the link of a spare stack is: on the page that was certainly used. */
static struct stack_spare *stack_link(void *stack, int size_class)
{
    return (struct stack_spare *)(void *)((uint8_t *)stack + stack_bytes(size_class)) - 1;
}

void stacks_fini(struct stacks *s)
{
    for (int i = 0; i < STACK_CLASSES; i++) {
        while (s->spare[i]) {
            struct stack_spare *it = s->spare[i];
            s->spare[i] = it->next;
            stack_unmap((uint8_t *)(it + 1) - stack_bytes(i), i);
        }
    }
}

void *stack_take(struct stacks *s, int size_class)
{
    struct stack_spare *spare = s->spare[size_class];
    size_t size = stack_bytes(size_class);

    if (spare) {
        s->spare[size_class] = spare->next;
        s->spares[size_class]--;
        return (uint8_t *)(spare + 1) - size;
    }
    uint8_t *whole = mmap(NULL, STACK_GUARD + size, PROT_NONE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (whole == MAP_FAILED) {
        return NULL;
    }
    if (mprotect(whole + STACK_GUARD, size, PROT_READ | PROT_WRITE) != 0) {
        munmap(whole, STACK_GUARD + size);
        return NULL;
    }
    return whole + STACK_GUARD;
}

bool stack_guards(const void *stack, const void *address)
{
    uintptr_t at = (uintptr_t)address, low = (uintptr_t)stack;

    return at < low && at >= low - STACK_GUARD;
}

void stack_give(struct stacks *s, void *stack, int size_class)
{
    struct stack_spare *link = stack_link(stack, size_class);

    if (stack_bytes(size_class) * (s->spares[size_class] + 1) > LIMIT_STACKS_SPARE) {
        stack_unmap(stack, size_class);
        return;
    }
    link->next = s->spare[size_class];
    s->spare[size_class] = link;
    s->spares[size_class]++;
}
