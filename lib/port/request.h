/* request: parses a line of a program in the framing exec+json: what the program wants of its
 * process. rusm-port(7), REQUESTS, describes them. Pure. */
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

#define REQUEST_REF_MAX 255 /* bytes of a ref that is a string, as of a name */

struct request {
    enum request_verb verb;
    json_t *root;        /* the whole line; owned; the pointers below are into it */
    const char *subject; /* the verb's value if that is a text: an address, a name ... */
    uint64_t number;     /* the verb's value if that is a number */
    bool on;             /* the verb's value if that is true or false */
    json_t *ref;         /* a string or an integer; NULL: none. For DEMONITOR the verb's value */
    const void *data;    /* never NULL; may be in the line */
    size_t len;
    void *owned; /* the memory of data, if data is neither in root nor in the line */
    const char *reason, *node;
    const json_t *args;  /* an array of texts, or NULL */
    uint32_t timeout_ms; /* CALL */
    bool unordered, global;
    bool broken; /* see request_parse */
};

/* Parses a line, which lives as long as the request. Returns 0, and the caller calls request_free;
 * or RUSM_EMALFORMED, and *why says what is wrong with the line; or RUSM_ENOMEM. With
 * RUSM_EMALFORMED it sets out->broken if the line is not even JSON, and out->number to the number
 * of the call that the line was to answer, 0 if it names none. */
int request_parse(const void *line, size_t len, struct request *out, struct rusm_why *why);
void request_free(struct request *r);

#endif
