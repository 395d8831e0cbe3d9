/* identity: reads the cluster certificate and its key from a PEM file and checks them. Called at
 * start, on the caller's thread. It blocks on the file. identity_make.c makes such a file. */
#include "quic/identity.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/sha256.h>
#include "base/err.h"
#include "base/secret.h"

#define FILE_MAX 65536 /* an identity has less than 2 KiB; a longer file is another file */
#define SECRET_LEN 32

struct identity {
    char path[PATH_MAX];
    char fingerprint[65];
    char subject[128];
    char not_after[32];
    uint8_t certificate[4096]; /* DER */
    size_t certificate_len;
    uint8_t key[512]; /* DER */
    size_t key_len;
    uint8_t secret[SECRET_LEN]; /* the private scalar, from which identity_derive derives secrets */
};

static int refuse(struct rusm_why *why, int error, const char *path, const char *text)
{
    return err_why(why, error, "identity %s %s", path, text);
}

static size_t count_of(const char *text, const char *what)
{
    size_t n = 0;

    for (const char *at = strstr(text, what); at; at = strstr(at + strlen(what), what)) {
        n++;
    }
    return n;
}

/* Decodes both parts from PEM to DER. */
static int decode_pem(struct identity *id, const char *pem, size_t len, struct rusm_why *why)
{
    int n;

    if (count_of(pem, "-----BEGIN CERTIFICATE-----") != 1 ||
        count_of(pem, "PRIVATE KEY-----") != 2) {
        return refuse(why, RUSM_EMALFORMED, id->path,
                      "does not hold one certificate and one private key");
    }
    n = wc_CertPemToDer((const byte *)pem, (int)len, id->certificate, sizeof(id->certificate),
                        CERT_TYPE);
    if (n <= 0) {
        return refuse(why, RUSM_EMALFORMED, id->path, "has a certificate that cannot be read");
    }
    id->certificate_len = (size_t)n;
    n = wc_KeyPemToDer((const byte *)pem, (int)len, id->key, sizeof(id->key), NULL);
    if (n <= 0) {
        return refuse(why, RUSM_EMALFORMED, id->path, "has a key that cannot be read");
    }
    id->key_len = (size_t)n;
    return 0;
}

/* Gets the private scalar. Succeeds only if the key is an ECDSA P-256 key. */
static int decode_key(struct identity *id, struct rusm_why *why)
{
    ecc_key key;
    word32 at = 0, len = SECRET_LEN;
    bool ok;

    if (wc_ecc_init(&key) != 0) {
        return RUSM_ENOMEM;
    }
    ok = wc_EccPrivateKeyDecode(id->key, &at, &key, (word32)id->key_len) == 0 &&
         wc_ecc_get_curve_id(key.idx) == ECC_SECP256R1 &&
         wc_ecc_export_private_only(&key, id->secret, &len) == 0 && len == SECRET_LEN;
    wc_ecc_free(&key);
    return ok ? 0 : refuse(why, RUSM_EMALFORMED, id->path, "has a key that is not ECDSA P-256");
}

/* Is the certificate signed by its own key? Loading a root does not check that, but peers will.
 * wolfSSL looks at the dates last. They do not count: a machine's clock may be wrong, and the
 * certificate is pinned. */
static bool signed_by_itself(WOLFSSL_CTX *ctx, const struct identity *id)
{
    int error = wolfSSL_CertManagerVerifyBuffer(wolfSSL_CTX_GetCertManager(ctx), id->certificate,
                                                (long)id->certificate_len, WOLFSSL_FILETYPE_ASN1);

    return error == WOLFSSL_SUCCESS || error == ASN_BEFORE_DATE_E || error == ASN_AFTER_DATE_E;
}

/* Do the certificate and the key belong together, and can the certificate be a trust root? */
static int check_pair(const struct identity *id, struct rusm_why *why)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLSv1_3_server_method());
    int error = 0;

    if (!ctx) {
        return RUSM_ENOMEM;
    }
    if (wolfSSL_CTX_use_certificate_buffer(ctx, id->certificate, (long)id->certificate_len,
                                           WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_load_verify_buffer_ex(ctx, id->certificate, (long)id->certificate_len,
                                          WOLFSSL_FILETYPE_ASN1, 0,
                                          WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY) != WOLFSSL_SUCCESS ||
        !signed_by_itself(ctx, id)) {
        error = refuse(why, RUSM_EMALFORMED, id->path,
                       "has a certificate that cannot be a cluster's: it must be self-signed");
    } else if (wolfSSL_CTX_use_PrivateKey_buffer(ctx, id->key, (long)id->key_len,
                                                 WOLFSSL_FILETYPE_ASN1) != WOLFSSL_SUCCESS ||
               wolfSSL_CTX_check_private_key(ctx) != WOLFSSL_SUCCESS) {
        error = refuse(why, RUSM_EMALFORMED, id->path,
                       "has a key that does not belong to its certificate");
    }
    wolfSSL_CTX_free(ctx);
    return error;
}

/* Fills in what people see: fingerprint, subject, last day. */
static int describe(struct identity *id)
{
    uint8_t digest[WC_SHA256_DIGEST_SIZE];
    char *cn;
    const byte *end;
    WOLFSSL_X509 *x509;

    if (wc_Sha256Hash(id->certificate, (word32)id->certificate_len, digest) != 0) {
        return RUSM_ENOMEM;
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        snprintf(id->fingerprint + 2 * i, 3, "%02x", digest[i]);
    }
    x509 = wolfSSL_X509_load_certificate_buffer(id->certificate, (int)id->certificate_len,
                                                WOLFSSL_FILETYPE_ASN1);
    if (!x509) {
        return RUSM_ENOMEM;
    }
    cn = wolfSSL_X509_get_subjectCN(x509);
    snprintf(id->subject, sizeof(id->subject), "CN=%s", cn ? cn : "");
    end = wolfSSL_X509_notAfter(x509); /* type, length, then YYMMDD… or YYYYMMDD… */
    if (end && end[0] == ASN_GENERALIZED_TIME && end[1] >= 8) {
        snprintf(id->not_after, sizeof(id->not_after), "%.4s-%.2s-%.2s", end + 2, end + 6, end + 8);
    } else if (end && end[0] == ASN_UTC_TIME && end[1] >= 6) {
        snprintf(id->not_after, sizeof(id->not_after), "20%.2s-%.2s-%.2s", end + 2, end + 4,
                 end + 6);
    }
    wolfSSL_X509_free(x509);
    return 0;
}

static int load(struct identity *id, char *pem, struct rusm_why *why)
{
    static const struct secret_kind kind = {
        .name = "identity", .missing = "run `rusm cert new`, or copy the cluster's file here"
    };
    size_t len;
    int error = secret_read(&kind, id->path, pem, FILE_MAX - 1, &len, why);

    if (error) {
        return error;
    }
    pem[len] = '\0';
    error = decode_pem(id, pem, len, why);
    if (!error) {
        error = decode_key(id, why);
    }
    if (!error) {
        error = check_pair(id, why);
    }
    return error ? error : describe(id);
}

int identity_load(const char *path, struct identity **out, struct rusm_why *why)
{
    struct identity *id = calloc(1, sizeof(*id));
    char *pem = malloc(FILE_MAX + 1);
    int error;

    *out = NULL;
    if (!id || !pem || wolfSSL_Init() != WOLFSSL_SUCCESS) {
        free(id);
        free(pem);
        return err_why(why, RUSM_ENOMEM, "no memory for an identity");
    }
    if (strlen(path) >= sizeof(id->path)) {
        error = refuse(why, RUSM_EREFUSED, path, "has too long a path");
    } else {
        memcpy(id->path, path, strlen(path) + 1);
        error = load(id, pem, why);
    }
    explicit_bzero(pem, FILE_MAX + 1);
    free(pem);
    if (error) {
        if (error == RUSM_ENOMEM) {
            refuse(why, error, path, "cannot be used: no memory");
        }
        identity_free(id);
        return error;
    }
    *out = id;
    return 0;
}

void identity_free(struct identity *id)
{
    if (!id) {
        return;
    }
    explicit_bzero(id, sizeof(*id));
    free(id);
    wolfSSL_Cleanup();
}

const char *identity_fingerprint(const struct identity *id)
{
    return id->fingerprint;
}

void identity_describe(const struct identity *id, struct rusm_identity_info *info)
{
    memset(info, 0, sizeof(*info));
    snprintf(info->path, sizeof(info->path), "%s", id->path);
    snprintf(info->fingerprint, sizeof(info->fingerprint), "%s", id->fingerprint);
    snprintf(info->subject, sizeof(info->subject), "%s", id->subject);
    snprintf(info->not_after, sizeof(info->not_after), "%s", id->not_after);
}

int identity_derive(const struct identity *id, const char *label, const char *context, uint8_t *out,
                    size_t len)
{
    char info[512];
    int n = snprintf(info, sizeof(info), "rusm %s", label) + 1; /* its NUL separates the two */

    if (n < 0 || (size_t)n + strlen(context) > sizeof(info)) {
        return RUSM_EIO;
    }
    memcpy(info + n, context, strlen(context));
    n += (int)strlen(context);
    return wc_HKDF(WC_SHA256, id->secret, SECRET_LEN, NULL, 0, (const byte *)info, (word32)n, out,
                   (word32)len) == 0
               ? 0
               : RUSM_EIO;
}

const uint8_t *identity_certificate(const struct identity *id, size_t *len)
{
    *len = id->certificate_len;
    return id->certificate;
}

const uint8_t *identity_key(const struct identity *id, size_t *len)
{
    *len = id->key_len;
    return id->key;
}
