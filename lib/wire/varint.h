/* varint: variable-length integers of RFC 9000, section 16 (1, 2, 4 or 8 bytes, up to 2^62 - 1). */
#ifndef WIRE_VARINT_H
#define WIRE_VARINT_H

#include <stddef.h>
#include <stdint.h>
#include "base/bytes.h"

#define VARINT_MAX ((UINT64_C(1) << 62) - 1)
#define VARINT_LEN_MAX 8

/* Bytes that `v` takes; v must be at most VARINT_MAX. */
size_t varint_len(uint64_t v);
/* Writes the shortest form; returns its length. */
size_t varint_encode(uint8_t *out, uint64_t v);
/* Bytes consumed, 0 if incomplete. Longer forms than needed are accepted (RFC 9000 does). */
size_t varint_decode(const uint8_t *in, size_t len, uint64_t *v);

/* On readers and writers of base/bytes.h. */
uint64_t reader_varint(struct reader *r);
void writer_varint(struct writer *w, uint64_t v);
/* A length and that many bytes; *len at most max, else bad. */
const uint8_t *reader_text(struct reader *r, size_t *len, size_t max);
void writer_text(struct writer *w, const void *data, size_t len);

#endif
