/* actor: without memory, calls fail with RUSM_ENOMEM, and nothing is lost, leaked or half done. The
 * test runs a scenario with 0, 1, 2 … allocations that succeed before all later ones fail.
 * LINK: -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc */
#include "doubles/actor.h"
#include "doubles/memory.h"

enum { STEPS = 400 }; /* more allocations than the scenario makes */

static struct probe *pair[2];

/* Does everything that allocates, whatever fails on the way. Returns how many steps failed. */
static int scenario(struct world *w)
{
    struct probe *a = pair[0], *b = pair[1];
    rusm_pid far = { .serial = 3, .node = 1, .incarnation = 5 }, pid;
    static const char big[100000] = "";
    uint32_t index;
    uint64_t ref;
    int failed = 0;

    memset(a, 0, sizeof(*a));
    memset(b, 0, sizeof(*b));
    failed += runtime_node_index(w->rt, "oslo", 4, &index) != 0;
    failed += probe_try(w, a, NULL) != 0;
    failed += probe_try(w, b, NULL) != 0;
    failed += runtime_teach(w->rt, "echo", builtin_find("echo")) != 0;
    if (failed) {
        return failed;
    }
    failed += rusm_register(a->self, b->pid, "bob") != 0;
    failed += rusm_send(a->self, b->pid, big, sizeof(big), 0) != 0;
    world_run(w);
    for (int i = 0; a->self && b->self && i < WORLD_MESSAGES + 1; i++) {
        int err = probe_send(a, b, "x");
        failed += err != (i < WORLD_MESSAGES ? 0 : RUSM_BUSY);
        assert_true(err == 0 || err == RUSM_BUSY || err == RUSM_ENOMEM);
    }
    failed += rusm_monitor(a->self, b->pid, &ref) != 0;
    failed += rusm_monitor(a->self, far, &ref) != 0;
    failed += process_monitor(b->self, far, 9) != 0;
    failed += rusm_spawn(a->self, builtin_find("sink"), NULL, &pid) != 0;
    failed += rusm_spawn_at(a->self, 0, "echo", NULL, &ref) != 0;
    w->post_result = RUSM_BUSY;
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "a reason of its own"), 0);
    assert_int_equal(b->stops, 1);
    w->post_result = 0;
    runtime_writable(w->rt, (rusm_pid){ 0 });
    world_run(w);
    if (a->self) {
        failed += probe_kinds(a, RUSM_DOWN) != 1;
        failed += probe_kinds(a, RUSM_SPAWNED) != 1;
    }
    return failed;
}

static void test_each_allocation(void **state)
{
    (void)state;
    struct world *w = malloc(sizeof(*w));
    int failures = 0, failed = 0;

    assert_non_null(w);
    for (int i = 0; i < 2; i++) {
        pair[i] = malloc(sizeof(struct probe));
        assert_non_null(pair[i]);
    }
    for (size_t n = 0; n < STEPS; n++) {
        memory_fail_after(n);
        int err = world_try(w);
        failed = 1;
        if (err == 0) {
            failed = scenario(w);
        } else {
            assert_int_equal(err, RUSM_ENOMEM);
        }
        memory_works();
        failures += failed != 0;
        if (err == 0) {
            /* The runtime works again when there is memory again. */
            runtime_run(w->rt, 1000, ++w->now);
            runtime_free(w->rt);
        }
    }
    assert_true(failures > 10);
    assert_int_equal(failed, 0); /* the last run had enough memory */
    free(pair[0]);
    free(pair[1]);
    free(w);
}

/* There is no memory to deliver a DOWN. Its receiver ends, so that it does not wait for it in
 * vain. */
static void test_signal_without_memory(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);
    uint64_t ref;

    assert_int_equal(rusm_monitor(a->self, b->pid, &ref), 0);
    memory_fail_after(0);
    assert_int_equal(runtime_kill(w->rt, b->pid.serial, "a reason of its own"), 0);
    world_run(w);
    memory_works();
    assert_int_equal(a->count, 0);
    assert_int_equal(a->stops, 1);
    world_free(w);
    free(a);
    free(b);
}

/* Repeated RUSM_BUSY needs no memory. A message needs none once the pool has free messages. */
static void test_none_needed(void **state)
{
    (void)state;
    struct world *w = world_new();
    struct probe *a = probe_new(w), *b = probe_new(w);

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < WORLD_MESSAGES; i++) {
            assert_int_equal(probe_send(a, b, "x"), 0);
        }
        for (int i = 0; i < 1000; i++) {
            assert_int_equal(probe_send(a, b, "x"), RUSM_BUSY);
        }
        world_run(w);
#ifdef __SANITIZE_ADDRESS__
        break; /* with a sanitizer nothing is pooled */
#endif
        memory_fail_after(0);
    }
    memory_works();
    world_free(w);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_allocation),
        cmocka_unit_test(test_signal_without_memory),
        cmocka_unit_test(test_none_needed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
