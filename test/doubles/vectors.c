/* vectors: reads the test vectors, see the header. */
#include "doubles/vectors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "rusm.h"

static int vector_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes hexadecimal like "00.11aa", or "-" for no bytes. Returns how many bytes, or -1 if the
 * text is neither. */
static ssize_t vector_bytes(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (const char *p = strcmp(hex, "-") == 0 ? "" : hex; *p;) {
        if (*p == '.') {
            p++;
            continue;
        }
        int high = vector_digit(p[0]), low = high < 0 ? -1 : vector_digit(p[1]);
        if (low < 0) {
            return -1;
        }
        out[n++] = (uint8_t)(high << 4 | low);
        p += 2;
    }
    return (ssize_t)n;
}

static ssize_t vector_run(struct vector *v, vector_fn *fn, const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);

    assert_non_null(copy);
    memcpy(copy, data, len);
    memset(v, 0, sizeof(*v));
    v->in = copy;
    v->len = len;
    ssize_t n = fn(v);
    free(copy);
    return n;
}

/* Checks an encoding on a stream: every proper prefix is incomplete, and bytes behind it are not
 * consumed. */
static void vector_stream(const char *line, vector_fn *fn, uint8_t *data, size_t len, ssize_t used)
{
    struct vector *v = malloc(sizeof(*v));

    assert_non_null(v);
    if (used != (ssize_t)len) {
        fail_msg("%s: consumed %zd of %zu", line, used, len);
    }
    for (size_t part = 0; part < len; part++) {
        ssize_t n = vector_run(v, fn, data, part);
        if (n != 0) {
            fail_msg("%s: with %zu bytes of %zu: %zd, not incomplete", line, part, len, n);
        }
    }
    data[len] = 0x5a;
    ssize_t n = vector_run(v, fn, data, len + 1);
    if (n != used) {
        fail_msg("%s: with a byte behind it: %zd, not %zd", line, n, used);
    }
    free(v);
}

static void vector_line(const char *line, const char *hex, char op, const char *want, vector_fn *fn,
                        int stream)
{
    static const char *const cause[] = { [-RUSM_EMALFORMED] = "malformed",
                                         [-RUSM_ETOOLARGE] = "too-large" };
    uint8_t *data = malloc(strlen(hex) + 2);
    struct vector *v = malloc(sizeof(*v));
    const char *got;

    assert_non_null(data);
    assert_non_null(v);
    ssize_t len = vector_bytes(hex, data);
    if (len < 0) {
        fail_msg("%s: not hexadecimal", line);
    }
    ssize_t n = vector_run(v, fn, data, (size_t)len);
    if (op == '!') {
        got = n == RUSM_EMALFORMED || n == RUSM_ETOOLARGE ? cause[-n] : "no error";
    } else {
        got = n > 0 ? v->text : n == 0 ? "incomplete" : "error";
        want = op == '?' ? "incomplete" : want;
    }
    if (strcmp(got, want) != 0) {
        fail_msg("%s: %s (%zd)", line, got, n);
    }
    if (op == '=' && (v->again_len != (size_t)len || memcmp(v->again, data, (size_t)len) != 0)) {
        v->text[0] = '\0';
        vector_say_hex(v, v->again, v->again_len);
        fail_msg("%s: encoded again: %s", line, v->text);
    }
    if (stream && (op == '=' || op == '~')) {
        vector_stream(line, fn, data, (size_t)len, n);
    }
    free(v);
    free(data);
}

unsigned vectors_check(const char *kind, vector_fn *fn, int stream)
{
    const char *path = getenv("RUSM_VECTORS");
    FILE *f = fopen(path ? path : "test/unit/vectors/wire.txt", "re");
    char *line = NULL, what[32], op;
    size_t cap = 0;
    unsigned count = 0;

    if (!f) {
        fail_msg("cannot read the vectors: set RUSM_VECTORS");
    }
    for (ssize_t n; (n = getline(&line, &cap, f)) > 0;) {
        line[n - 1] = '\0';
        if (line[0] == '#' || sscanf(line, "%31s", what) != 1 || strcmp(what, kind) != 0) {
            continue;
        }
        char *hex = malloc((size_t)n);
        int fields = 0;
        assert_non_null(hex);
        if (sscanf(line, "%*s %s %c %n", hex, &op, &fields) != 2 || !strchr("=~?!", op)) {
            fail_msg("%s: not a vector", line);
        }
        vector_line(line, hex, op, line + fields, fn, stream);
        free(hex);
        count++;
    }
    free(line);
    fclose(f);
    return count;
}

void vector_say(struct vector *v, const char *format, ...)
{
    size_t used = strlen(v->text);
    va_list args;

    va_start(args, format);
    int n = vsnprintf(v->text + used, sizeof(v->text) - used, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof(v->text) - used);
}

void vector_say_hex(struct vector *v, const uint8_t *data, size_t len)
{
    if (len == 0) {
        vector_say(v, "-");
    }
    for (size_t i = 0; i < len; i++) {
        vector_say(v, "%02x", data[i]);
    }
}
