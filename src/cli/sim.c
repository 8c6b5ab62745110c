/* SPDX-License-Identifier: Apache-2.0 */
/* entrepot sim: the simulated vendor on a port of this machine, until it is ended. */
#include <signal.h>
#include <stdio.h>

#include "cli/cli.h"
#include "sim/sim.h"

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* "--delay 20ms" is the directive "delay=20ms". */
static bool read_flags(int argc, char **argv, struct sim_options *o, struct buf *address,
                       struct err *e)
{
    struct str port = STR("9000");
    for (int i = 1; i < argc; i += 2) {
        struct str name = str_from(argv[i]);
        if (!str_starts(name, STR("--")) || i + 1 == argc) {
            return false;
        }
        struct str value = str_from(argv[i + 1]);
        if (str_eq(name, STR("--port"))) {
            port = value;
            continue;
        }
        if (str_eq(name, STR("--cheat"))) {
            if (!sim_cheat_read(o, value, e)) {
                return false;
            }
            continue;
        }
        struct buf word;
        buf_init(&word, 256);
        buf_addf(&word, "%s=%s", argv[i] + 2, argv[i + 1]);
        bool known = sim_options_read(o, buf_str(&word));
        buf_release(&word);
        if (!known) {
            return false;
        }
    }
    buf_addf(address, "127.0.0.1:%.*s", STR_ARG(port));
    return !address->overflow;
}

void cli_sim_help(struct buf *out)
{
    buf_add(out, STR("\n  The models of the zoo, each with a character of its own:\n"));
    sim_zoo_help(out);
    buf_add(out, STR("\n  The cheats, with the value that each has where none is given:\n"));
    sim_cheats_help(out);
}

int cli_sim(int argc, char **argv)
{
    struct sim_options o = {.tokens = 16};
    struct buf address;
    struct err e = {""};
    buf_init(&address, 64);
    if (!read_flags(argc, argv, &o, &address, &e)) {
        buf_release(&address);
        if (e.text[0] != '\0') {
            return cli_fail(2, "%s; entrepot sim --help shows all", e.text);
        }
        return cli_fail(2, "usage: entrepot sim [--port N] [--delay 20ms] [--tokens N] "
                           "[--reasoning N] [--error STATUS] [--cut N] [--tools N] [--seed N] "
                           "[--cheat NAME[=VALUE]]...");
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    struct loop *l = loop_new(&e);
    struct sim *s = l != NULL ? sim_start(l, buf_str(&address), &o, &e) : NULL;
    buf_release(&address);
    if (s == NULL) {
        if (l != NULL) {
            loop_free(l);
        }
        return cli_fail(1, "%s", e.text);
    }
    printf("a simulated vendor answers at http://127.0.0.1:%u/v1\n", sim_port(s));
    fflush(stdout);
    while (!stopped) {
        loop_step(l, 250);
    }
    sim_stop(s);
    loop_step(l, 0);
    loop_free(l);
    return 0;
}
