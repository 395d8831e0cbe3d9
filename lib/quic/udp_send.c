/* udp_send: the sending side of the socket. It sends one message, which GSO cuts into datagrams, or
 * one datagram after the other. Called by endpoint and conn only, on the endpoint's thread. It
 * never blocks. */
#include "quic/udp.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

union control {
    char bytes[CMSG_SPACE(sizeof(uint16_t)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
    struct cmsghdr align;
};

static struct cmsghdr *add_control(struct msghdr *m, struct cmsghdr *c, int level, int type,
                                   const void *data, size_t len)
{
    c->cmsg_level = level;
    c->cmsg_type = type;
    c->cmsg_len = CMSG_LEN(len);
    memcpy(CMSG_DATA(c), data, len);
    m->msg_controllen += CMSG_SPACE(len);
    return (struct cmsghdr *)(void *)((char *)c + CMSG_SPACE(len));
}

/* Adds the source address and the segment size to the message. */
static void write_control(const struct udp *u, struct msghdr *m, union control *control,
                          const struct udp_path *path, size_t segment)
{
    const union udp_address *local = &path->local;
    struct cmsghdr *c = &control->align;
    uint16_t size = (uint16_t)segment;

    memset(control, 0, sizeof(*control));
    m->msg_control = control;
    m->msg_controllen = 0;
    if (u->wildcard && local->any.sa_family == AF_INET && local->v4.sin_addr.s_addr != 0) {
        struct in_pktinfo info = { .ipi_spec_dst = local->v4.sin_addr };
        c = add_control(m, c, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    } else if (u->wildcard && local->any.sa_family == AF_INET6 &&
               !IN6_IS_ADDR_UNSPECIFIED(&local->v6.sin6_addr)) {
        struct in6_pktinfo info = { .ipi6_addr = local->v6.sin6_addr,
                                    .ipi6_ifindex = local->v6.sin6_scope_id };
        c = add_control(m, c, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    }
    if (segment > 0) {
        add_control(m, c, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
    }
}

/* Sends one message. SEGMENT 0: it is one datagram. Returns 0, or errno's number. */
static int send_message(struct udp *u, const struct udp_path *path, const uint8_t *data, size_t len,
                        size_t segment)
{
    union control control;
    struct iovec vec = { .iov_base = (void *)data, .iov_len = len };
    struct msghdr m = { .msg_name = (void *)&path->remote,
                        .msg_namelen = udp_address_len(&path->remote),
                        .msg_iov = &vec,
                        .msg_iovlen = 1 };

    write_control(u, &m, &control, path, segment);
    for (int tries = 0; tries < 4; tries++) {
        if (sendmsg(u->fd, &m, MSG_DONTWAIT) >= 0) {
            return 0;
        }
        int error = errno;
        /* The report of this error, if there is one, stays in the error queue and wakes us until it
         * is taken. */
        u->errors |= error != EAGAIN && error != EINTR;
        if (error != EINTR && error != ECONNREFUSED && error != EPROTO) {
            return error;
        } /* else it was about an earlier datagram, and this one was not sent yet */
    }
    return ENOBUFS;
}

static int outcome(int error)
{
    switch (error) {
    case 0:
    case ENOBUFS: /* not worth waiting for: as good as lost on the way */
    case ENOMEM:
    case EMSGSIZE: return 0;
    case EAGAIN: return RUSM_BUSY;
    default: errno = error; return RUSM_EIO;
    }
}

int udp_send(struct udp *u, const struct udp_path *path, const uint8_t *data, size_t len,
             size_t segment, size_t *sent)
{
    *sent = 0;
    if (u->gso && len > segment) {
        int error = send_message(u, path, data, len, segment);
        if (error != EIO && error != EINVAL && error != EMSGSIZE && error != ENOPROTOOPT) {
            *sent = outcome(error) == 0 ? len : 0;
            return outcome(error);
        }
        /* EINVAL and EMSGSIZE also come when the first datagram is longer than this path's MTU, as
         * a probe may be. GSO may work for other datagrams and for the next path. */
        if (error != EINVAL && error != EMSGSIZE) {
            u->gso = false;
        }
    }
    while (*sent < len) {
        size_t n = len - *sent < segment ? len - *sent : segment;
        int error = outcome(send_message(u, path, data + *sent, n, 0));
        if (error) {
            return error;
        }
        *sent += n;
    }
    return 0;
}
