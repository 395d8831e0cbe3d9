/* grant: see the header. */
#include "peer/grant.h"

#include "peer/limits.h"
#include "wire/limits.h"
#include "base/must.h"

static const struct {
    uint64_t longest, budget;
} classes[GRANT_CLASSES] = {
    { LIMIT_GRANT_SHORT, LIMIT_GRANT_SHORTER_BUDGET },
    { LIMIT_GRANT_MIDDLE, LIMIT_GRANT_SHORTER_BUDGET },
    { LIMIT_RECORD, LIMIT_GRANT_BUDGET },
};

void grant_budget_init(struct grant_budget *g, unsigned schedulers,
                       void (*given)(struct grant_share *share, struct grant *grant))
{
    g->given = given;
    for (int i = 0; i < GRANT_CLASSES; i++) {
        uint64_t share = classes[i].budget / schedulers / LIMIT_GRANT_SHARES;
        if (share < classes[i].longest) {
            share = classes[i].longest;
        }
        g->class[i].share = share;
        g->class[i].left = share * LIMIT_GRANT_SHARES;
        list_init(&g->class[i].turn);
    }
}

void grant_share_init(struct grant_share *share)
{
    for (int i = 0; i < GRANT_CLASSES; i++) {
        share->line[i] = (struct grant_line){ .share = share };
        list_init(&share->line[i].at);
        list_init(&share->line[i].waiting);
    }
}

/* Returns the line's first waiting grant if the connection's share has room for it, or NULL. */
static struct grant *line_first(const struct grant_class *c, struct grant_line *line)
{
    struct list *l = list_first(&line->waiting);
    struct grant *grant = l ? container_of(l, struct grant, at) : NULL;

    return grant && line->held + grant->len <= c->share ? grant : NULL;
}

/* Puts the line into the class's turn, or takes it out. To be called when what the line holds or
 * what waits in it has changed. */
static void line_changed(struct grant_class *c, struct grant_line *line)
{
    bool in_turn = list_linked(&line->at), may = line_first(c, line) != NULL;

    if (may && !in_turn) {
        list_append(&c->turn, &line->at);
    } else if (!may && in_turn) {
        list_remove(&line->at);
    }
}

/* Gives grants as long as the budget lasts, to one connection after the other. */
static void class_serve(struct grant_budget *g, struct grant_class *c)
{
    struct list *l;

    while ((l = list_first(&c->turn))) {
        struct grant_line *line = container_of(l, struct grant_line, at);
        struct grant *grant = line_first(c, line);
        if (c->left < grant->len) {
            return;
        }
        list_remove(&line->at);
        list_remove(&grant->at);
        grant->given = true;
        line->held += grant->len;
        c->left -= grant->len;
        line_changed(c, line); /* its next turn is behind the other lines */
        g->given(line->share, grant);
    }
}

bool grant_ask(struct grant_budget *g, struct grant_share *share, struct grant *grant, uint32_t len)
{
    uint8_t class = 0;

    must(len <= LIMIT_RECORD && !grant->given && !list_linked(&grant->at));
    while (len > classes[class].longest) {
        class ++;
    }
    struct grant_class *c = &g->class[class];
    struct grant_line *line = &share->line[class];
    grant->len = len;
    grant->class = class;
    list_append(&line->waiting, &grant->at);
    if (list_empty(&c->turn) && c->left >= len && line_first(c, line) == grant) {
        list_remove(&grant->at);
        grant->given = true;
        line->held += len;
        c->left -= len;
        return true;
    }
    line_changed(c, line);
    return false;
}

void grant_end(struct grant_budget *g, struct grant_share *share, struct grant *grant)
{
    struct grant_class *c = &g->class[grant->class];
    struct grant_line *line = &share->line[grant->class];

    if (grant->given) {
        grant->given = false;
        line->held -= grant->len;
        c->left += grant->len;
    } else if (list_linked(&grant->at)) {
        list_remove(&grant->at);
    } else {
        return;
    }
    line_changed(c, line);
    class_serve(g, c);
}

bool grant_wanted(const struct grant_budget *g, const struct grant *grant)
{
    return !list_empty(&g->class[grant->class].turn);
}
