/* client_pending: messages of a client whose outcome is not known yet: posted messages without a
 * receipt, and the calls under way. client_post and client_call put them here. client_events
 * reports what came back. On the caller's thread. */
#ifndef CLIENT_CLIENT_PENDING_H
#define CLIENT_CLIENT_PENDING_H

#include "base/list.h"
#include "client/client_link.h"

#define CLIENT_PENDING_POSTS 4096 /* posted messages without a receipt; above, a post waits */

/* A posted message without its receipt. */
struct client_post {
    uint64_t id; /* 0: none */
    char *text;  /* the process, for errors; owned */
};

/* A call under way. */
struct client_call {
    struct list link; /* in client_pending.calls */
    uint64_t ref, monitor, receipt;
    bool done, down, received; /* replied; its process ended; the message is in the mailbox */
    int refused;               /* the error if the message was not delivered; else 0 */
    char *reply;               /* owned; the reason if `down` */
    size_t reply_len;
};

/* A call whose answer the program takes later. */
struct client_ask {
    struct client_call call;
    struct list link; /* in client_pending.asked of the client that the program has */
    uint64_t deadline_ns;
};

struct client_pending {
    const struct client_link *link;
    uint64_t refs, receipts;                        /* the last numbers given */
    struct client_post posts[CLIENT_PENDING_POSTS]; /* at id modulo the size */
    size_t post_count;
    int failed; /* the first failure of a posted message; 0: none */
    struct rusm_why failed_why;
    bool owner_doubted; /* a message failed, so ask again who owns a global name */
    struct list calls;  /* under way, the oldest first */
    struct list asked;  /* of struct client_ask; their calls may be another client's */
    size_t asked_count;
};

void client_pending_init(struct client_pending *p, const struct client_link *link);

/* Returns the slot of the post with that id. */
struct client_post *client_pending_slot(struct client_pending *p, uint64_t id);
/* Returns the oldest post without a receipt, or NULL if there is none. */
const struct client_post *client_pending_oldest(const struct client_pending *p);
/* Forgets all posts. Call it if the connection has ended or is replaced, as no receipt will
 * come. */
void client_pending_forget(struct client_pending *p);
/* Returns the first failure of a post, with why, and forgets it. Returns 0 if there is none. */
int client_pending_failure(struct client_pending *p, struct rusm_why *why);
/* Says in `why` what became of a message for the process that `text` names. Returns error. */
int client_pending_refused(const struct client_pending *p, int error, const char *text,
                           struct rusm_why *why);

/* Handles a receipt. */
void client_pending_receipt(struct client_pending *p, const struct receipt *receipt);
/* Handles a record for us. Returns false if nobody waits for it. */
bool client_pending_record(struct client_pending *p, const struct record *record,
                           const uint8_t *payload);
/* Handles the end of a lane, ours or the node's, that the node broke off. */
void client_pending_broken(struct client_pending *p, int cause);
/* Frees what the program asked and whose answers it has not taken. */
void client_pending_unask(struct client_pending *p);
/* Fails all calls, as the connection has ended or is replaced. */
void client_pending_calls_lost(struct client_pending *p, int cause);

#endif
