/* process_relations: what attach shows of one process. */
#include "doubles/actor.h"

struct seen {
    const struct world *w;
    char text[2000];
};

static void see(void *context, const struct process_relation *r)
{
    struct seen *seen = context;
    size_t at = strlen(seen->text);

    snprintf(seen->text + at, sizeof(seen->text) - at, "%s %u.%u '%s' %u\n", r->relation,
             (unsigned)r->pid.node, (unsigned)r->pid.serial, r->name, (unsigned)r->bytes);
}

static const char *relations(struct world *w, const struct probe *p, size_t most, struct seen *seen)
{
    seen->text[0] = '\0';
    process_relations(runtime_find(w->rt, p->pid.serial), most, see, seen);
    return seen->text;
}

static void test_relations(void **state)
{
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w), *c = probe_new(w);
    struct seen seen = { .w = w };
    char wanted[2000];
    uint64_t ref;

    (void)state;
    assert_string_equal(relations(w, a, 64, &seen), "");
    assert_int_equal(runtime_register(w->rt, a->pid.serial, "bank", 4), 0);
    assert_int_equal(rusm_link(a->self, b->pid), 0);
    assert_int_equal(rusm_monitor(c->self, a->pid, &ref), 0);
    probe_fill(c, a, WORLD_MESSAGES);
    assert_int_equal(probe_send(b, a, "xyz"), RUSM_BUSY);
    snprintf(wanted, sizeof(wanted),
             "name 0.0 'bank' 0\nlink 0.%u '' 0\nmonitored_by 0.%u '' 0\n"
             "waiting 0.%u '' 3\nmessage 0.%u '' 4\n",
             (unsigned)b->pid.serial, (unsigned)c->pid.serial, (unsigned)b->pid.serial,
             (unsigned)c->pid.serial);
    assert_string_equal(relations(w, a, 1, &seen), wanted); /* at most one of each */
    snprintf(wanted, sizeof(wanted), "link 0.%u 'bank' 0\nwaits_for 0.%u 'bank' 3\n",
             (unsigned)a->pid.serial, (unsigned)a->pid.serial);
    assert_string_equal(relations(w, b, 64, &seen), wanted);
    snprintf(wanted, sizeof(wanted), "monitors 0.%u 'bank' 0\n", (unsigned)a->pid.serial);
    assert_string_equal(relations(w, c, 64, &seen), wanted);
    world_free(w);
    free(a);
    free(b);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_relations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
