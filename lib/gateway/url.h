/* url: a request's path and query taken apart: decoded, in memory of its own. Pure. */
#ifndef GATEWAY_URL_H
#define GATEWAY_URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_PARAMETERS 80 /* RUSM_ARGS_MAX arguments and a few others */

struct url {
    char *text;       /* owns what the others point to; NULL: none yet */
    const char *path; /* as it came, NUL-terminated: see url_decode */
    size_t count;
    struct {
        const char *key, *value; /* decoded; value "" if there is no '=' */
    } parameter[URL_PARAMETERS];
};

/* Takes PATH?QUERY apart. RUSM_EINVAL: no path, a bad escape, a NUL or too many parameters.
 * RUSM_ENOMEM. */
int url_parse(struct url *url, const char *target, size_t len);
void url_fini(struct url *url);
/* Returns the value of the first parameter with that key, or NULL if there is none. */
const char *url_parameter(const struct url *url, const char *key);
/* Does the path match? "*" at the pattern's end stands for one segment that is not empty: where it
 * begins goes to *rest, else NULL. */
bool url_match(const struct url *url, const char *pattern, char **rest);
/* Decodes a segment where it is. False: a bad escape, or a NUL. */
bool url_decode(char *segment);

#endif
