/* builtins: those that have a file of their own; builtins.c has the list. */
#ifndef ACTOR_BUILTINS_H
#define ACTOR_BUILTINS_H

#include "rusm.h"

extern const struct rusm_behaviour builtin_relay;

#endif
