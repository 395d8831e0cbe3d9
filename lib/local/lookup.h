/* lookup: looks HOST:PORT up on a thread of its own, for an owner that must not wait longer than it
 * wants: the name service may be silent. The owner polls lookup_fd. If it gives the look-up up, the
 * thread ends whenever the name service lets it. One thread owns a look-up. */
#ifndef LOCAL_LOOKUP_H
#define LOCAL_LOOKUP_H

#include "local/resolve.h"

#define LOOKUP_ADDRESSES 8 /* of one host name; above: the first ones */

struct lookup;

/* Begins a look-up and gives *out, which lookup_free frees. A literal address is found at once,
 * without a thread. Returns 0, or RUSM_ENOMEM or RUSM_EIO if there is no memory, thread or
 * descriptor. */
int lookup_new(struct lookup **out, const char *host_port);
/* Gives the look-up up if it is not done. NULL is fine. */
void lookup_free(struct lookup *l);
/* Returns a descriptor that is readable once the look-up is done. */
int lookup_fd(const struct lookup *l);
/* Returns whether the look-up is done. */
bool lookup_done(struct lookup *l);
/* Gives the addresses of a look-up that is done. Returns how many, or an error of resolve. */
int lookup_result(const struct lookup *l, struct resolved out[LOOKUP_ADDRESSES],
                  struct rusm_why *why);

#endif
