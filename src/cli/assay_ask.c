/* SPDX-License-Identifier: Apache-2.0 */
/* What a person is asked and shown while an assay runs. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "cli/assay.h"
#include "cli/cli.h"

#define KEY_MAX 4096
#define BAR 24

static bool from_environment(const char *name, struct buf *key)
{
    const char *value = getenv(name);

    if (value == NULL || *value == '\0') {
        cli_fail(1, "assay: the environment has no %s, or it is empty", name);
        return false;
    }
    return buf_add(key, str_from(value)) ||
           (cli_fail(1, "assay: the key in %s is longer than %d bytes", name, KEY_MAX), false);
}

/* The environment of a process can be read by others of the same user: what was read is gone. One
 * variable may hold both keys, so that this is done behind both. */
static void wipe_environment(const struct assay_options *o)
{
    for (int i = 0; i < 2; i++) {
        char *value = o->key_env[i] != NULL ? getenv(o->key_env[i]) : NULL;
        if (value != NULL) {
            explicit_bzero(value, strlen(value));
        }
    }
}

/* One line, without an echo. */
static bool from_terminal(const char *prompt, struct buf *key)
{
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC);
    struct termios before, silent;
    char c = 0;

    if (tty < 0 || tcgetattr(tty, &before) != 0) {
        if (tty >= 0) {
            close(tty);
        }
        cli_fail(1, "assay: there is no terminal to ask for the key on; name the variable that "
                    "holds it: --key-env NAME");
        return false;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(tty, TCSAFLUSH, &silent);
    dprintf(tty, "%s", prompt);
    ssize_t n;
    while ((n = read(tty, &c, 1)) == 1 && c != '\n' && buf_add_byte(key, c)) {
    }
    tcsetattr(tty, TCSAFLUSH, &before);
    dprintf(tty, "\n");
    close(tty);
    return (n == 1 && c == '\n' && key->n > 0) ||
           (cli_fail(1, "assay: that was no key of at most %d bytes", KEY_MAX), false);
}

static bool read_keys(struct assay_options *o)
{
    static const char *const prompts[] = {"Key of the endpoint (is not shown): ",
                                          "Key of the reference (is not shown): "};

    for (int i = 0; i < 2; i++) {
        struct buf *key = &o->keys[i];
        buf_init(key, KEY_MAX);
        if (o->sides[i].url.n == 0) {
            continue;
        }
        if (o->key_env[i] != NULL ? !from_environment(o->key_env[i], key)
                                  : !from_terminal(prompts[i], key)) {
            return false;
        }
        for (size_t k = 0; k < key->n; k++) {
            if ((unsigned char)key->p[k] <= ' ' || (unsigned char)key->p[k] >= 0x7F) {
                cli_fail(1, "assay: a key holds no blanks and no other than ASCII characters");
                return false;
            }
        }
        o->sides[i].key = buf_str(key);
    }
    return true;
}

bool assay_keys(struct assay_options *o)
{
    bool ok = read_keys(o);

    wipe_environment(o);
    return ok;
}

static void say_side(const struct assay_options *o, const struct plan_size *size, int i)
{
    struct str url = o->sides[i].url;

    fprintf(stderr,
            "%s %.*s:\n  at most %llu calls, %llu tokens of input and %llu of output; again where "
            "it is busy.\n",
            i == 0 ? "To" : "To the reference", STR_ARG(url), (unsigned long long)size->calls[i],
            (unsigned long long)size->input[i], (unsigned long long)size->output[i]);
    if (o->sides[i].key.n > 0 && client_url_exposed(url)) {
        fprintf(stderr, "Its address is not https: the key can be read on the way.\n");
    }
}

static void say_cost(const struct assay_options *o, const struct run *r,
                     const struct plan_size *size)
{
    struct buf text;
    int64_t nano = 0;

    buf_init(&text, 256);
    if (run_price_cost(&r->price, size->input[0] + size->input[1],
                       size->output[0] + size->output[1], &nano)) {
        decimal_write(&text, nano / 10000 * 10000, 9);
        fprintf(stderr, "At the list price that is at most %.*s %s; the seller's own may differ.\n",
                STR_ARG(buf_str(&text)), r->price.price.currency.code);
    } else {
        fprintf(stderr, "What %.*s costs is not known here.\n", STR_ARG(o->sides[0].speaker.model));
    }
    buf_release(&text);
}

bool assay_agreed(const struct assay_options *o, const struct run *r)
{
    struct plan_size size;
    char line[16] = "";

    run_measure(r, &size);
    for (int i = 0; i < (o->sides[1].url.n > 0 ? 2 : 1); i++) {
        say_side(o, &size, i);
    }
    say_cost(o, r, &size);
    if (o->yes) {
        return true;
    }
    if (!isatty(STDIN_FILENO)) {
        cli_fail(1, "assay: there is no terminal to ask on; -y goes on without asking");
        return false;
    }
    fprintf(stderr, "Go on? [y/N] ");
    return (fgets(line, sizeof(line), stdin) != NULL && (line[0] == 'y' || line[0] == 'Y')) ||
           (cli_fail(1, "assay: nothing was asked"), false);
}

void assay_progress(void *ctx, const struct run_progress *p)
{
    const struct run *r = ctx;
    unsigned full = p->planned > 0 ? p->done * BAR / p->planned : BAR;
    struct buf money;

    if (!isatty(STDERR_FILENO)) {
        return;
    }
    buf_init(&money, 128);
    if (r->price.known) {
        decimal_write(&money, p->nano / 10000 * 10000, 9);
        buf_addf(&money, " %s", r->price.price.currency.code);
    } else {
        buf_addf(&money, "%llu tokens", (unsigned long long)p->tokens);
    }
    fprintf(stderr, "\r[%.*s%.*s] %u of %u calls, %.*s   ", (int)full, "########################",
            (int)(BAR - full), "                        ", p->done, p->planned,
            STR_ARG(buf_str(&money)));
    buf_release(&money);
}

void assay_progress_end(void)
{
    if (isatty(STDERR_FILENO)) {
        fprintf(stderr, "\r%78s\r", "");
    }
}
