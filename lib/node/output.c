/* output: the lines that processes print. On any scheduler's thread, perhaps on a coroutine's
 * stack. */
#include <string.h>
#include <sys/uio.h>

#include "node/node.h"
#include "node/output.h"

/* Of a longer line the rest is cut: what a pipe takes whole, beside other schedulers' lines. */
#define OUTPUT_MAX 4095

void output_line(struct rusm_node *node, const char *line)
{
    static const char end[] = "\n";
    struct iovec parts[] = { { .iov_base = (void *)line, .iov_len = strnlen(line, OUTPUT_MAX - 1) },
                             { .iov_base = (void *)end, .iov_len = 1 } };
    /* A line that can't be written (a closed pipe) is the reader's wish. */
    if (writev(node->output_fd, parts, 2) < 0) {
        log_debug(&node->log, "output: cannot write");
    }
}
