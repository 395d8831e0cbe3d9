/* actor/process_table, names, nodes, spawnables and slab: each finds what was put in, also among
 * very many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "actor/state.h"
#include "actor/limits.h"
#include "base/limits.h"

/* ---- process_table ---- */

enum { MANY = 5000 };

static void test_process_table(void **state)
{
    (void)state;
    struct process_table r;
    struct rusm_process *p = calloc(MANY + 1, sizeof(*p));

    assert_non_null(p);
    process_table_init(&r, 0);
    assert_null(process_table_find(&r, 1));
    assert_null(process_table_next(&r, 0));
    for (uint64_t i = 1; i <= MANY; i++) {
        p[i].serial = i;
        assert_int_equal(process_table_insert(&r, &p[i]), 0);
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        assert_ptr_equal(process_table_find(&r, i), &p[i]);
        assert_ptr_equal(process_table_next(&r, i - 1), &p[i]);
    }
    assert_null(process_table_find(&r, 0));
    assert_null(process_table_find(&r, MANY + 1));
    assert_null(process_table_next(&r, MANY));
    assert_null(process_table_next(&r, UINT64_MAX));

    /* With gaps, short and long, process_table_next still finds the next process. */
    for (uint64_t i = 1; i <= MANY; i++) {
        if (i % 100 != 0 && i != 4999) {
            process_table_remove(&r, &p[i]);
        }
    }
    assert_int_equal(r.count, MANY / 100 + 1);
    for (uint64_t i = 0; i < MANY - 2; i++) {
        struct rusm_process *next = &p[(i / 100 + 1) * 100];
        next = i >= 4900 ? &p[4999] : next;
        assert_ptr_equal(process_table_next(&r, i), next);
    }
    assert_ptr_equal(process_table_next(&r, 4999), &p[5000]);
    assert_null(process_table_find(&r, 99));
    for (uint64_t i = 1; i <= MANY; i++) {
        if (i % 100 == 0 || i == 4999) {
            process_table_remove(&r, &p[i]);
        }
    }
    assert_null(process_table_next(&r, 17));
    process_table_fini(&r);
    free(p);
}

/* ---- names ---- */

static void test_names(void **state)
{
    (void)state;
    struct names n;
    struct runtime rt = { .names = &n, .schedulers = 1 };
    struct rusm_process p[2] = { { .rt = &rt, .serial = 1 }, { .rt = &rt, .serial = 2 } };
    uint64_t serial;
    char text[300];

    names_init(&n, 5, false);
    process_table_init(&rt.processes_by_serial, 0);
    for (int i = 0; i < 2; i++) {
        list_init(&p[i].names);
        assert_int_equal(process_table_insert(&rt.processes_by_serial, &p[i]), 0);
    }
    assert_int_equal(names_add(&rt, 3, "name-0", 6), RUSM_ENOPROC);
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof(text), "name-%d", i);
        assert_int_equal(names_add(&rt, p[i % 2].serial, text, (size_t)len), 0);
    }
    for (int i = 0; i < MANY; i++) {
        int len = snprintf(text, sizeof(text), "name-%d", i);
        assert_ptr_equal(names_find(&rt, text, (size_t)len, &serial), &p[i % 2]);
        assert_int_equal(names_add(&rt, 2, text, (size_t)len), RUSM_EEXIST);
    }
    assert_null(names_find(&rt, "name-", 5, &serial));
    assert_null(names_find(&rt, "", 0, &serial));
    names_forget(&p[0]);
    assert_null(names_find(&rt, "name-0", 6, &serial));
    assert_ptr_equal(names_find(&rt, "name-1", 6, &serial), &p[1]);
    assert_int_equal(names_remove(&rt, "name-0", 6), RUSM_ENOPROC);
    assert_int_equal(names_remove(&rt, "name-1", 6), 0);
    assert_null(names_find(&rt, "name-1", 6, &serial));
    names_forget(&p[1]);
    names_forget(&p[1]);
    assert_int_equal(n.by_name.count, 0);

    memset(text, 'n', sizeof(text));
    assert_int_equal(names_add(&rt, 1, text, RUSM_NAME_MAX + 1), RUSM_EINVAL);
    assert_int_equal(names_add(&rt, 1, text, RUSM_NAME_MAX), 0);
    assert_ptr_equal(names_find(&rt, text, RUSM_NAME_MAX, &serial), &p[0]);
    names_forget(&p[0]);
    names_fini(&n);
    process_table_remove(&rt.processes_by_serial, &p[0]);
    process_table_remove(&rt.processes_by_serial, &p[1]);
    process_table_fini(&rt.processes_by_serial);
}

static void test_names_limit(void **state)
{
    (void)state;
    struct names n;
    struct runtime rt = { .names = &n, .schedulers = 1 };
    struct rusm_process p = { .rt = &rt, .serial = 1 };
    char text[32];

    names_init(&n, 5, false);
    list_init(&p.names);
    process_table_init(&rt.processes_by_serial, 0);
    assert_int_equal(process_table_insert(&rt.processes_by_serial, &p), 0);
    for (size_t i = 0; i < LIMIT_NAMES; i++) {
        int len = snprintf(text, sizeof(text), "n%zu", i);
        assert_int_equal(names_add(&rt, 1, text, (size_t)len), 0);
    }
    assert_int_equal(names_add(&rt, 1, "more", 4), RUSM_ELIMIT);
    assert_int_equal(names_remove(&rt, "n7", 2), 0);
    assert_int_equal(names_add(&rt, 1, "more", 4), 0);
    names_forget(&p);
    names_fini(&n);
    process_table_remove(&rt.processes_by_serial, &p);
    process_table_fini(&rt.processes_by_serial);
}

/* ---- nodes ---- */

static void test_nodes(void **state)
{
    (void)state;
    struct nodes n;
    uint32_t index, last = 0;
    char text[32];

    assert_int_equal(nodes_init(&n, "", NULL, 3), RUSM_EINVAL);
    nodes_fini(&n);
    assert_int_equal(nodes_init(&n, "own", NULL, 3), 0);
    assert_string_equal(nodes_at(&n, 0)->name, "own");
    for (size_t i = 1; i < LIMIT_NODE_NAMES; i++) {
        int len = snprintf(text, sizeof(text), "node-%zu", i);
        bool heard = i < LIMIT_NODE_NAMES - LIMIT_NODE_NAMES_OWN;
        assert_int_equal(nodes_heard(&n, text, (size_t)len, &index), heard ? 0 : RUSM_ELIMIT);
        assert_int_equal(nodes_index(&n, text, (size_t)len, &index), 0);
        assert_int_equal(index, last + 1);
        last = index;
    }
    assert_int_equal(nodes_index(&n, "more", 4, &index), RUSM_ELIMIT);
    assert_int_equal(nodes_heard(&n, text, strlen(text), &index), 0); /* it is already known */
    assert_int_equal(nodes_index(&n, "node-1", 6, &index), 0);
    assert_int_equal(index, 1);
    assert_int_equal(nodes_index(&n, "own", 3, &index), 0);
    assert_int_equal(index, 0);
    assert_string_equal(nodes_at(&n, last)->name, text);
    assert_null(nodes_at(&n, last + 1));
    for (size_t i = 0; i < LIMIT_CONNECTIONS; i++) { /* clients still find a place */
        assert_int_equal(nodes_client_up(&n, &index), 0);
        assert_int_equal(index, last + 1 + i);
    }
    assert_int_equal(nodes_client_up(&n, &index), RUSM_ELIMIT);
    nodes_fini(&n);
}

/* ---- spawnables ---- */

static void test_spawnables(void **state)
{
    (void)state;
    struct spawnables s;
    struct rusm_behaviour b = { .name = "b" };
    char text[32];

    spawnables_init(&s, 3);
    assert_null(spawnables_find(&s, "x", 1));
    for (int i = 0; i < LIMIT_SPAWNABLES; i++) {
        snprintf(text, sizeof(text), "s%d", i);
        assert_int_equal(spawnables_teach(&s, text, &b), 0);
        assert_int_equal(spawnables_teach(&s, text, &b), RUSM_EEXIST);
    }
    assert_int_equal(spawnables_teach(&s, "more", &b), RUSM_ELIMIT);
    assert_int_equal(spawnables_teach(&s, "12", &b), RUSM_EINVAL);
    assert_ptr_equal(spawnables_find(&s, "s17x", 3), &b);
    assert_null(spawnables_find(&s, "s17x", 4));
    spawnables_fini(&s);
}

/* ---- slab ---- */

static void test_slab(void **state)
{
    (void)state;
    struct slab s;
    uint64_t **at = calloc(MANY, sizeof(*at));

    assert_non_null(at);
    slab_init(&s, 3 * sizeof(uint64_t));
    for (uint64_t round = 0; round < 2; round++) {
        for (uint64_t i = 0; i < MANY; i++) {
            at[i] = slab_take(&s);
            assert_non_null(at[i]);
            assert_int_equal((uintptr_t)at[i] % _Alignof(max_align_t), 0);
            at[i][0] = at[i][2] = i;
        }
        for (uint64_t i = 0; i < MANY; i++) {
            assert_int_equal(at[i][0], i);
            assert_int_equal(at[i][2], i);
            slab_give(&s, at[i]);
        }
    }
    slab_fini(&s);
    free(at);
}

/* A million idle processes fit into 300 MiB, with their entries in the process table and the state
 * of their behaviour. */
static void test_a_process_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct rusm_process) + 2 * sizeof(void *) <= 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_process_table),      cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_limit),        cmocka_unit_test(test_nodes),
        cmocka_unit_test(test_spawnables),         cmocka_unit_test(test_slab),
        cmocka_unit_test(test_a_process_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
