/* request: a line of a program in the framing exec+json, taken apart: what it wants of its process.
 * rusm-port(7), REQUESTS. Pure. */
#ifndef PORT_REQUEST_H
#define PORT_REQUEST_H

#include <jansson.h>
#include "rusm.h"

enum request_verb {
    REQUEST_SEND,
    REQUEST_REPLY,
    REQUEST_REFUSE,
    REQUEST_CALL,
    REQUEST_SPAWN,
    REQUEST_MONITOR,
    REQUEST_DEMONITOR,
    REQUEST_LINK,
    REQUEST_UNLINK,
    REQUEST_KILL,
    REQUEST_REGISTER,
    REQUEST_UNREGISTER,
    REQUEST_TRAP,
    REQUEST_NODES,
    REQUEST_PRINT,
    REQUEST_EXIT,
};

#define REQUEST_REF_MAX 255 /* bytes of a ref that is a string: as of a name */

struct request {
    enum request_verb verb;
    json_t *root;        /* all of it; the pointers below are into it */
    const char *subject; /* the verb's value when it is a text: an address, a name ... */
    uint64_t number;     /* when it is a number */
    bool on;             /* when it is true or false */
    json_t *ref;         /* NULL: none; else a string or an integer. DEMONITOR: the verb's value */
    const void *data;    /* never NULL */
    size_t len;
    void *owned; /* data's, if it is not in root */
    const char *reason, *node;
    const json_t *args;  /* an array of texts, or NULL */
    uint32_t timeout_ms; /* CALL */
    bool unordered, global;
};

/* 0, and request_free is due; RUSM_EMALFORMED: *why says what is wrong with it; RUSM_ENOMEM. */
int request_parse(const void *line, size_t len, struct request *out, struct rusm_why *why);
void request_free(struct request *r);

#endif
