/* token: the bearer token of clients that have no certificate: its file, comparing, and who tried
 * too many wrong ones. */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "rusm.h"

#define TOKEN_MIN 16 /* bytes: fewer could be guessed */
#define TOKEN_MAX 512
#define TOKEN_ORIGINS 1024 /* a power of two */

struct token {
    char text[TOKEN_MAX];
    size_t len; /* 0: there is none */
    uint64_t seed;
    struct {
        uint32_t window, wrong;
    } origin[TOKEN_ORIGINS];
};

/* Reads it. path NULL: none. RUSM_EREFUSED: missing, or others can read it; RUSM_EMALFORMED. */
int token_load(struct token *t, const char *path, uint64_t seed, struct rusm_why *why);
/* Who counts as one: an IPv4 address, an IPv6 /64. */
uint64_t token_home(const struct sockaddr *from);
/* Whose wrong tokens are counted together. */
uint32_t token_origin(const struct token *t, const struct sockaddr *from);
/* Is what an Authorization field says the token? Takes as long for each text of that length. */
bool token_is(const struct token *t, const char *value, size_t len);
/* A wrong one of that origin. */
void token_wrong(struct token *t, uint32_t origin, uint64_t now_ns);
/* Too many of late: the next are not looked at. */
bool token_throttled(const struct token *t, uint32_t origin, uint64_t now_ns);

#endif
