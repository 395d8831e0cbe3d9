/* url: see the header. Called by exchange and route, on the gateway's thread. */
#include "gateway/url.h"

#include <stdlib.h>
#include <string.h>
#include "rusm.h"

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Refuses %00, as texts here end with a NUL. */
bool url_decode(char *text)
{
    char *to = text;

    for (const char *at = text; *at; at++) {
        char c = *at;
        if (c == '%') {
            int high = hex(at[1]), low = high < 0 ? -1 : hex(at[2]);
            if (low < 0 || (high == 0 && low == 0)) {
                return false;
            }
            c = (char)(high << 4 | low);
            at += 2;
        }
        *to++ = c;
    }
    *to = '\0';
    return true;
}

int url_parse(struct url *url, const char *target, size_t len)
{
    char *query;

    url_fini(url);
    if (len == 0 || target[0] != '/' || memchr(target, '\0', len)) {
        return RUSM_EINVAL;
    }
    url->text = malloc(len + 1);
    if (!url->text) {
        return RUSM_ENOMEM;
    }
    memcpy(url->text, target, len);
    url->text[len] = '\0';
    url->path = url->text;
    query = strchr(url->text, '?');
    if (query) {
        *query++ = '\0';
    }
    while (query && *query) {
        char *next = strchr(query, '&'), *value;
        if (next) {
            *next++ = '\0';
        }
        value = strchr(query, '=');
        if (value) {
            *value++ = '\0';
        } else {
            value = query + strlen(query);
        }
        if (url->count == URL_PARAMETERS || !url_decode(query) || !url_decode(value)) {
            return RUSM_EINVAL;
        }
        url->parameter[url->count].key = query;
        url->parameter[url->count++].value = value;
        query = next;
    }
    return 0;
}

void url_fini(struct url *url)
{
    free(url->text);
    url->text = NULL;
    url->path = NULL;
    url->count = 0;
}

const char *url_parameter(const struct url *url, const char *key)
{
    for (size_t i = 0; i < url->count; i++) {
        if (strcmp(url->parameter[i].key, key) == 0) {
            return url->parameter[i].value;
        }
    }
    return NULL;
}

bool url_match(const struct url *url, const char *pattern, char **rest)
{
    size_t len = strlen(pattern);
    char *segment;

    *rest = NULL;
    if (len == 0 || pattern[len - 1] != '*') {
        return strcmp(url->path, pattern) == 0;
    }
    if (strncmp(url->path, pattern, len - 1) != 0) {
        return false;
    }
    segment = url->text + (len - 1);
    if (*segment == '\0' || strchr(segment, '/')) {
        return false;
    }
    *rest = segment;
    return true;
}
