/* reading: see the header. */
#include "reading.h"

#include <stdio.h>
#include <time.h>

uint64_t reading_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void reading_init(struct reading *reading)
{
    *reading = (struct reading){ .error = 0 };
    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_init(&reading->sample[i], (enum rusm_table)i);
    }
    sample_init(&reading->process, RUSM_TABLE_PROCESSES);
    sample_init(&reading->relations, RUSM_TABLE_NODES);
}

void reading_fini(struct reading *reading)
{
    for (size_t i = 0; i < READING_TABLES; i++) {
        sample_fini(&reading->sample[i]);
    }
    sample_fini(&reading->process);
    sample_fini(&reading->relations);
}

static int reading_table(struct reading *reading, struct rusm_client *client, enum rusm_table table)
{
    struct sample *sample = &reading->sample[table];

    reading->error = rusm_client_list(client, table, sample_row, sample, &reading->why);
    sample->at_ns = reading_now_ns();
    sample->read = reading->error == 0;
    return reading->error;
}

/* Takes a row of rusm_client_process: the process's own comes first. */
static int reading_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct reading *reading = context;
    bool own = reading->process.rows == 0;

    return sample_row(own ? &reading->process : &reading->relations, fields, count);
}

static int reading_process(struct reading *reading, struct rusm_client *client, const char *pid)
{
    int error = rusm_client_process(client, pid, false, reading_row, reading, &reading->why);

    snprintf(reading->pid, sizeof(reading->pid), "%s", pid);
    reading->ended = error == RUSM_ENOPROC;
    reading->process.at_ns = reading_now_ns();
    reading->process.read = reading->relations.read = error == 0;
    /* A node that is too old does not know the request. */
    reading->error = reading->ended || error == RUSM_EINVAL ? 0 : error;
    return reading->error;
}

/* Returns whether the table of processes is worth its cost. Asked after the node's own table was
 * read. */
static bool reading_few(const struct reading *reading)
{
    const struct sample *node = &reading->sample[RUSM_TABLE_NODE];

    return sample_number(node, 0, sample_find(node, "processes")) <= READING_PROCESSES;
}

int reading_read(struct reading *reading, struct rusm_client *client,
                 const struct reading_want *want)
{
    for (size_t i = 0; i < READING_TABLES && reading->error == 0; i++) {
        bool few = i == RUSM_TABLE_PROCESSES && want->processes_if_few && reading_few(reading);
        if (want->table[i] || few) {
            reading_table(reading, client, (enum rusm_table)i);
        }
    }
    if (want->process[0] && reading->error == 0) {
        reading_process(reading, client, want->process);
    }
    reading->at_ns = reading_now_ns();
    return reading->error;
}
