/* quic_refuse: a side without the cluster's certificate does not get in, as a dialler or a server,
 * whatever it leaves out or makes up. Only its handshake packets are ever processed. */
#include "doubles/quic_rogue.h"

#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/random.h>

/* The rogue gets in with the right certificate, so the failures of the other tests mean
 * something. */
static void test_the_rogue_itself_works(void **state)
{
    struct rogue r = rogue_of(ours);
    char text[160];
    (void)state;
    assert_true(rogue_gets_in(&r, text));
}

static void test_foreign_certificate(void **state)
{
    struct rogue r = rogue_of(theirs);
    char text[160];
    (void)state;
    assert_false(rogue_gets_in(&r, text));
    assert_string_equal(text, "its certificate is not this cluster's");
}

static time_t in_2020(time_t *t)
{
    if (t) {
        *t = 1577836800;
    }
    return 1577836800;
}

/* The dates of a certificate do not count, but all else does. */
static void test_wrong_clock(void **state)
{
    struct rogue right = rogue_of(ours), wrong = rogue_of(theirs);
    char text[160];
    (void)state;
    wc_SetTimeCb(in_2020);
    bool got_in = rogue_gets_in(&right, text);
    bool stranger_got_in = rogue_gets_in(&wrong, text);
    wc_SetTimeCb(NULL);
    assert_true(got_in);
    assert_false(stranger_got_in);
    assert_string_equal(text, "its certificate is not this cluster's");
}

static void test_no_certificate(void **state)
{
    struct rogue r = { .protocol = TLS_PROTOCOL };
    char text[160];
    (void)state;
    assert_false(rogue_gets_in(&r, text));
    assert_string_equal(text, "it sent no certificate");
}

static void test_other_protocol(void **state)
{
    struct rogue r = rogue_of(ours);
    char text[160];
    (void)state;
    r.protocol = "h3";
    assert_false(rogue_gets_in(&r, text));
    assert_string_equal(text, "it does not speak rusm/1");
}

static void test_no_protocol(void **state)
{
    struct rogue r = rogue_of(ours);
    char text[160];
    (void)state;
    r.protocol = NULL;
    assert_false(rogue_gets_in(&r, text));
    assert_string_equal(text, "it does not speak rusm/1");
}

/* Our certificate without our key, as if somebody had seen only the certificate. */
static void test_certificate_without_its_key(void **state)
{
    struct rogue r = rogue_of(ours);
    char text[160];
    (void)state;
    r.key = identity_key(theirs, &r.key_len);
    assert_false(rogue_gets_in(&r, text));
}

/* A certificate that our key signed. It verifies, but it is not the pinned one. */
static void test_other_certificate_of_our_key(void **state)
{
    struct rogue r = rogue_of(ours);
    uint8_t der[2048];
    char text[160];
    WC_RNG rng;
    ecc_key key, leaf;
    Cert cert;
    word32 at = 0;
    int n;
    (void)state;
    assert_int_equal(wc_InitRng(&rng), 0);
    assert_int_equal(wc_ecc_init(&key), 0);
    assert_int_equal(wc_ecc_init(&leaf), 0);
    assert_int_equal(wc_EccPrivateKeyDecode(r.key, &at, &key, (word32)r.key_len), 0);
    assert_int_equal(wc_ecc_make_key_ex(&rng, 32, &leaf, ECC_SECP256R1), 0);
    assert_int_equal(wc_InitCert(&cert), 0);
    snprintf(cert.subject.commonName, sizeof(cert.subject.commonName), "mallory");
    assert_int_equal(wc_SetIssuerBuffer(&cert, r.certificate, (int)r.certificate_len), 0);
    assert_int_equal(wc_SetAuthKeyIdFromCert(&cert, r.certificate, (int)r.certificate_len), 0);
    cert.daysValid = 10;
    cert.sigType = CTC_SHA256wECDSA;
    assert_true(wc_MakeCert(&cert, der, sizeof(der), NULL, &leaf, &rng) > 0);
    n = wc_SignCert(cert.bodySz, cert.sigType, der, sizeof(der), NULL, &key, &rng);
    assert_true(n > 0);
    r.certificate = der;
    r.certificate_len = (size_t)n;
    n = wc_EccKeyToDer(&leaf, der + 1024, 1024);
    assert_true(n > 0 && r.certificate_len < 1024);
    r.key = der + 1024;
    r.key_len = (size_t)n;
    assert_false(rogue_gets_in(&r, text));
    assert_string_equal(text, "its certificate is not this cluster's");
    wc_ecc_free(&key);
    wc_ecc_free(&leaf);
    wc_FreeRng(&rng);
}

/* An honest dialler of another cluster refuses the server, and the server learns of it. */
static void test_foreign_server(void **state)
{
    struct side a, b;
    struct endpoint_options oa = side_options(theirs, true), ob = side_options(ours, true);
    (void)state;
    side_start(&a, &oa, 0);
    side_start(&b, &ob, 0);
    side_dial(&a, &b);
    side_until(&a, &b, a.closes == 1 && b.refusals == 1);
    assert_int_equal(a.readies + b.readies + b.closes + a.refusals, 0);
    assert_int_equal(a.end.kind, CONN_END_REFUSED);
    assert_string_equal(a.end.text, "its certificate is not this cluster's");
    assert_string_equal(b.refused_text, "it says that our certificate is not its cluster's");
    assert_int_equal(endpoint_counters(b.e)->refused, 1);
    side_stop(&a);
    side_stop(&b);
}

/* HTTP/3 beside rusm's own protocol, with and without places for clients without a certificate. A
 * node needs the certificate in both cases. */
static void test_http(void **state)
{
    static const struct {
        bool anonymous;
        const char *protocol, *who; /* whose certificate is presented */
        bool gets_in;
        const char *text; /* NULL: any text */
    } cases[] = {
        { false, "h3", "ours", true, "" },
        { false, "h3", "theirs", false, "its certificate is not this cluster's" },
        { false, "h3", "none", false, "it sent no certificate" },
        { false, TLS_PROTOCOL, "ours", true, "" },
        { false, TLS_PROTOCOL, "theirs", false, "its certificate is not this cluster's" },
        { false, TLS_PROTOCOL, "none", false, "it sent no certificate" },
        { true, "h3", "ours", true, "" },
        { true, "h3", "theirs", false, "its certificate is not this cluster's" },
        { true, "h3", "none", true, "" },
        { true, "h3", "keyless", false, NULL },
        { true, TLS_PROTOCOL, "keyless", false, NULL },
        { true, TLS_PROTOCOL, "ours", true, "" },
        { true, TLS_PROTOCOL, "theirs", false, "its certificate is not this cluster's" },
        { true, TLS_PROTOCOL, "none", false, "it sent no certificate" },
        { true, NULL, "ours", false, "it does not speak rusm/1" },
        { true, NULL, "none", false, "it sent no certificate" },
        { true, "h2", "ours", false, "it does not speak rusm/1" },
        { true, "h2", "none", false, "it does not speak rusm/1" },
    };
    char text[160];

    (void)state;
    http = true;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bool h3 = cases[i].protocol && strcmp(cases[i].protocol, "h3") == 0;
        struct rogue none = { .protocol = NULL };
        struct rogue r = cases[i].who[0] == 'n'   ? none
                         : cases[i].who[0] == 't' ? rogue_of(theirs)
                                                  : rogue_of(ours);
        if (cases[i].who[0] == 'k') {
            r.key = identity_key(theirs, &r.key_len);
        }
        anonymous = cases[i].anonymous;
        r.protocol = cases[i].protocol;
        if (rogue_gets_in(&r, text) != cases[i].gets_in ||
            (cases[i].text && strcmp(text, cases[i].text) != 0)) {
            fail_msg("%zu: %s with %s: %s", i, cases[i].protocol, cases[i].who, text);
        }
        if (cases[i].gets_in) {
            assert_int_equal(as_http, h3);
            assert_int_equal(trusted, cases[i].who[0] == 'o');
        }
    }
    http = anonymous = false;
}

/* A client without a certificate that offers both protocols may get in as a stranger, never as a
 * node. */
static void test_http_both_protocols(void **state)
{
    static const char *const offers[] = { TLS_PROTOCOL ",h3", "h3," TLS_PROTOCOL };
    char text[160];

    (void)state;
    http = anonymous = true;
    for (size_t i = 0; i < 2; i++) {
        struct rogue r = { .protocol = offers[i] };
        if (rogue_gets_in(&r, text)) {
            assert_true(as_http);
            assert_false(trusted);
        } else {
            assert_string_equal(text, "it sent no certificate");
        }
    }
    http = anonymous = false;
}

int main(void)
{
    int failed;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_rogue_itself_works),
        cmocka_unit_test(test_foreign_certificate),
        cmocka_unit_test(test_wrong_clock),
        cmocka_unit_test(test_no_certificate),
        cmocka_unit_test(test_other_protocol),
        cmocka_unit_test(test_http),
        cmocka_unit_test(test_http_both_protocols),
        cmocka_unit_test(test_no_protocol),
        cmocka_unit_test(test_certificate_without_its_key),
        cmocka_unit_test(test_other_certificate_of_our_key),
        cmocka_unit_test(test_foreign_server),
    };
    ours = side_identity();
    theirs = side_identity();
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    identity_free(ours);
    identity_free(theirs);
    return failed;
}
