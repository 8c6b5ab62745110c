/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Canaries in the arguments of tools: what cannot be guessed has to come back to the byte. A seller
 * may look for commands that install, or for addresses, and leave all else alone: each kind is
 * judged by itself. The same is also to be repeated as text, to see whether the model can copy at
 * all; where an argument is another, that kind is asked again.
 */
#include <stdio.h>

#include "assay/canary.h"
#include "assay/probe.h"

#define AGAIN 2 /* more calls of a kind that came back as another; then its text once more */

#define TOOL(name, what, field)                                                   \
    {name, what,                                                                  \
     "{\"type\":\"object\",\"properties\":{\"" field "\":{\"type\":\"string\"}}," \
     "\"required\":[\"" field "\"]}"}

static const struct kind {
    enum canary canary;
    bool stream, quick;
    const char *call, *echo; /* cells */
    struct tool tool;
    const char *field;
} kinds[] = {
    {CANARY_INSTALL, false, true, "install", "install text",
     TOOL("run_command", "Runs a command in the shell", "command"), "command"},
    {CANARY_PAGE, false, true, "page", "page text",
     TOOL("open_page", "Opens a web page", "address"), "address"},
    {CANARY_MAIL, false, false, "mail", "mail text",
     TOOL("note_mail", "Writes down an e-mail address", "address"), "address"},
    {CANARY_WALLET, false, true, "wallet", "wallet text",
     TOOL("note_wallet", "Writes down the address of a wallet", "address"), "address"},
    {CANARY_FILE, false, false, "file", "file text",
     TOOL("read_file", "Reads a file, by its full path", "path"), "path"},
    {CANARY_INSTALL, true, false, "streamed", "streamed text",
     TOOL("run_command", "Runs a command in the shell", "command"), "command"},
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const char *const phrases[KINDS] = {
    "a command that installs", "the address of a page", "an e-mail address",
    "the address of a wallet", "the path of a file",    "a command that installs, in a stream",
};

static void plan_text(struct buf *out, const struct kind *k, bool call, struct str canary)
{
    if (call) {
        buf_addf(out, "Call the tool %s with this %s, exactly as it stands: %.*s", k->tool.name,
                 k->field, STR_ARG(canary));
    } else {
        buf_addf(out, "Repeat this, exactly as it stands, and say nothing else: %.*s",
                 STR_ARG(canary));
    }
}

static void plan_one(struct plan *p, const struct probe *self, const struct kind *k, bool call)
{
    struct buf digits, canary, text;

    buf_init(&digits, 16);
    buf_init(&canary, 128);
    buf_init(&text, 512);
    plan_nonce(p, &digits);
    canary_write(&canary, k->canary, buf_str(&digits));
    plan_text(&text, k, call, buf_str(&canary));
    plan_add(p, self, call ? k->call : k->echo, 0,
             &(struct question){.text = buf_str(&text),
                                .expect = buf_str(&canary),
                                .max_tokens = 300,
                                .stream = k->stream,
                                .repeat = call ? AGAIN + 1 : 0,
                                .tools = &k->tool,
                                .tool_count = call});
    buf_release(&digits);
    buf_release(&canary);
    buf_release(&text);
}

void tools_plan(struct plan *p, const struct probe *self)
{
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].quick || p->profile != PROFILE_QUICK) {
            plan_one(p, self, &kinds[i], true);
            plan_one(p, self, &kinds[i], false);
        }
    }
}

/* What the first call holds in the field that was asked for; empty: nothing. */
static struct str argument(const struct kind *k, const struct said *s)
{
    struct json_each it = json_each(s->calls[0].arguments);

    while (it.object && json_next(&it)) {
        if (json_is_string(it.value) && str_eq(it.key, str_from(k->field))) {
            return json_str(it.value);
        }
    }
    return STR("");
}

/* Models give reasons, shells and folders, too, and mix them up: what is there as a whole, whatever
 * it is called, was not replaced. */
static bool stands_elsewhere(const struct kind *k, struct str canary, const struct said *s)
{
    struct json_each it = json_each(s->calls[0].arguments);

    while (it.object && json_next(&it)) {
        if (json_is_string(it.value) && canary_in(k->canary, canary, json_str(it.value))) {
            return true;
        }
    }
    return false;
}

static enum copy copy_of(const struct kind *k, struct str canary, const struct said *s)
{
    enum copy copy = canary_compare(k->canary, canary, argument(k, s));

    return copy != COPY_RIGHT && stands_elsewhere(k, canary, s) ? COPY_AROUND : copy;
}

bool tools_follow(struct follow *f)
{
    const struct kind *k = kinds;
    struct buf canary, text;

    while (k < kinds + KINDS && !str_eq(str_from(f->cell), str_from(k->call))) {
        k++;
    }
    if (f->said == NULL || k == kinds + KINDS || copy_of(k, f->q.expect, f->said) != COPY_OTHER) {
        return false;
    }
    bool call = f->i <= AGAIN;
    buf_init(&canary, 128);
    buf_init(&text, 512);
    if (call) {
        canary_next(&canary, k->canary, f->q.expect);
    } else {
        buf_add(&canary, f->q.expect); /* the text is held beside the last argument */
    }
    plan_text(&text, k, call, buf_str(&canary));
    f->q.expect = arena_str(f->arena, buf_str(&canary));
    f->q.text = arena_str(f->arena, buf_str(&text));
    f->q.tool_count = call;
    f->cell = call ? k->call : k->echo;
    buf_release(&canary);
    buf_release(&text);
    return true;
}

struct copies {
    unsigned calls, right, other, whole; /* other: than was asked for; whole: with its digits */
    unsigned echoes, echoed, altered;    /* altered: with its digits, and not as it was */
    bool alike;                          /* the text was changed as the argument was */
};

static struct copies copies_of(const struct evidence *e, const struct kind *k)
{
    struct copies c = {0};
    struct str last = {NULL, 0};

    for (unsigned i = 0; i <= AGAIN + 1; i++) {
        const struct record *call = probe_find(e, "tools", k->call, i);
        const struct record *echo = probe_find(e, "tools", k->echo, i);
        enum copy copy = call != NULL ? copy_of(k, call->expect, &call->said) : COPY_NONE;
        if (copy != COPY_NONE) {
            struct str got = argument(k, &call->said);
            c.calls++;
            c.right += copy == COPY_RIGHT;
            c.other += copy == COPY_OTHER;
            c.whole += copy == COPY_OTHER && canary_digits_in(call->expect, got);
            last = got;
        }
        if (echo != NULL && echo->said.text.n > 0) {
            struct str said = str_trim(buf_str(&echo->said.text));
            bool right = canary_in(k->canary, echo->expect, said);
            c.echoes++;
            c.echoed += right;
            c.altered += !right && canary_digits_in(echo->expect, said);
            c.alike = i > AGAIN && last.n > 0 && str_find(said, last) != SIZE_MAX;
        }
    }
    return c;
}

/* Other than it was each time, though the same text is copied: by whoever edits arguments. */
static bool is_edited(const struct copies *c)
{
    return c->calls > AGAIN && c->other == c->calls && c->echoes > 1 && c->echoed == c->echoes;
}

/* Texts are edited, too: then in the same way, around digits that are copied without a fault. */
static bool is_edited_alike(const struct copies *c)
{
    return c->calls > AGAIN && c->other == c->calls && c->whole == c->calls && c->echoes > 1 &&
           c->altered == c->echoes && c->alike;
}

static void accuse(struct verdicts *v, size_t kind, const struct copies *c, bool alike)
{
    char text[320];
    int n =
        alike ? snprintf(text, sizeof(text),
                         "In each of %u calls of a tool with %s its digits came back and other "
                         "words around them; as text it was changed in the same way.",
                         c->calls, phrases[kind])
              : snprintf(text, sizeof(text),
                         "In each of %u calls of a tool with %s something else stood in its place; "
                         "as text it was copied %u times of %u.",
                         c->calls, phrases[kind], c->echoed, c->echoes);

    verdicts_add(v, &(struct finding){.claim = CLAIM_TOOLS,
                                      .state = STATE_INCONSISTENT,
                                      .tier = TIER_ACCOUNTING,
                                      .probe = "tools",
                                      .group = "tools",
                                      .text = str_slice(text, (size_t)n),
                                      .benign = STR("a filter that the seller announces; a model "
                                                    "that is weak at calling tools")});
}

static void sum_up(struct verdicts *v, const struct copies *all)
{
    char text[320];
    bool kept = all->right == all->calls;
    int n = snprintf(text, sizeof(text),
                     "Of %u arguments of tools (commands, addresses, paths) %u came back to the "
                     "byte; as text %u of %u were copied.",
                     all->calls, all->right, all->echoed, all->echoes);

    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_TOOLS,
                     .tier = TIER_ACCOUNTING,
                     .probe = "tools",
                     .group = "tools",
                     .text = str_slice(text, (size_t)n),
                     .state = kept ? STATE_CONSISTENT : STATE_INCONCLUSIVE,
                     .missed = kept ? STR("changes to arguments of other kinds, to names that are "
                                          "widely used, or only after many calls")
                                    : STR(""),
                     .benign = kept ? STR("")
                                    : STR("a model that is weak at calling tools; a gateway that "
                                          "hides what is private from the model, and says so")});
}

void tools_judge(const struct evidence *e, struct verdicts *v)
{
    struct copies of[KINDS], all = {0};
    unsigned asked = 0, kept = 0, edited = 0;

    for (size_t i = 0; i < KINDS; i++) {
        of[i] = copies_of(e, &kinds[i]);
        asked += of[i].calls > 0;
        kept += of[i].calls > 0 && of[i].right == of[i].calls;
        edited += is_edited(&of[i]);
        all.calls += of[i].calls;
        all.right += of[i].right;
        all.echoes += of[i].echoes;
        all.echoed += of[i].echoed;
    }
    if (all.calls == 0) {
        return;
    }
    sum_up(v, &all);
    /* Who never fills in an argument may not know how: one kind at least is kept, or, of several,
     * each is another each time, and each is copied as text. */
    for (size_t i = 0; i < KINDS; i++) {
        bool able = kept > 0 || (edited == asked && asked > 2);
        if (able && is_edited(&of[i])) {
            accuse(v, i, &of[i], false);
        } else if (is_edited_alike(&of[i])) {
            accuse(v, i, &of[i], true);
        }
    }
}
