/* reply: see the header. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "node/connection.h"
#include "node/reply.h"
#include "peer/peer.h"
#include "wire/rpc.h"

#define REPLY_HEAD (3 * VARINT_LEN_MAX)

void reply_send(struct connection *c, uint64_t id, int error, const void *body, size_t len)
{
    uint8_t small[1024], *frame = len + REPLY_HEAD <= sizeof(small) ? small : NULL;
    size_t cap = frame ? sizeof(small) : len + REPLY_HEAD;
    if (!frame) { /* OP_PROCESS */
        frame = malloc(cap);
    }
    struct writer w = writer_on(frame, frame ? cap : 0);
    reply_write(&w, &(struct reply){ .id = id, .status = (uint64_t)-error });
    writer_bytes(&w, body, len);
    if (w.bad || peer_send_frame(c->peer, FRAME_REPLY, false, frame, writer_len(&w)) != 0) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
    }
    if (frame != small) {
        free(frame);
    }
}

void reply_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
{
    struct rusm_why why;
    va_list args;
    va_start(args, format);
    err_why_list(&why, error, format, args);
    va_end(args);
    reply_send(c, id, error, why.text, strlen(why.text));
}
