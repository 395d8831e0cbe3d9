/* fuzz: the identity file (lib/quic/identity.c). If the first byte is even, the rest is the file.
 * If it is odd, the rest is orders that change a good file, which the target makes when it
 * starts. */
#include "doubles/fuzz.h"
#include "quic/identity.h"

#define PEM_MAX 8192

static struct {
    char text[PEM_MAX];
    size_t len;
    char fingerprint[65];
} good;

static void good_make(void)
{
    char folder[SCRATCH_MAX], path[SCRATCH_MAX + 16];
    struct identity *id;
    struct rusm_why why;

    must(scratch_make(folder));
    snprintf(path, sizeof(path), "%s/cluster.pem", folder);
    must(identity_create(path, &why) == 0 && identity_load(path, &id, &why) == 0);
    snprintf(good.fingerprint, sizeof(good.fingerprint), "%s", identity_fingerprint(id));
    identity_free(id);
    FILE *f = fopen(path, "re");
    must(f);
    good.len = fread(good.text, 1, sizeof(good.text), f);
    must(good.len > 0 && good.len < sizeof(good.text));
    fclose(f);
    unlink(path);
    rmdir(folder);
}

/* Copies the good file with bytes changed, taken out or put in. Returns its length. */
static size_t good_change(struct reader *r, char *text)
{
    size_t len = good.len;

    memcpy(text, good.text, len);
    while (reader_left(r) >= 4 && len > 0) {
        size_t order = fuzz_below(r, 4), at = fuzz_below(r, 65536) % len, n;
        if (order == 0) {
            text[at] = (char)reader_u8(r);
        } else if (order == 1) {
            len = at;
        } else if (order == 2) {
            n = fuzz_below(r, 256);
            n = n < len - at ? n : len - at;
            memmove(text + at, text + at + n, len - at - n);
            len -= n;
        } else {
            const uint8_t *more = fuzz_bytes(r, 128, &n);
            if (len + n < PEM_MAX) {
                memmove(text + at + n, text + at, len - at);
                memcpy(text + at, more, n);
                len += n;
            }
        }
    }
    return len;
}

static void check(const struct identity *id)
{
    struct rusm_identity_info info;
    uint8_t secret[32];
    size_t len;

    identity_describe(id, &info);
    must(strspn(info.fingerprint, "0123456789abcdef") == 64 && info.fingerprint[64] == '\0');
    fuzz_line_ok(info.subject, strlen(info.subject));
    fuzz_line_ok(info.not_after, strlen(info.not_after));
    must(identity_certificate(id, &len) && len > 0);
    must(identity_key(id, &len) && len > 0);
    must(identity_derive(id, "reset", "london", secret, sizeof(secret)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct reader r = reader_on(data, len);
    char text[PEM_MAX];
    struct identity *id;
    struct rusm_why why = { 0 };
    struct fuzz_file f;

    if (!good.len) {
        good_make();
    }
    if (reader_u8(&r) % 2 == 0) {
        f = fuzz_file_make(r.at, reader_left(&r));
    } else {
        f = fuzz_file_make(text, good_change(&r, text));
    }
    int error = identity_load(f.path, &id, &why);
    must(error == 0 || error == RUSM_EMALFORMED);
    if (error == 0) {
        check(id);
    } else {
        must(!id && why.text[0] != '\0');
        fuzz_line_ok(why.text, strlen(why.text));
    }
    /* An unchanged file is good. */
    must(len != 1 || data[0] % 2 == 0 || error == 0);
    identity_free(id);
    close(f.fd);
    return 0;
}
