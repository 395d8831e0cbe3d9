#include "doubles/quic_rogue.h"

struct identity *ours, *theirs;
bool http, anonymous;  /* the options of the server */
bool as_http, trusted; /* of the connection that got in */

/* Swaps the TLS session of a connection that has not sent anything yet. */
static WOLFSSL_CTX *make_rogue(struct conn *c, const struct rogue *r)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(wolfTLSv1_3_client_method());
    WOLFSSL *tls;
    char groups[] = "P-256", ciphers[] = "TLS13-AES128-GCM-SHA256";
    assert_non_null(ctx);
    assert_int_equal(ngtcp2_crypto_wolfssl_configure_client_context(ctx), 0);
    assert_int_equal(wolfSSL_CTX_set1_groups_list(ctx, groups), WOLFSSL_SUCCESS);
    assert_int_equal(wolfSSL_CTX_set_cipher_list(ctx, ciphers), WOLFSSL_SUCCESS);
    wolfSSL_CTX_set_verify(ctx, WOLFSSL_VERIFY_NONE, NULL);
    if (r->certificate) {
        assert_int_equal(wolfSSL_CTX_use_certificate_buffer(ctx, r->certificate,
                                                            (long)r->certificate_len,
                                                            WOLFSSL_FILETYPE_ASN1),
                         WOLFSSL_SUCCESS);
        assert_int_equal(wolfSSL_CTX_use_PrivateKey_buffer(ctx, r->key, (long)r->key_len,
                                                           WOLFSSL_FILETYPE_ASN1),
                         WOLFSSL_SUCCESS);
    }
    tls = wolfSSL_new(ctx);
    assert_non_null(tls);
    wolfSSL_set_app_data(tls, &c->ref);
    wolfSSL_set_connect_state(tls);
    wolfSSL_set_quic_transport_version(tls, 0x39);
    if (r->protocol) {
        char *protocol = strdup(r->protocol);
        assert_int_equal(wolfSSL_UseALPN(tls, protocol, (unsigned)strlen(protocol),
                                         WOLFSSL_ALPN_FAILED_ON_MISMATCH),
                         WOLFSSL_SUCCESS);
        free(protocol);
    }
    if (r->method) {
        assert_int_equal(wolfSSL_set_quic_method(tls, r->method), WOLFSSL_SUCCESS);
    }
    wolfSSL_free(c->tls);
    c->tls = tls;
    ngtcp2_conn_set_tls_native_handle(c->quic, tls);
    c->ready = true; /* the rogue does not check the server's certificate */
    return ctx;
}

bool rogue_gets_in(const struct rogue *r, char text[160])
{
    struct side a, b;
    struct endpoint_options oa = side_options(theirs, true), ob = side_options(ours, true);
    uint8_t *data = side_pattern(1000);
    WOLFSSL_CTX *ctx;
    bool in;
    side_start(&a, &oa, 0);
    ob.http = http;
    ob.anonymous = anonymous;
    side_start(&b, &ob, 0);
    ctx = make_rogue(side_dial(&a, &b), r);
    for (int i = 0; i < 2000 && b.readies + b.refusals == 0; i++) {
        if (a.c && a.count == 0 && a.readies == 1) {
            side_send(&a, data, 1000);
        }
        side_tick(&a, &b, 1);
    }
    side_for(&a, &b, 30);
    in = b.readies > 0;
    if (in) {
        assert_int_equal(b.refusals, 0);
        as_http = conn_is_http(b.c);
        trusted = conn_trusted(b.c);
    } else {
        assert_int_equal(b.refusals, 1);
        assert_int_equal(endpoint_counters(b.e)->refused, 1);
        assert_int_equal(endpoint_counters(b.e)->half_open, 0);
        assert_int_equal(endpoint_counters(b.e)->connections, 0);
        assert_int_equal(b.count + b.closes + b.pulls, 0);
        assert_int_equal(a.closes, 1);
        assert_int_equal(a.end.kind, CONN_END_REFUSED);
    }
    memcpy(text, b.refused_text, 160);
    side_stop(&a);
    side_stop(&b);
    wolfSSL_CTX_free(ctx);
    free(data);
    return in;
}

struct rogue rogue_of(const struct identity *id)
{
    struct rogue r = { .protocol = TLS_PROTOCOL };
    r.certificate = identity_certificate(id, &r.certificate_len);
    r.key = identity_key(id, &r.key_len);
    return r;
}
