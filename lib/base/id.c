/* id: see the header. All names that come from a user or a peer are checked here. Any thread. */
#include "base/id.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/utf8.h"

#define ID_SERIAL_MAX ((UINT64_C(1) << 62) - 1)

static bool id_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool id_is_alnum(char c)
{
    return id_is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool id_digits_only(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!id_is_digit(text[i])) {
            return false;
        }
    }
    return true;
}

bool id_node_name_ok(const char *name, size_t len)
{
    if (len == 0 || len > RUSM_NODE_NAME_MAX || !id_is_alnum(name[0])) {
        return false;
    }
    for (size_t i = 1; i < len; i++) {
        char c = name[i];
        if (!id_is_alnum(c) && c != '.' && c != '_' && c != '-') {
            return false;
        }
    }
    return true;
}

/* Hashes with FNV-1a of 32 bits and folds the result to 8 bits. */
uint8_t id_node_share(const char *name, size_t len)
{
    uint32_t h = 2166136261;

    for (size_t i = 0; i < len; i++) {
        h = (h ^ (uint8_t)name[i]) * 16777619;
    }
    return (uint8_t)(h ^ h >> 8 ^ h >> 16 ^ h >> 24);
}

bool id_process_name_ok(const char *name, size_t len)
{
    bool digits = true;
    if (len == 0 || len > RUSM_NAME_MAX) {
        return false;
    }
    for (size_t i = 0, n; i < len; i += n) {
        unsigned char first = (unsigned char)name[i];
        uint32_t c = first;
        n = 1;
        digits &= id_is_digit(name[i]);
        if (first > ' ' && first < 0x7f) { /* fast path: each send to a name comes here */
            if (first == '@') {
                return false;
            }
            continue;
        }
        n = utf8_decode(name + i, len - i, &c);
        if (n == 0 || utf8_is_control(c) || utf8_is_space(c)) {
            return false;
        }
    }
    return !digits;
}

/* Parses digits without a leading zero, from 1 to ID_SERIAL_MAX. */
static bool id_serial_parse(const char *text, size_t len, uint64_t *out)
{
    uint64_t v = 0;

    if (len == 0 || text[0] == '0' || !id_digits_only(text, len)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        uint64_t digit = (uint64_t)(text[i] - '0');
        if (v > (ID_SERIAL_MAX - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = v;
    return true;
}

static bool id_incarnation_parse(const char *text, size_t len, uint32_t *out)
{
    uint32_t v = 0;

    if (len == 0 || len > 8) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        uint32_t digit;
        if (id_is_digit(c)) {
            digit = (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            digit = (uint32_t)(c - 'a') + 10;
        } else if (c >= 'A' && c <= 'F') {
            digit = (uint32_t)(c - 'A') + 10;
        } else {
            return false;
        }
        v = v << 4 | digit;
    }
    *out = v;
    return v != 0;
}

int id_address_parse(const char *text, size_t len, struct id_address *out)
{
    const char *at = len > 0 ? memchr(text, '@', len) : NULL;
    size_t head = at ? (size_t)(at - text) : len;

    *out = (struct id_address){ 0 };
    if (head == 0) {
        return RUSM_EINVAL;
    }
    if (id_digits_only(text, head)) {
        if (!id_serial_parse(text, head, &out->serial)) {
            return RUSM_EINVAL;
        }
    } else if (id_process_name_ok(text, head)) {
        out->name = text;
        out->name_len = head;
    } else {
        return RUSM_EINVAL;
    }
    if (!at) {
        return 0;
    }
    out->node = at + 1;
    out->node_len = len - head - 1;
    const char *hash = out->node_len > 0 ? memchr(out->node, '#', out->node_len) : NULL;
    if (hash) {
        size_t digits = out->node_len - (size_t)(hash - out->node) - 1;
        out->node_len = (size_t)(hash - out->node);
        out->has_incarnation = true;
        if (out->name || !id_incarnation_parse(hash + 1, digits, &out->incarnation)) {
            return RUSM_EINVAL;
        }
    }
    return id_node_name_ok(out->node, out->node_len) ? 0 : RUSM_EINVAL;
}

int id_pid_format(char *text, size_t cap, uint64_t serial, const char *node, uint32_t incarnation)
{
    return snprintf(text, cap, "%" PRIu64 "@%s#%" PRIx32, serial, node, incarnation);
}

/* Checks what is between the brackets: an IPv6 address, perhaps with a zone (fe80::1%eth0). */
static bool id_v6_ok(const char *text, size_t len)
{
    const char *zone = memchr(text, '%', len);
    size_t digits = zone ? (size_t)(zone - text) : len;
    char plain[INET6_ADDRSTRLEN];
    struct in6_addr address;

    if (digits >= sizeof(plain) || memchr(text, '\0', len)) {
        return false;
    }
    if (zone && !id_node_name_ok(zone + 1, len - digits - 1)) {
        return false;
    }
    memcpy(plain, text, digits);
    plain[digits] = '\0';
    return inet_pton(AF_INET6, plain, &address) == 1;
}

static bool id_host_ok(const char *text, size_t len)
{
    if (len == 0 || len > 255) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        char c = text[i];
        if (!id_is_alnum(c) && c != '_' && c != '.' && (c != '-' || i == 0)) {
            return false;
        }
    }
    return true;
}

/* Copies the parts of [V6]:PORT or HOST:PORT. Returns 0 or RUSM_EINVAL. */
static int id_host_port_split(const char *text, size_t len, char host[256], char port[6])
{
    size_t host_at = 0, host_len, port_at, number = 0;

    if (len > 0 && text[0] == '[') {
        const char *close = memchr(text, ']', len);
        if (!close) {
            return RUSM_EINVAL;
        }
        host_at = 1;
        host_len = (size_t)(close - text) - 1;
        port_at = host_len + 2;
        if (host_len == 0 || host_len > 255 || !id_v6_ok(text + 1, host_len)) {
            return RUSM_EINVAL;
        }
    } else {
        const char *colon = len > 0 ? memchr(text, ':', len) : NULL;
        if (!colon) {
            return RUSM_EINVAL;
        }
        host_len = port_at = (size_t)(colon - text);
        if (!id_host_ok(text, host_len)) {
            return RUSM_EINVAL;
        }
    }
    if (port_at >= len || text[port_at] != ':') {
        return RUSM_EINVAL;
    }
    const char *digits = text + port_at + 1;
    size_t digit_count = len - port_at - 1;
    if (digit_count == 0 || digit_count > 5 || !id_digits_only(digits, digit_count)) {
        return RUSM_EINVAL;
    }
    for (size_t i = 0; i < digit_count; i++) {
        number = number * 10 + (size_t)(digits[i] - '0');
    }
    if (number > 65535) {
        return RUSM_EINVAL;
    }
    memcpy(host, text + host_at, host_len);
    host[host_len] = '\0';
    snprintf(port, 6, "%u", (unsigned)number & 0xffffu);
    return 0;
}

int id_host_port_parse(const char *text, char host[256], char port[6])
{
    return id_host_port_split(text, strlen(text), host, port);
}

bool id_host_port_ok(const char *text, size_t len)
{
    char host[256], port[6];

    return id_host_port_split(text, len, host, port) == 0 && strcmp(port, "0") != 0;
}

int id_target_parse(const char *text, struct id_target *out)
{
    const char *at = strchr(text, '@'), *place = at ? at + 1 : text;
    size_t name_len = at ? (size_t)(at - text) : 0;

    *out = (struct id_target){ 0 };
    if (!at && !strchr(text, ':')) {
        name_len = strlen(text);
        place = NULL;
    }
    if (name_len > 0 || at) {
        if (!id_node_name_ok(text, name_len)) {
            return RUSM_EINVAL;
        }
        memcpy(out->name, text, name_len);
    }
    if (!place) {
        return name_len > 0 ? 0 : RUSM_EINVAL;
    }
    int rc = id_host_port_split(place, strlen(place), out->host, out->port);
    return rc == 0 && strcmp(out->port, "0") == 0 ? RUSM_EINVAL : rc;
}
