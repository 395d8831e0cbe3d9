/* cid: connection id → connection. An entry a known id; ids come from us (random) and, one a
 * connection, from the dialler. On the endpoint's thread. */
#ifndef QUIC_CID_H
#define QUIC_CID_H

#include "base/list.h"
#include "base/map.h"

#define CID_LEN 8 /* of those that we make */
#define CID_MAX 20

struct conn;

/* 0; RUSM_EEXIST: it is someone else's (or the same one's) already; RUSM_ENOMEM. `owned` is the
 * head of the connection's list of its entries. */
int cid_add(struct map *m, struct list *owned, struct conn *c, const uint8_t *id, size_t len);
void cid_remove(struct map *m, const uint8_t *id, size_t len);
void cid_remove_all(struct map *m, struct list *owned);
/* NULL: unknown. */
struct conn *cid_find(const struct map *m, const uint8_t *id, size_t len);

#endif
