/* gossip: what nodes tell each other unasked: who is there (NODES) and who owns which global name
 * (NAMES). */
#ifndef WIRE_GOSSIP_H
#define WIRE_GOSSIP_H

#include "wire/varint.h"

/* NODES: (name text, incarnation u32, address text)* : nodes the sender is connected to, each with
 * the address to dial it at. */
struct node_entry {
    const char *name, *address; /* borrow; a node name, a HOST:PORT */
    size_t name_len, address_len;
    uint32_t incarnation; /* not 0 */
};
/* 1, 0 at the end, RUSM_EMALFORMED. */
int node_entry_read(struct reader *r, struct node_entry *out);
void node_entry_write(struct writer *w, const struct node_entry *entry);

/* NAMES: flags (1 first, 2 last frame of all that I own), then claims:
 *     flags (1 tombstone), serial, time u64 (hybrid: milliseconds << 16 | counter), name text */
#define NAMES_FIRST 1u
#define NAMES_LAST 2u
#define CLAIM_TOMBSTONE 1u
struct claim {
    uint64_t flags;
    uint64_t serial; /* of the owner, on the sending node; 0 in a tombstone only */
    uint64_t time;
    const char *name; /* borrows; a valid process name */
    size_t name_len;
};
/* 1, 0 at the end, RUSM_EMALFORMED. */
int claim_read(struct reader *r, struct claim *out);
void claim_write(struct writer *w, const struct claim *claim);

#endif
