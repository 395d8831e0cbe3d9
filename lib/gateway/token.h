/* token: the bearer token of clients that have no certificate: reads its file, compares it, and
 * counts wrong tokens. */
#ifndef GATEWAY_TOKEN_H
#define GATEWAY_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include "base/secret.h"
#include "rusm.h"

#define TOKEN_MIN 16 /* bytes; a shorter one could be guessed */
#define TOKEN_MAX 512
#define TOKEN_ORIGINS 1024 /* a power of two */

struct token {
    char text[TOKEN_MAX];
    size_t len; /* 0: there is none */
    char *path; /* of its file; NULL: there is none */
    struct secret_stamp stamp;
    uint64_t looked_ns; /* when the file was last looked at */
    uint64_t seed;
    struct {
        uint32_t window, wrong;
    } origin[TOKEN_ORIGINS];
};

/* Reads the token's file. With path NULL there is no token. Returns 0, the errors of
 * secret_read, RUSM_EMALFORMED if the file holds no token, or RUSM_ENOMEM. */
int token_load(struct token *t, const char *path, uint64_t seed, uint64_t now_ns,
               struct rusm_why *why);
void token_fini(struct token *t); /* wipes it */
/* Looks whether the file has changed, if it was not looked at lately, and reads it again. It blocks
 * on the file, as short a while as a file of a few bytes takes. Returns 0 if there is nothing new,
 * 1 if the token is another one now, or the errors of token_load: the token stays what it was. */
int token_look(struct token *t, uint64_t now_ns, struct rusm_why *why);
/* Returns a number for the client. An IPv4 address or an IPv6 /64 counts as one client. */
uint64_t token_home(const struct sockaddr *from);
/* Returns the client's origin. Wrong tokens of one origin are counted together. Several clients may
 * have the same origin. */
uint32_t token_origin(const struct token *t, const struct sockaddr *from);
/* Returns whether the value of an Authorization field is the token. The time it takes depends on
 * the length only. */
bool token_is(const struct token *t, const char *value, size_t len);
/* Counts a wrong token of that origin. */
void token_wrong(struct token *t, uint32_t origin, uint64_t now_ns);
/* Returns whether the origin sent too many wrong tokens lately. If so, refuse its wrong tokens with
 * 429. The right one is let in all the same, as others may have the same address. */
bool token_throttled(const struct token *t, uint32_t origin, uint64_t now_ns);

#endif
