/* tls: the two wolfSSL contexts of an endpoint, the check of the peer, and texts for alerts. Called
 * by endpoint when it starts and by conn for each handshake, on the endpoint's thread. */
#include "quic/tls.h"

#include <ngtcp2/ngtcp2_crypto_wolfssl.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"

/* AES-128-GCM is the fastest with AES in hardware, ChaCha20 without. */
#define CIPHERS "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256"
#define GROUPS "P-256:X25519"
#define QUIC_V1_PARAMETERS 0x39 /* TLS extension of the transport parameters */

/* RFC 8446, 6.2 */
enum alert {
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_UNKNOWN_CA = 48,
    ALERT_DECRYPT_ERROR = 51,
    ALERT_PROTOCOL_VERSION = 70,
    ALERT_CERTIFICATE_REQUIRED = 116,
    ALERT_NO_PROTOCOL = 120,
};

struct tls {
    struct tls_options options;
    WOLFSSL_CTX *server, *client;
};

static int load_own(WOLFSSL_CTX *ctx, const struct identity *id)
{
    size_t cert_len, key_len;
    const uint8_t *cert = identity_certificate(id, &cert_len);
    const uint8_t *key = identity_key(id, &key_len);

    return wolfSSL_CTX_use_PrivateKey_buffer(ctx, key, (long)key_len, WOLFSSL_FILETYPE_ASN1) ==
                       WOLFSSL_SUCCESS &&
                   wolfSSL_CTX_use_certificate_buffer(ctx, cert, (long)cert_len,
                                                      WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS
               ? 0
               : RUSM_EIO;
}

/* Did both sides agree on this protocol? A client that offers no ALPN at all passes wolfSSL's own
 * check, but has agreed on none. */
static bool agreed(WOLFSSL *session, const char *protocol)
{
    unsigned short len = 0;
    char *name = NULL;

    return wolfSSL_ALPN_GetProtocol(session, &name, &len) == WOLFSSL_SUCCESS &&
           len == strlen(protocol) && memcmp(name, protocol, len) == 0;
}

/* Takes a peer's certificate outside its time: it is pinned, whatever its dates, and a machine's
 * clock may be wrong. tls_check_peer compares it with ours. Everything else about it must be
 * right. */
static int forgive_dates(int right, WOLFSSL_X509_STORE_CTX *store)
{
    switch (store->error) {
    case ASN_BEFORE_DATE_E:
    case ASN_AFTER_DATE_E:
    case WOLFSSL_X509_V_ERR_CERT_NOT_YET_VALID:
    case WOLFSSL_X509_V_ERR_CERT_HAS_EXPIRED: return 1;
    default: return right;
    }
}

/* Called when the ClientHello was read. A client that speaks h3 may have no certificate. TLS itself
 * demands one of all others, and checks that whoever presents one has its key. */
static int settle_certificate(WOLFSSL *session, void *context)
{
    (void)context;
    if (agreed(session, TLS_HTTP)) {
        wolfSSL_set_verify(session, WOLFSSL_VERIFY_PEER, forgive_dates);
    }
    return 1;
}

static WOLFSSL_CTX *make_context(const struct tls_options *o, bool server)
{
    size_t cert_len;
    const uint8_t *cert = identity_certificate(o->identity, &cert_len);
    bool stranger = !server && o->dial_http && o->anonymous;
    WOLFSSL_CTX *ctx =
        wolfSSL_CTX_new(server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method());
    char groups[] = GROUPS;

    if (!ctx) {
        return NULL;
    }
    /* A cluster CA would go here. Its certificate would be the one loaded for verification, the
     * node's own the one used, and tls_check_peer would compare names instead of bytes. */
    if ((server ? ngtcp2_crypto_wolfssl_configure_server_context(ctx)
                : ngtcp2_crypto_wolfssl_configure_client_context(ctx)) != 0 ||
        wolfSSL_CTX_set_cipher_list(ctx, CIPHERS) != WOLFSSL_SUCCESS ||
        wolfSSL_CTX_set1_groups_list(ctx, groups) != WOLFSSL_SUCCESS ||
        (!stranger && load_own(ctx, o->identity) != 0) ||
        wolfSSL_CTX_load_verify_buffer_ex(ctx, cert, (long)cert_len, WOLFSSL_FILETYPE_ASN1, 0,
                                          WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY) != WOLFSSL_SUCCESS) {
        wolfSSL_CTX_free(ctx);
        return NULL;
    }
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                           forgive_dates);
    if (server && o->accept_http && o->anonymous) {
        wolfSSL_CTX_set_cert_cb(ctx, settle_certificate, NULL);
    }
    wolfSSL_CTX_set_session_cache_mode(ctx, WOLFSSL_SESS_CACHE_OFF);
    if (server && wolfSSL_CTX_no_ticket_TLSv13(ctx) != 0) {
        wolfSSL_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

int tls_new(struct tls **out, const struct tls_options *options, struct rusm_why *why)
{
    struct tls *t = calloc(1, sizeof(*t));

    *out = NULL;
    if (!t) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    wolfSSL_Init();
    t->options = *options;
    t->server = make_context(options, true);
    t->client = make_context(options, false);
    if (!t->server || !t->client) {
        tls_free(t);
        return err_why(why, RUSM_EIO, "wolfSSL refuses the certificate or the key");
    }
    *out = t;
    return 0;
}

void tls_free(struct tls *t)
{
    if (!t) {
        return;
    }
    wolfSSL_CTX_free(t->server);
    wolfSSL_CTX_free(t->client);
    wolfSSL_Cleanup();
    free(t);
}

WOLFSSL *tls_session(const struct tls *t, bool dialled, ngtcp2_crypto_conn_ref *ref)
{
    WOLFSSL *session = wolfSSL_new(dialled ? t->client : t->server);
    char rusm[] = TLS_PROTOCOL, http[] = TLS_HTTP, both[] = TLS_PROTOCOL "," TLS_HTTP;
    char *protocols = dialled && t->options.dial_http      ? http
                      : !dialled && t->options.accept_http ? both
                                                           : rusm;

    if (!session) {
        return NULL;
    }
    wolfSSL_set_app_data(session, ref);
    if (dialled) {
        wolfSSL_set_connect_state(session);
    } else {
        wolfSSL_set_accept_state(session);
    }
    wolfSSL_set_quic_transport_version(session, QUIC_V1_PARAMETERS);
    if (wolfSSL_UseALPN(session, protocols, (unsigned)strlen(protocols),
                        WOLFSSL_ALPN_FAILED_ON_MISMATCH) != WOLFSSL_SUCCESS) {
        wolfSSL_free(session);
        return NULL;
    }
    return session;
}

uint8_t tls_check_peer(const struct tls *t, WOLFSSL *session, bool *http, bool *trusted)
{
    bool server = wolfSSL_is_server(session);
    size_t len;
    const uint8_t *ours = identity_certificate(t->options.identity, &len);
    WOLFSSL_X509 *x509 = wolfSSL_get_peer_certificate(session);
    const uint8_t *theirs;
    int theirs_len = 0;

    *trusted = false;
    *http = (server ? t->options.accept_http : t->options.dial_http) && agreed(session, TLS_HTTP);
    if (!*http && !agreed(session, TLS_PROTOCOL)) {
        wolfSSL_X509_free(x509);
        return ALERT_NO_PROTOCOL;
    }
    if (!x509) {
        return *http && server && t->options.anonymous ? 0 : ALERT_CERTIFICATE_REQUIRED;
    }
    theirs = wolfSSL_X509_get_der(x509, &theirs_len);
    *trusted = theirs && (size_t)theirs_len == len && memcmp(theirs, ours, len) == 0;
    wolfSSL_X509_free(x509);
    return *trusted ? 0 : ALERT_BAD_CERTIFICATE;
}

const char *tls_alert_text(uint8_t alert, bool theirs)
{
    switch ((enum alert)alert) {
    case ALERT_CERTIFICATE_EXPIRED:
        return theirs ? "it says that our certificate is expired or not yet valid: check the clocks"
                      : "its certificate is expired or not yet valid: check the clocks";
    case ALERT_BAD_CERTIFICATE:
    case ALERT_CERTIFICATE_UNKNOWN:
    case ALERT_UNKNOWN_CA:
    case ALERT_DECRYPT_ERROR:
        return theirs ? "it says that our certificate is not its cluster's"
                      : "its certificate is not this cluster's";
    case ALERT_CERTIFICATE_REQUIRED:
        return theirs ? "it says that we sent no certificate" : "it sent no certificate";
    case ALERT_NO_PROTOCOL: return "it does not speak " TLS_PROTOCOL;
    case ALERT_PROTOCOL_VERSION: return "it does not speak TLS 1.3";
    case ALERT_HANDSHAKE_FAILURE: return "no common ground in TLS";
    }
    return theirs ? "it refused the TLS handshake" : "the TLS handshake failed";
}
