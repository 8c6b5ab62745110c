/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: through the socket of a serving station, else directly on the store. */
#include <stdio.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/socket.h"
#include "cli/cli.h"
#include "io/unix.h"
#include "json/json.h"

#define ANSWER_MAX (16 << 20)
#define WAIT_S 600 /* a check or a backup of a large store */

struct question {
    struct str argv[COMMAND_ARGUMENTS];
    size_t argc;
    const char *file; /* -c */
    bool json;
    bool backup; /* its last word is a file, seen from here and not from the station */
};

void cli_admin_help(struct buf *out)
{
    for (size_t i = 0; i < command_count; i++) {
        buf_addf(out, "  %s %s\n      %s\n", commands[i].words, commands[i].arguments,
                 commands[i].help);
    }
}

static bool question_read(struct question *q, int argc, char **argv, struct err *e)
{
    for (int i = 1; i < argc; i++) {
        struct str word = str_from(argv[i]);
        if (str_eq(word, STR("--json"))) {
            q->json = true;
        } else if (str_eq(word, STR("-c"))) {
            if (i + 1 == argc) {
                return err_set(e, "-c needs a file");
            }
            q->file = argv[++i];
        } else if (q->argc == COMMAND_ARGUMENTS) {
            return err_set(e, "too many words");
        } else {
            q->argv[q->argc++] = word;
        }
    }
    size_t words;
    const struct command *c = command_find(q->argv, q->argc, &words);
    if (c == NULL) {
        return err_set(e, "there is no such command; entrepot --help lists them");
    }
    q->backup = str_eq(str_from(c->words), STR("backup"));
    return true;
}

/* The station has its own working folder: what it is to write gets a full path. */
static bool full_path(struct question *q, struct buf *path)
{
    char folder[1024];
    if (!q->backup || q->argc < 2 || q->argv[1].n == 0 || q->argv[1].p[0] == '/') {
        return true;
    }
    if (getcwd(folder, sizeof(folder)) == NULL) {
        return false;
    }
    buf_addf(path, "%s/%.*s", folder, STR_ARG(q->argv[1]));
    q->argv[1] = buf_str(path);
    return !path->overflow;
}

static enum unix_result ask_station(const struct question *q, const struct config *c,
                                    struct buf *answer, struct err *e)
{
    char path[1100];
    struct buf line;
    snprintf(path, sizeof(path), "%.*s/admin.sock", STR_ARG(c->data_dir));
    buf_init(&line, LIMIT_SMALL_BODY_BYTES);
    buf_add(&line, STR("{\"argv\":["));
    for (size_t i = 0; i < q->argc; i++) {
        buf_add(&line, i > 0 ? STR(",") : STR(""));
        json_write_str(&line, q->argv[i]);
    }
    buf_add(&line, STR("]}\n"));
    enum unix_result result = UNIX_FAILED;
    if (line.overflow) {
        err_set(e, "the command is too long");
    } else {
        result = unix_ask(path, buf_str(&line), WAIT_S, answer, e);
    }
    buf_release(&line);
    return result;
}

static bool ask_store(const struct question *q, const struct config *c, struct buf *answer,
                      struct err *e)
{
    char path[1100];
    struct buf result;
    snprintf(path, sizeof(path), "%.*s", STR_ARG(c->store_path));
    if (access(path, F_OK) != 0) {
        return err_set(e, "there is no store at %s; entrepot serve makes it, -c names another",
                       path);
    }
    struct ledger *l = ledger_open(path, false, e);
    if (l == NULL) {
        return false;
    }
    struct err why = {""};
    buf_init(&result, ANSWER_MAX / 2);
    bool ok = command_run(l, ledger_view(l), q->argv, q->argc, &result, &why);
    admin_write_answer(answer, ok, buf_str(&result), &why);
    buf_release(&result);
    ledger_close(l);
    return true;
}

static void print_result(const struct question *q, struct str result)
{
    struct buf text;
    if (q->json) {
        printf("%.*s\n", STR_ARG(result));
        return;
    }
    buf_init(&text, ANSWER_MAX * 2);
    cli_print(&text, result);
    fwrite(text.p, 1, text.n, stdout);
    buf_release(&text);
}

/* The answer's line, from either side: the result on standard output, the failure beside it. */
static int print_answer(const struct question *q, struct str answer)
{
    struct json_member members[] = {{.key = STR_INIT("ok")}, {.key = STR_INIT("result")}};
    struct err e = {""};
    struct json_doc *doc = json_parse(str_trim(answer), &e);
    if (doc == NULL || json_scan_members(str_trim(answer), members, 2) > JSON_SCAN_DOUBT) {
        json_free(doc);
        return cli_fail(1, "the station's answer is no JSON");
    }
    if (members[1].value.p != NULL) {
        print_result(q, members[1].value);
    }
    int status = 0;
    if (!str_eq(members[0].value, STR("true"))) {
        struct str why = json_str(json_get(json_root(doc), "error"));
        status = why.n > 0 ? cli_fail(1, "%.*s", STR_ARG(why)) : 1;
    }
    json_free(doc);
    return status;
}

int cli_admin(int argc, char **argv)
{
    struct question q = {0};
    struct err e = {""};
    struct buf answer, path;
    if (!question_read(&q, argc, argv, &e)) {
        return cli_fail(2, "%s", e.text);
    }
    struct config *c = cli_config(q.file, CONFIG_STORE_ONLY);
    if (c == NULL) {
        return 1;
    }
    buf_init(&answer, ANSWER_MAX);
    buf_init(&path, 4096);
    int status = 1;
    if (!full_path(&q, &path)) {
        cli_fail(1, "the name of the file is too long");
        goto out;
    }
    enum unix_result asked = ask_station(&q, c, &answer, &e);
    if (asked == UNIX_FAILED || (asked == UNIX_NOBODY && !ask_store(&q, c, &answer, &e))) {
        cli_fail(1, "%s", e.text);
        goto out;
    }
    status = print_answer(&q, buf_str(&answer));
out:
    buf_release(&path);
    buf_release(&answer);
    config_unref(c);
    return status;
}
