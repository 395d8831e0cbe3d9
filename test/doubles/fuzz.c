#include "doubles/fuzz.h"

/* Runs the decoder on a copy of exactly those bytes in a block of its own, so that a sanitizer sees
 * a read past the end. Puts the byte `tail` behind them if it is not negative. */
static void fuzz_item_run(fuzz_item_fn *fn, const uint8_t *data, size_t len, int tail,
                          struct fuzz_item *out)
{
    size_t all = len + (tail >= 0 ? 1 : 0);
    uint8_t *copy = malloc(all > 0 ? all : 1);

    must(copy);
    if (len > 0) {
        memcpy(copy, data, len);
    }
    if (tail >= 0) {
        copy[len] = (uint8_t)tail;
    }
    struct reader r = reader_on(copy, all);
    struct writer w = writer_on(out->again, sizeof(out->again));
    out->rc = fn(&r, &w);
    must(out->rc <= 1);
    must(r.at >= copy && r.at <= copy + all); /* no read past the end */
    out->used = (size_t)(r.at - copy);
    out->written = writer_len(&w);
    if (out->rc == 1) {
        must(!r.bad && !w.bad && out->used > 0);
    }
    free(copy);
}

static void fuzz_item_same(const struct fuzz_item *a, const struct fuzz_item *b)
{
    must(a->rc == b->rc && a->written == b->written);
    must(memcmp(a->again, b->again, a->written) == 0);
}

size_t fuzz_item(fuzz_item_fn *fn, const uint8_t *data, size_t len)
{
    struct fuzz_item first, other;

    if (len > FUZZ_ITEM_MAX) {
        return 0;
    }
    fuzz_item_run(fn, data, len, -1, &first);
    if (first.rc != 1) {
        return 0;
    }
    for (int tail = -1; tail <= 0xff; tail += 0x80) {
        fuzz_item_run(fn, data, first.used, tail, &other);
        fuzz_item_same(&first, &other);
        must(other.used == first.used);
    }
    size_t step = first.used > 16 ? first.used / 16 : 1;
    for (size_t part = first.used; part > 0; part -= part < step ? part : step) {
        fuzz_item_run(fn, data, part - 1, -1, &other);
        must(other.rc != 1);
    }
    must(first.written <= first.used);
    fuzz_item_run(fn, first.again, first.written, -1, &other);
    fuzz_item_same(&first, &other);
    must(other.used == first.written);
    return first.used;
}

/* ---- an input as orders -------------------------------------------------------------------- */

size_t fuzz_below(struct reader *r, size_t bound)
{
    size_t v = bound > 256 ? reader_u16(r) : reader_u8(r);
    return v % bound;
}

const uint8_t *fuzz_bytes(struct reader *r, size_t most, size_t *len)
{
    size_t want = fuzz_below(r, most + 1), left = reader_left(r);
    *len = want < left ? want : left;
    return reader_bytes(r, *len);
}

/* ---- an input as a file -------------------------------------------------------------------- */

struct fuzz_file fuzz_file_make(const void *data, size_t len)
{
    struct fuzz_file f = { .fd = memfd_create("rusm-fuzz", MFD_CLOEXEC) };

    must(f.fd >= 0 && fchmod(f.fd, 0600) == 0);
    must(len == 0 || write(f.fd, data, len) == (ssize_t)len);
    snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
    return f;
}

void fuzz_line_ok(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        must((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
    }
}
