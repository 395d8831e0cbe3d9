/* wire/gossip: nodes and names. */
#include "wire/gossip.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include "doubles/vectors.h"
#include "rusm.h"

static ssize_t show_nodes(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    struct node_entry e;
    int rc;

    while ((rc = node_entry_read(&r, &e)) == 1) {
        vector_say(v, "%s%.*s#%" PRIx32 " %.*s", v->text[0] ? " " : "", (int)e.name_len, e.name,
                   e.incarnation, (int)e.address_len, e.address);
        node_entry_write(&w, &e);
    }
    v->again_len = writer_len(&w);
    assert_int_equal(node_entry_read(&r, &e), rc);
    return rc < 0 ? rc : 1;
}

static ssize_t show_names(struct vector *v)
{
    struct reader r = reader_on(v->in, v->len);
    struct writer w = writer_on(v->again, sizeof(v->again));
    uint64_t flags = reader_varint(&r);
    struct claim c;
    int rc;

    vector_say(v, "flags=%" PRIu64, flags);
    writer_varint(&w, flags);
    while ((rc = claim_read(&r, &c)) == 1) {
        vector_say(v, " %.*s=%" PRIu64 "@%016" PRIx64 "%s", (int)c.name_len, c.name, c.serial,
                   c.time, c.flags & CLAIM_TOMBSTONE ? ",tombstone" : "");
        claim_write(&w, &c);
    }
    v->again_len = writer_len(&w);
    assert_int_equal(claim_read(&r, &c), rc);
    return rc < 0 ? rc : 1;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_true(vectors_check("nodes", show_nodes, 0) >= 10);
    assert_true(vectors_check("names", show_names, 0) >= 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
