/* impostor: two live nodes have one name, each with a run folder of its own. The second joins a
 * node that is connected to the first, and is refused, whichever node has the lower name. Mostly
 * waits. */
#include "embed.h"

struct seen {
    const char *node;
    char address[80];
};

static int see_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct seen *s = context;
    if (strcmp(field(fields, count, "node"), s->node) == 0 &&
        strcmp(field(fields, count, "state"), "connected") == 0) {
        snprintf(s->address, sizeof(s->address), "%s", field(fields, count, "address"));
    }
    return 0;
}

static struct seen see(struct rusm_client *client, const char *node)
{
    struct seen s = { .node = node };
    struct rusm_why why;
    int error = rusm_client_list(client, RUSM_TABLE_PEERS, see_row, &s, &why);
    expect(error == 0, "the peers: %s", why.text);
    return s;
}

static void refused(const char *name, const char *other)
{
    struct place place, elsewhere;
    struct running one, two, judge;
    place_make(&place);
    run_start(&judge, node_make(&place, other, 0));
    run_start(&one, node_make(&place, name, 0));
    struct rusm_client *client = client_to(&place, other);
    await_peer(client, name);
    struct seen before = see(client, name);
    expect(strcmp(before.address, rusm_node_address(one.node)) == 0, "at %s", before.address);

    char join[200];
    const char *joins[] = { join };
    snprintf(join, sizeof(join), "%s@%s", other, rusm_node_address(judge.node));
    elsewhere = place;
    snprintf(elsewhere.rundir, sizeof(elsewhere.rundir), "%s/elsewhere", place.dir);
    struct rusm_node_options options = { .name = name,
                                         .rundir = elsewhere.rundir,
                                         .identity = place.identity,
                                         .join = joins,
                                         .join_count = 1,
                                         .log_level = RUSM_LOG_ERROR };
    struct rusm_node *impostor;
    struct rusm_why why;
    int error = rusm_node_new(&impostor, &options, &why);
    expect(error == 0, "a second %s: %s", name, why.text);
    run_start(&two, impostor);
    for (uint64_t until = clock_ms() + 2500; clock_ms() < until; usleep(20000)) {
        struct seen now = see(client, name);
        expect(strcmp(now.address, before.address) == 0, "%s of %s at '%s', not '%s'", name, other,
               before.address, now.address);
    }
    rusm_client_close(client);
    run_stop(&two);
    run_stop(&one);
    run_stop(&judge);
    rmdir(elsewhere.rundir);
    place_remove(&place);
}

int main(void)
{
    refused("amsterdam", "zurich");
    refused("zurich", "amsterdam");
    printf("a second node of a live name is refused\n");
    return 0;
}
