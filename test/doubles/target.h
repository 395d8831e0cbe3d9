/* target: writes a target as the test vectors do. */
#ifndef DOUBLES_TARGET_H
#define DOUBLES_TARGET_H

#include <inttypes.h>
#include "doubles/vectors.h"
#include "wire/target.h"

void target_say(struct vector *v, const struct target *t);

#endif
