/* reading: what is read of a node for one refresh: some of its tables. Blocks, so the screen has a
 * thread for it. */
#ifndef WATCH_READING_H
#define WATCH_READING_H

#include "sample.h"

#define READING_TABLES (RUSM_TABLE_COUNTERS + 1)
/* Above this many processes, their table is only read while they are on the screen. */
#define READING_PROCESSES 10000

struct reading_want {
    bool table[READING_TABLES];
    bool processes_if_few;           /* RUSM_TABLE_PROCESSES too, if there are not too many */
    char process[RUSM_PID_TEXT_MAX]; /* whose links and the like; "": nobody's */
};

struct reading {
    struct sample sample[READING_TABLES]; /* those that were not read have `read` false */
    struct sample process, relations;     /* of reading_want.process, as rusm_client_process has */
    char pid[RUSM_PID_TEXT_MAX];          /* whose they are; "": nobody's were read */
    bool ended;                           /* that process is gone */
    uint64_t at_ns;
    int error; /* why there is nothing; 0: there is */
    struct rusm_why why;
    uint64_t again_ns; /* with an error: when it is tried again */
};

void reading_init(struct reading *reading);
void reading_fini(struct reading *reading);
/* Reads what is wanted. Returns 0 or the error, which is in `reading` too. */
int reading_read(struct reading *reading, struct rusm_client *client,
                 const struct reading_want *want);
/* Returns the time, of CLOCK_MONOTONIC. */
uint64_t reading_now_ns(void);

#endif
