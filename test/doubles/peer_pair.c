#include "doubles/peer_pair.h"
#include "peer/limits.h"

/* ---- letters ---- */

void letter_fill(uint8_t *data, size_t len, uint64_t number)
{
    for (size_t i = 0; i < len; i++) {
        data[i] = (uint8_t)(number + i * 7 + (i >> 8));
    }
    if (len >= sizeof(number)) {
        memcpy(data, &number, sizeof(number));
    }
}

static void letter_check(const uint8_t *data, size_t len, uint64_t number)
{
    uint64_t said = number;
    size_t start = len >= sizeof(said) ? sizeof(said) : 0;
    if (start) {
        memcpy(&said, data, sizeof(said));
    }
    assert_int_equal(said, number);
    for (size_t i = start; i < len; i++) {
        if (data[i] != (uint8_t)(number + i * 7 + (i >> 8))) {
            fail_msg("letter %llu is garbled at byte %zu", (unsigned long long)number, i);
        }
    }
}

static bool box_has_room(const struct box *b, size_t len)
{
    return b->count == 0 || (b->count < b->max_count && b->bytes + len <= b->max_bytes);
}

void box_take(struct box *b)
{
    struct letter *l = b->first;
    struct list *at;
    assert_non_null(l);
    b->first = l->next;
    if (!b->first) {
        b->last = &b->first;
    }
    b->count--;
    b->bytes -= (size_t)l->record.payload_len;
    b->taken++;
    if (!b->noise) {
        assert_true(l->from < HOST_BOXES);
        letter_check(l->data, (size_t)l->record.payload_len, b->next_by_from[l->from]++);
    }
    credit_give(l->credit, l->wire);
    free(l->data);
    free(l);
    while ((at = list_first(&b->held))) {
        struct route *r = container_of(at, struct route, at);
        list_remove(at);
        peer_lane_resume(r->host->peer, r->lane);
    }
}

void box_open(struct host *h, uint64_t serial, size_t max_count, size_t max_bytes, size_t take)
{
    struct box *b = &h->box[serial];
    b->max_count = max_count;
    b->max_bytes = max_bytes;
    b->take = take;
}

/* ---- the router ---- */

static enum close_code host_hello(void *context, struct peer *p, const struct hello *hello)
{
    struct host *h = context;
    h->hellos++;
    snprintf(h->hello_name, sizeof(h->hello_name), "%.*s", (int)hello->name_len, hello->name);
    assert_true(peer_has_hello(p));
    if (h->verdict == CLOSE_NONE && h->adopt) {
        peer_adopt(p);
    }
    return h->verdict;
}

static int host_adopt(void *context, struct peer *p)
{
    struct host *h = context;
    assert_false(peer_is_ready(p));
    h->adopts++;
    return h->adopt_verdict;
}

static void host_ready_to_send(void *context, struct peer *p)
{
    struct host *h = context;
    assert_true(peer_is_ready(p));
    h->readies++;
}

static int host_frame(void *context, struct peer *p, const struct frame *frame)
{
    struct host *h = context;
    (void)p;
    h->frame = *frame;
    h->frame.body = NULL;
    h->frames++;
    return frame->len == 1 && frame->body[0] == 0xff ? RUSM_EMALFORMED : 0;
}

static void host_receipt(void *context, struct peer *p, const struct receipt *receipt)
{
    struct host *h = context;
    (void)p;
    assert_true(h->receipts < HOST_RECEIPTS);
    h->receipt[h->receipts++] = *receipt;
}

static void host_lane_opened(void *context, struct peer *p, struct lane_in *lane)
{
    struct host *h = context;
    struct route *r = calloc(1, sizeof(*r));
    (void)p;
    assert_non_null(r);
    list_init(&r->at);
    r->host = h;
    r->lane = lane;
    if (lane->to.kind == TARGET_PID && lane->to.serial < HOST_BOXES &&
        h->box[lane->to.serial].max_count > 0) {
        r->box = &h->box[lane->to.serial];
    }
    lane->user = r;
    h->last_after = lane->after;
    h->opened++;
}

static void host_lane_closed(void *context, struct peer *p, struct lane_in *lane)
{
    struct host *h = context;
    struct route *r = lane->user;
    (void)p;
    if (r->box && r->box->granted == r) {
        r->box->granted = NULL;
    }
    list_remove(&r->at);
    free(r);
    lane->user = NULL;
    h->lanes_closed++;
}

static enum delivery host_deliver(void *context, struct peer *p, struct lane_in *lane,
                                  const struct record *record, const uint8_t *payload, void *block,
                                  uint32_t wire)
{
    struct host *h = context;
    struct route *r = lane->user;
    struct box *b = r->box;
    size_t len = (size_t)record->payload_len;
    if (!b) {
        h->noproc++;
        if (record->has_receipt) {
            peer_send_receipt(p, record->receipt, -RUSM_ENOPROC);
        }
        return DELIVERY_DISCARDED;
    }
    if (!box_has_room(b, len)) {
        if (!lane->unordered) {
            list_append(&b->held, &r->at);
            return DELIVERY_HOLD;
        }
        h->overflow++;
        if (record->has_receipt) {
            peer_send_receipt(p, record->receipt, -RUSM_BUSY);
        }
        return DELIVERY_DISCARDED;
    }
    struct letter *l = calloc(1, sizeof(*l));
    assert_non_null(l);
    l->data = block;
    if (block) {
        assert_ptr_equal(payload, block);
        assert_int_equal(payload[len], 0);
    } else {
        l->data = malloc(len + 1);
        assert_non_null(l->data);
        memcpy(l->data, payload, len);
    }
    l->record = *record;
    l->from = lane->from;
    l->wire = wire;
    l->credit = peer_lane_credit(lane);
    credit_hold(l->credit);
    *b->last = l;
    b->last = &l->next;
    b->count++;
    b->bytes += len;
    b->most_bytes = b->bytes > b->most_bytes ? b->bytes : b->most_bytes;
    if (record->has_receipt) {
        peer_send_receipt(p, record->receipt, 0);
    }
    return DELIVERY_TAKEN;
}

static int host_grant(void *context, struct peer *p, struct lane_in *lane,
                      const struct record *record)
{
    struct host *h = context;
    struct route *r = lane->user;
    (void)p;
    if (!r->box) {
        h->noproc++;
        if (record->has_receipt) {
            peer_send_receipt(p, record->receipt, -RUSM_ENOPROC);
        }
        return RUSM_ENOPROC;
    }
    assert_false(list_linked(&r->at));
    if (r->box->granted || h->deny_grants) {
        list_append(&r->box->asking, &r->at);
        return 0;
    }
    r->box->granted = r;
    return 1;
}

void box_grant_next(struct box *b)
{
    struct list *at = list_first(&b->asking);
    b->granted = NULL;
    if (at) {
        struct route *next = container_of(at, struct route, at);
        list_remove(at);
        b->granted = next;
        peer_lane_grant(next->host->peer, next->lane);
    }
}

static void host_grant_done(void *context, struct peer *p, struct lane_in *lane)
{
    struct route *r = lane->user;
    (void)context;
    (void)p;
    assert_ptr_equal(r->box->granted, r);
    box_grant_next(r->box);
}

static void host_lane_lost(void *context, struct peer *p, struct lane_in *lane, int cause)
{
    struct host *h = context;
    (void)p;
    (void)lane;
    h->losses++;
    h->lost_cause = cause;
}

static void host_writable(void *context, struct peer *p, uint64_t from)
{
    struct host *h = context;
    (void)p;
    h->writables++;
    h->writable_all += from == 0;
    h->writable_from = from;
}

static void host_refused(void *context, struct peer *p, uint64_t from, uint64_t records, int cause)
{
    struct host *h = context;
    (void)p;
    (void)from;
    h->refusals++;
    h->refused_records += records;
    h->refused_cause = cause;
}

static const struct peer_events host_peer_events = {
    .hello = host_hello,
    .adopt = host_adopt,
    .ready = host_ready_to_send,
    .frame = host_frame,
    .receipt = host_receipt,
    .lane_opened = host_lane_opened,
    .deliver = host_deliver,
    .grant = host_grant,
    .grant_done = host_grant_done,
    .lane_closed = host_lane_closed,
    .lane_lost = host_lane_lost,
    .writable = host_writable,
    .refused = host_refused,
};

/* ---- life ---- */

uint64_t host_now_ns(const struct host *h)
{
    return endpoint_now_ns() + h->ahead_ns;
}

static void host_new_peer(struct host *h, struct conn *c)
{
    struct peer_options options = {
        .conn = c,
        .events = &host_peer_events,
        .context = h,
        .hello = {
            .version = CONTROL_VERSION,
            .role = h->role,
            .incarnation = 1,
            .max_message = RUSM_MESSAGE_MAX,
            .name = h->name,
            .name_len = strlen(h->name),
        },
        .budget = &h->budget,
        .pools = &h->pools,
        .peers = &h->peers,
        .seed = 7,
        .now_ns = host_now_ns(h),
    };
    assert_null(h->peer);
    assert_int_equal(peer_new(&h->peer, &options), 0);
}

static int host_ready(void *context, struct conn *c)
{
    host_new_peer(context, c);
    return 0;
}

static void host_closed(void *context, struct conn *c, const struct conn_end *end)
{
    struct host *h = context;
    (void)c;
    h->closes++;
    h->end = *end;
    peer_free(h->peer);
    h->peer = NULL;
}

void host_start(struct host *h, const char *name, const struct identity *id, uint64_t streams)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct endpoint_options o = side_options(id, true);
    struct endpoint_events events = { .ready = host_ready, .closed = host_closed };
    struct rusm_why why;
    peer_fill_events(&events);
    o.bind = (struct sockaddr *)&at;
    o.bind_len = sizeof(at);
    o.max_streams_uni = streams ? streams : LIMIT_LANES;
    o.idle_timeout_ns = 30000 * SIDE_MS;
    memset(h, 0, sizeof(*h));
    h->name = name;
    lane_budget_init(&h->budget, 1);
    lane_pools_init(&h->pools);
    peers_init(&h->peers);
    for (size_t i = 0; i < HOST_BOXES; i++) {
        h->box[i].last = &h->box[i].first;
        list_init(&h->box[i].held);
        list_init(&h->box[i].asking);
    }
    if (endpoint_new(&h->e, &o, &events, h, &why) != 0) {
        fail_msg("%s", why.text);
    }
}

void host_stop(struct host *h)
{
    peer_free(h->peer);
    endpoint_free(h->e);
    for (size_t i = 0; i < HOST_BOXES; i++) {
        while (h->box[i].first) {
            struct letter *l = h->box[i].first;
            h->box[i].first = l->next;
            credit_give(l->credit, l->wire);
            free(l->data);
            free(l);
        }
    }
    lane_pools_fini(&h->pools);
}

void host_dial(struct host *h, struct host *to)
{
    socklen_t len;
    const struct sockaddr *at = endpoint_address(to->e, &len);
    struct conn *c;
    assert_int_equal(endpoint_dial(h->e, at, len, NULL, &c), 0);
}

struct peer_counters host_count(const struct host *h)
{
    struct peer_counters c;
    peer_counters(h->peer, &c);
    return c;
}

/* ---- ticks ---- */

/* Does the work of a tick that comes between receiving and sending. */
static bool host_work(struct host *h)
{
    bool worked = false;
    for (size_t i = 0; i < HOST_BOXES; i++) {
        for (size_t n = 0; n < h->box[i].take && h->box[i].count > 0; n++) {
            box_take(&h->box[i]);
            worked = true;
        }
    }
    peers_run(&h->peers, host_now_ns(h));
    return worked || peers_due(&h->peers);
}

void pair_tick(struct host *a, struct host *b, struct side *raw)
{
    struct host *hosts[2] = { a, b };
    struct endpoint *e[3] = { a ? a->e : NULL, b ? b->e : NULL, raw ? raw->e : NULL };
    struct pollfd fds[3];
    bool more = false;
    for (int i = 0; i < 3; i++) {
        bool full = false;
        fds[i] = (struct pollfd){ .fd = -1 };
        if (!e[i]) {
            continue;
        }
        more = endpoint_receive(e[i]) || more;
        endpoint_tick(e[i], endpoint_now_ns());
        if (i < 2) {
            more = host_work(hosts[i]) || more;
        }
        more = endpoint_flush(e[i], &full) || more;
        fds[i].fd = endpoint_fd(e[i]);
        fds[i].events = (short)(POLLIN | (full ? POLLOUT : 0));
    }
    poll(fds, 3, more ? 0 : 1);
}

void pair_for(struct host *a, struct host *b, struct side *raw, uint64_t ms)
{
    uint64_t until_ns = endpoint_now_ns() + ms * SIDE_MS;
    while (endpoint_now_ns() < until_ns) {
        pair_tick(a, b, raw);
    }
}

void pair_connect(struct host *a, struct host *b)
{
    bool lower = strcmp(a->name, b->name) < 0;
    a->adopt = lower;
    b->adopt = !lower;
    host_dial(a, b);
    pair_until(a, b, NULL, a->readies == 1 && b->readies == 1);
}

/* ---- sending ---- */

struct parcel parcel_to(uint64_t from, uint64_t serial, const void *data, size_t len)
{
    return (struct parcel){
        .from = from,
        .to = { .kind = TARGET_PID, .serial = serial, .incarnation = 1 },
        .kind = RECORD_SEND,
        .data = data,
        .len = len,
    };
}

int host_send(struct host *h, uint64_t from, uint64_t to, size_t len, uint64_t number)
{
    uint8_t small[64], *data = len <= sizeof(small) ? small : malloc(len);
    struct parcel p = parcel_to(from, to, data, len);
    int rc;
    assert_non_null(data);
    letter_fill(data, len, number);
    rc = peer_send(h->peer, &p, host_now_ns(h));
    if (data != small) {
        free(data);
    }
    return rc;
}
