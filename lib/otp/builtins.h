/* builtins: the built-in behaviours that have a file of their own. builtins.c lists all of them. */
#ifndef OTP_BUILTINS_H
#define OTP_BUILTINS_H

#include "rusm.h"

extern const struct rusm_behaviour builtin_relay;

#endif
