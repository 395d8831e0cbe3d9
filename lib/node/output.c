/* output: the lines that processes print. On any scheduler's thread. */
#include <stdio.h>
#include <unistd.h>

#include "node/node.h"

void output_line(struct rusm_node *node, const char *line)
{
    char text[4096];
    int len = snprintf(text, sizeof text, "%s\n", line);
    if (len >= (int)sizeof text) { /* cut, but still a line */
        len = sizeof text - 1;
        text[len - 1] = '\n';
    }
    /* A line that can't be written (a closed pipe) is the reader's wish. */
    if (write(node->output_fd, text, (size_t)len) < 0)
        log_debug(&node->log, "output: cannot write");
}
