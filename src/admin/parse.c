/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, read in both directions: what was typed, and what can be typed. */
#include <stdio.h>

#include "admin/commands.h"

#define COLUMNS 90

const struct command *command_find(const struct str *argv, size_t argc, size_t *words)
{
    for (size_t i = 0; i < command_count; i++) {
        struct str rest = str_from(commands[i].words);
        size_t n = 0;
        while (rest.n > 0 && n < argc && str_eq(str_cut(&rest, ' '), argv[n])) {
            n++;
            if (rest.n == 0) {
                *words = n;
                return &commands[i];
            }
        }
    }
    return NULL;
}

static const struct command_option *option_find(const struct command *command, struct str name)
{
    for (const struct command_option *o = command->options; o != NULL && o->name != NULL; o++) {
        if (str_eq(str_from(o->name), name)) {
            return o;
        }
    }
    return NULL;
}

/* The command of more words that has it: who types usage --by means usage --margin. */
static const struct command *option_owner(const struct command *command, struct str name)
{
    struct str words = str_from(command->words);

    for (size_t i = 0; i < command_count; i++) {
        struct str longer = str_from(commands[i].words);
        if (longer.n > words.n && str_starts(longer, words) && longer.p[words.n] == ' ' &&
            option_find(&commands[i], name) != NULL) {
            return &commands[i];
        }
    }
    return NULL;
}

static struct str value_of(const struct command_call *c, struct str name)
{
    for (size_t i = 0; i < c->option_count; i++) {
        if (str_eq(c->options[i].name, name)) {
            return c->options[i].value;
        }
    }
    return (struct str){NULL, 0};
}

/* --name VALUE or --name=VALUE; *at moves to the last word that belongs to it. */
static bool parse_option(const struct str *argv, size_t argc, size_t *at, struct command_call *c,
                         struct err *e)
{
    struct str rest = argv[*at];
    struct str name = str_cut(&rest, '=');
    struct str second = {NULL, 0};
    const struct command_option *known = option_find(c->command, name);

    const struct command *owner = known == NULL ? option_owner(c->command, name) : NULL;

    if (owner != NULL) {
        return err_set(e, "%s has no option '%.*s', but %s has", c->command->words, STR_ARG(name),
                       owner->words);
    }
    if (known == NULL) {
        return err_set(e, "%s has no option '%.*s'", c->command->words, STR_ARG(name));
    }
    if (name.n == argv[*at].n) {
        if (*at + 1 == argc) {
            return err_set(e, "%.*s needs a value", STR_ARG(name));
        }
        rest = argv[++*at];
    }
    if (rest.n == 0) { /* an unset variable of a script must not stand for "no limit" */
        return err_set(e, "%.*s needs a value", STR_ARG(name));
    }
    if (strchr(known->value, ' ') != NULL) {
        if (*at + 1 == argc || str_starts(argv[*at + 1], STR("--"))) {
            return err_set(e, "%.*s needs %s", STR_ARG(name), known->value);
        }
        second = argv[++*at];
    }
    if (value_of(c, name).p != NULL || c->option_count == COMMAND_ARGUMENTS) {
        return err_set(e, "%.*s is given twice", STR_ARG(name));
    }
    c->options[c->option_count].name = name;
    c->options[c->option_count].second = second;
    c->options[c->option_count++].value = rest;
    return true;
}

bool command_parse(const struct str *argv, size_t argc, struct command_call *c, struct err *e)
{
    size_t at = 0;

    *c = (struct command_call){.command = command_find(argv, argc, &at)};
    if (c->command == NULL) {
        return err_set(e, "there is no such command; entrepot --help lists them");
    }
    for (; at < argc; at++) {
        if (str_starts(argv[at], STR("--"))) {
            if (!parse_option(argv, argc, &at, c, e)) {
                return false;
            }
        } else if (c->operand_count < c->command->most) {
            c->operands[c->operand_count++] = argv[at];
        } else {
            return err_set(e, "%s has no place for '%.*s'", c->command->words, STR_ARG(argv[at]));
        }
    }
    if (c->operand_count < c->command->least) {
        return err_set(e, "%s needs %s; entrepot %s --help tells more", c->command->words,
                       c->command->operands, c->command->words);
    }
    return true;
}

struct str command_value(const struct command_call *c, const char *name)
{
    return value_of(c, str_from(name));
}

struct str command_second(const struct command_call *c, const char *name)
{
    for (size_t i = 0; i < c->option_count; i++) {
        if (str_eq(c->options[i].name, str_from(name))) {
            return c->options[i].second;
        }
    }
    return (struct str){NULL, 0};
}

void command_synopsis(const struct command *c, unsigned indent, struct buf *out)
{
    size_t begin = out->n;

    buf_addf(out, "%*s%s%s%s", (int)indent, "", c->words, c->operands[0] != '\0' ? " " : "",
             c->operands);
    for (const struct command_option *o = c->options; o != NULL && o->name != NULL; o++) {
        size_t wide = sizeof(" [ ]") + strlen(o->name) + strlen(o->value);
        if (out->n - begin + wide > COLUMNS) {
            buf_add_byte(out, '\n');
            begin = out->n;
            buf_addf(out, "%*s", (int)indent + 4, "");
        } else {
            buf_add_byte(out, ' ');
        }
        buf_addf(out, "[%s %s]", o->name, o->value);
    }
    buf_add_byte(out, '\n');
}

static void explain_option(const char *name, const char *value, const char *help, struct buf *out)
{
    char text[64];

    snprintf(text, sizeof(text), "%s %s", name, value);
    buf_addf(out, "  %-32s  %s\n", text, help);
}

void command_explain(const struct command *c, struct buf *out)
{
    buf_add(out, STR("entrepot "));
    command_synopsis(c, 0, out);
    buf_addf(out, "    %s\n\n", c->help);
    for (const struct command_option *o = c->options; o != NULL && o->name != NULL; o++) {
        explain_option(o->name, o->value, o->help, out);
    }
    explain_option("--json", "", "the result, or the failure, as JSON", out);
    explain_option("-c", "FILE", "the station's configuration", out);
}
