/* url: parses a request's path and query, and decodes them in memory of its own. Pure. */
#ifndef GATEWAY_URL_H
#define GATEWAY_URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_PARAMETERS 80 /* RUSM_ARGS_MAX arguments and a few others */

struct url {
    char *text;       /* owned: the memory that the others point into; NULL: none yet */
    const char *path; /* as it came, not decoded; NUL-terminated: see url_decode */
    size_t count;
    struct {
        const char *key, *value; /* decoded; value "" if there is no '=' */
    } parameter[URL_PARAMETERS];
};

/* Parses PATH?QUERY. Returns 0, RUSM_EINVAL if there is no path, a bad escape, a NUL or too many
 * parameters, or RUSM_ENOMEM. */
int url_parse(struct url *url, const char *target, size_t len);
void url_fini(struct url *url);
/* Returns the value of the first parameter with that key, or NULL if there is none. */
const char *url_parameter(const struct url *url, const char *key);
/* Returns whether the path matches. A "*" at the pattern's end stands for one segment that is not
 * empty. *rest then points to that segment, and is NULL otherwise. */
bool url_match(const struct url *url, const char *pattern, char **rest);
/* Decodes a segment in place. Returns false if it has a bad escape or an escaped NUL. */
bool url_decode(char *segment);

#endif
