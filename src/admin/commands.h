/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of administration: one table of words, operands and options, by which they are
 * parsed and explained, and what they call in the ledger. Through the socket they run as operations
 * of their kind, on the ledger thread or a reader's; else in a program that opened the store by
 * itself. The result is JSON in out; a failure is one sentence, and out then holds nothing or the
 * rows at fault. Parsing touches nothing, so that a call's mistakes are known before it is made.
 */
#ifndef ADMIN_COMMANDS_H
#define ADMIN_COMMANDS_H

#include "config/config.h"
#include "ledger/ledger.h"

#define COMMAND_ARGUMENTS 32
#define COMMAND_OPERANDS 3

struct command_call;
typedef bool command_fn(const struct command_call *c, struct buf *out, struct err *e);

struct command_option {
    const char *name;  /* "--kind"; NULL: behind the last */
    const char *value; /* "customer|house"; two words where it takes two: "AMOUNT CURRENCY" */
    const char *help;
};

struct command {
    const char *words;    /* "account create" */
    const char *operands; /* "NAME" */
    const char *help;
    const struct command_option *options; /* NULL: none */
    uint8_t least, most;                  /* operands */
    uint8_t kind; /* enum ledger_op_kind: CALL changes something, READ and REPORT do not */
    command_fn *run;
};
extern const struct command commands[];
extern const size_t command_count;

/* What was typed, in slices of it, and what it works on. */
struct command_call {
    const struct command *command;
    struct str operands[COMMAND_OPERANDS];
    size_t operand_count;
    struct {
        struct str name, value, second;
    } options[COMMAND_ARGUMENTS];
    size_t option_count;
    struct ledger *ledger;       /* of commands that change something */
    struct ledger_view *view;    /* of commands that read */
    const struct config *config; /* in force; NULL: not known here */
};

/* prices.c */
command_fn command_price_list, command_price_show, command_price_history;

/* The command that the words begin with, or NULL; *words is how many of them name it. */
const struct command *command_find(const struct str *argv, size_t argc, size_t *words);
/* False with the reason: an unknown command or option, a missing or superfluous operand. */
bool command_parse(const struct str *argv, size_t argc, struct command_call *c, struct err *e);
/* The value of an option; empty where it was not given. */
struct str command_value(const struct command_call *c, const char *name);
/* The second word of one that takes two. */
struct str command_second(const struct command_call *c, const char *name);
/* "account create NAME [--kind customer|house] ...", in lines that begin with indent blanks. */
void command_synopsis(const struct command *c, unsigned indent, struct buf *out);
/* All about one command. */
void command_explain(const struct command *c, struct buf *out);

#endif
