/* client_link_why: says why a client's connection could not be made, or why it has ended. Declared
 * in client_link.h. */
#include "client/client_link.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "base/err.h"

static const char *link_text(const struct client_link *l, char text[RUSM_ADDRESS_MAX + 64])
{
    snprintf(text, RUSM_ADDRESS_MAX + 64, "%s%s%s", l->to->expected,
             l->to->expected[0] ? " at " : "", l->to->address);
    return text;
}

int client_link_why_dial(const struct client_link *l, struct rusm_why *why)
{
    char who[RUSM_ADDRESS_MAX + 64], seconds[16];

    link_text(l, who);
    if (l->over && l->error) {
        return err_why(why, l->error, "%s", l->why.text);
    }
    if (l->lookup) {
        return err_why(why, RUSM_ENOCONN,
                       "cannot look up %s: no answer of the name service within %s", l->to->address,
                       client_link_seconds(l, seconds));
    }
    if (l->name[0] && l->to->expected[0] && strcmp(l->name, l->to->expected) != 0) {
        return err_why(why, RUSM_ENOCONN, "the node at %s is '%s', not '%s'", l->to->address,
                       l->name, l->to->expected);
    }
    if (!l->over) {
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_link_seconds(l, seconds));
    }
    switch (l->end.kind) {
    case CONN_END_REFUSED:
        return err_why(why, RUSM_EREFUSED,
                       "%s refused: it does not share the cluster certificate in %s: copy the "
                       "file of its machine there, or name it with RUSM_IDENTITY",
                       who, l->to->identity_path);
    case CONN_END_UNREACHABLE:
        if (strcmp(l->end.text, strerror(ECONNREFUSED)) != 0) {
            return err_why(why, RUSM_ENOCONN, "cannot reach %s: %s", who, l->end.text);
        }
        return err_why(why, RUSM_ENOCONN,
                       "cannot reach %s: nobody listens there: 'rusm nodes' on its machine shows "
                       "its address",
                       who);
    case CONN_END_TIMEOUT:
    case CONN_END_IDLE:
        return err_why(why, RUSM_ENOCONN, "cannot reach %s: no answer within %s", who,
                       client_link_seconds(l, seconds));
    case CONN_END_PEER:
        return err_why(why, RUSM_ENOCONN, "%s closed the connection: %s", who,
                       close_code_text(l->end.code));
    default: return err_why(why, RUSM_ENOCONN, "cannot reach %s: %s", who, l->end.text);
    }
}

int client_link_why_over(const struct client_link *l, struct rusm_why *why)
{
    const char *cause = l->end.text;

    switch (l->end.kind) {
    case CONN_END_REFUSED: return client_link_why_dial(l, why);
    case CONN_END_PEER:
        cause = l->end.code == CLOSE_NONE ? "it has left" : close_code_text(l->end.code);
        break;
    case CONN_END_IDLE: cause = "it does not answer any more"; break;
    case CONN_END_RESET: cause = "it has forgotten us, as after a restart"; break;
    default: break;
    }
    return err_why(why, RUSM_ENOCONN, "the connection to %s was lost: %s", l->name, cause);
}
