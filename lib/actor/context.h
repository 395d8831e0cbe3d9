/* context: a place of execution with a stack of its own, and the switch to it and back.
 *
 * This is a little assembly and not a library. swapcontext(3) of libc saves the signal mask with a
 * system call each time, which costs 20 times as much as the switch itself. libpcl, the C library
 * for this in Debian 12, is built on swapcontext. Boost.Context is a C++ library, and its C symbols
 * are not a public interface. To the compiler a switch is a function call, so it saves only what a
 * callee must keep. That code is below for x86-64 and aarch64. Elsewhere ucontext serves. One
 * thread. */
#ifndef ACTOR_CONTEXT_H
#define ACTOR_CONTEXT_H

#include <stddef.h>
#if !defined(__x86_64__) && !defined(__aarch64__)
#define CONTEXT_UCONTEXT 1
#include <ucontext.h>
#endif

struct context {
    void *at; /* stack pointer while it does not run */
#ifdef CONTEXT_UCONTEXT
    ucontext_t own;
#endif
#ifdef __SANITIZE_ADDRESS__
    void *fake; /* the sanitizer's */
    const void *stack;
    size_t size;
#endif
#ifdef __SANITIZE_THREAD__
    void *fiber;
#endif
};

/* Makes a context that begins with entry(argument) on stack[0..size). entry must never return. */
void context_init(struct context *c, void *stack, size_t size, void (*entry)(void *argument),
                  void *argument);
/* Ends a context, which must not run again. The caller may use its stack for something else. */
void context_fini(struct context *c);
/* Must be the first call in entry. `from` is the context that has switched to c. */
void context_entered(struct context *c, struct context *from);
/* Switches from `from`, which runs, to `to`. Returns when another context switches back to
 * `from`. */
void context_switch(struct context *from, struct context *to);

#endif
