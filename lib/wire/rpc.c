/* rpc: see the header. The node, client, gateway and service rooms call it, on any thread. */
#include "wire/rpc.h"

#include "base/id.h"
#include "base/limits.h"

int request_decode(const uint8_t *in, size_t len, struct request *out)
{
    struct reader r = reader_on(in, len);

    *out = (struct request){ .id = reader_varint(&r) };
    out->timeout_ms = reader_varint(&r);
    out->op = reader_varint(&r);
    if (r.bad || out->id == 0) {
        return RUSM_EMALFORMED;
    }
    if (out->timeout_ms > UINT32_MAX) {
        out->timeout_ms = UINT32_MAX;
    }
    out->args = r;
    return 0;
}

void request_write(struct writer *w, const struct request *request)
{
    writer_varint(w, request->id);
    writer_varint(w, request->timeout_ms);
    writer_varint(w, request->op);
}

int reply_decode(const uint8_t *in, size_t len, struct reply *out)
{
    struct reader r = reader_on(in, len);

    *out = (struct reply){ .id = reader_varint(&r) };
    out->status = reader_varint(&r);
    out->flags = reader_varint(&r);
    if (r.bad || out->id == 0 || out->status > STATUS_MAX) {
        return RUSM_EMALFORMED;
    }
    out->body = r;
    return 0;
}

void reply_write(struct writer *w, const struct reply *reply)
{
    writer_varint(w, reply->id);
    writer_varint(w, reply->status);
    writer_varint(w, reply->flags);
}

/* Steps over the arguments. They become C strings, so none may contain a NUL. Together they have at
 * most LIMIT_ARGS_BYTES. */
static bool spawn_args_ok(struct reader *r, uint64_t count)
{
    size_t left = LIMIT_ARGS_BYTES, len;

    if (count > RUSM_ARGS_MAX) {
        return false;
    }
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *arg = reader_text(r, &len, left);
        if (r->bad || (len > 0 && memchr(arg, '\0', len))) {
            return false;
        }
        left -= len;
    }
    return true;
}

int spawn_decode(struct reader *r, struct spawn *out)
{
    *out = (struct spawn){ 0 };
    uint64_t scope = reader_varint(r);
    out->spawnable = (const char *)reader_text(r, &out->spawnable_len, RUSM_NAME_MAX);
    out->name = (const char *)reader_text(r, &out->name_len, RUSM_NAME_MAX);
    out->arg_count = reader_varint(r);
    if (r->bad || scope > SPAWN_GLOBAL || !id_process_name_ok(out->spawnable, out->spawnable_len)) {
        goto bad;
    }
    if (scope == SPAWN_NO_NAME ? out->name_len > 0
                               : !id_process_name_ok(out->name, out->name_len)) {
        goto bad;
    }
    out->scope = (enum spawn_scope)scope;
    const uint8_t *start = r->at;
    if (!spawn_args_ok(r, out->arg_count)) {
        goto bad;
    }
    out->args = reader_on(start, (size_t)(r->at - start));
    return 0;
bad:
    r->bad = true;
    return RUSM_EMALFORMED;
}

size_t spawn_size(const char *spawnable, const char *name, const struct rusm_args *args)
{
    size_t count = args ? args->count : 0;
    size_t size = (4 + count) * VARINT_LEN_MAX + strlen(spawnable) + (name ? strlen(name) : 0);

    for (size_t i = 0; i < count; i++) {
        size += strlen(args->value[i]);
    }
    return size;
}

void spawn_write(struct writer *w, enum spawn_scope scope, const char *spawnable, const char *name,
                 const struct rusm_args *args)
{
    size_t count = args ? args->count : 0, left = LIMIT_ARGS_BYTES;

    writer_varint(w, scope);
    writer_text(w, spawnable, strlen(spawnable));
    writer_text(w, name, name ? strlen(name) : 0);
    writer_varint(w, count);
    w->bad = w->bad || count > RUSM_ARGS_MAX;
    for (size_t i = 0; i < count && !w->bad; i++) {
        size_t len = strlen(args->value[i]);
        if (len > left) {
            w->bad = true;
            break;
        }
        writer_text(w, args->value[i], len);
        left -= len;
    }
}

void wire_pid_read(struct reader *r, struct wire_pid *out)
{
    *out = (struct wire_pid){ .serial = reader_varint(r) };
    out->incarnation = reader_u32(r);
    out->node = (const char *)reader_text(r, &out->node_len, RUSM_NODE_NAME_MAX);
    if (out->serial == 0 || out->incarnation == 0 ||
        (out->node_len > 0 && !id_node_name_ok(out->node, out->node_len))) {
        r->bad = true;
    }
}

void wire_pid_write(struct writer *w, const struct wire_pid *pid)
{
    writer_varint(w, pid->serial);
    writer_u32(w, pid->incarnation);
    writer_text(w, pid->node, pid->node_len);
}
