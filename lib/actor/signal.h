/* signal: which processes are told of all nodes that come and go. One thread. */
#ifndef ACTOR_SIGNAL_H
#define ACTOR_SIGNAL_H

#include "actor/state.h"

/* Makes p get NODE_UP and NODE_DOWN from now on, or no longer. Returns 0 or RUSM_ENOMEM. */
int signal_watch_nodes(struct rusm_process *p, bool on);

#endif
