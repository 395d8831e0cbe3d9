/* token: see the header. Called by gateway, exchange and tcp, on the gateway's thread. */
#include "gateway/token.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "base/err.h"
#include "gateway/limits.h"
#include "base/map.h"

/* Reads and checks the file. Gives the token in text, of TOKEN_MAX + 2 bytes. */
static int token_read(const char *path, char *text, size_t *len, struct rusm_why *why)
{
    char hint[4200];
    int error;

    snprintf(hint, sizeof(hint), "make one: (umask 077; openssl rand -hex 32 >%s)", path);
    error = secret_read(&(struct secret_kind){ .name = "token", .missing = hint }, path, text,
                        TOKEN_MAX + 2, len, why);
    if (error) {
        return error;
    }
    while (*len > 0 && (text[*len - 1] == '\n' || text[*len - 1] == '\r')) {
        (*len)--;
    }
    for (size_t i = 0; i < *len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return err_why(why, RUSM_EMALFORMED, "token %s must be one line of visible ASCII",
                           path);
        }
    }
    if (*len < TOKEN_MIN || *len > TOKEN_MAX) {
        return err_why(why, RUSM_EMALFORMED, "token %s must have from %d to %d characters", path,
                       TOKEN_MIN, TOKEN_MAX);
    }
    return 0;
}

/* Reads the file. If it is good, it is the token from now on. */
static int token_take(struct token *t, struct rusm_why *why)
{
    char text[TOKEN_MAX + 2];
    size_t len;
    int error = token_read(t->path, text, &len, why);

    if (!error) {
        memcpy(t->text, text, len);
        t->len = len;
    }
    explicit_bzero(text, sizeof(text));
    return error;
}

int token_load(struct token *t, const char *path, uint64_t seed, uint64_t now_ns,
               struct rusm_why *why)
{
    int error;

    *t = (struct token){ .seed = seed, .looked_ns = now_ns };
    if (!path) {
        return 0;
    }
    t->path = strdup(path);
    if (!t->path) {
        return err_why(why, RUSM_ENOMEM, "no memory");
    }
    (void)secret_changed(path, &t->stamp); /* before it is read: a change after that is seen */
    error = token_take(t, why);
    if (error) {
        token_fini(t);
    }
    return error;
}

void token_fini(struct token *t)
{
    free(t->path);
    explicit_bzero(t, sizeof(*t));
}

int token_look(struct token *t, uint64_t now_ns, struct rusm_why *why)
{
    int error;

    if (!t->path || now_ns < t->looked_ns + LIMIT_HTTP_TOKEN_NS) {
        return 0;
    }
    t->looked_ns = now_ns;
    if (!secret_changed(t->path, &t->stamp)) {
        return 0;
    }
    error = token_take(t, why);
    return error ? error : 1;
}

uint64_t token_home(const struct sockaddr *from)
{
    const uint64_t v4 = UINT64_C(0xffff) << 32; /* no /64 of a client has these bits */
    uint64_t home = 0;
    uint32_t address;

    if (from->sa_family == AF_INET) {
        home = v4 | ntohl(((const struct sockaddr_in *)(const void *)from)->sin_addr.s_addr);
    } else if (from->sa_family == AF_INET6) {
        const struct in6_addr *a = &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(a)) {
            memcpy(&address, &a->s6_addr[12], sizeof(address));
            home = v4 | ntohl(address);
        } else {
            for (int i = 0; i < 8; i++) {
                home = home << 8 | a->s6_addr[i];
            }
        }
    }
    return home;
}

uint32_t token_origin(const struct token *t, const struct sockaddr *from)
{
    return (uint32_t)map_mix(token_home(from) ^ t->seed, UINT64_C(0x9e3779b97f4a7c15)) &
           (TOKEN_ORIGINS - 1);
}

bool token_is(const struct token *t, const char *value, size_t len)
{
    static const char scheme[] = "Bearer ";
    const size_t head = sizeof(scheme) - 1;
    unsigned differs = 0;

    if (t->len == 0 || len < head || strncasecmp(value, scheme, head) != 0) {
        return false;
    }
    value += head;
    len -= head;
    for (size_t i = 0; i < len; i++) {
        differs |= (unsigned)(unsigned char)(value[i] ^ t->text[i % t->len]);
    }
    return (differs | (unsigned)(len != t->len)) == 0;
}

static uint32_t window_of(uint64_t now_ns)
{
    return (uint32_t)(now_ns / LIMIT_HTTP_WRONG_NS);
}

void token_wrong(struct token *t, uint32_t origin, uint64_t now_ns)
{
    if (t->origin[origin].window != window_of(now_ns)) {
        t->origin[origin].window = window_of(now_ns);
        t->origin[origin].wrong = 0;
    }
    t->origin[origin].wrong++;
}

bool token_throttled(const struct token *t, uint32_t origin, uint64_t now_ns)
{
    return t->origin[origin].window == window_of(now_ns) &&
           t->origin[origin].wrong >= LIMIT_HTTP_WRONG;
}
