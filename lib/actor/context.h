/* context: a place of execution with a stack of its own, and the switch to it and back.
 *
 * A small assembly and not a library: swapcontext(3) of libc saves the signal mask by a system call
 * each time, 20 times what the switch itself costs; libpcl, the one in C that Debian 12 has, is
 * built on it; Boost.Context is a C++ library, whose C symbols are its own affair. A switch is a
 * function call to the compiler, so only what a callee must keep is saved: on x86-64 and aarch64
 * that is below; elsewhere ucontext serves. One thread. */
#ifndef ACTOR_CONTEXT_H
#define ACTOR_CONTEXT_H

#include <stddef.h>
#if !defined(__x86_64__) && !defined(__aarch64__)
#define CONTEXT_UCONTEXT 1
#include <ucontext.h>
#endif

struct context {
    void *at; /* its stack pointer while it does not run */
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

/* Makes one that begins with entry(argument), which must never return, on stack[0..size). */
void context_init(struct context *c, void *stack, size_t size, void (*entry)(void *argument),
                  void *argument);
/* It will not run again. Its stack is as if nothing had been on it. */
void context_fini(struct context *c);
/* The first thing that entry does, with the one that has switched to it. */
void context_entered(struct context *c, struct context *from);
/* Leaves `from`, the one that runs, for `to`; returns when someone switches back to `from`. */
void context_switch(struct context *from, struct context *to);

#endif
