/* fuzz: the bodies of NODES and NAMES (wire/gossip.h). If the first byte is even, the rest is
 * NODES. */
#include "base/id.h"
#include "doubles/fuzz.h"
#include "wire/gossip.h"

static int item_node(struct reader *r, struct writer *w)
{
    struct node_entry e;
    int rc = node_entry_read(r, &e);

    if (rc == 1) {
        must(e.incarnation != 0 && id_node_name_ok(e.name, e.name_len));
        must(e.address_len <= ID_HOST_PORT_MAX && id_host_port_ok(e.address, e.address_len));
        node_entry_write(w, &e);
    }
    must((rc < 0) == r->bad);
    return rc;
}

static int item_claim(struct reader *r, struct writer *w)
{
    struct claim c;
    int rc = claim_read(r, &c);

    if (rc == 1) {
        must(id_process_name_ok(c.name, c.name_len));
        must(c.serial != 0 || c.flags & CLAIM_TOMBSTONE);
        claim_write(w, &c);
    }
    must((rc < 0) == r->bad);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t used;

    for (size_t at = 1; at < len; at += used) {
        used = fuzz_item(data[0] % 2 == 0 ? item_node : item_claim, data + at, len - at);
        if (used == 0) {
            break;
        }
    }
    return 0;
}
