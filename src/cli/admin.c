/* SPDX-License-Identifier: Apache-2.0 */
/* Administration: through the socket of a serving station, else directly on the store. */
#include <stdio.h>
#include <unistd.h>

#include "admin/commands.h"
#include "admin/socket.h"
#include "cli/cli.h"
#include "io/unix.h"
#include "ledger/statement.h"
#include "ledger/text.h"
#include "json/json.h"

#define ANSWER_MAX (16 << 20)
#define WAIT_S 600 /* a check or a backup of a large store */

struct question {
    struct str argv[COMMAND_ARGUMENTS];
    size_t argc;
    const char *file; /* -c */
    bool json, help;
    struct command_call call; /* slices of argv */
    struct buf next;          /* of a statement: where its next page begins */
    unsigned pages;
    bool more;
};

void cli_admin_help(struct buf *out)
{
    for (size_t i = 0; i < command_count; i++) {
        command_synopsis(&commands[i], 2, out);
        buf_addf(out, "      %s\n", commands[i].help);
    }
}

bool cli_admin_has(const char *word)
{
    for (size_t i = 0; i < command_count; i++) {
        struct str rest = str_from(commands[i].words);
        if (str_eq(str_cut(&rest, ' '), str_from(word))) {
            return true;
        }
    }
    return false;
}

static void print(struct str text)
{
    fwrite(text.p, 1, text.n, stdout);
}

static int fail(const struct question *q, int status, struct str why, struct str result)
{
    return cli_fail_as(q->json, status, why, result);
}

/* Takes out what every command knows; the rest is the command's. */
static bool question_read(struct question *q, int argc, char **argv, struct err *e)
{
    bool ok = true;
    for (int i = 1; i < argc; i++) {
        struct str word = str_from(argv[i]);
        if (str_eq(word, STR("--json"))) {
            q->json = true;
        } else if (str_eq(word, STR("--help")) || str_eq(word, STR("-h"))) {
            q->help = true;
        } else if (str_eq(word, STR("-c"))) {
            ok = i + 1 < argc || err_set(e, "-c needs a file");
            q->file = argv[++i];
        } else if (q->argc == COMMAND_ARGUMENTS) {
            ok = err_set(e, "too many words");
        } else if (!text_is_printable(word)) {
            ok = err_set(e, "word %d is not printable UTF-8", i);
        } else {
            q->argv[q->argc++] = word;
        }
        if (!ok) {
            break;
        }
    }
    return ok;
}

/* Of a command, also those whose words begin with its own: usage, and usage --margin. */
static bool explains(const struct command *one, const struct command *c)
{
    struct str words = str_from(one->words), longer = str_from(c->words);

    return str_starts(longer, words) && (longer.n == words.n || longer.p[words.n] == ' ');
}

/* The command whose words were given, else all that begin with the first of them. */
static int explain(const struct question *q)
{
    struct buf text;
    size_t words;
    const struct command *one = command_find(q->argv, q->argc, &words);

    buf_init(&text, 64 * 1024);
    for (size_t i = 0; i < command_count; i++) {
        struct str rest = str_from(commands[i].words);
        if (one != NULL ? explains(one, &commands[i]) : str_eq(str_cut(&rest, ' '), q->argv[0])) {
            buf_add(&text, text.n > 0 ? STR("\n") : STR(""));
            command_explain(&commands[i], &text);
        }
    }
    bool found = text.n > 0;
    print(buf_str(&text));
    buf_release(&text);
    return found ? 0
                 : fail(q, 2, STR("there is no such command; entrepot --help lists them"), STR(""));
}

/* The station has its own working folder: what it is to write gets a full path. */
static bool full_path(struct question *q, struct buf *path)
{
    char folder[1024];
    bool backup = str_eq(str_from(q->call.command->words), STR("backup"));
    if (!backup || q->argv[1].n == 0 || q->argv[1].p[0] == '/') {
        return true;
    }
    if (getcwd(folder, sizeof(folder)) == NULL) {
        return false;
    }
    buf_addf(path, "%s/%.*s", folder, STR_ARG(q->argv[1]));
    q->argv[1] = q->call.operands[0] = buf_str(path);
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

static bool ask_store(struct question *q, const struct config *c, struct buf *answer, struct err *e)
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
    q->call.ledger = l;
    q->call.view = ledger_view(l);
    q->call.config = q->file != NULL ? c : NULL; /* without a file, not what a station has */
    if (q->call.config == NULL && command_value(&q->call, "--models").n > 0) {
        cli_fail(0, "without -c nobody knows whether these models are configured");
    }
    bool ok = q->call.command->run(&q->call, &result, &why);
    admin_write_answer(answer, ok, buf_str(&result), &why);
    buf_release(&result);
    ledger_close(l);
    return true;
}

static bool is_statement(const struct question *q)
{
    return str_eq(str_from(q->call.command->words), STR("statement"));
}

static void print_result(struct question *q, struct str result)
{
    if (is_statement(q)) {
        q->more = cli_statement_page(result, q->json, q->pages++ == 0, &q->next);
    } else {
        cli_result(q->json, result);
    }
}

/* The answer's line, from either side: the result on standard output, the failure beside it. */
static int print_answer(struct question *q, struct str answer)
{
    struct json_member members[] = {{.key = STR_INIT("ok")}, {.key = STR_INIT("result")}};
    struct err e = {""};
    struct json_doc *doc = json_parse(str_trim(answer), &e);
    if (doc == NULL || !json_scan_found(json_scan_members(str_trim(answer), members, 2))) {
        json_free(doc);
        return fail(q, 1, STR("the station's answer is no JSON"), STR(""));
    }
    bool ok = str_eq(members[0].value, STR("true"));
    struct str result = members[1].value;
    int status = 0;
    if (result.p != NULL && (ok || !q->json)) {
        print_result(q, result);
    }
    if (!ok) {
        status = fail(q, 1, json_str(json_get(json_root(doc), "error")), result);
    }
    json_free(doc);
    return status;
}

/* From the station, or from the store where none serves. */
static bool get_answer(struct question *q, const struct config *c, struct buf *answer,
                       struct err *e)
{
    enum unix_result asked = ask_station(q, c, answer, e);
    return asked == UNIX_ANSWERED || (asked == UNIX_NOBODY && ask_store(q, c, answer, e));
}

bool cli_ask(const char *const *words, size_t count, const struct config *c, struct buf *answer,
             struct err *e)
{
    struct question q = {.json = true};

    for (; q.argc < count; q.argc++) {
        q.argv[q.argc] = str_from(words[q.argc]);
    }
    return command_parse(q.argv, q.argc, &q.call, e) && get_answer(&q, c, answer, e);
}

/* The same question about what comes behind the last page. */
static bool ask_further(struct question *q, struct err *e)
{
    size_t at = 0;

    while (at < q->argc && !str_eq(q->argv[at], STR("--cursor"))) {
        at++;
    }
    if (at + 2 > COMMAND_ARGUMENTS) {
        return err_set(e, "too many words");
    }
    q->argv[at] = STR("--cursor");
    q->argv[at + 1] = buf_str(&q->next);
    q->argc = at + 2 > q->argc ? at + 2 : q->argc;
    return command_parse(q->argv, q->argc, &q->call, e);
}

static int ask(struct question *q, const struct config *c)
{
    struct err e = {""};
    struct buf answer, path;

    buf_init(&answer, ANSWER_MAX);
    buf_init(&path, 4096);
    buf_init(&q->next, STATEMENT_CURSOR);
    bool ok = full_path(q, &path) || err_set(&e, "the name of the file is too long");
    ok = ok && get_answer(q, c, &answer, &e);
    int status = ok ? print_answer(q, buf_str(&answer)) : fail(q, 1, str_from(e.text), STR(""));
    while (status == 0 && q->more) {
        q->more = false;
        buf_clear(&answer);
        ok = ask_further(q, &e) && get_answer(q, c, &answer, &e);
        status = ok ? print_answer(q, buf_str(&answer)) : fail(q, 1, str_from(e.text), STR(""));
    }
    buf_release(&q->next);
    buf_release(&path);
    buf_release(&answer);
    return status;
}

int cli_admin(int argc, char **argv)
{
    struct question q = {0};
    struct err e = {""};

    if (!question_read(&q, argc, argv, &e)) {
        return fail(&q, 2, str_from(e.text), STR(""));
    }
    if (q.help && q.argc > 0) {
        return explain(&q);
    }
    if (!command_parse(q.argv, q.argc, &q.call, &e)) {
        return fail(&q, 2, str_from(e.text), STR(""));
    }
    bool priced = str_eq(str_from(q.call.command->words), STR("price show"));
    struct config *c = cli_config(q.file, priced ? CONFIG_PRICES : CONFIG_STORE_ONLY);
    if (c == NULL) {
        return fail(&q, 1, STR("the configuration was refused"), STR(""));
    }
    int status = ask(&q, c);
    config_unref(c);
    return status;
}
