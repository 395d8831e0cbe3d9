/* output: the lines that processes print. Called on any scheduler's thread, perhaps on a
 * coroutine's stack. */
#include <string.h>
#include <sys/uio.h>

#include "node/node.h"
#include "node/output.h"

/* The rest of a longer line is cut. A pipe takes this much as a whole, beside the lines of other
 * schedulers. */
#define OUTPUT_MAX 4095

void output_line(struct rusm_node *node, const char *line)
{
    static const char end[] = "\n";
    struct iovec parts[] = { { .iov_base = (void *)line, .iov_len = strnlen(line, OUTPUT_MAX - 1) },
                             { .iov_base = (void *)end, .iov_len = 1 } };
    /* If the line cannot be written (a closed pipe), the reader does not want it. */
    if (writev(node->output_fd, parts, 2) < 0) {
        log_debug(&node->log, "output: cannot write");
    }
}
