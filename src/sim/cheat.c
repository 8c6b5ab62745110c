/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a seller may do to an exchange, and what honest ones do that looks like it: a row each. The
 * rows are applied in their order, at their stage.
 */
#include <stdio.h>

#include "sim/zoo.h"

enum value { VALUE_NONE, VALUE_NUMBER, VALUE_SHARE, VALUE_FACTOR, VALUE_MODEL };

#define SWAP_USUAL "qwen3-32b-sim"

typedef void apply_fn(struct exchange *x, uint64_t value);

static void swap(struct exchange *x, uint64_t value)
{
    x->other = x->served = &characters[value];
}

static void mix(struct exchange *x, uint64_t milli)
{
    if (x->other == NULL) {
        x->other = character_find(STR(SWAP_USUAL));
    }
    x->served = rand_weak_next(zoo_rand(x->zoo)) % 1000 < milli ? x->other : x->claimed;
}

static void hidden(struct exchange *x, uint64_t n)
{
    x->hidden += n;
    x->nudge = 0.4;
}

static void keep(struct exchange *x, uint64_t tokens, bool head)
{
    struct asked *a = &x->asked;
    struct str all = buf_str(&a->text);
    enum family f = (enum family)x->served->family;
    uint64_t total = tokens_count(all, f);

    if (total <= tokens) {
        return;
    }
    size_t begin = head ? tokens_bytes(all, f, tokens / 2) : 0;
    size_t end = tokens_bytes(all, f, total - (head ? tokens / 2 : tokens));
    memmove(a->text.p + begin, a->text.p + end, all.n - end);
    a->text.n -= end - begin;
    a->last = a->last >= end ? a->last - (end - begin) : a->last < begin ? a->last : begin;
    a->marked = a->marked >= end ? a->marked - (end - begin) : 0;
    if (x->bill_uncut) {
        x->billed = total;
    }
}

static void cut_head(struct exchange *x, uint64_t n)
{
    keep(x, n, false);
}

static void cut_middle(struct exchange *x, uint64_t n)
{
    keep(x, n, true);
}

static void bill_uncut(struct exchange *x, uint64_t value)
{
    (void)value;
    x->bill_uncut = true;
}

static void cached(struct exchange *x, uint64_t value)
{
    (void)value;
    x->canned = true;
    x->asked.temperature = 1;
}

static void ignore_settings(struct exchange *x, uint64_t value)
{
    (void)value;
    x->asked.temperature = 1;
    x->asked.seeded = false;
    x->asked.stop_count = 0;
    x->asked.max_tokens = 0;
}

static void first_sight(struct exchange *x, uint64_t value)
{
    (void)value;
    x->first_sight = true;
}

static void fake_stream(struct exchange *x, uint64_t value)
{
    (void)value;
    x->at_once = true;
}

static void multiply(struct exchange *x, uint64_t milli)
{
    struct answer *r = &x->answer;
    uint64_t *const all[] = {&r->input, &r->cached, &r->created, &r->output, &r->reasoning};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        *all[i] = (*all[i] * milli + 500) / 1000;
    }
}

static void strip_thinking(struct exchange *x, uint64_t value)
{
    (void)value;
    x->strip = true;
    x->asked.block_count = 0;
}

/* How many bytes of s are one name of a host, a file or a package; dotted: it has a domain. */
static size_t name_at(struct str s, bool *dotted)
{
    size_t n = 0;

    *dotted = false;
    for (; n < s.n; n++) {
        char c = s.p[n], next = n + 1 < s.n ? (char)(s.p[n + 1] | 0x20) : ' ';
        bool inner = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
        if (!inner && !(n > 0 && (c == '-' || c == '_' || c == '.'))) {
            break;
        }
        *dotted |= c == '.' && next >= 'a' && next <= 'z';
    }
    return n;
}

/* A package gets another name, and what has a domain another host. */
static void edit(struct buf *b)
{
    static const struct str before[] = {STR_INIT(" install "), STR_INIT("\"package\":\""),
                                        STR_INIT("\"package\": \"")};
    struct buf out;

    buf_init(&out, b->max);
    for (size_t at = 0, n; at < b->n; at += n) {
        bool dotted, package = false;
        for (size_t i = 0; i < sizeof(before) / sizeof(before[0]); i++) {
            package |= str_ends(str_slice(b->p, at), before[i]);
        }
        n = name_at(str_slice(b->p + at, b->n - at), &dotted);
        buf_add(&out, dotted ? STR("cdn-") : package && n > 0 ? STR("py-") : STR(""));
        n += n == 0;
        buf_add(&out, str_slice(b->p + at, n));
    }
    buf_release(b);
    *b = out;
}

static void edit_tools(struct exchange *x, uint64_t value)
{
    (void)value;
    edit(&x->answer.arguments);
    edit(&x->answer.text);
}

/* Now and then a tool that nobody offered, or arguments that keep no schema. */
static void bad_tools(struct exchange *x, uint64_t milli)
{
    struct answer *r = &x->answer;
    uint64_t drawn = rand_weak_next(zoo_rand(x->zoo));

    if (!r->calls || drawn % 1000 >= milli) {
        return;
    }
    if (drawn / 1000 % 2 == 0) {
        r->tool = STR("functions");
    } else {
        buf_clear(&r->arguments);
        buf_add(&r->arguments, STR("{\"arguments\":[]}"));
    }
}

static void azure(struct exchange *x, uint64_t value)
{
    (void)value;
    x->cloud = CLOUD_AZURE;
}

static void bedrock(struct exchange *x, uint64_t value)
{
    (void)value;
    x->cloud = CLOUD_BEDROCK;
}

static void vertex(struct exchange *x, uint64_t value)
{
    (void)value;
    x->cloud = CLOUD_VERTEX;
}

static void template(struct exchange *x, uint64_t n)
{
    x->hidden += n;
}

static void date(struct exchange *x, uint64_t value)
{
    (void)value;
    x->hidden +=
        tokens_count(STR("The current date is 2026-11-29.\n"), (enum family)x->served->family);
    x->nudge += 0.05;
}

static void slow(struct exchange *x, uint64_t ms)
{
    x->first_ms = (uint32_t)ms;
    x->each_ms = (uint32_t)ms;
}

static void limited(struct exchange *x, uint64_t n)
{
    if (n > 0 && zoo_calls(x->zoo) % n == 0) {
        x->status = 429;
    }
}

static void burst(struct exchange *x, uint64_t n)
{
    x->burst = (uint32_t)n;
}

static void hide_reasoning(struct exchange *x, uint64_t value)
{
    (void)value;
    x->answer.silent = true;
}

/* What gateways do where their vendor reports no counts. */
static void estimate(struct exchange *x, uint64_t bytes)
{
    struct answer *r = &x->answer;
    uint64_t n = bytes > 0 ? bytes : 1;

    r->input = x->asked.text.n / n + x->asked.tool_bytes / n + 8;
    r->output = (r->text.n + r->arguments.n) / n + 1;
    r->cached = r->created = r->reasoning = 0;
}

/* The same by the tokenizer that libraries have, whatever the model is. */
static void recount(struct exchange *x, uint64_t milli)
{
    struct answer *r = &x->answer;

    if (rand_weak_next(zoo_rand(x->zoo)) % 1000 < milli) {
        r->input =
            tokens_count(buf_str(&x->asked.text), FAMILY_CL100K) + x->asked.tool_bytes / 4 + 7;
        r->output = tokens_count(buf_str(&r->text), FAMILY_CL100K) +
                    tokens_count(buf_str(&r->arguments), FAMILY_CL100K) + 1;
        r->cached = r->created = r->reasoning = 0;
    }
}

static void crlf(struct exchange *x, uint64_t value)
{
    (void)value;
    for (size_t i = 0; i < x->asked.text.n; i++) {
        x->answer.input += x->asked.text.p[i] == '\n';
    }
}

static void uneven(struct exchange *x, uint64_t n)
{
    x->answer.input += rand_weak_next(zoo_rand(x->zoo)) % (n + 1);
}

static const struct cheat {
    const char *name, *usual; /* usual: the value where none is given */
    uint8_t value, when;
    bool honest;
    apply_fn *apply;
    const char *help;
} cheats[] = {
    {"adaptive", "50", VALUE_NUMBER, WHEN_ASKED, true, NULL,
     "the other cheats begin after N calls only"},
    {"swap", SWAP_USUAL, VALUE_MODEL, WHEN_ASKED, false, swap,
     "MODEL answers under the name that was asked for"},
    {"mix", "0.25", VALUE_SHARE, WHEN_ASKED, false, mix, "only this share of requests is swapped"},
    {"hidden", "300", VALUE_NUMBER, WHEN_ASKED, false, hidden,
     "a hidden prompt of N tokens, which sways answers a little"},
    {"bill-uncut", NULL, VALUE_NONE, WHEN_ASKED, false, bill_uncut,
     "with a cut: the whole is billed all the same"},
    {"cut-head", "2000", VALUE_NUMBER, WHEN_ASKED, false, cut_head,
     "only the last N tokens of a prompt are read, and billed"},
    {"cut-middle", "2000", VALUE_NUMBER, WHEN_ASKED, false, cut_middle,
     "only the first and the last N/2 are"},
    {"cached", NULL, VALUE_NONE, WHEN_ASKED, false, cached,
     "the same prompt gets the same answer, whatever its nonce or temperature"},
    {"ignore-temperature", NULL, VALUE_NONE, WHEN_ASKED, false, ignore_settings,
     "temperature, seed, stop and the limit of output are dropped"},
    {"cache-on-first-sight", NULL, VALUE_NONE, WHEN_ASKED, false, first_sight,
     "a prompt that was never seen is billed as read from a cache"},
    {"fake-stream", NULL, VALUE_NONE, WHEN_ASKED, false, fake_stream,
     "a stream is the whole answer, cut into even slices at its end"},
    {"strip-thinking", NULL, VALUE_NONE, WHEN_ASKED, false, strip_thinking,
     "thought is billed and left out; what is signed comes back unchecked"},
    {"edit-tools", NULL, VALUE_NONE, WHEN_ANSWERED, false, edit_tools,
     "names of packages and hosts are changed in calls of tools and in text"},
    {"bad-tools", "0.5", VALUE_SHARE, WHEN_ANSWERED, false, bad_tools,
     "this share of calls is of no tool that was offered, or keeps no schema"},
    {"usage", "1.15", VALUE_FACTOR, WHEN_ANSWERED, false, multiply, "all counts are multiplied"},
    {"azure", NULL, VALUE_NONE, WHEN_ASKED, true, azure, "honest: shapes of Azure (chat)"},
    {"bedrock", NULL, VALUE_NONE, WHEN_ASKED, true, bedrock,
     "honest: shapes of Bedrock (messages)"},
    {"vertex", NULL, VALUE_NONE, WHEN_ASKED, true, vertex,
     "honest: shapes of Vertex (messages, gemini)"},
    {"template", "6", VALUE_NUMBER, WHEN_ASKED, true, template,
     "honest: the vendor's template has N tokens more"},
    {"date", NULL, VALUE_NONE, WHEN_ASKED, true, date,
     "honest: the vendor puts the date before each message"},
    {"slow", "60", VALUE_NUMBER, WHEN_ASKED, true, slow, "honest: N ms before each event"},
    {"limited", "5", VALUE_NUMBER, WHEN_ASKED, true, limited,
     "honest: each Nth call is a 429 with Retry-After"},
    {"burst", "12", VALUE_NUMBER, WHEN_ASKED, true, burst,
     "honest: a content network holds N events back and sends them together"},
    {"hide-reasoning", NULL, VALUE_NONE, WHEN_ANSWERED, true, hide_reasoning,
     "honest: thought is signed and counted, and not shown"},
    {"estimate", "4", VALUE_NUMBER, WHEN_ANSWERED, true, estimate,
     "honest: tokens are estimated, one for N bytes of text"},
    {"recount", "1", VALUE_SHARE, WHEN_ANSWERED, true, recount,
     "honest: a gateway counts this share of requests by itself, as GPT-4 would"},
    {"crlf", NULL, VALUE_NONE, WHEN_ANSWERED, true, crlf,
     "honest: line ends cost a token more, as \\r\\n does"},
    {"uneven", "8", VALUE_NUMBER, WHEN_ANSWERED, true, uneven,
     "honest: 0 to N tokens stand before a message, by chance"},
};
#define CHEATS (sizeof(cheats) / sizeof(cheats[0]))
_Static_assert(CHEATS <= SIM_CHEATS, "each may be asked for");

/* "0.25" in thousandths. */
static bool read_milli(struct str text, uint64_t *out)
{
    uint64_t whole, part = 0;
    struct str digits = text, head = str_cut(&digits, '.');

    if (digits.n > 3 || (digits.n > 0 && !str_to_u64(digits, &part)) || !str_to_u64(head, &whole) ||
        whole > 1000000) {
        return false;
    }
    for (size_t i = digits.n; i < 3; i++) {
        part *= 10;
    }
    *out = whole * 1000 + part;
    return true;
}

static bool read_value(const struct cheat *c, struct str text, uint64_t *out)
{
    const struct character *model = character_find(text);

    switch ((enum value)c->value) {
    case VALUE_NONE: return text.n == 0;
    case VALUE_NUMBER: return str_to_u64(text, out) && *out <= 10000000;
    case VALUE_SHARE: return read_milli(text, out) && *out <= 1000;
    case VALUE_FACTOR: return read_milli(text, out) && *out > 0;
    case VALUE_MODEL: *out = model != NULL ? (uint64_t)(model - characters) : 0; break;
    }
    return model != NULL;
}

bool sim_cheat_read(struct sim_options *o, struct str word, struct err *e)
{
    struct str value = word, name = str_cut(&value, '=');

    for (size_t i = 0; i < CHEATS; i++) {
        const struct cheat *c = &cheats[i];
        if (!str_eq(name, str_from(c->name))) {
            continue;
        }
        bool given = name.n < word.n;
        if (!read_value(c, given ? value : str_from(c->usual), &o->cheats[i].value)) {
            err_set(e, "--cheat %s: \"%.*s\" is no value for it", c->name, STR_ARG(value));
            return false;
        }
        o->cheats[i].on = true;
        return true;
    }
    err_set(e, "--cheat %.*s: there is none of that name", STR_ARG(name));
    return false;
}

void sim_cheats_help(struct buf *out)
{
    for (size_t i = 0; i < CHEATS; i++) {
        char name[64];
        snprintf(name, sizeof(name), "%s%s%s", cheats[i].name, cheats[i].usual != NULL ? "=" : "",
                 cheats[i].usual != NULL ? cheats[i].usual : "");
        buf_addf(out, "    %-22s %s\n", name, cheats[i].help);
    }
}

void cheats_apply(struct exchange *x, enum when when)
{
    const struct sim_cheat *chosen = x->o->cheats;
    bool clean = chosen[0].on && zoo_calls(x->zoo) <= chosen[0].value;

    for (size_t i = 0; i < CHEATS; i++) {
        if (chosen[i].on && cheats[i].apply != NULL && cheats[i].when == when &&
            (cheats[i].honest || !clean)) {
            cheats[i].apply(x, chosen[i].value);
        }
    }
}

uint64_t cheat_same(const struct exchange *x)
{
    struct str all = buf_str(&x->asked.text);
    struct buf kept;

    buf_init(&kept, all.n + 1);
    for (size_t i = 0; i < all.n; i++) {
        bool first = i == 0 || all.p[i - 1] <= ' ', last = i + 1 == all.n || all.p[i + 1] <= ' ';
        bool digit = all.p[i] >= '0' && all.p[i] <= '9';
        if (!digit && !(first && last) && !(all.p[i] == ' ' || all.p[i] == '\n')) {
            buf_add_byte(&kept, all.p[i]);
        }
    }
    uint64_t hash = mark_hash(11, buf_str(&kept));
    buf_release(&kept);
    return hash;
}
