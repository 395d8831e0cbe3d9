/* identity: the cluster certificate. It is one PEM file with a self-signed ECDSA P-256 certificate
 * and its private key, mode 0600. The functions use files and wolfSSL, and block. Called at start
 * only. */
#ifndef QUIC_IDENTITY_H
#define QUIC_IDENTITY_H

#include "rusm.h"

struct identity;

/* Reads and checks an identity file, and gives *out. Returns 0, RUSM_EREFUSED if it does not exist
 * or others can read it, by the rule of base/secret.h (the text says what to do),
 * RUSM_EMALFORMED if it is not one certificate and its key, or RUSM_ENOMEM. */
int identity_load(const char *path, struct identity **out, struct rusm_why *why);
void identity_free(struct identity *id); /* wipes the key */
/* Makes an identity file and its parent folders (0700). It writes the file under another name,
 * syncs it and links it, so that one of two that start together wins. Returns 0, RUSM_EEXIST if the
 * file exists by then, or RUSM_EIO. */
int identity_create(const char *path, struct rusm_why *why);

const char *identity_fingerprint(const struct identity *id); /* SHA-256 of the DER, 64 hex digits */
void identity_describe(const struct identity *id, struct rusm_identity_info *info);
/* Derives a secret from the private key, a label and a context, with HKDF-SHA-256. It is for
 * secrets of one node, such as its stateless reset key (RFC 9000 21.11: never one key for the
 * cluster). Returns 0 or RUSM_EIO. */
int identity_derive(const struct identity *id, const char *label, const char *context, uint8_t *out,
                    size_t len);

/* For quic/tls: return the certificate and the private key, in DER, borrowed for the identity's
 * life. */
const uint8_t *identity_certificate(const struct identity *id, size_t *len);
const uint8_t *identity_key(const struct identity *id, size_t *len);

#endif
