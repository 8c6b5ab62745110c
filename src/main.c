/* SPDX-License-Identifier: Apache-2.0 */
/* The program is a list of subcommands. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *help, *details;
    void (*more)(struct buf *out);
} subcommands[] = {
    {"serve", cli_serve, "[-c FILE] [--takeover]", "the station",
     "  -c FILE         its configuration; without one: the vendors whose keys are in the\n"
     "                  environment, or the simulator where there is none\n"
     "  --takeover      takes over from the station that runs on this store and address, which\n"
     "                  lets its streams end; where none runs, an ordinary start\n"
     "  SIGHUP reads the file again, SIGTERM or SIGINT lets streams end, a second one cuts them "
     "off.\n",
     NULL},
    {"check", cli_check, "-c FILE", "every mistake of a configuration in one run",
     "  -c FILE         the configuration; nothing is started or changed\n", NULL},
    {"sim", cli_sim,
     "[--port N] [--delay 20ms] [--tokens N] [--reasoning N] [--tools N] [--error STATUS] [--cut "
     "N] [--seed N] [--cheat NAME[=VALUE]]...",
     "a simulated vendor in all four dialects",
     "  --port N        where it answers, on 127.0.0.1 (9000)\n"
     "  --delay 20ms    before each event, or before a whole answer\n"
     "  --tokens N      words of an answer (16)\n"
     "  --reasoning N   words of thought before it\n"
     "  --tools N       calls of a tool at its end\n"
     "  --error STATUS  every answer is this error\n"
     "  --cut N         breaks off after N events; a whole answer, half way\n"
     "  --seed N        of chance, so that a run can be repeated\n"
     "  --cheat NAME    how the models of the zoo are sold; may be given several times\n"
     "  A request may ask for the same, but for cheats, in its text: sim: tokens=5 delay=1s\n",
     cli_sim_help},
    {"assay", cli_assay,
     "URL --model M [--key-env NAME] [--reference URL] [--profile P] [--evidence DIR] [-y] ...",
     "whether any endpoint sells the model that it says, and bills what it should",
     "  URL                       such as https://host/v1; --model M is what it calls the model\n"
     "  --key-env NAME            the variable that holds the key; else it is asked for\n"
     "  --dialect D               auto, chat, responses, messages, gemini (auto)\n"
     "  --reference URL           an endpoint to be trusted, asked the same in turn, with\n"
     "                            --reference-model M and --reference-key-env NAME\n"
     "  --profile P               quick, standard, deep, folk (standard)\n"
     "  --only PROBES             of that profile only these, as tokens,stream\n"
     "  --max-cost X              stops before more is spent, at the list price\n"
     "  --max-calls N             stops after so many requests\n"
     "  --concurrency N           calls at a time, 1 to 4 (2)\n"
     "  --seed N                  makes the same calls in the same order\n"
     "  --json FILE               the report as JSON; - is standard output\n"
     "  --lang L                  of the reports for people: en, zh (en)\n"
     "  --html FILE               the report as one page for a browser, with drawings\n"
     "  --evidence DIR            keeps what was asked and answered, without the keys\n"
     "  --recompute DIR           the report out of that again; asks nobody\n"
     "  -y                        goes on without asking\n"
     "  Exit status: 0 nothing contradicts what is sold, 1 asked wrongly, 2 nothing was decided,\n"
     "  3 something contradicts it, 4 it could not be reached.\n",
     NULL},
    {"price diff", cli_price_diff, "-c FILE [--json]",
     "what this configuration would change of the prices that are asked now",
     "  -c FILE         the configuration, with its price book; nothing is changed\n"
     "  --json          the same as JSON\n",
     NULL},
    {"price import", cli_price_import, "LIST [--vendor NAME] [--write FILE] [--json]",
     "what another price list says beside the price book",
     "  LIST            JSON of genai-prices or of models.dev (api.json)\n"
     "  --vendor NAME   only this one, and all of its models\n"
     "  --write FILE    what differs, as a price book to be reviewed; `price_book: FILE` in the\n"
     "                  configuration then puts it before the built-in one\n"
     "  --json          the same as JSON\n",
     NULL},
    {"upstream vendors", cli_upstream_vendors, "[NAME] [--json]",
     "the vendors there are, with their bases and dialects",
     "  NAME            everything about this one\n"
     "  --json          the same as JSON, with everything about each\n",
     NULL},
};
#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

static int help_one(const struct subcommand *s)
{
    struct buf more;
    buf_init(&more, 64 * 1024);
    if (s->more != NULL) {
        s->more(&more);
    }
    printf("usage: entrepot %s %s\n\n%s\n\n%s%.*s", s->name, s->arguments, s->help, s->details,
           STR_ARG(buf_str(&more)));
    buf_release(&more);
    return 0;
}

/* All whose first word is this: of subcommands, as cli_admin does of its own. */
static bool help_group(const char *word)
{
    bool found = false;

    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        const struct subcommand *s = &subcommands[i];
        struct str rest = str_from(s->name);
        if (str_eq(str_cut(&rest, ' '), str_from(word)) && rest.n > 0) {
            printf("%s", found ? "\n" : "");
            help_one(s);
            found = true;
        }
    }
    return found;
}

/* How many words make up this name when the program was called by it; else 0. */
static int named(const char *name, int argc, char **argv)
{
    struct str rest = str_from(name);

    for (int n = 1; n < argc && str_eq(str_cut(&rest, ' '), str_from(argv[n])); n++) {
        if (rest.n == 0) {
            return n;
        }
    }
    return 0;
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int help(void)
{
    struct buf text;
    buf_init(&text, 64 * 1024);
    buf_add(&text, STR("entrepot relays LLM requests, meters tokens and bills exactly.\n\n"));
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        const struct subcommand *s = &subcommands[i];
        buf_addf(&text, "  %s %s\n      %s\n", s->name, s->arguments, s->help);
    }
    buf_add(&text, STR("\nAdministration, each with [--json] and [-c FILE]:\n\n"));
    cli_admin_help(&text);
    fwrite(text.p, 1, text.n, stdout);
    buf_release(&text);
    return 0;
}

int main(int argc, char **argv)
{
    const char *word = argc > 1 ? argv[1] : "--help";
    if (asks_for_help(word) || strcmp(word, "help") == 0) {
        return help();
    }
    if (strcmp(word, "--version") == 0) {
        puts("entrepot " ENTREPOT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        int words = named(subcommands[i].name, argc, argv);
        if (words > 0 && argc == words + 2 && asks_for_help(argv[words + 1])) {
            return help_one(&subcommands[i]);
        }
        if (words > 0) {
            return subcommands[i].run(argc - words, argv + words);
        }
    }
    if (argc == 3 && asks_for_help(argv[2]) && help_group(word) && !cli_admin_has(word)) {
        return 0;
    }
    return cli_admin(argc, argv);
}
