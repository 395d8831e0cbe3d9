/* reply: see the header. */
#include <stdarg.h>
#include <stdio.h>

#include "node/connection.h"
#include "node/reply.h"
#include "peer/peer.h"
#include "wire/rpc.h"

void reply_send(struct connection *c, uint64_t id, int error, const void *body, size_t len)
{
    uint8_t frame[1024];
    struct writer w = writer_on(frame, sizeof(frame));
    reply_write(&w, &(struct reply){ .id = id, .status = (uint64_t)-error });
    writer_bytes(&w, body, len);
    if (w.bad || peer_send_frame(c->peer, FRAME_REPLY, false, frame, writer_len(&w)) != 0) {
        peer_close(c->peer, CLOSE_INTERNAL, "out of memory");
    }
}

void reply_fail(struct connection *c, uint64_t id, int error, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len >= (int)sizeof(text)) {
        len = sizeof(text) - 1;
    }
    reply_send(c, id, error, text, (size_t)len);
}
