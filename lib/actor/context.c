/* context: see the header. Called by coroutine.c. */
#include "actor/context.h"

#include <stdint.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

/* context_swap(&from's stack pointer, to's stack pointer) puts what a callee must keep on the old
 * stack and takes it from the new one. A new stack looks as if it had been left just before its
 * entry: context_begin calls the function in one kept register with the argument in another. */

#if defined(__x86_64__)

/* System V ABI: rbx, rbp, r12 to r15, and the control words of x87 and SSE. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_swap\n"
        ".hidden context_swap\n"
        ".type context_swap,@function\n"
        "context_swap:\n"
        "    pushq %rbp\n"
        "    pushq %rbx\n"
        "    pushq %r12\n"
        "    pushq %r13\n"
        "    pushq %r14\n"
        "    pushq %r15\n"
        "    subq $8, %rsp\n"
        "    stmxcsr (%rsp)\n"
        "    fnstcw 4(%rsp)\n"
        "    movq %rsp, (%rdi)\n"
        "    movq %rsi, %rsp\n"
        "    ldmxcsr (%rsp)\n"
        "    fldcw 4(%rsp)\n"
        "    addq $8, %rsp\n"
        "    popq %r15\n"
        "    popq %r14\n"
        "    popq %r13\n"
        "    popq %r12\n"
        "    popq %rbx\n"
        "    popq %rbp\n"
        "    ret\n"
        ".size context_swap,.-context_swap\n"
        ".globl context_begin\n"
        ".hidden context_begin\n"
        ".type context_begin,@function\n"
        "context_begin:\n"
        "    movq %r12, %rdi\n"
        "    call *%r13\n"
        "    ud2\n"
        ".size context_begin,.-context_begin\n");

#define CONTEXT_SAVED 8    /* words: control words, r15 to r12, rbx, rbp, return address */
#define CONTEXT_ENTRY 3    /* r13 */
#define CONTEXT_ARGUMENT 4 /* r12 */
#define CONTEXT_RETURN 7

#elif defined(__aarch64__)

/* AAPCS64: x19 to x30, and the lower halves of v8 to v15. */
__asm__(".text\n"
        ".p2align 4\n"
        ".globl context_swap\n"
        ".hidden context_swap\n"
        ".type context_swap,%function\n"
        "context_swap:\n"
        "    sub sp, sp, #160\n"
        "    stp x19, x20, [sp]\n"
        "    stp x21, x22, [sp, #16]\n"
        "    stp x23, x24, [sp, #32]\n"
        "    stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n"
        "    stp x29, x30, [sp, #80]\n"
        "    stp d8, d9, [sp, #96]\n"
        "    stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n"
        "    stp d14, d15, [sp, #144]\n"
        "    mov x9, sp\n"
        "    str x9, [x0]\n"
        "    mov sp, x1\n"
        "    ldp x19, x20, [sp]\n"
        "    ldp x21, x22, [sp, #16]\n"
        "    ldp x23, x24, [sp, #32]\n"
        "    ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n"
        "    ldp x29, x30, [sp, #80]\n"
        "    ldp d8, d9, [sp, #96]\n"
        "    ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n"
        "    ldp d14, d15, [sp, #144]\n"
        "    add sp, sp, #160\n"
        "    ret\n"
        ".size context_swap,.-context_swap\n"
        ".globl context_begin\n"
        ".hidden context_begin\n"
        ".type context_begin,%function\n"
        "context_begin:\n"
        "    mov x0, x19\n"
        "    blr x20\n"
        "    brk #1\n"
        ".size context_begin,.-context_begin\n");

#define CONTEXT_SAVED 20
#define CONTEXT_ARGUMENT 0 /* x19 */
#define CONTEXT_ENTRY 1    /* x20 */
#define CONTEXT_RETURN 11  /* x30 */

#endif

#ifdef CONTEXT_UCONTEXT

static void context_call(unsigned entry_high, unsigned entry_low, unsigned high, unsigned low)
{
    void (*entry)(void *) = (void (*)(void *))(uintptr_t)((uint64_t)entry_high << 32 | entry_low);
    entry((void *)(uintptr_t)((uint64_t)high << 32 | low));
}

static void context_make(struct context *c, void *stack, size_t size, void (*entry)(void *),
                         void *argument)
{
    uint64_t e = (uintptr_t)entry, a = (uintptr_t)argument;

    (void)getcontext(&c->own);
    c->own.uc_stack.ss_sp = stack;
    c->own.uc_stack.ss_size = size;
    c->own.uc_link = NULL;
    makecontext(&c->own, (void (*)(void))context_call, 4, (unsigned)(e >> 32), (unsigned)e,
                (unsigned)(a >> 32), (unsigned)a);
}

static void context_go(struct context *from, struct context *to)
{
    (void)swapcontext(&from->own, &to->own);
}

#else

void context_swap(void **from, void *to);
void context_begin(void);

static void context_make(struct context *c, void *stack, size_t size, void (*entry)(void *),
                         void *argument)
{
    /* x86-64 wants the stack aligned to 16 before a call. It is so when context_begin begins. */
    void **top = (void **)(((uintptr_t)stack + size) & ~(uintptr_t)15);
    void **at = top - CONTEXT_SAVED;

    for (size_t i = 0; i < CONTEXT_SAVED; i++) {
        at[i] = NULL;
    }
#ifdef __x86_64__
    __asm__("stmxcsr %0\n\tfnstcw %1" : "=m"(((uint32_t *)at)[0]), "=m"(((uint16_t *)at)[2]));
#endif
    at[CONTEXT_ENTRY] = (void *)(uintptr_t)entry;
    at[CONTEXT_ARGUMENT] = argument;
    at[CONTEXT_RETURN] = (void *)(uintptr_t)context_begin;
    c->at = at;
}

static inline void context_go(struct context *from, struct context *to)
{
    context_swap(&from->at, to->at);
}

#endif

void context_init(struct context *c, void *stack, size_t size, void (*entry)(void *argument),
                  void *argument)
{
    *c = (struct context){ 0 };
    context_make(c, stack, size, entry, argument);
#ifdef __SANITIZE_ADDRESS__
    c->stack = stack;
    c->size = size;
#endif
#ifdef __SANITIZE_THREAD__
    c->fiber = __tsan_create_fiber(0);
#endif
}

void context_fini(struct context *c)
{
    (void)c;
#ifdef __SANITIZE_ADDRESS__
    __asan_unpoison_memory_region(c->stack, c->size); /* frames that never returned */
#endif
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(c->fiber);
#endif
}

void context_entered(struct context *c, struct context *from)
{
    (void)c;
    (void)from;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(NULL, &from->stack, &from->size);
#endif
}

void context_switch(struct context *from, struct context *to)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(&from->fake, to->stack, to->size);
#endif
#ifdef __SANITIZE_THREAD__
    from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
    context_go(from, to);
#ifdef __SANITIZE_ADDRESS__
    /* `to` has switched back, and its stack is known, so `from` learns nothing new. */
    __sanitizer_finish_switch_fiber(from->fake, &to->stack, &to->size);
#endif
}
