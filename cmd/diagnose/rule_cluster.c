/* rule_cluster: nodes that cannot be asked, that do not see each other, or that differ. */
#include "rules.h"

#include <string.h>

/* Two nodes of a cluster know each other after this long. */
#define RULE_CLUSTER_SETTLED_MS 10000
/* Bytes by which the memory of a node grows between two readings. */
#define RULE_CLUSTER_GROWTH ((uint64_t)16 * 1024 * 1024)

/* What a reached node says of another one. */
enum rule_cluster_view {
    RULE_CLUSTER_NONE,
    RULE_CLUSTER_UP,
    RULE_CLUSTER_DOWN,
    RULE_CLUSTER_MIXED
};

static bool rule_cluster_asked(const struct survey_node *n)
{
    return n->reached && n->error == 0;
}

static enum rule_cluster_view rule_cluster_look(const struct survey_node *at, const char *node)
{
    const struct survey_peer *p = survey_peer_find(at, node);
    const struct survey_link *before, *now;

    if (!p || !p->at[SURVEY_NOW].seen || p->at[SURVEY_NOW].left) {
        return RULE_CLUSTER_NONE;
    }
    before = &p->at[SURVEY_BEFORE];
    now = &p->at[SURVEY_NOW];
    if (now->connected) {
        return before->connected ? RULE_CLUSTER_UP : RULE_CLUSTER_MIXED;
    }
    return before->seen && !before->connected ? RULE_CLUSTER_DOWN : RULE_CLUSTER_MIXED;
}

/* Writes the nodes that see this one so, such as "london, oslo". Returns how many there are. */
static size_t rule_cluster_views(const struct survey *s, const char *node,
                                 enum rule_cluster_view view, char *text, size_t cap)
{
    size_t count = 0, at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (!rule_cluster_asked(n) || strcmp(n->name, node) == 0 ||
            rule_cluster_look(n, node) != view) {
            continue;
        }
        if (at < cap) {
            at += (size_t)snprintf(text + at, cap - at, "%s%s", count ? ", " : "", n->name);
        }
        count++;
    }
    return count;
}

/* ---- nodes that cannot be asked ---- */

void rule_cluster_certificate(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (n->reached || n->error != RUSM_EREFUSED) {
            continue;
        }
        struct finding *f = finding_add(out, FINDING_ERROR, kind, n->name, NULL);
        finding_summary(f, "it has another identity, or the one here may not be used");
        finding_evidence(f, "%s", n->why.text);
        finding_cure(f,
                     "copy the identity file of the cluster to it and start it again; to compare: "
                     "rusm cert show");
    }
}

/* A node that nobody reaches and that did not leave. */
static bool rule_cluster_is_lost(const struct survey *s, const struct survey_node *n, char *by,
                                 size_t cap)
{
    return rule_cluster_views(s, n->name, RULE_CLUSTER_DOWN, by, cap) > 0 || n->gone;
}

void rule_cluster_lost(const struct survey *s, const char *kind, struct findings *out)
{
    char by[400];

    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (n->reached || n->error == RUSM_EREFUSED ||
            !rule_cluster_is_lost(s, n, by, sizeof(by))) {
            continue;
        }
        struct finding *f = finding_add(out, FINDING_ERROR, kind, n->name, NULL);
        finding_summary(f, "the node is down or cannot be reached, and did not leave");
        finding_evidence(f, "%s%s%s%s%s", by[0] ? "not connected with " : "", by, by[0] ? "; " : "",
                         "from here: ", n->why.text);
        finding_cure(f,
                     "start it again: rusm node --name %s; or see whether the network lets UDP "
                     "pass",
                     n->name);
    }
}

void rule_cluster_silent(const struct survey *s, const char *kind, struct findings *out)
{
    char by[400];

    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (n->error == 0 || n->error == RUSM_EREFUSED ||
            (!n->reached && rule_cluster_is_lost(s, n, by, sizeof(by)))) {
            continue;
        }
        size_t up = rule_cluster_views(s, n->name, RULE_CLUSTER_UP, by, sizeof(by));
        struct finding *f = finding_add(out, FINDING_ERROR, kind, n->name, NULL);
        finding_summary(f, n->reached ? "the node stopped answering"
                                      : "the node does not answer from here");
        finding_evidence(f, "%s%s%s", n->why.text[0] ? n->why.text : rusm_strerror(n->error),
                         up ? "; connected with " : "", by);
        finding_cure(f,
                     "see whether its OS process runs, and whether a handler holds it: rusm "
                     "attach %s",
                     n->name);
    }
}

/* ---- nodes that do not see each other ---- */

/* Whether both nodes are asked, have had the time to meet, and have a peer in common, but `a` does
 * not know `b`. */
static bool rule_cluster_unknown(const struct survey *s, const struct survey_node *a,
                                 const struct survey_node *b)
{
    const struct survey_peer *p = survey_peer_find(a, b->name);

    if (a->uptime_ms < RULE_CLUSTER_SETTLED_MS || b->uptime_ms < RULE_CLUSTER_SETTLED_MS ||
        (p && p->at[SURVEY_NOW].seen)) {
        return false;
    }
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (rule_cluster_asked(n) && n != a && n != b &&
            rule_cluster_look(n, a->name) == RULE_CLUSTER_UP &&
            rule_cluster_look(n, b->name) == RULE_CLUSTER_UP) {
            return true;
        }
    }
    return false;
}

static bool rule_cluster_apart(const struct survey *s, const struct survey_node *a,
                               const struct survey_node *b)
{
    return rule_cluster_look(a, b->name) == RULE_CLUSTER_DOWN || rule_cluster_unknown(s, a, b);
}

void rule_cluster_split(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        for (size_t k = i + 1; k < s->nodes; k++) {
            const struct survey_node *a = s->node[i], *b = s->node[k];
            if (!rule_cluster_asked(a) || !rule_cluster_asked(b)) {
                continue;
            }
            bool from_a = rule_cluster_apart(s, a, b), from_b = rule_cluster_apart(s, b, a);
            if (!from_a && !from_b) {
                continue;
            }
            struct finding *f = finding_add(out, FINDING_ERROR, kind, a->name, NULL);
            finding_summary(f, "it is not connected with %s, though both run", b->name);
            finding_evidence(f, "%s%s%s; both answer from here", from_a ? a->name : b->name,
                             from_a && from_b ? " and " : " alone",
                             from_a && from_b ? b->name : " sees it so");
            finding_cure(f,
                         "see whether the network between their machines lets UDP pass, both "
                         "ways; the log of %s says what it tries",
                         from_a ? a->name : b->name);
        }
    }
}

/* ---- what is on its way ---- */

/* Whether a process of `from` waits for room in a mailbox of `at`: that is found by itself. */
static bool rule_cluster_held(const struct survey_node *at, const struct survey_node *from)
{
    for (size_t i = 0; i < at->processes; i++) {
        const struct survey_process *p = &at->process[i];
        for (size_t r = 0; r < p->relations; r++) {
            const char *node = strchr(p->relation[r].pid, '@');
            size_t len = node ? strcspn(node + 1, "#") : 0;
            if (p->relation[r].kind == SURVEY_WAITING && len == strlen(from->name) &&
                memcmp(node + 1, from->name, len) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void rule_cluster_delay(const struct survey *s, const char *kind, struct findings *out,
                               const struct survey_node *a, const struct survey_node *b)
{
    uint64_t least_ms = (uint64_t)(s->seconds * 1000);
    const struct survey_peer *to = survey_peer_find(a, b->name);
    const struct survey_peer *from = survey_peer_find(b, a->name);

    /* Both ends are to have counted since before the first reading. */
    if (!to || !from || to->at[SURVEY_NOW].since_ms <= least_ms ||
        from->at[SURVEY_NOW].since_ms <= least_ms || !to->at[SURVEY_BEFORE].connected ||
        to->at[SURVEY_BEFORE].sent <= from->at[SURVEY_NOW].received || rule_cluster_held(b, a)) {
        return;
    }
    unsigned long long behind = to->at[SURVEY_BEFORE].sent - from->at[SURVEY_NOW].received;
    struct finding *f = finding_add(out, FINDING_WARNING, kind, a->name, NULL);
    finding_summary(f, "messages to %s are on their way for longer than %.1f s", b->name,
                    s->seconds);
    finding_evidence(f, "%s had sent %llu, and %s has received %llu %.1f s later: %llu fewer",
                     a->name, (unsigned long long)to->at[SURVEY_BEFORE].sent, b->name,
                     (unsigned long long)from->at[SURVEY_NOW].received, s->seconds, behind);
    finding_cure(f,
                 "see whether a process of %s holds its messages up: rusm attach %s; or else "
                 "whether the network loses packets",
                 b->name, b->name);
}

void rule_cluster_delayed(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        for (size_t k = 0; k < s->nodes; k++) {
            if (i != k && rule_cluster_asked(s->node[i]) && rule_cluster_asked(s->node[k])) {
                rule_cluster_delay(s, kind, out, s->node[i], s->node[k]);
            }
        }
    }
}

/* ---- nodes that differ ---- */

void rule_cluster_versions(const struct survey *s, const char *kind, struct findings *out)
{
    const struct survey_node *first = NULL;

    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (!n->version[0]) {
            continue;
        }
        first = first ? first : n;
        if (strcmp(n->version, first->version) != 0) {
            struct finding *f = finding_add(out, FINDING_WARNING, kind, n->name, NULL);
            finding_summary(f, "it runs another version than %s", first->name);
            finding_evidence(f, "%s runs %s, %s runs %s", n->name, n->version, first->name,
                             first->version);
            finding_cure(f, "install the same version everywhere, and start one node after the "
                            "other again");
        }
    }
}

/* ---- what the system gives them ---- */

void rule_cluster_descriptors(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        if (n->descriptors_max == 0 || n->descriptors < n->descriptors_max / 10 * 9) {
            continue;
        }
        struct finding *f = finding_add(out, FINDING_WARNING, kind, n->name, NULL);
        finding_summary(f, "it has nearly as many open descriptors as it may have");
        finding_evidence(f, "%llu of %llu descriptors", (unsigned long long)n->descriptors,
                         (unsigned long long)n->descriptors_max);
        finding_cure(f,
                     "start it again with more (ulimit -n, LimitNOFILE=); programs and HTTP "
                     "clients take most; to see its programs: rusm attach %s",
                     n->name);
    }
}

void rule_cluster_memory(const struct survey *s, const char *kind, struct findings *out)
{
    for (size_t i = 0; i < s->nodes; i++) {
        const struct survey_node *n = s->node[i];
        uint64_t before = n->memory[SURVEY_BEFORE], now = n->memory[SURVEY_NOW];
        if (before == 0 || now < before + RULE_CLUSTER_GROWTH) {
            continue;
        }
        struct finding *f = finding_add(out, FINDING_NOTE, kind, n->name, NULL);
        finding_summary(f, "the memory of the node grows");
        finding_evidence(f, "from %llu to %llu bytes in %.1f s", (unsigned long long)before,
                         (unsigned long long)now, s->seconds);
        finding_cure(f, "look again over a longer time: rusm diagnose --seconds 10 %s", n->name);
    }
}
