/* builtins: those that have a file of their own; builtins.c has the list. */
#ifndef OTP_BUILTINS_H
#define OTP_BUILTINS_H

#include "rusm.h"

extern const struct rusm_behaviour builtin_relay;

#endif
