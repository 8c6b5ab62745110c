/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of administration: one table of words, arguments and what they call in the ledger.
 * Through the socket they run as operations of their kind, on the ledger thread or a reader's;
 * else in a program that opened the store by itself. The result is JSON in out; a failure is one
 * sentence, and out then holds nothing or the rows at fault.
 */
#ifndef ADMIN_COMMANDS_H
#define ADMIN_COMMANDS_H

#include "ledger/ledger.h"

#define COMMAND_ARGUMENTS 32

struct command;
struct command_call;
typedef bool command_fn(const struct command_call *c, struct buf *out, struct err *e);

struct command {
    const char *words;     /* "account create" */
    const char *arguments; /* "NAME [--kind customer|house]" */
    const char *help;
    const char *options; /* the names of its options, each followed by a blank */
    uint8_t least, most; /* arguments that are not options */
    uint8_t kind;        /* enum ledger_op_kind: CALL changes something, READ and REPORT do not */
    command_fn *run;
};
extern const struct command commands[];
extern const size_t command_count;

/* The command that the words begin with, or NULL; *words is how many of them name it. */
const struct command *command_find(const struct str *argv, size_t argc, size_t *words);
/* l may be NULL for a command that reads, v for one that changes something. */
bool command_run(struct ledger *l, struct ledger_view *v, const struct str *argv, size_t argc,
                 struct buf *out, struct err *e);

#endif
