/* SPDX-License-Identifier: Apache-2.0 */
/* The program is a list of subcommands. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

static const struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *arguments, *help;
} subcommands[] = {
    {"serve", cli_serve, "[-c FILE]", "the station"},
    {"check", cli_check, "-c FILE", "every mistake of a configuration in one run"},
    {"sim", cli_sim,
     "[--port N] [--delay 20ms] [--tokens N] [--reasoning N] [--tools N] [--error STATUS] [--cut "
     "N]",
     "a simulated vendor in all four dialects"},
};
#define SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

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
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        return help();
    }
    if (strcmp(word, "--version") == 0) {
        puts("entrepot " ENTREPOT_VERSION);
        return 0;
    }
    for (size_t i = 0; i < SUBCOMMANDS; i++) {
        if (strcmp(word, subcommands[i].name) == 0) {
            return subcommands[i].run(argc - 1, argv + 1);
        }
    }
    return cli_admin(argc, argv);
}
