/* conn_callbacks: the functions that ngtcp2 calls while it reads a packet or handles a timer. They
 * pass on what happened as endpoint_events. They pass on nothing before the handshake is complete
 * and the peer's certificate is checked, nor after the connection has ended. On the endpoint's
 * thread. */
#include "quic/conn.h"

#include <string.h>
#include "base/must.h"
#include "base/rng.h"
#include "quic/aead.h"

#define PASS(c, call)                                                      \
    ((c)->state == CONN_OPEN && (c)->ready ? verdict(c, (c)->events->call) \
                                           : NGTCP2_ERR_CALLBACK_FAILURE)

/* Returns what a callback of ours tells ngtcp2: to go on only if the connection lives on. */
static int verdict(const struct conn *c, int error)
{
    return error || c->state != CONN_OPEN ? NGTCP2_ERR_CALLBACK_FAILURE : 0;
}

static int after(const struct conn *c)
{
    return verdict(c, 0);
}

static void random_bytes(uint8_t *dest, size_t len, const ngtcp2_rand_ctx *ctx)
{
    (void)ctx;
    must(rng_secret(dest, len) == 0);
}

static int new_connection_id(ngtcp2_conn *quic, ngtcp2_cid *cid, uint8_t *token, size_t len,
                             void *user)
{
    struct conn *c = user;

    (void)quic;
    must(len == CID_LEN); /* as long as our first id */
    if (!conn_make_cid(c->endpoint, cid) ||
        ngtcp2_crypto_generate_stateless_reset_token(token, c->endpoint->reset_secret, CONN_SECRET,
                                                     cid) != 0 ||
        cid_add(&c->endpoint->cids, &c->cids, c, cid->data, len) != 0) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

static int remove_connection_id(ngtcp2_conn *quic, const ngtcp2_cid *cid, void *user)
{
    struct conn *c = user;

    (void)quic;
    cid_remove(&c->endpoint->cids, cid->data, cid->datalen);
    return 0;
}

/* Keeps the stateless reset tokens of the peer's ids that we use. A stateless reset names no id of
 * ours. Only its token says which connection it is for. */
static int peer_id_status(ngtcp2_conn *quic, ngtcp2_connection_id_status_type type, uint64_t seq,
                          const ngtcp2_cid *cid, const uint8_t *token, void *user)
{
    struct conn *c = user;
    struct map *tokens = &c->endpoint->tokens;

    (void)quic;
    (void)seq;
    (void)cid;
    if (!token) {
        return 0;
    }
    if (type == NGTCP2_CONNECTION_ID_STATUS_TYPE_DEACTIVATE) {
        if (cid_find(tokens, token, NGTCP2_STATELESS_RESET_TOKENLEN) == c) {
            cid_remove(tokens, token, NGTCP2_STATELESS_RESET_TOKENLEN);
        }
    } else if (cid_add(tokens, &c->tokens, c, token, NGTCP2_STATELESS_RESET_TOKENLEN) ==
               RUSM_ENOMEM) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

/* wolfSSL verifies the chain. As soon as that is done, and before ngtcp2 hears of it, we check that
 * the certificate is the one that we trust. */
static int recv_crypto_data(ngtcp2_conn *quic, ngtcp2_encryption_level level, uint64_t offset,
                            const uint8_t *data, size_t len, void *user)
{
    struct conn *c = user;
    uint8_t alert;
    int error;

    if (!c->tls) {
        return 0; /* a ticket that nobody asked for */
    }
    error = ngtcp2_crypto_recv_crypto_data_cb(quic, level, offset, data, len, user);
    if (error || c->ready || !wolfSSL_is_init_finished(c->tls)) {
        return error;
    }
    alert = tls_check_peer(c->endpoint->tls, c->tls, &c->http, &c->trusted);
    if (alert) {
        ngtcp2_conn_set_tls_alert(quic, alert);
        return NGTCP2_ERR_CRYPTO;
    }
    return 0;
}

static int handshake_completed(ngtcp2_conn *quic, void *user)
{
    const ngtcp2_transport_params *theirs = ngtcp2_conn_get_remote_transport_params(quic);
    struct conn *c = user;

    c->theirs = theirs && theirs->max_udp_payload_size < SIZE_MAX
                    ? (size_t)theirs->max_udp_payload_size
                    : 0;
    conn_not_half_open(c);
    c->ready = true;
    conn_keep_alive(c, true);
    return PASS(c, ready(c->context, c));
}

static int stream_open(ngtcp2_conn *quic, int64_t stream, void *user)
{
    struct conn *c = user;

    (void)quic;
    return PASS(c, stream_opened(c->context, c, stream));
}

static int recv_stream_data(ngtcp2_conn *quic, uint32_t flags, int64_t stream, uint64_t offset,
                            const uint8_t *data, size_t len, void *user, void *stream_user)
{
    struct conn *c = user;
    bool fin = flags & NGTCP2_STREAM_DATA_FLAG_FIN;

    (void)offset;
    ngtcp2_conn_extend_max_offset(quic, len);
    if (ngtcp2_is_bidi_stream(stream) && !fin && !c->http) {
        int error = ngtcp2_conn_extend_max_stream_offset(quic, stream, len);
        if (error == NGTCP2_ERR_NOMEM) {
            return NGTCP2_ERR_CALLBACK_FAILURE;
        }
    }
    return PASS(c, stream_data(c->context, c, stream, stream_user, data, len, fin));
}

static int acked_stream_data(ngtcp2_conn *quic, int64_t stream, uint64_t offset, uint64_t len,
                             void *user, void *stream_user)
{
    struct conn *c = user;

    (void)quic;
    (void)offset;
    conn_path_progress(c);
    if (c->state == CONN_OPEN && len > 0) {
        c->events->stream_acked(c->context, c, stream, stream_user, len);
    }
    return after(c);
}

static int stream_close(ngtcp2_conn *quic, uint32_t flags, int64_t stream, uint64_t code,
                        void *user, void *stream_user)
{
    struct conn *c = user;

    (void)quic;
    (void)flags;
    (void)code;
#if NGTCP2_VERSION_NUM < 0x011800
    /* This ngtcp2 does not report STOP_SENDING, so the owner hears of it only now. It hears of it
     * after a reset of our own too. */
    if (c->state == CONN_OPEN && (flags & NGTCP2_STREAM_CLOSE_FLAG_APP_ERROR_CODE_SET) &&
        ngtcp2_conn_is_local_stream(quic, stream)) {
        c->events->stream_stopped(c->context, c, stream, stream_user, code);
    }
#endif
    if (c->state == CONN_OPEN) {
        c->events->stream_closed(c->context, c, stream, stream_user);
    }
    conn_user_forget(c, stream);
    return after(c);
}

static int stream_reset(ngtcp2_conn *quic, int64_t stream, uint64_t final_size, uint64_t code,
                        void *user, void *stream_user)
{
    struct conn *c = user;

    (void)quic;
    (void)final_size;
    if (c->state == CONN_OPEN) {
        c->events->stream_reset(c->context, c, stream, stream_user, code);
    }
    return after(c);
}

#if NGTCP2_VERSION_NUM >= 0x011800
static int recv_stop_sending(ngtcp2_conn *quic, int64_t stream, uint64_t code, void *user,
                             void *stream_user)
{
    struct conn *c = user;

    (void)quic;
    if (c->state == CONN_OPEN) {
        c->events->stream_stopped(c->context, c, stream, stream_user, code);
    }
    return after(c);
}
#endif

static int extend_max_stream_data(ngtcp2_conn *quic, int64_t stream, uint64_t max, void *user,
                                  void *stream_user)
{
    struct conn *c = user;

    (void)quic;
    (void)max;
    if (c->state == CONN_OPEN && c->ready) {
        c->events->stream_writable(c->context, c, stream, stream_user);
    }
    return after(c);
}

static int extend_max_streams_uni(ngtcp2_conn *quic, uint64_t max, void *user)
{
    struct conn *c = user;

    (void)quic;
    (void)max;
    if (c->state == CONN_OPEN && c->ready) {
        c->events->streams_available(c->context, c);
    }
    return after(c);
}

static int recv_stateless_reset(ngtcp2_conn *quic, const ngtcp2_pkt_stateless_reset *reset,
                                void *user)
{
    struct conn *c = user;

    (void)quic;
    (void)reset;
    c->reset_seen = true;
    return 0;
}

const ngtcp2_callbacks conn_callbacks = {
    .client_initial = ngtcp2_crypto_client_initial_cb,
    .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
    .recv_crypto_data = recv_crypto_data,
    .handshake_completed = handshake_completed,
    .encrypt = aead_encrypt,
    .decrypt = aead_decrypt,
    .hp_mask = aead_hp_mask,
    .recv_stream_data = recv_stream_data,
    .acked_stream_data_offset = acked_stream_data,
    .stream_open = stream_open,
    .stream_close = stream_close,
    .recv_stateless_reset = recv_stateless_reset,
    .recv_retry = ngtcp2_crypto_recv_retry_cb,
    .extend_max_local_streams_uni = extend_max_streams_uni,
    .rand = random_bytes,
    .get_new_connection_id = new_connection_id,
    .remove_connection_id = remove_connection_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .stream_reset = stream_reset,
    .extend_max_stream_data = extend_max_stream_data,
    .dcid_status = peer_id_status,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
#if NGTCP2_VERSION_NUM >= 0x011800
    .recv_stop_sending = recv_stop_sending,
#endif
};
