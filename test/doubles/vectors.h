/* vectors: reads test/unit/vectors/wire.txt (its head says how) and holds a decoder and an encoder
 * against it. */
#ifndef DOUBLES_VECTORS_H
#define DOUBLES_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vector {
    const uint8_t *in; /* exactly len bytes of heap, so that a sanitizer sees one read too many */
    size_t len;
    char text[8192];     /* out: the fields, "" for none */
    uint8_t again[8192]; /* out: the same, encoded */
    size_t again_len;
};

/* Decodes v->in. A negative RUSM_E*; 0 for incomplete (streams only); else the bytes consumed, or
 * any positive number for a body, with v->text and v->again filled in. */
typedef ssize_t vector_fn(struct vector *v);

/* Runs fn on every line of that kind and fails the test where it differs. With `stream`, each
 * proper prefix of what decodes must be incomplete, and bytes behind it must not be consumed.
 * Returns how many lines there were. */
unsigned vectors_check(const char *kind, vector_fn *fn, int stream);

/* Appends to v->text, as printf. */
void vector_say(struct vector *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends bytes in hexadecimal, "-" for none. */
void vector_say_hex(struct vector *v, const uint8_t *data, size_t len);

#endif
