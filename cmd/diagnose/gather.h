/* gather: reads the tables of all nodes that can be reached, twice. */
#ifndef DIAGNOSE_GATHER_H
#define DIAGNOSE_GATHER_H

#include "survey.h"

/* Processes of a node that are asked for who waits at them: those with the most messages. Each
 * takes a round trip, so that all of them take much less than a second. Above: the others are
 * judged by their figures alone. */
#define GATHER_ASKED ((size_t)256)

/* Reads the tables of the node that the command line names, or else of those of the run folder,
 * and of all that these know, pauses for `pause_ms`, and reads them again. Returns 0, or the exit
 * status after a message if no node was reached. The caller calls survey_fini in both cases. */
int gather_all(const struct options *options, uint32_t pause_ms, struct survey *survey);

#endif
