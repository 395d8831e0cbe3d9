/* cert: makes and shows the file that holds a cluster's identity. */
#include "cmd.h"

#include <string.h>

static int cert_new(struct options *options, const char *path)
{
    struct rusm_identity_info info;
    struct rusm_why why = { 0 };
    int error = rusm_identity_new(path, &info, &why);

    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    puts(info.fingerprint);
    fprintf(stderr, "rusm: cert: made %s; copy it to a machine, mode 0600, to admit that machine\n",
            info.path);
    return EXIT_DONE;
}

static int cert_show(struct options *options, const char *path)
{
    struct rusm_identity_info info;
    struct rusm_why why = { 0 };
    struct output out;
    int error = rusm_identity_show(path, &info, &why);

    if (error != 0) {
        return failure_report(options->cmd, error, &why);
    }
    output_init(&out, options_has(options, "json"));
    if (out.json) {
        const struct rusm_field fields[] = {
            { .column = "fingerprint", .type = RUSM_TYPE_TEXT, .text = info.fingerprint },
            { .column = "file", .type = RUSM_TYPE_TEXT, .text = info.path },
            { .column = "subject", .type = RUSM_TYPE_TEXT, .text = info.subject },
            { .column = "not_after", .type = RUSM_TYPE_TEXT, .text = info.not_after },
        };
        output_row(&out, fields, sizeof(fields) / sizeof(fields[0]));
    } else {
        puts(info.fingerprint);
        if (out.person) {
            printf("%s: %s, valid until %s\n", info.path, info.subject, info.not_after);
        }
    }
    output_end(&out);
    return EXIT_DONE;
}

static int cert_run(struct options *options)
{
    static const char *const words[] = { "new or show", NULL };
    char path[4096];
    int error, status = options_words(options, words, 2);
    bool make;

    if (status != 0) {
        return status;
    }
    make = strcmp(options->word[0], "new") == 0;
    if (!make && strcmp(options->word[0], "show") != 0) {
        return failure_usage(options->cmd, "unknown word '%s': write new or show",
                             options->word[0]);
    }
    if (make && options_has(options, "json")) {
        return failure_usage(options->cmd, "--json works only with show");
    }
    error =
        rusm_identity_path(options->word_count > 1 ? options->word[1] : NULL, path, sizeof(path));
    if (error != 0) {
        return failure_say(options->cmd, EXIT_USAGE,
                           "no home folder for the identity: set RUSM_IDENTITY or HOME");
    }
    return make ? cert_new(options, path) : cert_show(options, path);
}

static const struct cmd_option cert_options[] = {
    OPTION_JSON,
    OPTION_END,
};

const struct cmd cmd_cert = {
    .name = "cert",
    .synopsis = "new [FILE]\n"
                "show [--json] [FILE]",
    .summary = "make or show the file that holds the cluster's identity",
    .options = cert_options,
    .run = cert_run,
};
