/* aead: see the header. ngtcp2's glue makes and frees the contexts. Their keys are expanded
 * already. */
#include "quic/aead.h"

#include <ngtcp2/ngtcp2_crypto.h>
#include <stdbool.h>
#include <wolfssl/options.h>
#include <wolfssl/openssl/evp.h>
#include <wolfssl/wolfcrypt/aes.h>

#define TAG 16

static bool is_gcm(const WOLFSSL_EVP_CIPHER_CTX *ctx)
{
    int nid = wolfSSL_EVP_CIPHER_CTX_nid(ctx);

    return nid == NID_aes_128_gcm || nid == NID_aes_256_gcm;
}

int aead_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *key,
                 const uint8_t *plain, size_t len, const uint8_t *nonce, size_t nonce_len,
                 const uint8_t *aad, size_t aad_len)
{
    WOLFSSL_EVP_CIPHER_CTX *ctx = key->native_handle;

    if (!is_gcm(ctx)) {
        return ngtcp2_crypto_encrypt_cb(dest, aead, key, plain, len, nonce, nonce_len, aad,
                                        aad_len);
    }
    return wc_AesGcmEncrypt(&ctx->cipher.aes, dest, plain, (word32)len, nonce, (word32)nonce_len,
                            dest + len, TAG, aad, (word32)aad_len) == 0
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}

int aead_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *key,
                 const uint8_t *coded, size_t len, const uint8_t *nonce, size_t nonce_len,
                 const uint8_t *aad, size_t aad_len)
{
    WOLFSSL_EVP_CIPHER_CTX *ctx = key->native_handle;

    if (!is_gcm(ctx)) {
        return ngtcp2_crypto_decrypt_cb(dest, aead, key, coded, len, nonce, nonce_len, aad,
                                        aad_len);
    }
    if (len < TAG) {
        return NGTCP2_ERR_DECRYPT;
    }
    len -= TAG;
    return wc_AesGcmDecrypt(&ctx->cipher.aes, dest, coded, (word32)len, nonce, (word32)nonce_len,
                            coded + len, TAG, aad, (word32)aad_len) == 0
               ? 0
               : NGTCP2_ERR_DECRYPT;
}

int aead_hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp, const ngtcp2_crypto_cipher_ctx *key,
                 const uint8_t *sample)
{
    WOLFSSL_EVP_CIPHER_CTX *ctx = key->native_handle;
    int nid = wolfSSL_EVP_CIPHER_CTX_nid(ctx);

    if (nid != NID_aes_128_ecb && nid != NID_aes_256_ecb) {
        return ngtcp2_crypto_hp_mask_cb(dest, hp, key, sample);
    }
    return wc_AesEcbEncrypt(&ctx->cipher.aes, dest, sample, NGTCP2_HP_SAMPLELEN) == 0
               ? 0
               : NGTCP2_ERR_CALLBACK_FAILURE;
}
