/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/text.h"

#include "base/clock.h"
#include "json/json.h"

/* Bytes of the UTF-8 sequence at p and its code point; 0 where it is none. */
static size_t decode(const char *p, size_t n, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)p[0];
    size_t length = first < 0x80 ? 1 : first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;

    if (length == 0 || length > n || first > 0xF4)
        return 0;
    *code = length == 1 ? first : first & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if (((uint8_t)p[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | ((uint8_t)p[i] & 0x3F);
    }
    if (*code < least[length] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
        return 0;
    return length;
}

bool text_is_printable(struct str s)
{
    uint32_t code;

    for (size_t i = 0, n; i < s.n; i += n) {
        n = decode(s.p + i, s.n - i, &code);
        if (n == 0 || code < 0x20 || (code >= 0x7F && code < 0xA0))
            return false;
    }
    return true;
}

/* Blanks other than the usual one, what joins or fills without being seen, and what sets the
 * direction of writing (Unicode: Zs, Zl, Zp, Cf, Default_Ignorable). */
static const struct {
    uint32_t from, to;
} unseen[] = {{0xA0, 0xA0},     {0xAD, 0xAD},      {0x34F, 0x34F},   {0x61C, 0x61C},
              {0x115F, 0x1160}, {0x1680, 0x1680},  {0x17B4, 0x17B5}, {0x180B, 0x180F},
              {0x2000, 0x200F}, {0x2028, 0x202F},  {0x205F, 0x206F}, {0x3000, 0x3000},
              {0x3164, 0x3164}, {0xFE00, 0xFE0F},  {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
              {0xFFF0, 0xFFFB}, {0xE0000, 0xE0FFF}};

bool text_is_name(struct str s)
{
    uint32_t code;

    for (size_t i = 0, n; i < s.n; i += n) {
        n = decode(s.p + i, s.n - i, &code);
        if (n == 0)
            return false;
        for (size_t k = 0; k < sizeof unseen / sizeof unseen[0]; k++)
            if (code >= unseen[k].from && code <= unseen[k].to)
                return false;
    }
    return text_is_printable(s);
}

void text_string(struct buf *out, struct str s)
{
    json_write_str(out, s);
}

void text_money(struct buf *out, int64_t nano)
{
    buf_add_byte(out, '"');
    decimal_write(out, nano, 9);
    buf_add_byte(out, '"');
}

void text_time(struct buf *out, int64_t wall_us)
{
    if (wall_us == 0) {
        buf_add(out, STR("null"));
        return;
    }
    buf_add_byte(out, '"');
    clock_write_utc(out, wall_us);
    buf_add_byte(out, '"');
}

const char *text_usage_state(int64_t state)
{
    static const char *const states[] = {"ok", "inconsistent", "missing"};

    return state >= 0 && state < 3 ? states[state] : "unknown";
}

void text_rate(struct buf *out, const struct rate *r, struct str source)
{
    buf_addf(out, "{\"rate\":%lld,\"base\":\"%s\",\"quote\":\"%s\",\"num\":%lld,\"den\":%lld",
             (long long)r->id, r->base.code, r->quote.code, (long long)r->ratio.num,
             (long long)r->ratio.den);
    buf_add(out, STR(",\"from\":"));
    text_time(out, r->from_us);
    buf_add(out, STR(",\"source\":"));
    text_string(out, source);
    buf_add(out, STR("}"));
}

static void text_budget(struct buf *out, const struct budget *b)
{
    int64_t limit = atomic_load(&b->limit);

    buf_add(out, STR(",\"budget\":"));
    if (limit == 0)
        buf_add(out, STR("null"));
    else
        text_money(out, limit);
    buf_addf(out, ",\"budget_period\":\"%s\"", atomic_load(&b->period) == 'm' ? "month" : "day");
}

/* What an account has and its further balances have not. */
static void text_terms(struct buf *out, const struct account *a)
{
    const struct factor *f = atomic_load(&a->factor);
    const char *group = atomic_load(&a->group);

    text_budget(out, &a->budget);
    if (group != NULL) {
        buf_add(out, STR(",\"group\":"));
        text_string(out, str_from(group));
    }
    if (f != NULL)
        buf_addf(out, ",\"factor\":{\"num\":%lld,\"den\":%lld}", (long long)f->ratio.num,
                 (long long)f->ratio.den);
    if (a->kind == ACCOUNT_HOUSE && a->limited) {
        buf_add(out, STR(",\"credit_limit\":"));
        text_money(out, atomic_load(&a->credit_limit));
    }
}

void text_account(struct buf *out, const struct account *a, int64_t balance)
{
    buf_add(out, STR("{\"account\":"));
    text_string(out, str_from(a->name));
    buf_addf(out, ",\"kind\":\"%s\",\"currency\":\"%s\",\"balance\":",
             a->kind == ACCOUNT_HOUSE ? "house" : "customer", a->currency.code);
    text_money(out, balance);
    buf_add(out, STR(",\"held\":"));
    text_money(out, atomic_load(&a->held));
    if (a->owner != a) {
        buf_add(out, STR(",\"of\":"));
        text_string(out, str_from(a->owner->name));
    } else {
        text_terms(out, a);
    }
    buf_add(out, STR("}"));
}

void text_key(struct buf *out, const struct key *k, struct str raw)
{
    buf_addf(out, "{\"id\":\"%lld\",\"account\":", (long long)k->id);
    text_string(out, str_from(k->account->name));
    if (raw.n > 0) {
        buf_add(out, STR(",\"key\":"));
        text_string(out, raw);
    }
    buf_add(out, STR(",\"label\":"));
    text_string(out, str_from(k->label));
    buf_add(out, STR(",\"models\":"));
    text_string(out, str_from(k->models));
    buf_add(out, STR(",\"expires\":"));
    text_time(out, atomic_load(&k->expires_us));
    buf_addf(out, ",\"rpm\":%u,\"concurrency\":%u", k->rpm, k->concurrency);
    text_budget(out, &k->budget);
    buf_addf(out, ",\"revoked\":%s}", atomic_load(&k->revoked) ? "true" : "false");
}
