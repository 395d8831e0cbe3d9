/* output: what processes print. Called on any scheduler's thread. */
#ifndef NODE_OUTPUT_H
#define NODE_OUTPUT_H

struct rusm_node;

void output_line(struct rusm_node *node, const char *line);

#endif
