/* close: texts that say why a connection ended, for logs and for people. Runs on any thread. */
#include "wire/close.h"

static const char *const close_text[] = {
    [CLOSE_NONE] = "closed",
    [CLOSE_MALFORMED] = "malformed bytes",
    [CLOSE_VERSION] = "no common protocol version",
    [CLOSE_DUPLICATE] = "another connection serves this pair of nodes",
    [CLOSE_NAME_TAKEN] = "a live node of that name is connected",
    [CLOSE_SELF] = "the node dialled itself",
    [CLOSE_WRONG_NODE] = "not the node that was meant",
    [CLOSE_LIMIT] = "a limit was reached",
    [CLOSE_REPLACED] = "replaced by a newer connection",
    [CLOSE_TIMEOUT] = "nothing heard in time",
    [CLOSE_INTERNAL] = "out of memory",
    [CLOSE_WRONG_SHARE] = "dialled with a connection id that is not of its name",
};

const char *close_code_text(uint64_t code)
{
    return code < sizeof(close_text) / sizeof(close_text[0]) ? close_text[code] : "unknown code";
}
