/* client_send: sends one record to a node, and says why it could not. For client_post and
 * client_call, on the caller's thread. */
#ifndef CLIENT_CLIENT_SEND_H
#define CLIENT_CLIENT_SEND_H

#include "client/client_aim.h"

/* Returns 0, or RUSM_ETOOLARGE if the node takes no message of that length. */
int client_send_length(const struct rusm_client *c, size_t len, struct rusm_why *why);
/* Sends one record. Waits for room until the deadline. Returns 0 or an error. */
int client_send_record(struct rusm_client *c, const struct parcel *parcel, uint64_t deadline_ns);
/* client_send_lost says why the connection was lost, and forgets the posts. client_send_why says
 * why a record could not be sent. Both return the error. */
int client_send_lost(struct rusm_client *c, struct rusm_why *why);
int client_send_why(struct rusm_client *c, int error, const struct client_aim *aim,
                    struct rusm_why *why);

#endif
