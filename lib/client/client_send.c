/* client_send: see the header. */
#include "client/client_send.h"

#include "base/err.h"

int client_send_lost(struct rusm_client *c, struct rusm_why *why)
{
    client_pending_forget(&c->pending);
    return client_link_why_over(&c->link, why);
}

int client_send_why(struct rusm_client *c, int error, const struct client_aim *aim,
                    struct rusm_why *why)
{
    if (error == RUSM_ENOCONN || error == RUSM_ECLOSED || c->link.over) {
        return client_send_lost(c, why);
    }
    if (error == RUSM_BUSY || error == RUSM_ETIMEOUT) {
        return err_why(
            why, RUSM_BUSY,
            "the mailbox of %s is full: %zu messages wait for room there; they may still "
            "arrive, this one was not sent",
            aim->text, c->pending.post_count);
    }
    return client_pending_refused(&c->pending, error, aim->text, why);
}

int client_send_record(struct rusm_client *c, const struct parcel *parcel, uint64_t deadline_ns)
{
    int step = 0;

    while (!step && c->link.peer) {
        c->link.writable = false;
        int error = peer_send(c->link.peer, parcel, endpoint_now_ns());
        if (error != RUSM_BUSY) {
            return error;
        }
        while (!step && !c->link.writable) {
            step = client_link_step(&c->link, deadline_ns);
        }
    }
    return step ? step : RUSM_ENOCONN;
}

int client_send_length(const struct rusm_client *c, size_t len, struct rusm_why *why)
{
    uint64_t most = c->link.max_message < RUSM_MESSAGE_MAX ? c->link.max_message : RUSM_MESSAGE_MAX;

    if (len <= most) {
        return 0;
    }
    return err_why(why, RUSM_ETOOLARGE, "a message of %zu bytes is too large: %s takes up to %llu",
                   len, c->link.name, (unsigned long long)most);
}
