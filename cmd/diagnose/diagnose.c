/* diagnose: looks at all nodes twice and says what is wrong. The command. gather.c looks, the rules
 * judge, finding.c prints. */
#include "finding.h"
#include "gather.h"
#include "rules.h"

static size_t diagnose_nodes(const struct survey *s)
{
    size_t count = 0;

    for (size_t i = 0; i < s->nodes; i++) {
        count += s->node[i]->reached;
    }
    return count;
}

static unsigned long long diagnose_processes(const struct survey *s)
{
    unsigned long long count = 0;

    for (size_t i = 0; i < s->nodes; i++) {
        count += s->node[i]->sorted;
    }
    return count;
}

static void diagnose_total(const struct survey *s, const struct findings *found)
{
    const char *between = "";

    for (int i = 0; i < FINDING_SEVERITIES; i++) {
        size_t count = finding_count(found, (enum finding_severity)i);
        if (count > 0) {
            printf("%s%zu %s%s", between, count, finding_severities[i], count == 1 ? "" : "s");
            between = ", ";
        }
    }
    size_t nodes = diagnose_nodes(s);
    unsigned long long processes = diagnose_processes(s);
    printf("%s: %zu node%s, %llu process%s looked at\n", found->count > 0 ? "" : "nothing found",
           nodes, nodes == 1 ? "" : "s", processes, processes == 1 ? "" : "es");
}

static int diagnose_judge(const struct options *options, const struct survey *s)
{
    bool json = options_has(options, "json");
    struct findings found = { 0 };
    int error, status;

    rules_run(s, &found);
    error = finding_print(&found, json);
    if (!json && error == 0) {
        diagnose_total(s, &found);
    }
    status = finding_count(&found, FINDING_ERROR) > 0     ? EXIT_ERRORS
             : finding_count(&found, FINDING_WARNING) > 0 ? EXIT_WARNINGS
                                                          : EXIT_DONE;
    finding_fini(&found);
    return error == 0 ? status : failure_report(options->cmd, error, NULL);
}

static int diagnose_run(struct options *options)
{
    struct survey survey = { 0 };
    uint32_t pause_ms = 0;
    int status = options_words(options, (const char *const[]){ NULL }, 1);

    status = status == 0 ? options_seconds(options, "seconds", 1000, &pause_ms) : status;
    status = status == 0 ? gather_all(options, pause_ms, &survey) : status;
    status = status == 0 ? diagnose_judge(options, &survey) : status;
    survey_fini(&survey);
    return status;
}

static const struct cmd_option diagnose_options[] = {
    { "seconds", "SECONDS", "look for this long; fractions are fine [1]" },
    OPTION_JSON,
    { "timeout", "SECONDS", "wait at most this long for an answer of a node [5]" },
    OPTION_END,
};

const struct cmd cmd_diagnose = {
    .name = "diagnose",
    .synopsis = "[--seconds SECONDS] [--json] [--timeout SECONDS] [NODE]",
    .summary = "say what is wrong in the cluster",
    .options = diagnose_options,
    .run = diagnose_run,
};
