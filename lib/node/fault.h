/* fault: names the process that has overflown its stack. Called on each scheduler's own thread. */
#ifndef NODE_FAULT_H
#define NODE_FAULT_H

struct fault;
struct runtime;
struct rusm_node;

/* Names each body that overflows its stack on the calling thread, which runs that runtime, until
 * fault_end. Returns NULL if the program has a SIGSEGV handler or there is no memory. */
struct fault *fault_begin(const struct rusm_node *node, struct runtime *const *runtime);
void fault_end(struct fault *fault); /* NULL is fine */

#endif
