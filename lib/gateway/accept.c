/* accept: see the header. Called by exchange and metrics. */
#include "gateway/accept.h"

#include <string.h>
#include <strings.h>

/* A range at least so exact names one type. Below, it has a "*". */
#define ACCEPT_NAMED 3

/* A piece of a field's value. */
struct text {
    const char *at;
    size_t len;
};

/* A media range, such as text/plain;version=0.0.4;q=0.3. */
struct range {
    struct text type, version; /* version.at NULL: the range says none */
    unsigned quality;
};

static const struct {
    const char *type, *any_of_kind, *version;
} formats[ACCEPT_FORMATS] = {
    [ACCEPT_TEXT] = { "text/plain", "text/*", "0.0.4" },
    [ACCEPT_OPEN] = { "application/openmetrics-text", "application/*", "1.0.0" },
    [ACCEPT_OPEN_OLD] = { "application/openmetrics-text", "application/*", "0.0.1" },
};

static bool is(struct text t, const char *what)
{
    return t.len == strlen(what) && strncasecmp(t.at, what, t.len) == 0;
}

static struct text trim(struct text t)
{
    while (t.len > 0 && (t.at[0] == ' ' || t.at[0] == '\t')) {
        t.at++;
        t.len--;
    }
    while (t.len > 0 && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t')) {
        t.len--;
    }
    return t;
}

/* Takes what is before the next `mark`, but not within quotes, off *rest. */
static struct text cut(struct text *rest, char mark)
{
    struct text part = { rest->at, 0 };
    bool quoted = false;

    while (part.len < rest->len && (quoted || rest->at[part.len] != mark)) {
        if (rest->at[part.len] == '"') {
            quoted = !quoted;
        } else if (quoted && rest->at[part.len] == '\\' && part.len + 1 < rest->len) {
            part.len++;
        }
        part.len++;
    }
    size_t used = part.len < rest->len ? part.len + 1 : part.len;
    rest->at += used;
    rest->len -= used;
    return trim(part);
}

/* Returns a qvalue in thousandths. What is none counts as 1. */
static unsigned quality_of(struct text t)
{
    unsigned value = 0, unit = 100;

    if (t.len == 0 || (t.at[0] != '0' && t.at[0] != '1') || (t.len > 1 && t.at[1] != '.') ||
        t.len > 5) {
        return 1000;
    }
    for (size_t i = 2; i < t.len; i++, unit /= 10) {
        if (t.at[i] < '0' || t.at[i] > '9') {
            return 1000;
        }
        value += (unsigned)(t.at[i] - '0') * unit;
    }
    return t.at[0] == '1' ? 1000 : value;
}

static struct range range_of(struct text t)
{
    struct range r = { .type = cut(&t, ';'), .quality = 1000 };

    while (t.len > 0) {
        struct text value = cut(&t, ';'), key = cut(&value, '=');
        value = trim(value);
        if (is(key, "q")) {
            r.quality = quality_of(value);
        } else if (is(key, "version")) {
            if (value.len > 1 && value.at[0] == '"' && value.at[value.len - 1] == '"') {
                value = (struct text){ value.at + 1, value.len - 2 };
            }
            r.version = value;
        }
    }
    return r;
}

/* Returns how exactly the range names the format: 0 is not at all. */
static unsigned exactness(const struct range *r, enum accept_format format)
{
    if (r->version.at && !is(r->version, formats[format].version)) {
        return 0;
    }
    if (is(r->type, formats[format].type)) {
        return r->version.at ? 4 : ACCEPT_NAMED;
    }
    return is(r->type, formats[format].any_of_kind) ? 2 : is(r->type, "*/*") ? 1 : 0;
}

void accept_add(struct accept *a, const char *value, size_t len)
{
    struct text rest = { value, len };

    while (rest.len > 0) {
        struct range r = range_of(cut(&rest, ','));
        a->ranges++;
        for (unsigned i = 0; i < ACCEPT_FORMATS; i++) {
            unsigned exact = exactness(&r, i);
            bool closer = exact > a->of[i].exact;
            if (closer || (exact > 0 && exact == a->of[i].exact && r.quality > a->of[i].quality)) {
                a->of[i].quality = r.quality;
                a->of[i].exact = exact;
                a->of[i].place = a->ranges;
            }
        }
    }
}

/* Returns whether the client wants format `a` more than `b`. */
static bool better(const struct accept *accept, enum accept_format a, enum accept_format b)
{
    bool a_named = accept->of[a].exact >= ACCEPT_NAMED;
    bool b_named = accept->of[b].exact >= ACCEPT_NAMED;

    if (accept->of[a].quality != accept->of[b].quality) {
        return accept->of[a].quality > accept->of[b].quality;
    }
    if (accept->of[a].quality == 0 || a_named != b_named) {
        return accept->of[a].quality > 0 && a_named;
    }
    return accept->of[a].place < accept->of[b].place;
}

enum accept_format accept_best(const struct accept *a)
{
    enum accept_format best = ACCEPT_TEXT;

    for (enum accept_format i = ACCEPT_TEXT + 1; i < ACCEPT_FORMATS; i++) {
        best = better(a, i, best) ? i : best;
    }
    return best;
}
