/* complaint: what a program says on standard error goes to the node's log, line by line. Called by
 * program.c, on the host's thread. */
#ifndef PORT_COMPLAINT_H
#define PORT_COMPLAINT_H

#include <stdbool.h>
#include <stddef.h>

struct program;

#define COMPLAINT_MAX ((size_t)16 * 1024) /* read at a time; a longer line is logged in parts */

/* Logs what there is. False: there will be no more. */
bool complaint_read(struct program *p);
/* Logs what is to be said of the program, within the same limit. */
__attribute__((format(printf, 2, 3))) void complaint_say(struct program *p, const char *format,
                                                         ...);
/* Logs what is left, and how much was not logged. */
void complaint_close(struct program *p);

#endif
