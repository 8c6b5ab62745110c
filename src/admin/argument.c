/* SPDX-License-Identifier: Apache-2.0 */
/* What stands behind a command: amounts, times, numbers, each with its own complaint. */
#include <stdarg.h>
#include <stdio.h>

#include "admin/admin_int.h"
#include "base/clock.h"
#include "json/json.h"

#define SECOND_US INT64_C(1000000)
#define FACTOR_MOST 1000 /* of a price: beyond it somebody has mistyped */

struct str argument(const struct command_call *c, const char *name, const char *otherwise)
{
    struct str value = command_value(c, name);
    return value.p != NULL ? value : str_from(otherwise);
}

bool argument_number(const struct command_call *c, const char *name, uint32_t *out, struct err *e)
{
    struct str text = argument(c, name, "");
    uint64_t n = 0;
    if (text.n > 0 && (!str_to_u64(text, &n) || n == 0 || n > UINT32_MAX)) {
        return err_set(e, "%s needs a whole number above 0, not '%.*s'", name, STR_ARG(text));
    }
    *out = (uint32_t)n; /* 0: no limit */
    return true;
}

bool argument_time(const char *name, struct str text, int64_t *us, struct err *e)
{
    int64_t span;
    uint64_t n;
    *us = 0;
    if (text.n == 0) {
        return true;
    }
    if (str_to_u64(text, &n) && n > 0 && n < INT32_MAX * UINT64_C(100)) {
        *us = (int64_t)n * SECOND_US;
        return true;
    }
    if (clock_span_parse(text, &span) && span > 0) {
        *us = clock_wall_us() + span;
        return true;
    }
    return err_set(e, "%s needs a time such as 12h or 30d, not '%.*s'", name, STR_ARG(text));
}

/* Written as amounts are: what is wrong with it is that no int64 holds its nano. */
static bool too_large(struct str text)
{
    struct str rest = text, whole = str_cut(&rest, '.');
    int64_t end;

    for (size_t i = 0; i < whole.n; i++) {
        if (whole.p[i] < '0' || whole.p[i] > '9') {
            return false;
        }
    }
    return whole.n > 0 && decimal_parse(str_skip(text, whole.n - 1), 9, &end);
}

bool argument_amount(const char *what, struct str text, int64_t *nano, struct err *e)
{
    if (!decimal_parse(text, 9, nano)) {
        if (too_large(text)) {
            return err_set(e, "%s is larger than the ledger can hold: '%.*s'", what, STR_ARG(text));
        }
        return err_set(e,
                       "%s needs an amount such as 12.50, with nine digits after the point at "
                       "most, not '%.*s'",
                       what, STR_ARG(text));
    }
    return true;
}

bool argument_period(const char *name, struct str text, char *period, struct err *e)
{
    if (!str_eq(text, STR("day")) && !str_eq(text, STR("month"))) {
        return err_set(e, "%s is day or month, not '%.*s'", name, STR_ARG(text));
    }
    *period = text.p[0];
    return true;
}

/* An amount above 0; empty text: none. */
bool argument_budget(struct str text, int64_t *nano, struct err *e)
{
    *nano = 0;
    if (text.n == 0) {
        return true;
    }
    if (!argument_amount("--budget", text, nano, e)) {
        return false;
    }
    return *nano > 0 || err_set(e, "--budget 0 would refuse everything; leave it out for none");
}

#define RATIO_DIGITS 9

bool argument_ratio(const char *what, struct str text, struct ratio *out, struct err *e)
{
    struct str rest = text;
    struct str num = str_cut(&rest, '/');
    bool fraction = num.n < text.n;
    uint64_t n, d;

    *out = (struct ratio){0, NANO_PER_UNIT};
    bool ok = fraction ? str_to_u64(num, &n) && str_to_u64(rest, &d) && n <= RATIO_MAX && d > 0 &&
                             d <= RATIO_MAX
                       : decimal_parse(text, RATIO_DIGITS, &out->num);
    if (ok && fraction) {
        *out = (struct ratio){(int64_t)n, (int64_t)d};
    }
    if (!ok || out->num == 0 || !ratio_reduce(out)) {
        return err_set(e, "%s needs a number above 0 such as 1.05 or 21/20, not '%.*s'", what,
                       STR_ARG(text));
    }
    return true;
}

bool argument_factor(const char *what, struct str text, struct ratio *out, struct err *e)
{
    if (!argument_ratio(what, text, out, e)) {
        return false;
    }
    return ((out->num - 1) / FACTOR_MOST < out->den && (out->den - 1) / FACTOR_MOST < out->num) ||
           err_set(e, "%s is from 1/%d to %d, not '%.*s'", what, FACTOR_MOST, FACTOR_MOST,
                   STR_ARG(text));
}

void warn(struct buf *out, const char *format, ...)
{
    char text[300];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    out->n--; /* the object goes on */
    buf_add(out, STR(",\"warning\":"));
    json_write_str(out, str_slice(text, n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1));
    buf_add_byte(out, '}');
}

bool warn_currency(const struct command_call *c, struct currency cur, struct buf *out,
                   struct err *e)
{
    bool used = false;

    if (!ledger_currency_used(c->ledger, cur, &used, e)) {
        return false;
    }
    if (!used) {
        warn(out, "nothing is sold in %s, and no rate of it is set: it pays for nothing", cur.code);
    }
    return true;
}
