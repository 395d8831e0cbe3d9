/* repeat: see the header. */
#include "base/repeat.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void repeat_init(struct repeat *r, const struct log *log)
{
    memset(r, 0, sizeof(*r));
    r->log = log;
    r->next_ns = UINT64_MAX;
}

/* Returns the slot of the key, else a free one, else NULL. */
static struct repeat_slot *repeat_find(struct repeat *r, const char *key)
{
    struct repeat_slot *empty = NULL;

    for (size_t i = 0; i < LIMIT_REPEATS; i++) {
        struct repeat_slot *s = &r->slots[i];
        if (s->key[0] && strncmp(s->key, key, sizeof(s->key) - 1) == 0) {
            return s;
        }
        if (!s->key[0] && !empty) {
            empty = s;
        }
    }
    return empty;
}

static void repeat_due(struct repeat *r, uint64_t at_ns)
{
    if (at_ns < r->next_ns) {
        r->next_ns = at_ns;
    }
}

bool repeat_warn(struct repeat *r, uint64_t now_ns, const char *key, const char *format, ...)
{
    char line[900]; /* most of what the log takes; the slot keeps its beginning */
    va_list args;

    repeat_tick(r, now_ns);
    struct repeat_slot *s = repeat_find(r, key);
    if (!s) {
        if (r->others++ == 0) {
            r->others_due_ns = now_ns + REPEAT_NS;
            repeat_due(r, r->others_due_ns);
        }
        return false;
    }
    if (s->key[0]) {
        s->more++;
        return false;
    }
    snprintf(s->key, sizeof(s->key), "%s", key);
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    snprintf(s->text, sizeof(s->text), "%.*s", (int)sizeof(s->text) - 1, line);
    s->more = 0;
    s->due_ns = now_ns + REPEAT_NS;
    repeat_due(r, s->due_ns);
    log_warn(r->log, "%s", line);
    return true;
}

/* A minute is over: says how many more there were. Forgets a key that did not come again. */
static void repeat_slot_tick(struct repeat *r, struct repeat_slot *s, uint64_t now_ns)
{
    if (!s->key[0]) {
        return;
    }
    if (now_ns >= s->due_ns && s->more == 0) {
        s->key[0] = '\0';
        return;
    }
    if (now_ns >= s->due_ns) {
        log_warn(r->log, "%llu more in the last minute: %s", (unsigned long long)s->more, s->text);
        s->more = 0;
        s->due_ns = now_ns + REPEAT_NS;
    }
    repeat_due(r, s->due_ns);
}

uint64_t repeat_tick(struct repeat *r, uint64_t now_ns)
{
    if (now_ns < r->next_ns) {
        return r->next_ns;
    }
    r->next_ns = UINT64_MAX;
    for (size_t i = 0; i < LIMIT_REPEATS; i++) {
        repeat_slot_tick(r, &r->slots[i], now_ns);
    }
    if (r->others > 0 && now_ns >= r->others_due_ns) {
        log_warn(r->log, "%llu more warnings of that kind, from other addresses, were not written",
                 (unsigned long long)r->others);
        r->others = 0;
    } else if (r->others > 0) {
        repeat_due(r, r->others_due_ns);
    }
    return r->next_ns;
}
