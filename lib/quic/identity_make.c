/* identity_make: makes the file of a cluster identity: a P-256 key and its self-signed certificate
 * in PEM. Called by users of identity_create only, at start, on the caller's thread. It blocks. */
#include "quic/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>
#include "base/err.h"
#include "base/rng.h"

#define DER_MAX 2048
#define PEM_MAX 8192
#define DAYS_VALID 36525 /* a hundred years: people replace the file, it does not expire */

static int fail_io(struct rusm_why *why, const char *what, const char *path)
{
    bool full = errno == ENOSPC || errno == EDQUOT;
    bool closed =
        errno == EACCES || errno == EPERM || errno == EROFS || errno == ENOENT || errno == ENOTDIR;

    return err_why(why, RUSM_EIO, "cannot %s %s: %s%s", what, path, strerror(errno),
                   full     ? ": make room on its disk"
                   : closed ? ": set RUSM_IDENTITY to a file that you can write"
                            : "");
}

/* Fills DER with the self-signed certificate of KEY. Returns its length, or a negative number. */
static int make_certificate(ecc_key *key, WC_RNG *rng, uint8_t *der, word32 cap)
{
    Cert cert;

    if (wc_InitCert(&cert) != 0) {
        return -1;
    }
    snprintf(cert.subject.commonName, sizeof(cert.subject.commonName), "rusm cluster");
    cert.daysValid = DAYS_VALID;
    cert.selfSigned = 1;
    cert.isCA = 1; /* it is its own and only trust root */
    cert.sigType = CTC_SHA256wECDSA;
    if (wc_SetKeyUsage(&cert, "digitalSignature,keyCertSign") != 0 ||
        wc_SetExtKeyUsage(&cert, "serverAuth,clientAuth") != 0 ||
        wc_SetSubjectKeyIdFromPublicKey_ex(&cert, ECC_TYPE, key) != 0 ||
        wc_SetAuthKeyIdFromPublicKey_ex(&cert, ECC_TYPE, key) != 0 ||
        wc_MakeCert(&cert, der, cap, NULL, key, rng) < 0) {
        return -1;
    }
    return wc_SignCert(cert.bodySz, cert.sigType, der, cap, NULL, key, rng);
}

/* Writes key and certificate as PEM. Returns the length, or a negative number. */
static int make_pem(char *pem, word32 cap)
{
    uint8_t der[DER_MAX];
    WC_RNG rng;
    ecc_key key;
    int len = -1, key_len, n;

    if (wc_InitRng(&rng) != 0) {
        return -1;
    }
    if (wc_ecc_init(&key) != 0) {
        wc_FreeRng(&rng);
        return -1;
    }
    if (wc_ecc_make_key_ex(&rng, 32, &key, ECC_SECP256R1) != 0 ||
        (n = wc_EccKeyToDer(&key, der, sizeof(der))) < 0 ||
        (key_len = wc_DerToPem(der, (word32)n, (byte *)pem, cap, ECC_PRIVATEKEY_TYPE)) < 0 ||
        (n = make_certificate(&key, &rng, der, sizeof(der))) < 0 ||
        (n = wc_DerToPem(der, (word32)n, (byte *)pem + key_len, cap - (word32)key_len, CERT_TYPE)) <
            0) {
        goto done;
    }
    len = key_len + n;
done:
    explicit_bzero(der, sizeof(der));
    wc_ecc_free(&key);
    wc_FreeRng(&rng);
    return len;
}

/* Makes the folders above PATH, each with mode 0700. */
static int make_parents(const char *path, struct rusm_why *why)
{
    char part[PATH_MAX];

    snprintf(part, sizeof(part), "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return fail_io(why, "make the folder", part);
        }
        *slash = '/';
    }
    return 0;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0) {
            if (errno == EINTR) {
                continue;
            }
            return -1;
        }
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* Syncs the folder of PATH, so that the new name survives a crash too. A file system that cannot do
 * that is no reason to fail. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX];
    char *slash;
    int fd;

    snprintf(folder, sizeof(folder), "%s", path);
    slash = strrchr(folder, '/');
    if (slash) {
        slash[slash == folder ? 1 : 0] = '\0';
    }
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)!fsync(fd);
        close(fd);
    }
}

/* Puts the bytes at PATH, which must not exist. Writes them under another name first and links
 * that, so that nobody sees half a file and only one of two makers wins. */
static int place(const char *path, const char *pem, size_t len, struct rusm_why *why)
{
    char aside[PATH_MAX + 32];
    uint64_t unique;
    int fd, error = 0;

    if (rng_secret(&unique, sizeof(unique)) != 0) {
        return fail_io(why, "get random bytes for", path);
    }
    snprintf(aside, sizeof(aside), "%s.%016llx", path, (unsigned long long)unique);
    fd = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail_io(why, "write", aside);
    }
    if (fchmod(fd, 0600) != 0 || write_all(fd, pem, len) != 0) {
        error = fail_io(why, "write", aside);
    } else if (link(aside, path) != 0) {
        if (errno == EEXIST) {
            error = err_why(why, RUSM_EEXIST, "%s exists already", path);
        } else {
            error = fail_io(why, "make", path);
        }
    }
    close(fd);
    unlink(aside);
    if (!error) {
        sync_folder(path);
    }
    return error;
}

int identity_create(const char *path, struct rusm_why *why)
{
    char pem[PEM_MAX];
    struct stat st;
    int len, error;

    if (strlen(path) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return fail_io(why, "make", path);
    }
    if (lstat(path, &st) == 0) {
        return err_why(why, RUSM_EEXIST, "%s exists already", path);
    }
    error = make_parents(path, why);
    if (error) {
        return error;
    }
    wolfSSL_Init();
    len = make_pem(pem, sizeof(pem));
    if (len < 0) {
        error = err_why(why, RUSM_EIO, "cannot make a certificate: wolfSSL failed");
    } else {
        error = place(path, pem, (size_t)len, why);
    }
    explicit_bzero(pem, sizeof(pem));
    wolfSSL_Cleanup();
    return error;
}
