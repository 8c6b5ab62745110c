/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The subcommands: each takes the words after the program's name, its own first, and returns the
 * exit status: 0, 1 when it failed, 2 when it was asked wrongly.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

int cli_serve(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_sim(int argc, char **argv);
int cli_assay(int argc, char **argv); /* its own statuses: see cli/assay.c */
int cli_upstream_vendors(int argc, char **argv);
int cli_price_diff(int argc, char **argv);
int cli_price_import(int argc, char **argv);
int cli_admin(int argc, char **argv);

/* The models of the zoo, and the cheats there are. */
void cli_sim_help(struct buf *out);
/* Text of all administration commands, for --help. */
void cli_admin_help(struct buf *out);
/* Some of them begin with this word. */
bool cli_admin_has(const char *word);

/* "-c FILE" as the only words; false after saying how it is used. */
bool cli_config_option(int argc, char **argv, const char **file);
/* Administration needs no more than where the store is: no vendor's secret, no prices. */
enum config_use { CONFIG_STORE_ONLY, CONFIG_PRICES, CONFIG_WHOLE }; /* PRICES: these, too */
/* The configuration of FILE, or the built-in one. NULL after its mistakes were printed. */
struct config *cli_config(const char *file, enum config_use use);
/* The answer of a command of administration, {"ok":...}; with the words of one. From the station,
 * or from the store where none serves. */
bool cli_ask(const char *const *words, size_t count, const struct config *c, struct buf *answer,
             struct err *e);
/* JSON as lines for a person. */
void cli_print(struct buf *out, struct str json);
/* The charges of an account in columns; false: the JSON has none. */
bool cli_charges(struct buf *out, struct str json);
/* The same to standard output, or the JSON itself. */
void cli_result(bool json, struct str result);
/* One page of a statement, printed; true where it goes on, and then next says where. */
bool cli_statement_page(struct str page, bool json, bool first, struct buf *next);
/* A failure, as JSON on standard output or in words; with what was found nonetheless, or empty. */
int cli_fail_as(bool json, int status, struct str why, struct str result);
/* Says it on standard error; returns status. */
int cli_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
