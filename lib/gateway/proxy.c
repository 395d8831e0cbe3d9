/* proxy: see the header. */
#include "gateway/proxy.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define V4_BITS 96 /* of a mapped address, before those of the IPv4 address */

static void map_v4(const struct in_addr *v4, struct in6_addr *out)
{
    *out = (struct in6_addr){ .s6_addr = { [10] = 0xff, [11] = 0xff } };
    memcpy(&out->s6_addr[12], v4, sizeof(*v4));
}

/* Parses a literal address. */
static bool parse(const char *text, struct in6_addr *out)
{
    struct in_addr v4;

    if (inet_pton(AF_INET, text, &v4) == 1) {
        map_v4(&v4, out);
        return true;
    }
    return inet_pton(AF_INET6, text, out) == 1;
}

/* ---- the trusted ones ---- */

int proxy_add(struct proxies *proxies, const char *text)
{
    const char *slash = strchr(text, '/');
    size_t len = slash ? (size_t)(slash - text) : strlen(text);
    struct proxy_net net = { .bits = 128 };
    char address[PROXY_TEXT];

    if (len >= sizeof(address)) {
        return RUSM_EINVAL;
    }
    memcpy(address, text, len);
    address[len] = '\0';
    if (!parse(address, &net.address)) {
        return RUSM_EINVAL;
    }
    if (slash) {
        unsigned first = strchr(address, ':') ? 0 : V4_BITS;
        char *end;
        unsigned long bits = strtoul(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > 128 - first) {
            return RUSM_EINVAL;
        }
        net.bits = first + (unsigned)bits;
    }
    if (proxies->count == LIMIT_HTTP_PROXIES) {
        return RUSM_ELIMIT;
    }
    proxies->net[proxies->count++] = net;
    return 0;
}

static bool is_within(const struct in6_addr *a, const struct proxy_net *net)
{
    size_t whole = net->bits / 8;
    unsigned rest = net->bits % 8;

    return memcmp(a, &net->address, whole) == 0 &&
           (rest == 0 || (a->s6_addr[whole] ^ net->address.s6_addr[whole]) >> (8 - rest) == 0);
}

static bool is_trusted(const struct proxies *proxies, const struct in6_addr *a)
{
    for (size_t i = 0; i < proxies->count; i++) {
        if (is_within(a, &proxies->net[i])) {
            return true;
        }
    }
    return false;
}

/* ---- a request ---- */

void proxy_begin(struct proxy_client *client, const struct proxies *proxies,
                 const struct sockaddr *from)
{
    *client = (struct proxy_client){ .told = false };
    if (from->sa_family == AF_INET) {
        map_v4(&((const struct sockaddr_in *)(const void *)from)->sin_addr, &client->address);
    } else if (from->sa_family == AF_INET6) {
        client->address = ((const struct sockaddr_in6 *)(const void *)from)->sin6_addr;
    }
    client->peer = client->address;
    client->proxied = is_trusted(proxies, &client->peer);
}

/* Parses an element of the list: an address, which some proxies write with the port. */
static bool parse_element(const char *at, size_t len, struct in6_addr *out)
{
    char text[PROXY_TEXT + sizeof("[]:65535")];
    char *address = text, *end;

    if (len >= sizeof(text) || memchr(at, '\0', len)) {
        return false;
    }
    memcpy(text, at, len);
    text[len] = '\0';
    if (text[0] == '[') {
        address++;
        end = strchr(text, ']');
        if (!end || (end[1] && end[1] != ':')) {
            return false;
        }
        *end = '\0';
    } else if ((end = strchr(text, ':')) && !strchr(end + 1, ':')) {
        *end = '\0'; /* one colon: IPv4 and a port */
    }
    return parse(address, out);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the last element off a list. Returns false if there is none. */
static bool last_element(const char *value, size_t *len, const char **at, size_t *at_len)
{
    for (;;) {
        while (*len > 0 && (is_blank(value[*len - 1]) || value[*len - 1] == ',')) {
            (*len)--;
        }
        size_t end = *len;
        while (*len > 0 && value[*len - 1] != ',') {
            (*len)--;
        }
        size_t begin = *len;
        while (begin < end && is_blank(value[begin])) {
            begin++;
        }
        if (begin < end) {
            *at = value + begin;
            *at_len = end - begin;
            return true;
        }
        if (*len == 0) {
            return false;
        }
    }
}

void proxy_forget(struct proxy_client *client)
{
    client->address = client->peer;
    client->told = false;
}

void proxy_field(struct proxy_client *client, const struct proxies *proxies, const char *value,
                 size_t len)
{
    struct in6_addr last, a;
    const char *at;
    size_t at_len;
    bool any = false;

    if (!client->proxied) {
        return;
    }
    while (last_element(value, &len, &at, &at_len)) {
        bool known = parse_element(at, at_len, &a);
        if (known) {
            last = a;
            any = true;
        }
        if (!known || !is_trusted(proxies, &a)) {
            proxy_forget(client); /* the fields before this one count no more */
            break;
        }
    }
    if (any && !client->told) {
        client->address = last;
        client->told = true;
    }
}

void proxy_address(const struct proxy_client *client, struct sockaddr_in6 *address)
{
    *address = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = client->address };
}

const char *proxy_text(const struct proxy_client *client, char text[PROXY_TEXT])
{
    const struct in6_addr *a = &client->address;
    bool v4 = IN6_IS_ADDR_V4MAPPED(a);

    return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? &a->s6_addr[12] : a->s6_addr, text, PROXY_TEXT);
}
