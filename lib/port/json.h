/* json: what the files of the framing exec+json share. json.c turns messages into lines. act.c does
 * what a program's lines ask. One thread. */
#ifndef PORT_JSON_H
#define PORT_JSON_H

#include <jansson.h>
#include "base/map.h"
#include "port/request.h"
#include "port/worker.h"

/* A call that a program got and has not answered yet. */
struct json_call {
    struct map_node by_number; /* in place.calls */
    uint64_t number;           /* the ref by which the program knows the call */
    uint64_t end;              /* the program has it when it has read so many bytes */
    struct rusm_message who;   /* only kind, from and ref are set */
};

/* A request or monitor of a program whose outcome has not come yet. */
struct json_asked {
    struct map_node by_ref; /* in worker.asked */
    uint64_t ref;           /* the ref of our process */
    struct place *place;
    enum request_verb verb; /* CALL, SPAWN or MONITOR */
    json_t *theirs;         /* the program's ref */
};

struct json_call *json_call_find(struct place *p, uint64_t number);
void json_call_free(struct place *p, struct json_call *c);
struct json_asked *json_asked_find(struct worker *w, uint64_t ref);
void json_asked_free(struct worker *w, struct json_asked *a);

/* Writes the object as a line for the program. Takes the object. Returns 0, RUSM_ETOOLARGE, or
 * RUSM_ENOMEM, also if `line` is NULL. */
int json_tell(struct place *p, json_t *line);

/* Tell the program the outcome of a request if it is known at once. ref may be NULL: then json_done
 * tells nothing. */
void json_done(struct place *p, json_t *ref);
void json_failed(struct place *p, json_t *ref, int error, const char *text);
/* Does what a program asks. Returns 0, RUSM_BUSY if it did nothing and must be called again later,
 * or another error if the process was told to exit. */
int json_act(struct place *p, const struct request *r);

#endif
