/* fuzz: the control stream cut into frames, and the bodies of the frames that the peer room reads
 * itself: HELLO, RECEIPTS, DRAINED (wire/frame.h, wire/hello.h). */
#include "base/id.h"
#include "wire/limits.h"
#include "doubles/fuzz.h"
#include "wire/control.h"

static int item_frame(struct reader *r, struct writer *w)
{
    struct frame f;
    size_t left = reader_left(r);
    ssize_t n = frame_decode(r->at, left, &f);

    if (n <= 0) {
        must(n < 0 || left < LIMIT_FRAME + FRAME_HEAD_MAX);
        return (int)n;
    }
    must((size_t)n <= left && f.len <= LIMIT_FRAME && f.body + f.len == r->at + n);
    reader_bytes(r, (size_t)n);
    w->at += frame_head_encode(w->at, f.type, f.skip, f.len);
    writer_bytes(w, f.body, f.len);
    return 1;
}

static int item_receipt(struct reader *r, struct writer *w)
{
    struct receipt receipt;
    int rc = receipt_read(r, &receipt);

    if (rc == 1) {
        must(receipt.status <= STATUS_MAX && -(int)receipt.status <= 0);
        receipt_write(w, &receipt);
    }
    return rc;
}

static int item_ordinal(struct reader *r, struct writer *w)
{
    uint64_t ordinal = reader_varint(r);

    writer_varint(w, ordinal);
    return r->bad ? RUSM_EMALFORMED : 1;
}

/* Checks that bytes behind a hello's fields are ignored, and that a hello without its last byte is
 * malformed. */
static void check_hello(const uint8_t *body, size_t len)
{
    struct hello hello, other;
    uint8_t again[1024], third[1024], *longer = malloc(len + 3);

    must(longer);
    memcpy(longer, body, len);
    memset(longer + len, 0xa5, 3);
    if (hello_decode(body, len, &hello) == 0 && hello.version == CONTROL_VERSION) {
        must(hello.incarnation != 0 && hello.name_len <= RUSM_NODE_NAME_MAX);
        must(hello.role == HELLO_CLIENT || id_node_name_ok(hello.name, hello.name_len));
        ssize_t n = hello_encode(again, sizeof(again), &hello);
        must(n > 0 && (size_t)n <= len);
        must(hello_decode(again, (size_t)n, &other) == 0);
        must(hello_encode(third, sizeof(third), &other) == n);
        must(memcmp(again, third, (size_t)n) == 0);
        must(hello_decode(longer, len + 3, &other) == 0);
        must(hello_encode(third, sizeof(third), &other) == n);
        must(memcmp(again, third, (size_t)n) == 0);
        must(hello_decode(again, (size_t)n - 1, &other) == RUSM_EMALFORMED);
    }
    free(longer);
}

static void check_list(fuzz_item_fn *fn, const uint8_t *body, size_t len)
{
    for (size_t at = 0, used; (used = fuzz_item(fn, body + at, len - at)) > 0;) {
        at += used;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t used;

    for (size_t at = 0; (used = fuzz_item(item_frame, data + at, len - at)) > 0; at += used) {
        struct frame f;
        must(frame_decode(data + at, len - at, &f) == (ssize_t)used);
        if (f.type == FRAME_HELLO) {
            check_hello(f.body, f.len);
        } else if (f.type == FRAME_RECEIPTS) {
            check_list(item_receipt, f.body, f.len);
        } else if (f.type == FRAME_DRAINED) {
            check_list(item_ordinal, f.body, f.len);
        }
    }
    return 0;
}
