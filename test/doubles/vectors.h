/* vectors: reads test/unit/vectors/wire.txt (its first lines describe the format) and checks a
 * decoder and an encoder with it. */
#ifndef DOUBLES_VECTORS_H
#define DOUBLES_VECTORS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct vector {
    const uint8_t *in; /* exactly len bytes on the heap: a sanitizer sees a read past the end */
    size_t len;
    char text[8192];     /* out: the decoded fields, "" for none */
    uint8_t again[8192]; /* out: the fields, encoded again */
    size_t again_len;
};

/* Decodes v->in. Returns a negative RUSM_E*, 0 if it is incomplete (streams only), else the bytes
 * consumed, or any positive number for a body, and then fills in v->text and v->again. */
typedef ssize_t vector_fn(struct vector *v);

/* Runs fn on every line of that kind, and fails the test if a result differs. If `stream`, checks
 * that each proper prefix is incomplete, and that bytes behind the encoding are not consumed.
 * Returns the number of lines. */
unsigned vectors_check(const char *kind, vector_fn *fn, int stream);

/* Appends to v->text, like printf. */
void vector_say(struct vector *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Appends bytes in hexadecimal, "-" for none. */
void vector_say_hex(struct vector *v, const uint8_t *data, size_t len);

#endif
