/* gossip: what nodes tell each other unasked. NODES says which nodes are there. NAMES says which
 * global names the sender owns. */
#ifndef WIRE_GOSSIP_H
#define WIRE_GOSSIP_H

#include "wire/varint.h"

/* NODES: (name text, incarnation u32, address text)*. It lists the nodes that the sender is
 * connected to, each with the address to dial it at. */
struct node_entry {
    const char *name, *address; /* borrowed; a node name, a HOST:PORT */
    size_t name_len, address_len;
    uint32_t incarnation; /* not 0 */
};
/* Reads the next entry. Returns 1, 0 at the end, or RUSM_EMALFORMED. */
int node_entry_read(struct reader *r, struct node_entry *out);
void node_entry_write(struct writer *w, const struct node_entry *entry);

/* NAMES: flags, then claims. Flag 1 marks the first frame of the sender's snapshot, which is all
 * names that it owns. Flag 2 marks the last one. A claim is:
 *     flags (1 tombstone), serial, time u64 (hybrid: milliseconds << 16 | counter), name text */
#define NAMES_FIRST 1u
#define NAMES_LAST 2u
#define CLAIM_TOMBSTONE 1u
struct claim {
    uint64_t flags;
    uint64_t serial; /* of the owner on the sending node; only a tombstone may have 0 */
    uint64_t time;
    const char *name; /* borrowed; a valid process name */
    size_t name_len;
};
/* Reads the next claim. Returns 1, 0 at the end, or RUSM_EMALFORMED. */
int claim_read(struct reader *r, struct claim *out);
void claim_write(struct writer *w, const struct claim *claim);

#endif
