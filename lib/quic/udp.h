/* udp: one UDP socket that moves datagrams in batches: GRO and recvmmsg in, GSO out. Each has a
 * fallback, chosen at run time. It knows no QUIC. Non-blocking, on the endpoint's thread. */
#ifndef QUIC_UDP_H
#define QUIC_UDP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "rusm.h"

#define UDP_BATCH 64                  /* messages of one recvmmsg; an eighth of that with GRO */
#define UDP_TRAIN_MAX ((size_t)65000) /* bytes of one GSO send: the limit of an IP datagram */

union udp_address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Where a datagram goes to or came from. `local` is the wildcard if the system is to choose. */
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
    bool wildcard; /* bound to all addresses: each datagram tells and sets the local one */
    bool gso, gro, batch;
    bool errors;  /* the error queue has a report: call udp_error */
    bool full;    /* the last batch was full: there may be more; never for a single message */
    uint8_t lone; /* batches in a row that had one message */
    uint8_t *memory;
    struct udp_slot *slots;
    struct mmsghdr *messages;
    size_t slot_size, slot_count;
    size_t filled, at;    /* messages received; the one being taken apart */
    size_t offset;        /* bytes of that message already taken */
    size_t segment;       /* bytes of each of its datagrams; the last may be shorter */
    union udp_address to; /* the address that it was sent to */
};

/* Binds the socket. `join`: the address belongs to another socket of ours, which shares it. Returns
 * 0, RUSM_EIO (with a text) or RUSM_ENOMEM. */
int udp_open(struct udp *u, const struct sockaddr *bind_to, socklen_t len, bool join,
             struct rusm_why *why);
/* Lets other sockets of this user join. Call it after the bind, which must find the address free.
 * Returns 0, or RUSM_EIO with a text. */
int udp_share(struct udp *u, struct rusm_why *why);
void udp_close(struct udp *u);

/* Returns the bytes of the longest datagram that is received whole. */
static inline size_t udp_longest(const struct udp *u)
{
    return u->slot_size < UDP_TRAIN_MAX ? u->slot_size : UDP_TRAIN_MAX;
}

socklen_t udp_address_len(const union udp_address *a);
bool udp_address_eq(const union udp_address *a, const union udp_address *b);
/* Copies an address to send to. Maps a v4 address for a v6 socket, and replaces "all addresses" by
 * this machine's loopback. Returns 0, or RUSM_EINVAL if the socket cannot reach it. */
int udp_address_for(const struct udp *u, union udp_address *out, const struct sockaddr *a,
                    socklen_t len);

/* Receives a batch of at most MOST messages (one costs least if there is one or none). The packets
 * of the previous batch are gone then. Returns the number of messages, or 0 if there are none. */
size_t udp_fill(struct udp *u, size_t most);
/* Do messages come one by one now? Then a batch would look for another one in vain. */
bool udp_lone(struct udp *u);
/* Are there packets in the batch that udp_next has not taken? */
bool udp_pending(const struct udp *u);
/* Takes the next packet of the batch. Returns false if the batch is used up. */
bool udp_next(struct udp *u, struct udp_packet *p);
/* Takes one report from the error queue: the destination that was refused, and errno's number.
 * Returns false if there is none. */
bool udp_error(struct udp *u, union udp_address *to, int *error);

/* Sends datagrams of SEGMENT bytes each, of which the last may be shorter. Returns 0 if all are
 * gone (or the system dropped them, as it may), RUSM_BUSY if the socket is full and *sent bytes are
 * gone, or RUSM_EIO if the destination cannot be reached from here (errno says why). */
int udp_send(struct udp *u, const struct udp_path *path, const uint8_t *data, size_t len,
             size_t segment, size_t *sent);

#endif
