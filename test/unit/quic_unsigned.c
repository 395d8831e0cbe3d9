/* quic_unsigned: a node that serves HTTP/3 presents the cluster's certificate to everyone, so it is
 * no secret. A client that presents this certificate without proving, by CertificateVerify, that it
 * has the key is refused, as a node and as an HTTP client. The rogue here leaves that message out
 * and makes a Finished that fits the rest, which needs a TLS of its own.
 *
 * LINK: -Wl,--wrap=wolfSSL_provide_quic_data */
#include "doubles/quic_rogue.h"

#include <wolfssl/wolfcrypt/hash.h>
#include <wolfssl/wolfcrypt/hmac.h>

#define CLIENT_HELLO 1
#define CERTIFICATE_VERIFY 15
#define FINISHED 20
#define HASH 32

static struct {
    WOLFSSL *tls; /* the rogue's session */
    bool leaves_out;
    wc_Sha256 transcript; /* of the messages of both sides, up to the client's Finished */
    uint8_t secret[HASH]; /* the client's handshake secret */
    uint8_t flight[8192]; /* the client's handshake messages so far */
    size_t flight_len;
    unsigned left_out;
} rogue;

static void transcript_add(const uint8_t *data, size_t len)
{
    assert_int_equal(wc_Sha256Update(&rogue.transcript, data, (word32)len), 0);
}

/* HKDF-Expand-Label(secret, "finished", "", 32): one block. */
static void finished_key(uint8_t key[HASH])
{
    static const uint8_t info[] = "\x00\x20\x0e"
                                  "tls13 finished"
                                  "\x00\x01";
    Hmac hmac;

    assert_int_equal(wc_HmacInit(&hmac, NULL, INVALID_DEVID), 0);
    assert_int_equal(wc_HmacSetKey(&hmac, WC_SHA256, rogue.secret, HASH), 0);
    assert_int_equal(wc_HmacUpdate(&hmac, info, sizeof(info) - 1), 0);
    assert_int_equal(wc_HmacFinal(&hmac, key), 0);
    wc_HmacFree(&hmac);
}

static void make_finished(uint8_t verify[HASH])
{
    uint8_t key[HASH], hash[HASH];
    wc_Sha256 copy;
    Hmac hmac;

    assert_int_equal(wc_Sha256Copy(&rogue.transcript, &copy), 0);
    assert_int_equal(wc_Sha256Final(&copy, hash), 0);
    finished_key(key);
    assert_int_equal(wc_HmacInit(&hmac, NULL, INVALID_DEVID), 0);
    assert_int_equal(wc_HmacSetKey(&hmac, WC_SHA256, key, HASH), 0);
    assert_int_equal(wc_HmacUpdate(&hmac, hash, HASH), 0);
    assert_int_equal(wc_HmacFinal(&hmac, verify), 0);
    wc_HmacFree(&hmac);
}

static ngtcp2_conn *quic_of(WOLFSSL *tls)
{
    ngtcp2_crypto_conn_ref *ref = wolfSSL_get_app_data(tls);
    return ref->get_conn(ref);
}

static void submit(WOLFSSL *tls, ngtcp2_encryption_level level, const uint8_t *data, size_t len)
{
    assert_int_equal(ngtcp2_conn_submit_crypto_data(quic_of(tls), level, data, len), 0);
}

/* Sends the client's flight message by message, without CertificateVerify if the rogue leaves it
 * out. The flight is complete once it has its Finished. */
static void send_flight(WOLFSSL *tls, ngtcp2_encryption_level level)
{
    uint8_t *at = rogue.flight, *end = rogue.flight + rogue.flight_len;

    while (at < end) {
        size_t len = 4 + ((size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
        assert_true(len <= (size_t)(end - at));
        if (at[0] == CERTIFICATE_VERIFY && rogue.leaves_out) {
            rogue.left_out++;
        } else {
            if (at[0] == FINISHED) {
                uint8_t verify[HASH];
                make_finished(verify);
                if (!rogue.leaves_out) { /* checks that we compute it correctly */
                    assert_memory_equal(at + 4, verify, HASH);
                }
                memcpy(at + 4, verify, HASH);
            }
            transcript_add(at, len);
            submit(tls, level, at, len);
        }
        at += len;
    }
    rogue.flight_len = 0;
}

static bool flight_is_whole(void)
{
    const uint8_t *at = rogue.flight, *end = rogue.flight + rogue.flight_len;

    while (end - at >= 4) {
        size_t len = 4 + ((size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]);
        if (len > (size_t)(end - at)) {
            return false;
        }
        if (at[0] == FINISHED) {
            return true;
        }
        at += len;
    }
    return false;
}

/* ---- the session's QUIC method: ngtcp2's, except for sending ---- */

static int set_secrets(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level, const uint8_t *rx,
                       const uint8_t *tx, size_t len)
{
    ngtcp2_encryption_level l = ngtcp2_crypto_wolfssl_from_wolfssl_encryption_level(level);

    assert_int_equal(len, HASH);
    if (l == NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE && tx) {
        memcpy(rogue.secret, tx, HASH);
    }
    return (!rx || ngtcp2_crypto_derive_and_install_rx_key(quic_of(tls), NULL, NULL, NULL, l, rx,
                                                           len) == 0) &&
           (!tx || ngtcp2_crypto_derive_and_install_tx_key(quic_of(tls), NULL, NULL, NULL, l, tx,
                                                           len) == 0);
}

static int add_data(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level, const uint8_t *data, size_t len)
{
    ngtcp2_encryption_level l = ngtcp2_crypto_wolfssl_from_wolfssl_encryption_level(level);

    if (l != NGTCP2_ENCRYPTION_LEVEL_HANDSHAKE) {
        transcript_add(data, len);
        submit(tls, l, data, len);
        return 1;
    }
    assert_true(rogue.flight_len + len <= sizeof(rogue.flight));
    memcpy(rogue.flight + rogue.flight_len, data, len);
    rogue.flight_len += len;
    if (flight_is_whole()) {
        send_flight(tls, l);
    }
    return 1;
}

static int flush_flight(WOLFSSL *tls)
{
    (void)tls;
    return 1;
}

static int send_alert(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level, uint8_t alert)
{
    (void)level;
    ngtcp2_conn_set_tls_alert(quic_of(tls), alert);
    return 1;
}

static const WOLFSSL_QUIC_METHOD method = { set_secrets, add_data, flush_flight, send_alert };

int __real_wolfSSL_provide_quic_data(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level,
                                     const uint8_t *data, size_t len);
int __wrap_wolfSSL_provide_quic_data(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level,
                                     const uint8_t *data, size_t len);
int __wrap_wolfSSL_provide_quic_data(WOLFSSL *tls, WOLFSSL_ENCRYPTION_LEVEL level,
                                     const uint8_t *data, size_t len)
{
    if (!wolfSSL_is_server(tls)) {
        transcript_add(data, len);
    }
    return __real_wolfSSL_provide_quic_data(tls, level, data, len);
}

/* ---- tests ---- */

static bool gets_in(const char *protocol, bool leaves_out)
{
    struct rogue r = rogue_of(ours);
    char text[160];
    bool in;

    memset(&rogue, 0, sizeof(rogue));
    rogue.leaves_out = leaves_out;
    assert_int_equal(wc_InitSha256(&rogue.transcript), 0);
    r.method = &method;
    r.protocol = protocol;
    in = rogue_gets_in(&r, text);
    assert_int_equal(rogue.left_out, leaves_out);
    wc_Sha256Free(&rogue.transcript);
    return in;
}

/* With the message, the rogue gets in. So the failure of the next test means something. */
static void test_signed(void **state)
{
    (void)state;
    http = anonymous = true;
    assert_true(gets_in("h3", false));
    assert_true(as_http && trusted);
    assert_true(gets_in(TLS_PROTOCOL, false));
    assert_true(!as_http && trusted);
}

static void test_unsigned(void **state)
{
    static const char *const protocols[] = { "h3", TLS_PROTOCOL, "h3," TLS_PROTOCOL };

    (void)state;
    for (unsigned options = 0; options < 4; options++) {
        http = options & 1;
        anonymous = options & 2;
        for (size_t i = 0; i < 3; i++) {
            if (http || i == 1) { /* otherwise there is no common protocol */
                assert_false(gets_in(protocols[i], true));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signed),
        cmocka_unit_test(test_unsigned),
    };
    int failed;

    ours = side_identity();
    theirs = side_identity();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    identity_free(ours);
    identity_free(theirs);
    return failed;
}
