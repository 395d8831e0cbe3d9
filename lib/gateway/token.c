/* token: see the header. Called by gateway, exchange and tcp, on the gateway's thread. The file is
 * read once, when the node starts. */
#include "gateway/token.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>
#include "base/err.h"
#include "gateway/limits.h"
#include "base/map.h"

static int token_read(int fd, const char *path, char *text, size_t cap, size_t *len,
                      struct rusm_why *why)
{
    struct stat st;

    *len = 0;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        return err_why(why, RUSM_EREFUSED, "token %s is not a file", path);
    }
    if (st.st_uid != geteuid()) {
        return err_why(why, RUSM_EREFUSED,
                       "token %s belongs to another user: make a copy of your own", path);
    }
    if (st.st_mode & 077) {
        return err_why(why, RUSM_EREFUSED, "token %s can be read by others: chmod 600 %s", path,
                       path);
    }
    while (*len < cap) {
        ssize_t n = read(fd, text + *len, cap - *len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return err_why(why, RUSM_EREFUSED, "token %s: %s", path, strerror(errno));
        }
        if (n == 0) {
            break;
        }
        *len += (size_t)n;
    }
    return 0;
}

int token_load(struct token *t, const char *path, uint64_t seed, struct rusm_why *why)
{
    char text[TOKEN_MAX + 2];
    size_t len;
    int fd, error;

    *t = (struct token){ .seed = seed };
    if (!path) {
        return 0;
    }
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    if (fd < 0) {
        return err_why(why, RUSM_EREFUSED,
                       "token %s: %s; make one: (umask 077; openssl rand -hex 32 >%s)", path,
                       strerror(errno), path);
    }
    error = token_read(fd, path, text, sizeof(text), &len, why);
    close(fd);
    if (error) {
        return error;
    }
    while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r')) {
        len--;
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return err_why(why, RUSM_EMALFORMED, "token %s: one line of visible ASCII is needed",
                           path);
        }
    }
    if (len < TOKEN_MIN || len > TOKEN_MAX) {
        return err_why(why, RUSM_EMALFORMED, "token %s: from %d to %d characters are needed", path,
                       TOKEN_MIN, TOKEN_MAX);
    }
    memcpy(t->text, text, len);
    t->len = len;
    return 0;
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
