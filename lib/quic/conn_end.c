/* conn_end: how a connection ends. It decides what the owner and the peer are told. It also handles
 * the closing state, in which the connection answers late packets. Called by conn, conn_io and
 * endpoint, on the endpoint's thread. */
#include "quic/conn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CLOSE_PACKET 1280 /* bytes; enough for a CONNECTION_CLOSE */
#define CLOSING_MAX 256   /* CLOSING connections; above: the oldest is freed and answers no more */
#define CRYPTO_ERROR 0x100u
#define ALERT_INTERNAL 80

/* Copies a text, perhaps the peer's, and makes it printable and NUL-terminated. */
static void keep_text(char *out, size_t cap, const char *text, size_t len)
{
    size_t n = len < cap - 1 ? len : cap - 1;

    for (size_t i = 0; i < n; i++) {
        out[i] = (char)(text[i] < ' ' || text[i] > '~' ? '?' : text[i]);
    }
    out[n] = '\0';
}

void conn_end(struct conn *c, enum conn_end_kind kind, uint64_t code, const char *text)
{
    if (c->state != CONN_OPEN) {
        return;
    }
    c->state = CONN_ENDING;
    c->end.kind = kind;
    c->end.code = code;
    text = text ? text : "";
    keep_text(c->end.text, sizeof(c->end.text), text, strlen(text));
    keep_text(c->reason, sizeof(c->reason), text, strlen(text));
    conn_mark(c);
}

static void end_by_peer(struct conn *c)
{
    const ngtcp2_ccerr *said = ngtcp2_conn_get_ccerr(c->quic);
    char text[96], line[sizeof(c->end.text)];
    uint64_t code = said->error_code;

    keep_text(text, sizeof(text), (const char *)said->reason, said->reasonlen);
    c->silent = true;
    if (said->type == NGTCP2_CCERR_TYPE_APPLICATION) {
        conn_end(c, CONN_END_PEER, code, text);
    } else if (code >= CRYPTO_ERROR && code <= CRYPTO_ERROR + 0xff) {
        c->refusal = true;
        conn_end(c, CONN_END_REFUSED, code, tls_alert_text((uint8_t)(code & 0xff), true));
    } else if (code == NGTCP2_APPLICATION_ERROR || code == NGTCP2_NO_ERROR) {
        /* The close of an application has this form until the handshake is complete. */
        conn_end(c, CONN_END_PEER, 0, text);
    } else if (code == NGTCP2_CONNECTION_REFUSED) {
        conn_end(c, CONN_END_ERROR, code, "it takes no more connections");
    } else {
        snprintf(line, sizeof(line), "it reports QUIC error 0x%llx%s%s", (unsigned long long)code,
                 text[0] ? ": " : "", text);
        conn_end(c, CONN_END_ERROR, code, line);
    }
}

static void end_by_tls(struct conn *c)
{
    uint8_t alert = ngtcp2_conn_get_tls_alert(c->quic);

    if (alert == 0) {
        alert = ALERT_INTERNAL;
    }
    c->refusal = true;
    conn_end(c, CONN_END_REFUSED, CRYPTO_ERROR + alert, tls_alert_text(alert, false));
    ngtcp2_ccerr_set_tls_alert(&c->close, alert, NULL, 0);
}

/* Ends a connection from which nothing came for the idle timeout. RFC 9000 10.1 ends it silently,
 * because the peer's timer has then expired too. But it has not if the path is cut in one direction
 * only. A peer that still hears our probes would wait for an idle timeout of its own, which is as
 * long again. So we tell an authenticated peer, once, on the validated path. That is one packet for
 * each idle timeout, and it answers no packet. So nobody can make us send it to a third party, or
 * in numbers. A peer that has already given up drops the packet, or answers with a stateless reset,
 * which is shorter. */
static void end_by_silence(struct conn *c)
{
    static const char word[] = "your packets no longer arrive";

    if (!c->ready) {
        c->silent = true;
        conn_end(c, CONN_END_TIMEOUT, 0, "no answer");
        return;
    }
    c->silent = c->http; /* HTTP/3 clients know that rule, and not our codes */
    conn_end(c, CONN_END_IDLE, 0, "nothing heard for the idle timeout");
    ngtcp2_ccerr_set_application_error(&c->close, c->endpoint->options.idle_code,
                                       (const uint8_t *)word, sizeof(word) - 1);
}

void conn_fail(struct conn *c, int error)
{
    if (c->state != CONN_OPEN) {
        return;
    }
    switch (error) {
    case NGTCP2_ERR_DRAINING:
        if (!c->reset_seen) {
            end_by_peer(c);
            return;
        }
        c->silent = true;
        conn_end(c, CONN_END_RESET, 0, "it has forgotten the connection (stateless reset)");
        return;
    case NGTCP2_ERR_IDLE_CLOSE: end_by_silence(c); return;
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT:
        c->silent = true;
        conn_end(c, CONN_END_TIMEOUT, 0, "the handshake did not complete in time");
        return;
    case NGTCP2_ERR_RECV_VERSION_NEGOTIATION:
        c->silent = true;
        conn_end(c, CONN_END_ERROR, 0, "it speaks no version of QUIC that we do");
        return;
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
        c->silent = true;
        conn_end(c, CONN_END_ERROR, 0, "the first packet does not begin a handshake");
        return;
    case NGTCP2_ERR_CRYPTO: end_by_tls(c); return;
    default:
        ngtcp2_ccerr_set_liberr(&c->close, error, NULL, 0);
        conn_end(c, CONN_END_ERROR, c->close.error_code, ngtcp2_strerror(error));
    }
}

/* Writes a CONNECTION_CLOSE. Returns its length, or 0 if ngtcp2 writes none. */
static size_t write_close(struct conn *c, uint8_t *packet, uint64_t now_ns)
{
    ngtcp2_path_storage ps;
    ngtcp2_ssize n;

    ngtcp2_path_storage_zero(&ps);
    n = ngtcp2_conn_write_connection_close(c->quic, &ps.path, NULL, packet, CLOSE_PACKET, &c->close,
                                           conn_clock(c, now_ns));
    return n > 0 ? (size_t)n : 0;
}

static void send_one(struct conn *c, const uint8_t *packet, size_t len)
{
    struct endpoint *e = c->endpoint;
    size_t sent;

    /* If the socket is full, the packet is lost. The peer gets it when it sends again, or times
     * out. */
    if (len > 0 && udp_send(&e->udp, &c->path, packet, len, len, &sent) == 0) {
        e->counters.datagrams_out++;
        e->counters.bytes_out += len;
    }
}

void conn_say_close(struct conn *c, uint64_t now_ns)
{
    uint8_t packet[CLOSE_PACKET];
    size_t len = write_close(c, packet, now_ns);

    send_one(c, packet, len);
}

static void tell_owner(struct conn *c)
{
    struct endpoint *e = c->endpoint;

    if (c->dialled || c->ready) {
        c->events->closed(c->context, c, &c->end);
    } else if (c->refusal && e->events.refused) {
        e->events.refused(e->context, &c->path.remote.any, udp_address_len(&c->path.remote),
                          c->end.text);
    }
}

void conn_finish(struct conn *c, uint64_t now_ns)
{
    struct endpoint *e = c->endpoint;
    uint8_t packet[CLOSE_PACKET];
    uint64_t rest_ns = 3 * ngtcp2_conn_get_pto(c->quic);
    size_t len = 0;

    conn_not_half_open(c);
    if (!c->silent) {
        len = write_close(c, packet, now_ns);
        send_one(c, packet, len);
    }
    if (c->refusal && !c->dialled) {
        e->counters.refused++;
    }
    tell_owner(c);
    c->app = NULL;
    ngtcp2_conn_del(c->quic);
    wolfSSL_free(c->tls);
    c->quic = NULL;
    c->tls = NULL;
    if (len > 0) {
        c->last_packet = malloc(len);
        if (c->last_packet) {
            memcpy(c->last_packet, packet, len);
            c->last_packet_len = len;
        }
    }
    c->state = CONN_CLOSING;
    e->counters.connections--;
    e->closing_count++;
    list_remove(&c->all);
    list_append(&e->closing, &c->all);
    list_remove(&c->dirty);
    conn_set_timer(c, now_ns + rest_ns);
    if (e->closing_count > CLOSING_MAX) {
        conn_free(container_of(list_first(&e->closing), struct conn, all));
    }
}

void conn_receive_closing(struct conn *c)
{
    /* RFC 9000 10.2.1: answer less and less often. */
    c->closing_packets++;
    if (c->last_packet && (c->closing_packets & (c->closing_packets - 1)) == 0) {
        send_one(c, c->last_packet, c->last_packet_len);
    }
}
