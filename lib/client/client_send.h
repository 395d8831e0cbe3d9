/* client_send: one record to a node, and why it did not go out. For client_post and client_call;
 * on the caller's thread. */
#ifndef CLIENT_CLIENT_SEND_H
#define CLIENT_CLIENT_SEND_H

#include "client/client_aim.h"

/* Returns 0, or RUSM_ETOOLARGE if the node takes no message of that length. */
int client_send_length(const struct rusm_client *c, size_t len, struct rusm_why *why);
/* Sends one record. Waits for room until the deadline. */
int client_send_record(struct rusm_client *c, const struct parcel *parcel, uint64_t deadline_ns);
/* Say why: the connection is lost (posts are forgotten); a record could not be sent. Return an
 * error. */
int client_send_lost(struct rusm_client *c, struct rusm_why *why);
int client_send_why(struct rusm_client *c, int error, const struct client_aim *aim,
                    struct rusm_why *why);

#endif
