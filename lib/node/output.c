/* output: see the header. */
#include <string.h>

#include "node/limits.h"
#include "node/node.h"
#include "node/output.h"

/* A longer line is cut: a pipe takes this much whole, beside other writers' lines. */
#define OUTPUT_MAX 4095

static void output_missing(void *context, uint64_t lines, const char *cause)
{
    struct rusm_node *node = context;
    log_warn(&node->log, "%llu lines that processes printed were dropped: %s",
             (unsigned long long)lines, cause);
}

void output_open(struct rusm_node *node, int fd)
{
    sink_init(&node->output, fd, LIMIT_OUTPUT_BYTES, output_missing, node);
}

void output_hold(struct rusm_node *node, bool held)
{
    sink_hold(&node->output, held);
}

void output_close(struct rusm_node *node)
{
    output_hold(node, false);
    sink_flush(&node->output, LIMIT_FLUSH_MS);
    sink_fini(&node->output);
}

void output_line(struct rusm_node *node, const char *line)
{
    char text[OUTPUT_MAX + 1];
    size_t len = strnlen(line, OUTPUT_MAX);
    memcpy(text, line, len);
    text[len++] = '\n';
    sink_line(&node->output, text, len);
}
