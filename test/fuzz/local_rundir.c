/* fuzz: NAME.json in the run folder, as another process of ours, or an older version, may have left
 * it (lib/local/rundir.c). */
#include "base/id.h"
#include "doubles/fuzz.h"
#include "local/rundir.h"

static char folder[SCRATCH_MAX];

/* Checks that what was read is valid, and is the same after it is written and read again. */
static void check(struct rundir *r, const struct rundir_entry *e)
{
    struct rundir_entry again;
    struct rusm_why why;

    must(strcmp(e->name, "london") == 0 && !e->alive);
    must(id_host_port_ok(e->address, strlen(e->address)));
    must(e->incarnation != 0 && e->os_pid > 0 && strlen(e->fingerprint) == 64);
    must(rundir_publish(r, e, &why) == 0);
    must(rundir_find(r, "london", &again) == 0);
    must(strcmp(e->address, again.address) == 0 && e->incarnation == again.incarnation);
    must(e->os_pid == again.os_pid && strcmp(e->fingerprint, again.fingerprint) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct rundir r;
    struct rundir_entry e, *list;
    size_t count;
    struct rusm_why why;
    char path[SCRATCH_MAX + 32];

    must(folder[0] || scratch_make(folder));
    must(rundir_open(&r, folder, true, &why) == 0);
    snprintf(path, sizeof(path), "%s/london.json", folder);
    FILE *f = fopen(path, "we");
    must(f && fwrite(data, 1, len, f) == len && fclose(f) == 0);
    int found = rundir_find(&r, "london", &e);
    must(found == 0 || found == RUSM_EMALFORMED);
    must(rundir_list(&r, &list, &count) == 0 && count == (found == 0));
    free(list);
    must(rundir_find(&r, "tokyo", &e) != 0); /* london's file must not matter */
    if (found == 0) {
        must(rundir_find(&r, "london", &e) == 0);
        check(&r, &e);
    }
    rundir_close(&r);
    return 0;
}
