/* aead: protects packets with AES and calls wolfCrypt directly for it. ngtcp2's own glue goes
 * through wolfSSL's EVP layer, which allocates memory for each packet and its header and copies
 * them there. The glue handles all other ciphers. Called by ngtcp2, on the endpoint's thread. */
#ifndef QUIC_AEAD_H
#define QUIC_AEAD_H

#include <ngtcp2/ngtcp2.h>

int aead_encrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *key,
                 const uint8_t *plain, size_t len, const uint8_t *nonce, size_t nonce_len,
                 const uint8_t *aad, size_t aad_len);
int aead_decrypt(uint8_t *dest, const ngtcp2_crypto_aead *aead, const ngtcp2_crypto_aead_ctx *key,
                 const uint8_t *coded, size_t len, const uint8_t *nonce, size_t nonce_len,
                 const uint8_t *aad, size_t aad_len);
int aead_hp_mask(uint8_t *dest, const ngtcp2_crypto_cipher *hp, const ngtcp2_crypto_cipher_ctx *key,
                 const uint8_t *sample);

#endif
