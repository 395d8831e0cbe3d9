/* completion: what a shell offers while somebody types a rusm command. `rusm completion SHELL`
 * prints the script for the shell. The scripts ask `rusm --complete WORD ...` for candidates, so
 * all of them know the commands and options from the commands' own tables, and where a word is a
 * node or a process, from their synopses. */
#include "cmd.h"

#include <stdlib.h>
#include <string.h>

#define COMPLETION_NODES_MS 300 /* a person waits: how long to look for nodes */
#define COMPLETION_NODE_MS 1000 /* and to ask one of them */
#define COMPLETION_ROWS 1000    /* names of processes, at most */

struct completion {
    const struct cmd *cmd;
    struct options options; /* the words before the last one */
    const char *head;       /* stands before each candidate: "--via=" */
    const char *column;     /* of the rows that are printed */
    const char *scope;      /* of names: only these; NULL: all */
    size_t rows;
};

/* ---- candidates, one a line, with a tab and what it is ---- */

static void completion_say(const struct completion *c, const char *word, const char *help)
{
    /* A node may have names with blanks and more, but none that end a line. */
    printf("%s%s%s%s\n", c->head, word, help ? "\t" : "", help ? help : "");
}

static const char *completion_text(const struct rusm_field *fields, size_t count,
                                   const char *column)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].column, column) == 0 && fields[i].text) {
            return fields[i].text;
        }
    }
    return "";
}

static int completion_row(void *context, const struct rusm_field *fields, size_t count)
{
    struct completion *c = context;
    const char *word = completion_text(fields, count, c->column);
    const char *scope = completion_text(fields, count, "scope");

    if (word[0] != '\0' && (!c->scope || strcmp(scope, c->scope) == 0)) {
        const char *behaviour = completion_text(fields, count, "behaviour");
        completion_say(c, word, scope[0] != '\0' ? scope : behaviour);
        c->rows++;
    }
    return c->rows >= COMPLETION_ROWS;
}

static int completion_node(void *context, const struct rusm_field *fields, size_t count)
{
    const struct completion *c = context;
    const char *state = completion_text(fields, count, "state");

    if (strcmp(state, "alive") == 0) {
        completion_say(c, completion_text(fields, count, "node"),
                       completion_text(fields, count, "address"));
    }
    return 0;
}

static void completion_nodes(struct completion *c)
{
    const struct rusm_client_options how = { .timeout_ms = COMPLETION_NODES_MS };

    (void)rusm_nodes_list(&how, completion_node, c, NULL);
}

/* Prints what a node has. NODE NULL: any node of this machine. */
static void completion_table(struct completion *c, const char *node, enum rusm_table table,
                             const char *column)
{
    const struct rusm_client_options how = { .timeout_ms = COMPLETION_NODE_MS };
    struct rusm_client *client;

    c->column = column;
    if (node && rusm_client_open(&client, &how, node, NULL) == 0) {
        (void)rusm_client_list(client, table, completion_row, c, NULL);
        rusm_client_close(client);
    }
}

/* Takes the first node that is alive. A rusm_row_fn. */
static int completion_first(void *context, const struct rusm_field *fields, size_t count)
{
    if (strcmp(completion_text(fields, count, "state"), "alive") != 0) {
        return 0;
    }
    snprintf(context, RUSM_NODE_NAME_MAX + 1, "%s", completion_text(fields, count, "node"));
    return 1;
}

static void completion_globals(struct completion *c)
{
    const struct rusm_client_options how = { .timeout_ms = COMPLETION_NODES_MS };
    const char *via = options_value(&c->options, "via");
    char node[RUSM_NODE_NAME_MAX + 1] = "";

    if (!via && rusm_nodes_list(&how, completion_first, node, NULL) != 1) {
        return;
    }
    c->scope = "global";
    completion_table(c, via ? via : node, RUSM_TABLE_NAMES, "name");
}

/* Prints candidates for a word of that kind, as synopses name it. */
static void completion_kind(struct completion *c, const char *kind, size_t len)
{
    const struct options *o = &c->options;
    const char *node = o->word_count > 0 ? o->word[0] : NULL;

    if (len == 4 && memcmp(kind, "NODE", 4) == 0) {
        completion_nodes(c);
    } else if (len == 7 && memcmp(kind, "PROCESS", 7) == 0) {
        c->scope = "local";
        completion_table(c, node, RUSM_TABLE_NAMES, "name");
    } else if (len == 9 && memcmp(kind, "SPAWNABLE", 9) == 0) {
        completion_table(c, node, RUSM_TABLE_SPAWNABLES, "name");
    } else if (len == 4 && memcmp(kind, "NAME", 4) == 0) {
        completion_globals(c);
    } else if (len == 4 && memcmp(kind, "FILE", 4) == 0) {
        puts(":files");
    } else if (kind[0] >= 'a' && kind[0] <= 'z') {
        char word[64];
        snprintf(word, sizeof(word), "%.*s", (int)len, kind);
        completion_say(c, word, NULL);
    }
}

/* ---- which kind of word is it ---- */

static const struct cmd_option *completion_option(const struct cmd *cmd, const char *name,
                                                  size_t len)
{
    for (const struct cmd_option *o = cmd->options; o->name; o++) {
        if (strlen(o->name) == len && memcmp(o->name, name, len) == 0) {
            return o;
        }
    }
    return NULL;
}

static void completion_options(const struct completion *c)
{
    char word[80];

    for (const struct cmd_option *o = c->cmd->options; o->name; o++) {
        snprintf(word, sizeof(word), "--%s", o->name);
        completion_say(c, word, o->help);
    }
    completion_say(c, "--help", "print the usage and the options");
}

/* One form of a synopsis, and the kind of the word that is completed. */
struct completion_form {
    const char *kind;
    size_t len;      /* 0: it has no such word */
    unsigned needed; /* options that the form needs; all were given */
    bool fits;
};

/* Returns the next part of a form: a word, or all between brackets. */
static const char *completion_part(const char **at, size_t *len)
{
    const char *begin = *at + strspn(*at, " "), *end = begin;
    int depth = 0;

    while (*end != '\0' && *end != '\n' && (depth > 0 || *end != ' ')) {
        depth += *end == '[' ? 1 : *end == ']' ? -1 : 0;
        end++;
    }
    *at = end;
    *len = (size_t)(end - begin);
    return begin;
}

/* Reads one form, up to its end. */
static struct completion_form completion_form(const struct completion *c, const char **at)
{
    struct completion_form form = { .fits = true };
    size_t place = 0, len;
    const char *part;

    while ((part = completion_part(at, &len)), len > 0) {
        if (len > 2 && memcmp(part, "--", 2) == 0) {
            const struct cmd_option *o = completion_option(c->cmd, part + 2, len - 2);
            form.fits = form.fits && o && options_has(&c->options, o->name);
            form.needed++;
            if (o && o->value) {
                (void)completion_part(at, &len);
            }
        } else if (part[0] == '[' && part[1] != '-') {
            part++;
            len = strcspn(part, " ]");
        } else if (part[0] == '[' || part[0] == '.') {
            continue; /* an option that may be there; "..." */
        }
        if (part[0] == '-') {
            continue;
        }
        if (place == c->options.word_count) {
            form.kind = part;
            form.len = len;
        } else if (place < c->options.word_count && part[0] >= 'a' && part[0] <= 'z') {
            const char *word = c->options.word[place];
            form.fits = form.fits && strlen(word) == len && memcmp(word, part, len) == 0;
        }
        place++;
    }
    return form;
}

/* Completes a word that is no option, by the forms that fit. A form whose options were given counts
 * more than one that needs none. */
static void completion_word(struct completion *c)
{
    unsigned most = 0;

    for (int pass = 0; pass < 2; pass++) {
        const char *at = c->cmd->synopsis;
        for (bool more = true; more; more = *at++ == '\n') {
            struct completion_form form = completion_form(c, &at);
            if (form.fits && pass == 0) {
                most = form.needed > most ? form.needed : most;
            } else if (form.fits && form.needed == most && form.len > 0) {
                completion_kind(c, form.kind, form.len);
                if (form.kind[0] < 'a') {
                    return; /* the others say the same */
                }
            }
        }
    }
}

static void completion_value(struct completion *c, const struct cmd_option *option)
{
    if (option->value) {
        completion_kind(c, option->value, strcspn(option->value, " "));
    }
}

/* Completes the last of the words behind the command. */
static void completion_args(struct completion *c, int count, char **words)
{
    const char *last = words[count - 1], *equals = strchr(last, '=');
    const struct cmd_option *before = NULL;
    bool words_only = false;
    char head[80];

    /* An option that wants a value takes the last word. The parser would complain. */
    for (int i = 0; i < count - 1; i++) {
        bool option = !words_only && !before && strncmp(words[i], "--", 2) == 0;
        words_only = words_only || (option && words[i][2] == '\0');
        before = option ? completion_option(c->cmd, words[i] + 2, strlen(words[i] + 2)) : NULL;
        before = before && before->value ? before : NULL;
    }
    if (options_parse(&c->options, c->cmd, count - (before ? 2 : 1), words) != 0) {
        return;
    }
    if (before) {
        completion_value(c, before);
    } else if (!words_only && last[0] == '-' && equals) {
        const struct cmd_option *o =
            completion_option(c->cmd, last + 2, (size_t)(equals - last) - 2);
        snprintf(head, sizeof(head), "%.*s", (int)(equals + 1 - last), last);
        c->head = head;
        if (o) {
            completion_value(c, o);
        }
        c->head = "";
    } else if (!words_only && last[0] == '-') {
        completion_options(c);
    } else {
        completion_word(c);
    }
}

int completion_candidates(const struct cmd *const *commands, int count, char **words)
{
    struct completion c = { .head = "" };

    if (count == 0) {
        return EXIT_DONE;
    }
    if (!freopen("/dev/null", "w", stderr)) {
        return EXIT_FAILED; /* what is wrong with a half typed command is nobody's news */
    }
    if (count == 1 || (count == 2 && strcmp(words[0], "help") == 0)) {
        for (size_t i = 0; commands[i]; i++) {
            completion_say(&c, commands[i]->name, commands[i]->summary);
        }
        if (count == 1) {
            completion_say(&c, "help", "show the manual page of a command");
        }
        return EXIT_DONE;
    }
    for (size_t i = 0; commands[i]; i++) {
        if (strcmp(commands[i]->name, words[0]) == 0) {
            c.cmd = commands[i];
            completion_args(&c, count - 1, words + 1);
            options_fini(&c.options);
        }
    }
    return EXIT_DONE;
}

/* ---- the scripts ---- */

static const struct {
    const char *shell, *script;
} completion_scripts[] = {
    { "bash",
      "# rusm(1) for bash: put it into ~/.local/share/bash-completion/completions/rusm, or\n"
      "# source <(rusm completion bash)\n"
      "_rusm() {\n"
      "    local line=${COMP_LINE:0:COMP_POINT} words cur strip word\n"
      "    read -a words <<<\"$line\"\n"
      "    [[ $line != *[[:space:]] ]] || words+=('')\n"
      "    cur=${words[-1]}\n"
      "    strip=${cur%\"${cur##*[=:@]}\"} # for readline the word begins behind it\n"
      "    COMPREPLY=()\n"
      "    while IFS=$'\\t' read -r word _; do\n"
      "        case $word in\n"
      "        :files) compopt -o default ;;\n"
      "        \"$cur\"*)\n"
      "            printf -v word %q \"${word#\"$strip\"}\"\n"
      "            COMPREPLY+=(\"$word\") ;;\n"
      "        esac\n"
      "    done < <(\"${words[0]/#\\~/$HOME}\" --complete \"${words[@]:1}\" 2>/dev/null)\n"
      "}\n"
      "complete -F _rusm rusm\n" },
    { "zsh", "#compdef rusm\n"
             "# rusm(1) for zsh: put it into a folder of $fpath as _rusm, or, after compinit,\n"
             "# source <(rusm completion zsh)\n"
             "_rusm() {\n"
             "    local -a candidates before\n"
             "    local line word\n"
             "    before=(\"${(@Q)words[2,CURRENT-1]}\")\n"
             "    (( CURRENT > 2 )) || before=()\n"
             "    local rusm=${(Q)words[1]/#\\~/$HOME}\n"
             "    for line in \"${(@f)$(\"$rusm\" --complete \"${before[@]}\" \"$PREFIX\" \\\n"
             "        2>/dev/null)}\"; do\n"
             "        if [[ $line == :files ]]; then\n"
             "            _files\n"
             "            return\n"
             "        fi\n"
             "        [[ -n $line ]] || continue\n"
             "        word=${line%%$'\\t'*}\n"
             "        word=${word//:/\\\\:}\n"
             "        [[ $line != *$'\\t'* ]] || word+=:${line#*$'\\t'}\n"
             "        candidates+=(\"$word\")\n"
             "    done\n"
             "    _describe rusm candidates\n"
             "}\n"
             "if [[ ${funcstack[1]} == _rusm ]]; then\n"
             "    _rusm \"$@\"\n"
             "else\n"
             "    compdef _rusm rusm\n"
             "fi\n" },
    { "fish", "# rusm(1) for fish: put it into ~/.config/fish/completions/rusm.fish, or\n"
              "# rusm completion fish | source\n"
              "function __rusm_complete\n"
              "    set -l words (commandline -opc)\n"
              "    set -l current (commandline -ct)\n"
              "    set -l rusm $words[1]\n"
              "    set -e words[1]\n"
              "    for line in (command $rusm --complete $words \"$current\" 2>/dev/null)\n"
              "        if test \"$line\" = :files\n"
              "            __fish_complete_path $current\n"
              "        else\n"
              "            echo $line\n"
              "        end\n"
              "    end\n"
              "end\n"
              "complete -c rusm -f -a '(__rusm_complete)'\n" },
};

static int completion_run(struct options *options)
{
    static const char *const words[] = { "SHELL", NULL };
    int status = options_words(options, words, 1);

    for (size_t i = 0; status == 0 && i < sizeof(completion_scripts) / sizeof(*completion_scripts);
         i++) {
        if (strcmp(completion_scripts[i].shell, options->word[0]) == 0) {
            fputs(completion_scripts[i].script, stdout);
            return EXIT_DONE;
        }
    }
    return status != 0 ? status
                       : failure_usage(options->cmd, "no script for '%s': bash, zsh or fish",
                                       options->word[0]);
}

static const struct cmd_option completion_none[] = { OPTION_END };

const struct cmd cmd_completion = {
    .name = "completion",
    .synopsis = "bash\nzsh\nfish",
    .summary = "print a script that completes commands in a shell",
    .options = completion_none,
    .run = completion_run,
};
