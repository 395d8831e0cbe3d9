/* udp: one UDP socket that moves datagrams in batches: GRO and recvmmsg in, GSO out, each with a
 * fallback found at run time. Knows no QUIC. Non-blocking, on the endpoint's thread. */
#ifndef QUIC_UDP_H
#define QUIC_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "rusm.h"

#define UDP_BATCH 64                  /* messages of one recvmmsg without GRO; with it, an eighth */
#define UDP_TRAIN_MAX ((size_t)65000) /* bytes of one GSO send: an IP datagram's limit */

union udp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Where a datagram goes or came from. local is the wildcard when the system is to choose. */
struct udp_path {
    union udp_address local, remote;
};

struct udp_packet {
    const uint8_t *data; /* borrowed until the next udp_fill */
    size_t len;
    struct udp_path path;
};

struct udp_slot; /* one message of a batch */

struct udp {
    int fd;
    union udp_address local;
    bool wildcard; /* bound to all addresses: the local one is told and set per datagram */
    bool gso, gro, batch;
    bool errors;  /* the error queue has something: call udp_error */
    bool full;    /* the last batch was: there may be more; a single message never says so */
    uint8_t lone; /* batches in a row that were one message */
    uint8_t *memory;
    struct udp_slot *slots;
    struct mmsghdr *messages;
    size_t slot_size, slot_count;
    size_t filled, at;    /* messages received; the one being taken apart */
    size_t offset;        /* in it */
    size_t segment;       /* its datagrams' length, the last one may be shorter */
    union udp_address to; /* where it was sent to */
};

/* Binds; `join`: to an address that another socket of ours has, which was shared. 0, RUSM_EIO (why)
 * or RUSM_ENOMEM. */
int udp_open(struct udp *u, const struct sockaddr *bind_to, socklen_t len, bool join,
             struct rusm_why *why);
/* Lets others of this user join. After the bind: that must find the address free. RUSM_EIO
 * (why). */
int udp_share(struct udp *u, struct rusm_why *why);
void udp_close(struct udp *u);

/* The longest datagram that it receives whole. */
static inline size_t udp_longest(const struct udp *u)
{
    return u->slot_size < UDP_TRAIN_MAX ? u->slot_size : UDP_TRAIN_MAX;
}

socklen_t udp_address_len(const union udp_address *a);
bool udp_address_eq(const union udp_address *a, const union udp_address *b);
/* Copies an address to send to; a v4 one for a v6 socket is mapped, "all addresses" is this
 * machine's loopback. RUSM_EINVAL: the socket can't reach it. */
int udp_address_for(const struct udp *u, union udp_address *out, const struct sockaddr *a,
                    socklen_t len);

/* Receives a batch of `most` messages at most (one costs least when there is one or none); the
 * previous one's packets are gone. Returns the number of messages, 0 when there are none. */
size_t udp_fill(struct udp *u, size_t most);
/* Messages come one by one now: a batch would look for another in vain. */
bool udp_lone(struct udp *u);
/* Whether the batch has not been taken apart yet. */
bool udp_pending(const struct udp *u);
/* Takes the batch apart. False: it is used up. */
bool udp_next(struct udp *u, struct udp_packet *p);
/* Takes one report of the error queue: the destination that was refused, and errno's number.
 * False: there is none. */
bool udp_error(struct udp *u, union udp_address *to, int *error);

/* Sends datagrams of `segment` bytes each, the last one may be shorter. 0: all are gone (or were
 * dropped by the system, as datagrams may be). RUSM_BUSY: the socket is full, *sent bytes are gone.
 * RUSM_EIO: that destination can't be reached from here; errno says why. */
int udp_send(struct udp *u, const struct udp_path *path, const uint8_t *data, size_t len,
             size_t segment, size_t *sent);

#endif
