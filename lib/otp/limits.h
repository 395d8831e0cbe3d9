/* limits: the maxima of supervisors, each with its reason and what happens when it is met. `make
 * limits` lists those of all rooms. */
#ifndef OTP_LIMITS_H
#define OTP_LIMITS_H

/* Children of a supervisor. Above: RUSM_ELIMIT. */
#define LIMIT_CHILDREN 65536

/* Restarts that a supervisor counts within its window, because it keeps the time of each. Above:
 * RUSM_EINVAL. */
#define LIMIT_RESTARTS 65536

#endif
