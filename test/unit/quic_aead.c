/* quic_aead: our packet protection gives the same bytes as ngtcp2's glue. Each opens what the other
 * closed, also in place. Changed packets are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <string.h>
#include <wolfssl/options.h>
#include <wolfssl/ssl.h>
#include "base/rng.h"
#include "quic/aead.h"

#define TAG 16
#define LONGEST 65000

static const uint8_t key[32] = "the key of this test, 32 bytes.";
static const uint8_t nonce[12] = "its nonce...";
static uint8_t plain[LONGEST], ours[LONGEST + TAG], theirs[LONGEST + TAG], opened[LONGEST];

struct contexts {
    ngtcp2_crypto_aead aead;
    ngtcp2_crypto_aead_ctx close, open;
};

static struct contexts make(const WOLFSSL_EVP_CIPHER *cipher)
{
    struct contexts c = { .aead = { .native_handle = (void *)cipher, .max_overhead = TAG } };

    assert_int_equal(ngtcp2_crypto_aead_ctx_encrypt_init(&c.close, &c.aead, key, sizeof(nonce)), 0);
    assert_int_equal(ngtcp2_crypto_aead_ctx_decrypt_init(&c.open, &c.aead, key, sizeof(nonce)), 0);
    return c;
}

static void drop(struct contexts *c)
{
    ngtcp2_crypto_aead_ctx_free(&c->close);
    ngtcp2_crypto_aead_ctx_free(&c->open);
}

static void try_length(const struct contexts *c, size_t len, size_t aad_len)
{
    const uint8_t *aad = key;

    assert_int_equal(aead_encrypt(ours, &c->aead, &c->close, plain, len, nonce, sizeof(nonce), aad,
                                  aad_len),
                     0);
    assert_int_equal(ngtcp2_crypto_encrypt_cb(theirs, &c->aead, &c->close, plain, len, nonce,
                                              sizeof(nonce), aad, aad_len),
                     0);
    assert_memory_equal(ours, theirs, len + TAG);
    memset(opened, 0xaa, len);
    assert_int_equal(aead_decrypt(opened, &c->aead, &c->open, theirs, len + TAG, nonce,
                                  sizeof(nonce), aad, aad_len),
                     0);
    assert_memory_equal(opened, plain, len);
    assert_int_equal(ngtcp2_crypto_decrypt_cb(opened, &c->aead, &c->open, ours, len + TAG, nonce,
                                              sizeof(nonce), aad, aad_len),
                     0);
    memcpy(ours, plain, len); /* in place, as ngtcp2 does it */
    assert_int_equal(aead_encrypt(ours, &c->aead, &c->close, ours, len, nonce, sizeof(nonce), aad,
                                  aad_len),
                     0);
    assert_memory_equal(ours, theirs, len + TAG);
    theirs[len / 2] ^= 1;
    assert_int_equal(aead_decrypt(opened, &c->aead, &c->open, theirs, len + TAG, nonce,
                                  sizeof(nonce), aad, aad_len),
                     NGTCP2_ERR_DECRYPT);
    theirs[len / 2] ^= 1;
    assert_int_equal(aead_decrypt(opened, &c->aead, &c->open, theirs, len + TAG, nonce,
                                  sizeof(nonce), aad, aad_len - 1),
                     NGTCP2_ERR_DECRYPT);
}

static void try_cipher(const WOLFSSL_EVP_CIPHER *cipher)
{
    static const size_t lengths[] = { 1, 15, 16, 17, 64, 127, 1200, 1431, 1452, 8952, LONGEST };
    struct contexts c = make(cipher);
    struct rng rng;

    rng_init(&rng, 7);
    for (size_t i = 0; i < sizeof(plain); i++) {
        plain[i] = (uint8_t)rng_u64(&rng);
    }
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        try_length(&c, lengths[i], 1 + i);
    }
    assert_int_equal(aead_decrypt(opened, &c.aead, &c.open, theirs, TAG - 1, nonce, sizeof(nonce),
                                  key, 1),
                     NGTCP2_ERR_DECRYPT);
    drop(&c);
}

static void test_aes_128(void **state)
{
    (void)state;
    try_cipher(wolfSSL_EVP_aes_128_gcm());
}

static void test_aes_256(void **state)
{
    (void)state;
    try_cipher(wolfSSL_EVP_aes_256_gcm());
}

/* This cipher is left to the glue. */
static void test_chacha(void **state)
{
    (void)state;
    try_cipher(wolfSSL_EVP_chacha20_poly1305());
}

static void try_mask(const WOLFSSL_EVP_CIPHER *cipher)
{
    ngtcp2_crypto_cipher hp = { .native_handle = (void *)cipher };
    ngtcp2_crypto_cipher_ctx ctx = { .native_handle =
                                         wolfSSL_quic_crypt_new(cipher, key, plain, 1) };
    uint8_t a[32] = { 0 }, b[32] = { 0 };

    assert_non_null(ctx.native_handle);
    for (uint8_t i = 0; i < 20; i++) {
        uint8_t sample[NGTCP2_HP_SAMPLELEN] = { i, 1, 2, i };
        assert_int_equal(aead_hp_mask(a, &hp, &ctx, sample), 0);
        assert_int_equal(ngtcp2_crypto_hp_mask_cb(b, &hp, &ctx, sample), 0);
        assert_memory_equal(a, b, NGTCP2_HP_MASKLEN);
    }
    wolfSSL_EVP_CIPHER_CTX_free(ctx.native_handle);
}

static void test_masks(void **state)
{
    (void)state;
    try_mask(wolfSSL_EVP_aes_128_ecb());
    try_mask(wolfSSL_EVP_aes_256_ecb());
    try_mask(wolfSSL_EVP_chacha20());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_aes_128),
        cmocka_unit_test(test_aes_256),
        cmocka_unit_test(test_chacha),
        cmocka_unit_test(test_masks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
