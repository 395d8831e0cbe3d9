/* json: the framing exec+json, what its files share: json.c turns messages into lines, act.c does
 * what the lines of a program ask. One thread. */
#ifndef PORT_JSON_H
#define PORT_JSON_H

#include <jansson.h>
#include "base/map.h"
#include "port/request.h"
#include "port/worker.h"

/* A call that a program has and has not answered. */
struct json_call {
    struct map_node by_number; /* in place.calls */
    uint64_t number;           /* the ref that the program knows it by */
    struct rusm_message who;   /* kind, from and ref */
};

/* What a program asked for or watches, until its outcome. */
struct json_asked {
    struct map_node by_ref; /* in worker.asked */
    uint64_t ref;           /* ours */
    struct place *place;
    enum request_verb verb; /* CALL, SPAWN or MONITOR */
    json_t *theirs;         /* the program's ref */
};

struct json_call *json_call_find(struct place *p, uint64_t number);
void json_call_free(struct place *p, struct json_call *c);
struct json_asked *json_asked_find(struct worker *w, uint64_t ref);
void json_asked_free(struct worker *w, struct json_asked *a);

/* Writes a line for the program and takes the object (NULL: no memory). 0, RUSM_ETOOLARGE,
 * RUSM_ENOMEM. */
int json_tell(struct place *p, json_t *line);

/* The outcome of a request that is known at once; ref may be NULL. */
void json_done(struct place *p, json_t *ref);
void json_failed(struct place *p, json_t *ref, int error, const char *text);
/* Does what a program asks. 0, or RUSM_BUSY: nothing was done; else the process was told to
 * exit. */
int json_act(struct place *p, const struct request *r);

#endif
