/* cid: finds a connection by a connection id. Each known id has an entry. We make most ids, at
 * random. The dialler of a connection makes one more. On the endpoint's thread. */
#ifndef QUIC_CID_H
#define QUIC_CID_H

#include "base/list.h"
#include "base/map.h"

#define CID_LEN 8 /* bytes of the ids that we make */
#define CID_MAX 20

struct conn;

/* Adds an id of C. `owned` is the head of the list of the connection's entries. Returns 0,
 * RUSM_EEXIST if this or another connection has the id already, RUSM_EINVAL if it is longer than
 * CID_MAX, or RUSM_ENOMEM. */
int cid_add(struct map *m, struct list *owned, struct conn *c, const uint8_t *id, size_t len);
void cid_remove(struct map *m, const uint8_t *id, size_t len);
void cid_remove_all(struct map *m, struct list *owned);
/* Returns NULL if the id is unknown. */
struct conn *cid_find(const struct map *m, const uint8_t *id, size_t len);

#endif
