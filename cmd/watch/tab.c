/* tab: see the header. */
#include "tab.h"

#include <string.h>

#define TAB_MAILBOX_WARN 100 /* messages that wait: by default a mailbox takes 1024 */
#define TAB_MAILBOX_BAD 1000

/* ---- faces ---- */

static enum face tab_face_state(const char *text, uint64_t number)
{
    static const struct {
        const char *state;
        enum face face;
    } states[] = {
        { "running", FACE_GOOD },    { "ready", FACE_BUSY },  { "holding", FACE_WARN },
        { "exiting", FACE_BAD },     { "waiting", FACE_DIM }, { "connected", FACE_GOOD },
        { "connecting", FACE_WARN }, { "lost", FACE_BAD },    { "left", FACE_DIM },
    };

    (void)number;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        if (strcmp(states[i].state, text) == 0) {
            return states[i].face;
        }
    }
    return FACE_PLAIN;
}

static enum face tab_face_mailbox(const char *text, uint64_t number)
{
    (void)text;
    return number >= TAB_MAILBOX_BAD    ? FACE_BAD
           : number >= TAB_MAILBOX_WARN ? FACE_WARN
           : number > 0                 ? FACE_BUSY
                                        : FACE_DIM;
}

static enum face tab_face_count(const char *text, uint64_t number)
{
    (void)text;
    return number > 0 ? FACE_PLAIN : FACE_DIM;
}

static enum face tab_face_lost(const char *text, uint64_t number)
{
    (void)text;
    return number > 0 ? FACE_WARN : FACE_DIM;
}

static enum face tab_face_key(const char *text, uint64_t number)
{
    (void)text, (void)number;
    return FACE_BOLD;
}

static enum face tab_face_dim(const char *text, uint64_t number)
{
    (void)text, (void)number;
    return FACE_DIM;
}

/* ---- columns ---- */

/* The versions of clang-format format these lines differently. */
/* clang-format off */
static const struct tab_column tab_processes[] = {
    { "pid", "PID", NULL, 0, false, 8, 0, tab_face_dim },
    { "name", "NAME", "name", 'n', false, 0, 0, tab_face_key },
    { "behaviour", "BEHAVIOUR", NULL, 0, false, 10, 72, NULL },
    { "state", "STATE", NULL, 0, false, 7, 60, tab_face_state },
    { "mailbox", "MAILBOX", "mailbox", 'b', true, 8, 0, tab_face_mailbox },
    { "rate", "RATE/s", "rate", 'r', true, 7, 0, tab_face_count },
    { "received", "RECEIVED", NULL, 0, false, 8, 78, tab_face_count },
    { "memory", "MEMORY", "memory", 'm', true, 8, 52, NULL },
    { "links", "LINKS", NULL, 0, false, 5, 96, tab_face_count },
    { "age", "AGE", "age", 'a', true, 6, 66, NULL },
    { .head = NULL },
};

static const struct tab_column tab_peers[] = {
    { "node", "NODE", "node", 'n', false, 0, 0, tab_face_key },
    { "state", "STATE", NULL, 0, false, 10, 0, tab_face_state },
    { "rtt_us", "RTT", "rtt", 't', true, 7, 0, NULL },
    { "sent_rate", "SENT/s", "sent", 's', true, 7, 52, tab_face_count },
    { "received_rate", "RECV/s", "received", 'r', true, 7, 52, tab_face_count },
    { "lost", "LOST", "lost", 'l', true, 6, 0, tab_face_lost },
    { "lanes", "LANES", NULL, 0, false, 5, 66, tab_face_count },
    { "direction", "DIR", NULL, 0, false, 3, 72, tab_face_dim },
    { "since", "SINCE", NULL, 0, false, 6, 60, NULL },
    { "address", "ADDRESS", NULL, 0, false, 21, 92, tab_face_dim },
    { .head = NULL },
};

static const struct tab_column tab_names[] = {
    { "name", "NAME", "name", 'n', false, 0, 0, tab_face_key },
    { "scope", "SCOPE", "scope", 's', false, 6, 0, NULL },
    { "pid", "PID", NULL, 0, false, 10, 60, tab_face_dim },
    { "node", "NODE", "node", 'o', false, 14, 0, NULL },
    { .head = NULL },
};

static const struct tab_column tab_counters[] = {
    { "counter", "COUNTER", "name", 'n', false, 0, 0, NULL },
    { "value", "VALUE", "value", 'v', true, 10, 0, tab_face_count },
    { "rate", "RATE/s", "rate", 'r', true, 8, 0, tab_face_count },
    { .head = NULL },
};

static const struct tab_column tab_none[] = { { .head = NULL } };

static const struct tab tabs[TABS] = {
    [TAB_PROCESSES] = { "Processes", "Proc", RUSM_TABLE_PROCESSES, 60, tab_processes,
                        "mailbox", "rate" },
    [TAB_PEERS] = { "Peers", "Peer", RUSM_TABLE_PEERS, 40, tab_peers, "node", NULL },
    [TAB_NAMES] = { "Names", "Name", RUSM_TABLE_NAMES, 60, tab_names, "name", NULL },
    [TAB_COUNTERS] = { "Counters", "Cnt", RUSM_TABLE_COUNTERS, 34, tab_counters, NULL, NULL },
    [TAB_NODE] = { "Node", "Node", RUSM_TABLE_NODE, 0, tab_none, NULL, NULL },
};
/* clang-format on */

const struct tab *tab_get(enum tab_number number)
{
    return &tabs[number];
}

const struct tab_column *tab_key(const struct tab *tab, int key)
{
    const struct tab_column *column = tab->columns;

    while (column->head && (column->key == 0 || column->key != key)) {
        column++;
    }
    return column->head ? column : NULL;
}

const struct tab_column *tab_column(const struct tab *tab, const char *name)
{
    const struct tab_column *column = tab->columns;

    while (column->head && strcmp(column->column, name) != 0) {
        column++;
    }
    return column->head ? column : NULL;
}

int tab_width(const struct tab *tab, const struct tab_column *column, int columns)
{
    int left = columns;

    if (columns < column->least) {
        return 0;
    }
    if (column->width > 0) {
        return column->width;
    }
    for (const struct tab_column *other = tab->columns; other->head; other++) {
        left -= columns >= other->least && other->width > 0 ? other->width + 1 : 0;
    }
    return left < 4 ? 4 : left < tab->widest ? left : tab->widest;
}
