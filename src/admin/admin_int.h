/* SPDX-License-Identifier: Apache-2.0 */
/* Of this room alone: how arguments are read, and functions that the table of commands names. */
#ifndef ADMIN_ADMIN_INT_H
#define ADMIN_ADMIN_INT_H

#include "admin/commands.h"

/* argument.c: an option's value, or what it is without one. */
struct str argument(const struct command_call *c, const char *name, const char *otherwise);
/* A whole number above 0; 0 where there is none. */
bool argument_number(const struct command_call *c, const char *name, uint32_t *out, struct err *e);
/* 30d, 12h, 15m, 90s from now, or the seconds of an epoch; 0 for empty text. */
bool argument_time(const char *name, struct str text, int64_t *us, struct err *e);
bool argument_amount(const char *what, struct str text, int64_t *nano, struct err *e);
bool argument_period(const char *name, struct str text, char *period, struct err *e);
/* An amount above 0; 0 for empty text. */
bool argument_budget(struct str text, int64_t *nano, struct err *e);
/* "1.05", "7.25" or "21/20", above 0. */
bool argument_ratio(const char *what, struct str text, struct ratio *out, struct err *e);

/* argument_ratio as what prices are multiplied with. */
bool argument_factor(const char *what, struct str text, struct ratio *out, struct err *e);
/* It was done, but is surely a mistake: the answer, an object, says so. */
void warn(struct buf *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Where nothing that is sold could be paid in it. */
bool warn_currency(const struct command_call *c, struct currency cur, struct buf *out,
                   struct err *e);

/* money.c */
/* Of --currency; empty where it is not given. */
bool argument_currency(const struct command_call *c, struct currency *out, struct err *e);
command_fn command_credit, command_debit, command_promo_grant, command_promo_lapse,
    command_rate_set, command_rate_list, command_group_set, command_group_list;

/* voucher.c */
command_fn command_voucher_create, command_voucher_list, command_voucher_void;
extern const struct command_option voucher_create_options[], voucher_void_options[];

/* refund.c */
command_fn command_refund, command_refund_sent, command_refund_cancel, command_refund_list;
extern const struct command_option refund_options[];
/* margin.c */
extern const struct command_option margin_options[];
command_fn command_margin;

/* upstream.c */
extern const struct command_option upstream_buy_options[], upstream_writeoff_options[];
command_fn command_upstream_buy, command_upstream_writeoff, command_upstream_list,
    command_upstream_show;

#endif
