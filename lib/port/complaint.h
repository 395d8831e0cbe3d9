/* complaint: copies what a program writes on standard error to the node's log, line by line. On the
 * host's thread. */
#ifndef PORT_COMPLAINT_H
#define PORT_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

struct program;

#define COMPLAINT_MAX ((size_t)16 * 1024) /* read at a time; a longer line is logged in parts */

/* Reads once from standard error and logs the whole lines. Returns false if it has ended. */
bool complaint_read(struct program *p);
/* Logs a text of ours about the program. It counts as a line of the program's standard error. */
__attribute__((format(printf, 2, 3))) void complaint_say(struct program *p, const char *format,
                                                         ...);
/* Logs the rest of the last line, and how many lines were not logged. */
void complaint_close(struct program *p);

#endif
