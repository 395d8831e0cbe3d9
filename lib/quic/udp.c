/* udp: the socket and its receiving side. It receives a batch of messages. GRO may have glued each
 * of them from many datagrams of one sender. udp_send.c sends. Called by endpoint only, on its
 * thread. It never blocks. */
#include "quic/udp.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/err.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif

#define MEMORY ((size_t)512 * 1024)
#define GRO_SLOT ((size_t)64 * 1024) /* bytes that GRO may glue together */
#define SOCKET_BUFFER (4 * 1024 * 1024)

/* After this many batches of one message in a row, about as many messages are received singly
 * before a batch is tried again. */
#define LONE 16

union control {
    char bytes[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct in6_pktinfo))];
    struct cmsghdr align;
};

struct udp_slot {
    union udp_address from;
    struct iovec vec;
    union control control;
};

socklen_t udp_address_len(const union udp_address *a)
{
    return a->any.sa_family == AF_INET6 ? sizeof(a->v6) : sizeof(a->v4);
}

bool udp_address_eq(const union udp_address *a, const union udp_address *b)
{
    if (a->any.sa_family != b->any.sa_family) {
        return false;
    }
    if (a->any.sa_family == AF_INET6) {
        return a->v6.sin6_port == b->v6.sin6_port &&
               memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
    }
    return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static bool copy_address(union udp_address *out, const struct sockaddr *a, socklen_t len)
{
    memset(out, 0, sizeof(*out));
    if (a->sa_family == AF_INET && len >= sizeof(out->v4)) {
        memcpy(&out->v4, a, sizeof(out->v4));
    } else if (a->sa_family == AF_INET6 && len >= sizeof(out->v6)) {
        memcpy(&out->v6, a, sizeof(out->v6));
    } else {
        return false;
    }
    return true;
}

/* Makes an IPv6 address the IPv4 address HOST of the same port. */
static void to_v4(union udp_address *a, in_addr_t host)
{
    in_port_t port = a->v6.sin6_port;

    memset(a, 0, sizeof(*a));
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = port;
    a->v4.sin_addr.s_addr = host;
}

int udp_address_for(const struct udp *u, union udp_address *out, const struct sockaddr *a,
                    socklen_t len)
{
    union udp_address given;

    if (!copy_address(&given, a, len)) {
        return RUSM_EINVAL;
    }
    /* What is sent to the wildcard address is answered from another address. Use loopback
     * instead. */
    if (given.any.sa_family == AF_INET && given.v4.sin_addr.s_addr == htonl(INADDR_ANY)) {
        given.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else if (given.any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&given.v6.sin6_addr)) {
        given.v6.sin6_addr = in6addr_loopback;
        if (u->local.any.sa_family == AF_INET) { /* [::] hears IPv4 too */
            to_v4(&given, htonl(INADDR_LOOPBACK));
        }
    } else if (given.any.sa_family == AF_INET6 && u->local.any.sa_family == AF_INET &&
               IN6_IS_ADDR_V4MAPPED(&given.v6.sin6_addr)) {
        in_addr_t mapped;
        memcpy(&mapped, &given.v6.sin6_addr.s6_addr[12], sizeof(mapped));
        to_v4(&given, mapped);
    }
    *out = given;
    if (given.any.sa_family == AF_INET && u->local.any.sa_family == AF_INET6) {
        if (!u->wildcard) {
            return RUSM_EINVAL;
        }
        memset(out, 0, sizeof(*out));
        out->v6.sin6_family = AF_INET6;
        out->v6.sin6_port = given.v4.sin_port;
        out->v6.sin6_addr.s6_addr[10] = out->v6.sin6_addr.s6_addr[11] = 0xff;
        memcpy(&out->v6.sin6_addr.s6_addr[12], &given.v4.sin_addr, 4);
    }
    return out->any.sa_family == u->local.any.sa_family ? 0 : RUSM_EINVAL;
}

static void set_option(int fd, int level, int name, int value)
{
    /* All of these are improvements. Where the system does not know one, we do without it. */
    (void)!setsockopt(fd, level, name, &value, sizeof(value));
}

static void set_options(struct udp *u)
{
    int on = 1, value;
    socklen_t len = sizeof(value);
    bool v6 = u->local.any.sa_family == AF_INET6;

    set_option(u->fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
    set_option(u->fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
    set_option(u->fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
    set_option(u->fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
    set_option(u->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, 1);
    set_option(u->fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE); /* no fragments */
    if (v6) {
        set_option(u->fd, IPPROTO_IP, IP_RECVERR, 1); /* for mapped addresses */
        set_option(u->fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
    }
    if (u->wildcard) {
        set_option(u->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVPKTINFO : IP_PKTINFO, 1);
    }
    u->gro = setsockopt(u->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)) == 0;
    u->gso = getsockopt(u->fd, IPPROTO_UDP, UDP_SEGMENT, &value, &len) == 0;
    u->batch = true;
}

static bool make_slots(struct udp *u)
{
    u->slot_size = u->gro ? GRO_SLOT : MEMORY / UDP_BATCH;
    u->slot_count = MEMORY / u->slot_size;
    u->memory = malloc(MEMORY);
    u->slots = calloc(u->slot_count, sizeof(*u->slots));
    u->messages = calloc(u->slot_count, sizeof(*u->messages));
    if (!u->memory || !u->slots || !u->messages) {
        return false;
    }
    for (size_t i = 0; i < u->slot_count; i++) {
        struct udp_slot *slot = &u->slots[i];
        struct msghdr *m = &u->messages[i].msg_hdr;
        slot->vec.iov_base = u->memory + i * u->slot_size;
        slot->vec.iov_len = u->slot_size;
        m->msg_name = &slot->from;
        m->msg_iov = &slot->vec;
        m->msg_iovlen = 1;
        m->msg_control = &slot->control;
    }
    return true;
}

int udp_share(struct udp *u, struct rusm_why *why)
{
    int on = 1;

    return setsockopt(u->fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) == 0
               ? 0
               : err_why(why, RUSM_EIO, "cannot share the address: %s", strerror(errno));
}

int udp_open(struct udp *u, const struct sockaddr *bind_to, socklen_t len, bool join,
             struct rusm_why *why)
{
    socklen_t local_len = sizeof(u->local);
    int error;

    memset(u, 0, sizeof(*u));
    u->fd = -1;
    if (!copy_address(&u->local, bind_to, len)) {
        return err_why(why, RUSM_EIO, "cannot listen: neither an IPv4 nor an IPv6 address");
    }
    u->fd = socket(u->local.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (u->fd >= 0 && join && (error = udp_share(u, why)) != 0) {
        udp_close(u);
        return error;
    }
    if (u->fd >= 0 && u->local.any.sa_family == AF_INET6 &&
        IN6_IS_ADDR_UNSPECIFIED(&u->local.v6.sin6_addr)) {
        set_option(u->fd, IPPROTO_IPV6, IPV6_V6ONLY, 0); /* [::] hears IPv4 too, whatever the
                                                           * system's default is */
    }
    if (u->fd < 0 || bind(u->fd, &u->local.any, udp_address_len(&u->local)) != 0 ||
        getsockname(u->fd, &u->local.any, &local_len) != 0) {
        error =
            err_why(why, RUSM_EIO, "cannot listen: %s%s", strerror(errno),
                    errno == EADDRINUSE      ? ": take another port, or 0 for a free one"
                    : errno == EADDRNOTAVAIL ? ": take one of this machine's, or 0.0.0.0 for all"
                                             : "");
        udp_close(u);
        return error;
    }
    u->wildcard = u->local.any.sa_family == AF_INET6
                      ? IN6_IS_ADDR_UNSPECIFIED(&u->local.v6.sin6_addr)
                      : u->local.v4.sin_addr.s_addr == htonl(INADDR_ANY);
    set_options(u);
    if (!make_slots(u)) {
        udp_close(u);
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    return 0;
}

void udp_close(struct udp *u)
{
    if (u->fd >= 0) {
        close(u->fd);
    }
    u->fd = -1;
    free(u->memory);
    free(u->slots);
    free(u->messages);
    u->memory = NULL;
    u->slots = NULL;
    u->messages = NULL;
}

size_t udp_fill(struct udp *u, size_t most)
{
    int n;
    bool batch = u->batch && most > 1;
    size_t count = most < u->slot_count ? most : u->slot_count;

    u->filled = u->at = u->offset = 0;
    u->full = false;
    for (size_t i = 0; i < count; i++) {
        u->messages[i].msg_hdr.msg_namelen = sizeof(union udp_address);
        u->messages[i].msg_hdr.msg_controllen = sizeof(union control);
    }
    do {
        if (batch) {
            n = recvmmsg(u->fd, u->messages, (unsigned)count, MSG_DONTWAIT, NULL);
        } else {
            ssize_t got = recvmsg(u->fd, &u->messages[0].msg_hdr, MSG_DONTWAIT);
            u->messages[0].msg_len = got < 0 ? 0 : (unsigned)got;
            n = got < 0 ? -1 : 1;
        }
        if (n < 0 && errno == ENOSYS && batch) {
            batch = u->batch = false;
            errno = EINTR;
        }
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        /* Any error but "nothing there" is an ICMP report about an earlier datagram. */
        if (errno != EAGAIN) {
            u->errors = true;
            u->full = true;
        }
        return 0;
    }
    if (most > 1) {
        u->lone = n > 1 ? 0 : u->lone < LONE ? (uint8_t)(u->lone + 1) : LONE;
    }
    u->filled = (size_t)n;
    u->full = most > 1 && (u->filled == count || !batch);
    return u->filled;
}

bool udp_lone(struct udp *u)
{
    if (u->lone < LONE) {
        return false;
    }
    if (++u->lone < 2 * LONE) {
        return true;
    }
    u->lone = LONE - 1; /* try a batch again */
    return false;
}

bool udp_pending(const struct udp *u)
{
    return u->at < u->filled;
}

/* Returns the segment size if GRO glued datagrams, else LEN. Sets *local to the address that the
 * message was sent to, or to the socket's address if the system did not tell. */
static size_t read_control(const struct udp *u, struct msghdr *m, size_t len,
                           union udp_address *local)
{
    size_t segment = len;

    *local = u->local;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int value;
            memcpy(&value, CMSG_DATA(c), sizeof(value));
            if (value > 0) {
                segment = (size_t)value;
            }
        } else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->v4.sin_addr = info.ipi_addr;
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            local->v6.sin6_addr = info.ipi6_addr;
            if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr)) {
                local->v6.sin6_scope_id = info.ipi6_ifindex;
            }
        }
    }
    return segment;
}

bool udp_next(struct udp *u, struct udp_packet *p)
{
    while (u->at < u->filled) {
        struct mmsghdr *m = &u->messages[u->at];
        struct udp_slot *slot = &u->slots[u->at];
        size_t left;

        if (u->offset >= m->msg_len || (m->msg_hdr.msg_flags & MSG_TRUNC)) {
            u->at++;
            u->offset = 0;
            continue;
        }
        if (u->offset == 0) {
            u->segment = read_control(u, &m->msg_hdr, m->msg_len, &u->to);
        }
        left = m->msg_len - u->offset;
        p->path.local = u->to;
        p->path.remote = slot->from;
        p->data = (const uint8_t *)slot->vec.iov_base + u->offset;
        p->len = left < u->segment ? left : u->segment;
        u->offset += p->len;
        return true;
    }
    return false;
}

bool udp_error(struct udp *u, union udp_address *to, int *error)
{
    char control[512], byte;
    struct iovec vec = { .iov_base = &byte, .iov_len = sizeof(byte) };
    struct msghdr m = { .msg_name = to,
                        .msg_namelen = sizeof(*to),
                        .msg_iov = &vec,
                        .msg_iovlen = 1,
                        .msg_control = control,
                        .msg_controllen = sizeof(control) };

    memset(to, 0, sizeof(*to));
    if (recvmsg(u->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
        u->errors = false;
        return false;
    }
    *error = 0;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) ||
            (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
            struct sock_extended_err report;
            memcpy(&report, CMSG_DATA(c), sizeof(report));
            *error = (int)report.ee_errno;
        }
    }
    return true;
}
