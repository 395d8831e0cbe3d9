/* gossip: see the header. The node and cluster rooms call it, on any thread. */
#include "wire/gossip.h"

#include "base/id.h"

int node_entry_read(struct reader *r, struct node_entry *out)
{
    *out = (struct node_entry){ 0 };
    if (!r->bad && reader_left(r) == 0) {
        return 0;
    }
    out->name = (const char *)reader_text(r, &out->name_len, RUSM_NODE_NAME_MAX);
    out->incarnation = reader_u32(r);
    out->address = (const char *)reader_text(r, &out->address_len, ID_HOST_PORT_MAX);
    if (r->bad || out->incarnation == 0 || !id_node_name_ok(out->name, out->name_len) ||
        !id_host_port_ok(out->address, out->address_len)) {
        r->bad = true;
        return RUSM_EMALFORMED;
    }
    return 1;
}

void node_entry_write(struct writer *w, const struct node_entry *entry)
{
    writer_text(w, entry->name, entry->name_len);
    writer_u32(w, entry->incarnation);
    writer_text(w, entry->address, entry->address_len);
}

int claim_read(struct reader *r, struct claim *out)
{
    *out = (struct claim){ 0 };
    if (!r->bad && reader_left(r) == 0) {
        return 0;
    }
    out->flags = reader_varint(r);
    out->serial = reader_varint(r);
    out->time = reader_u64(r);
    out->name = (const char *)reader_text(r, &out->name_len, RUSM_NAME_MAX);
    if (r->bad || (out->serial == 0 && !(out->flags & CLAIM_TOMBSTONE)) ||
        !id_process_name_ok(out->name, out->name_len)) {
        r->bad = true;
        return RUSM_EMALFORMED;
    }
    return 1;
}

void claim_write(struct writer *w, const struct claim *claim)
{
    writer_varint(w, claim->flags);
    writer_varint(w, claim->serial);
    writer_u64(w, claim->time);
    writer_text(w, claim->name, claim->name_len);
}
