/* resolve_srv: srv:NAME, a service in the DNS, to socket addresses. Declared in resolve.h.
 * getaddrinfo knows no SRV records (RFC 2782), so the C library's resolver asks for them, with the
 * servers, times and search domains of resolv.conf(5). */
#include "local/resolve.h"

#include <arpa/nameser.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/bytes.h"
#include "base/err.h"
#include "base/id.h"

#define SRV_SERVICE "_rusm._udp." /* before a NAME without a service of its own */
#define SRV_TARGETS 32            /* hosts of one answer whose addresses are looked up */
#define SRV_SECONDS 15            /* after which no other host is looked up: the caller waits */

static const char srv_prefix[] = "srv:";

bool resolve_srv_is(const char *text)
{
    size_t len = sizeof(srv_prefix) - 1;

    /* A host may be called srv. Its port is a number, and no name of a service is one. */
    return strncmp(text, srv_prefix, len) == 0 && text[len + strspn(text + len, "0123456789")];
}

int resolve_srv_name(const char *text, char name[256])
{
    char with_port[300], port[6];
    const char *said = text + sizeof(srv_prefix) - 1;
    int n = resolve_srv_is(text) ? snprintf(with_port, sizeof(with_port), "%s%s:1",
                                            said[0] == '_' ? "" : SRV_SERVICE, said)
                                 : -1;

    if (n < 0 || (size_t)n >= sizeof(with_port) || strchr(said, ':')) {
        return RUSM_EINVAL;
    }
    return id_host_port_parse(with_port, name, port);
}

/* ---- the answer ---- */

/* Steps over a name in the answer. */
static void skip_name(struct reader *r)
{
    int n = r->bad ? -1 : dn_skipname(r->at, r->end);

    if (n < 0 || !reader_bytes(r, (size_t)n)) {
        r->bad = true;
    }
}

/* Reads what follows the head of a SRV record. Returns false if no host is to be had from it: the
 * root (".") says that there is no such service. */
static bool read_srv(const uint8_t *answer, size_t len, const uint8_t *data, size_t data_len,
                     struct resolve_srv *srv)
{
    struct reader r = reader_on(data, data_len);
    char again[256], port[6], text[264];

    *srv = (struct resolve_srv){ .priority = reader_u16(&r) };
    srv->weight = reader_u16(&r);
    srv->port = reader_u16(&r);
    if (r.bad || srv->port == 0 ||
        dn_expand(answer, answer + len, r.at, srv->host, sizeof(srv->host)) < 0) {
        return false;
    }
    int n = snprintf(text, sizeof(text), "%s:%u", srv->host, srv->port);
    return n > 0 && (size_t)n < sizeof(text) && id_host_port_parse(text, again, port) == 0;
}

/* Returns whether A is to be tried before B. */
static bool is_before(const struct resolve_srv *a, const struct resolve_srv *b)
{
    return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
}

/* Puts a record to its place among the best CAP. Returns how many there are. */
static size_t put_srv(struct resolve_srv *list, size_t count, size_t cap,
                      const struct resolve_srv *srv)
{
    size_t at = count;

    while (at > 0 && is_before(srv, &list[at - 1])) {
        at--;
    }
    if (at == cap) {
        return count;
    }
    size_t moved = (count < cap ? count : cap - 1) - at;
    memmove(&list[at + 1], &list[at], moved * sizeof(*list));
    list[at] = *srv;
    return count < cap ? count + 1 : cap;
}

int resolve_srv_read(const uint8_t *answer, size_t len, struct resolve_srv *list, size_t cap)
{
    struct reader r = reader_on(answer, len);
    size_t count = 0;

    reader_bytes(&r, 4); /* id and flags, which the resolver has checked */
    unsigned questions = reader_u16(&r), answers = reader_u16(&r);
    reader_bytes(&r, 4);
    for (unsigned i = 0; i < questions && !r.bad; i++) {
        skip_name(&r);
        reader_bytes(&r, 4);
    }
    for (unsigned i = 0; i < answers && !r.bad; i++) {
        struct resolve_srv srv;
        skip_name(&r);
        unsigned type = reader_u16(&r), class = reader_u16(&r);
        reader_bytes(&r, 4); /* how long it may be cached: we ask again all the same */
        size_t data_len = reader_u16(&r);
        const uint8_t *data = reader_bytes(&r, data_len);
        if (!r.bad && type == T_SRV && class == C_IN &&
            read_srv(answer, len, data, data_len, &srv)) {
            count = put_srv(list, count, cap, &srv);
        }
    }
    return r.bad ? RUSM_EMALFORMED : (int)count;
}

/* ---- the look-up ---- */

static const char *srv_trouble(int code)
{
    switch (code) {
    case HOST_NOT_FOUND: return "the DNS has no such name";
    case NO_DATA: return "the name has no SRV records";
    case TRY_AGAIN: return "no name server answers, or it cannot tell now";
    default: return "the name server refuses to answer";
    }
}

/* Gives the records of a name. Returns how many, or an error. */
static int look_up(const char *name, struct resolve_srv *list, size_t cap, struct rusm_why *why)
{
    struct __res_state state = { 0 };
    uint8_t *answer = malloc(NS_MAXMSG);
    int count;

    if (!answer || res_ninit(&state) != 0) {
        free(answer);
        return err_why(why, RUSM_ENOMEM, "no memory to look up %s", name);
    }
    int len = res_nsearch(&state, name, C_IN, T_SRV, answer, NS_MAXMSG);
    if (len < 0) {
        count = err_why(why, RUSM_ENOCONN, "cannot look up the SRV records of %s: %s", name,
                        srv_trouble(state.res_h_errno));
    } else {
        count = resolve_srv_read(answer, (size_t)(len < NS_MAXMSG ? len : NS_MAXMSG), list, cap);
        if (count <= 0) {
            count = err_why(why, RUSM_ENOCONN, "the SRV records of %s name no host", name);
        }
    }
    res_nclose(&state);
    free(answer);
    return count;
}

static time_t now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

int resolve_srv(const char *text, struct resolved *out, size_t cap, struct rusm_why *why)
{
    struct resolve_srv list[SRV_TARGETS];
    time_t begun_s = now_s();
    char name[256];
    size_t n = 0;

    if (resolve_srv_name(text, name) != 0) {
        return err_why(why, RUSM_EINVAL, "'%s' is not srv:NAME", text);
    }
    int count = look_up(name, list, SRV_TARGETS, why);
    for (int i = 0; i < count && n < cap && (i == 0 || now_s() - begun_s < SRV_SECONDS); i++) {
        char host_port[ID_HOST_PORT_MAX + 1];
        snprintf(host_port, sizeof(host_port), "%s:%u", list[i].host, list[i].port);
        int found = resolve(host_port, false, out + n, cap - n, why);
        n += found > 0 ? (size_t)found : 0;
    }
    return n > 0 ? (int)n : count < 0 ? count : RUSM_ENOCONN;
}
