/* hello: see the header. The peer room calls it, on any thread. The bytes come from a peer that has
 * proven that it has the cluster's key, and nothing more. */
#include "wire/hello.h"

#include "base/id.h"

static bool hello_ok(const struct hello *h, uint64_t role)
{
    if ((role != HELLO_NODE && role != HELLO_CLIENT) || h->incarnation == 0) {
        return false;
    }
    if (!(role == HELLO_CLIENT && h->name_len == 0) && !id_node_name_ok(h->name, h->name_len)) {
        return false;
    }
    return h->advertise_len == 0 || id_host_port_ok(h->advertise, h->advertise_len);
}

int hello_decode(const uint8_t *in, size_t len, struct hello *out)
{
    struct reader r = reader_on(in, len);

    *out = (struct hello){ .version = reader_varint(&r) };
    if (r.bad) {
        return RUSM_EMALFORMED;
    }
    if (out->version != CONTROL_VERSION) {
        return 0;
    }
    uint64_t role = reader_varint(&r);
    out->flags = reader_varint(&r);
    out->incarnation = reader_u32(&r);
    out->max_message = reader_varint(&r);
    out->name = (const char *)reader_text(&r, &out->name_len, RUSM_NODE_NAME_MAX);
    out->advertise = (const char *)reader_text(&r, &out->advertise_len, ID_HOST_PORT_MAX);
    if (r.bad || !hello_ok(out, role)) {
        return RUSM_EMALFORMED;
    }
    out->role = (enum hello_role)role;
    return 0;
}

ssize_t hello_encode(uint8_t *out, size_t cap, const struct hello *hello)
{
    struct writer w = writer_on(out, cap);

    writer_varint(&w, hello->version);
    writer_varint(&w, hello->role);
    writer_varint(&w, hello->flags);
    writer_u32(&w, hello->incarnation);
    writer_varint(&w, hello->max_message);
    writer_text(&w, hello->name, hello->name_len);
    writer_text(&w, hello->advertise, hello->advertise_len);
    return w.bad ? RUSM_ELIMIT : (ssize_t)writer_len(&w);
}
