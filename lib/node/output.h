/* output: what processes print. A reader that stalls holds up nobody: see base/sink.h. */
#ifndef NODE_OUTPUT_H
#define NODE_OUTPUT_H

#include <stdbool.h>

struct rusm_node;

void output_open(struct rusm_node *node, int fd);
/* While it is held, what processes print waits: the node is not ready. */
void output_hold(struct rusm_node *node, bool held);
/* Waits a moment for what was printed to be read. */
void output_close(struct rusm_node *node);
/* Prints a line, which has no newline yet. Any scheduler's thread, perhaps a coroutine's stack. */
void output_line(struct rusm_node *node, const char *line);

#endif
