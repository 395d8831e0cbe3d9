/* scan: finds the values of a JSON object in its text, without reading them: the message of a
 * request may be any JSON, and passes as its program wrote it. RFC 8259. Pure. */
#ifndef PORT_SCAN_H
#define PORT_SCAN_H

#include <stddef.h>

#define SCAN_DEPTH 2048 /* of arrays and objects in each other, as in jansson */

struct scan_value {
    const char *text; /* its first byte, in the text that was scanned; NULL: there is none */
    size_t len;
};

/* Scans `len` bytes. If they are an object, gives the text of its values with the keys `key`, up to
 * a NULL. Keys with escapes are not found. Returns 0, or RUSM_EMALFORMED if the bytes are not JSON,
 * not UTF-8, or too deep. Then the values mean nothing. */
int scan_object(const char *text, size_t len, const char *const *key, struct scan_value *value);

#endif
