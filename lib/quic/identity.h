/* identity: the cluster certificate: one PEM file with a self-signed ECDSA P-256 certificate and
 * its private key, mode 0600. Files and wolfSSL, blocking; called at start only. */
#ifndef QUIC_IDENTITY_H
#define QUIC_IDENTITY_H

#include "rusm.h"

struct identity;

/* Reads and checks a file: a regular file of ours that no one else may read (RUSM_EREFUSED, also
 * when missing: `why` names the cure), one certificate and its key (RUSM_EMALFORMED). Gives
 * *out. */
int identity_load(const char *path, struct identity **out, struct rusm_why *why);
void identity_free(struct identity *id); /* wipes the key */
/* Makes one: parent folders (0700), a file written aside, fsync'd, then linked, so that of two
 * that start together one wins. RUSM_EEXIST when there is one by then; RUSM_EIO. */
int identity_create(const char *path, struct rusm_why *why);

const char *identity_fingerprint(const struct identity *id); /* SHA-256 of the DER, 64 hex digits */
void identity_describe(const struct identity *id, struct rusm_identity_info *info);
/* HKDF-SHA-256 of the private key with label and context: per-node secrets such as stateless reset
 * keys (RFC 9000 21.11: never one for the cluster). 0 or RUSM_EIO. */
int identity_derive(const struct identity *id, const char *label, const char *context, uint8_t *out,
                    size_t len);

/* For quic/tls: the certificate and the private key, DER; borrowed for the identity's life. */
const uint8_t *identity_certificate(const struct identity *id, size_t *len);
const uint8_t *identity_key(const struct identity *id, size_t *len);

#endif
