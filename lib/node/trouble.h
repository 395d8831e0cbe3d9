/* trouble: what keeps this node from another one, said once at its beginning, with what to do about
 * it, and once at its end. Called on the thread of the member's scheduler, under members_lock. */
#ifndef NODE_TROUBLE_H
#define NODE_TROUBLE_H

#include <stdbool.h>
#include <stddef.h>

struct conn_end;
struct connection;
struct member;
struct rusm_node;
struct rusm_why;

/* Why a member is not connected. The next one of the same kind is not said again. */
enum trouble {
    TROUBLE_NONE,
    TROUBLE_AWAY,     /* nobody answers there, or the node is lost */
    TROUBLE_NAME,     /* its host's name has no address */
    TROUBLE_ADDRESS,  /* none of its addresses can be dialled from here */
    TROUBLE_REFUSED,  /* the one of them does not know the other's certificate */
    TROUBLE_TAKEN,    /* a live node of the cluster has our name */
    TROUBLE_STRANGER, /* another node answers there */
    TROUBLE_OTHER,
};

/* Returns what the end of a dial means. TROUBLE_NONE: nothing is wrong. */
enum trouble trouble_kind(const struct conn_end *end);
/* Prints what happened when WHO was dialled, and what to do. */
void trouble_explain(char *out, size_t cap, const struct rusm_node *node, const char *who,
                     enum trouble what, const struct connection *c, const struct conn_end *end);
/* The dial of a member ended with END before it was connected. `more`: it has other addresses,
 * which are tried at once. */
void trouble_dialled(struct member *m, const struct connection *c, const struct conn_end *end,
                     bool more);
/* Says a trouble in other words. */
void trouble_say(struct member *m, enum trouble what, const char *text);
/* A connected member is lost, and did not leave. */
void trouble_lost(struct member *m, const struct connection *c, const struct conn_end *end);
/* A connected member has a new connection, as it was started again or lost the old one. */
void trouble_replaced(struct member *m, const struct connection *c, const char *text);
/* A connected member has left: that nobody answers there now is no trouble. */
void trouble_left(struct member *m);
/* The member is connected. Returns whether a trouble was said that ends with this. */
bool trouble_over(struct member *m);

/* ---- for a node that starts ---- */

/* Returns whether it is known what becomes of this node: another node took it, or the name is
 * refused, or all that it dials has failed once. Takes the lock itself. */
bool trouble_settled(struct rusm_node *node);
/* Tells what the troubles of the start are: `why` gets the refusal, or else why nobody was joined,
 * or "". Returns RUSM_EEXIST if a live node has the name, or 0. Takes the lock itself. */
int trouble_at_start(struct rusm_node *node, struct rusm_why *why);

#endif
