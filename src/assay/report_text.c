/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a person at a terminal. */
#include "assay/report.h"
#include "base/clock.h"
#include "base/utf8.h"

#define COLUMNS 80

struct text {
    struct buf *out;
    enum lang lang;
    bool colour;
};

/* Columns of a text: East Asian characters take two. */
static unsigned width_at(struct str s, size_t *n)
{
    uint32_t code = 0;

    *n = utf8_next(s, &code);
    *n = *n == 0 ? 1 : *n;
    return code >= 0x3000 ? 2 : 1;
}

static unsigned width(struct str s)
{
    unsigned columns = 0;

    for (size_t n; s.n > 0; s = str_skip(s, n)) {
        columns += width_at(s, &n);
    }
    return columns;
}

static bool is_unsafe(struct str one)
{
    uint32_t code = 0;

    return utf8_next(one, &code) == 0 || utf8_obeyed(code);
}

/* What no Chinese line begins with. */
static bool closes(struct str s)
{
    static const char *const marks[] = {"，", "。", "；", "：", "）", "、", "”"};

    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (str_starts(s, str_from(marks[i]))) {
            return true;
        }
    }
    return false;
}

/* Words of the reader's language. To be released. */
static struct buf in_words(const struct text *t, struct str english)
{
    struct buf words;

    buf_init(&words, t->out->max);
    words_say(&words, t->lang, english);
    return words;
}

static void put_words(struct text *t, const char *english, unsigned columns)
{
    struct buf words = in_words(t, str_from(english));
    unsigned n = width(buf_str(&words));

    buf_add(t->out, buf_str(&words));
    buf_addf(t->out, "%*s", n < columns ? (int)(columns - n) : 0, "");
    buf_release(&words);
}

/* A word that is longer than a line is cut; what a terminal would obey is not told it. */
static void add_long(struct text *t, struct str word, unsigned *at, unsigned indent)
{
    for (size_t n; word.n > 0; word = str_skip(word, n)) {
        unsigned w = width_at(word, &n);
        bool stays = w == 2 && closes(word) && *at + w <= COLUMNS;
        bool followed = w == 1 && word.n > n && closes(str_skip(word, n));
        if (*at + w > ((w == 2 && !stays) || followed ? COLUMNS - 2 : COLUMNS)) {
            buf_addf(t->out, "\n%*s", (int)indent, "");
            *at = indent;
        }
        buf_add(t->out, is_unsafe(str_slice(word.p, n)) ? STR("?") : str_slice(word.p, n));
        *at += w;
    }
}

/* Columns of what of a word stays together: up to the first East Asian character, two of those. */
static unsigned least(struct str word)
{
    unsigned columns = 0;

    for (size_t n; word.n > 0; word = str_skip(word, n)) {
        unsigned w = width_at(word, &n);
        if (w == 2 && !closes(word)) {
            return columns > 0 ? columns : 4;
        }
        columns += w;
    }
    return columns;
}

/* Words behind a label, in lines that begin at indent. */
static void paragraph(struct text *t, struct str label, unsigned indent, struct str words)
{
    unsigned at = indent;
    unsigned n = width(label);
    buf_cat(t->out, STR("  "), label);
    buf_addf(t->out, "%*s", n + 2 < indent ? (int)(indent - 2 - n) : 0, "");
    for (bool first = true; words.n > 0; first = false) {
        struct str word = str_cut(&words, ' ');
        if (!first && at + 1 + least(word) > COLUMNS) {
            buf_addf(t->out, "\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            buf_add_byte(t->out, ' ');
            at++;
        }
        add_long(t, word, &at, indent);
    }
    buf_add_byte(t->out, '\n');
}

/* The same in the reader's language; the label behind so many blanks. */
static void say(struct text *t, unsigned deeper, const char *label, unsigned indent,
                struct str english)
{
    struct buf words = in_words(t, english), name = in_words(t, str_from(label)), all;

    buf_init(&all, 1024);
    buf_addf(&all, "%*s", (int)deeper, "");
    buf_add(&all, buf_str(&name));
    paragraph(t, buf_str(&all), indent, buf_str(&words));
    buf_release(&words);
    buf_release(&name);
    buf_release(&all);
}

static void put_state(struct text *t, enum state s)
{
    static const char *const colours[STATE_COUNT] = {
        [STATE_NOT_TESTED] = "2",  [STATE_NOT_TESTABLE] = "2",    [STATE_INCONCLUSIVE] = "33",
        [STATE_CONSISTENT] = "32", [STATE_INCONSISTENT] = "1;31",
    };

    if (t->colour) {
        buf_addf(t->out, "\033[%sm", colours[s]);
    }
    put_words(t, state_name(s), 14);
    if (t->colour) {
        buf_add(t->out, STR("\033[0m"));
    }
}

static void put_overview(struct text *t, const struct verdicts *v)
{
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        buf_add(t->out, STR("  "));
        put_state(t, verdicts_state(v, c));
        put_words(t, claim_meaning(c), 0);
        buf_add_byte(t->out, '\n');
    }
}

static void put_finding(struct text *t, const struct finding *f, bool decisive)
{
    struct buf label, words = in_words(t, f->text);
    bool folk = str_eq(str_from(f->probe), STR("folk"));
    struct buf name = in_words(t, str_from(folk ? f->group : f->probe));

    buf_init(&label, 64);
    buf_cat(&label, buf_str(&name), decisive ? STR(" *") : STR(""));
    paragraph(t, buf_str(&label), 16, buf_str(&words));
    if (f->missed.n > 0 && f->state != STATE_INCONSISTENT) {
        say(t, 2, finding_folk(f) ? "worth" : "would miss", 16, f->missed);
    }
    if (f->benign.n > 0 && f->state != STATE_CONSISTENT) {
        say(t, 2, "may also be", 16, f->benign);
    }
    buf_release(&label);
    buf_release(&name);
    buf_release(&words);
}

/* What weighs nothing stands by itself, by the names that people know. */
static void put_folk(struct text *t, const struct verdicts *v)
{
    bool any = false;

    for (size_t i = 0; i < v->count; i++) {
        if (finding_folk(&v->findings[i])) {
            if (!any) {
                buf_add_byte(t->out, '\n');
                put_words(t, report_folk_title, 0);
                buf_add_byte(t->out, '\n');
                say(t, 0, "", 2, str_from(report_folk_words));
            }
            any = true;
            put_finding(t, &v->findings[i], false);
        }
    }
}

/* What decides comes first. */
static void put_claim(struct text *t, const struct verdicts *v, enum claim c)
{
    const struct finding *decisive = verdicts_decisive(v, c);

    if (!report_has(v, c)) {
        return;
    }
    buf_add_byte(t->out, '\n');
    put_words(t, claim_meaning(c), 0);
    put_words(t, ": ", 0);
    put_words(t, state_name(verdicts_state(v, c)), 0);
    buf_add_byte(t->out, '\n');
    if (decisive != NULL) {
        put_finding(t, decisive, true);
    }
    for (size_t i = 0; i < v->count; i++) {
        const struct finding *f = &v->findings[i];
        if (f->claim == c && f != decisive && !finding_folk(f)) {
            put_finding(t, f, false);
        }
    }
}

static void put_side(struct text *t, const char *label, const struct evidence_side *s)
{
    struct buf words, name = in_words(t, str_from(label));

    buf_init(&words, 8192);
    buf_cat(&words, s->model, t->lang == LANG_ZH ? STR(" — ") : STR(" at "), s->url);
    paragraph(t, buf_str(&name), 16, buf_str(&words));
    buf_release(&words);
    buf_release(&name);
}

void report_calls(struct buf *out, const struct evidence *e)
{
    buf_addf(out, "%zu calls (at most %llu were planned); %.*s", e->count,
             (unsigned long long)e->head.planned,
             STR_ARG(e->end.n > 0 ? e->end : STR("it broke off")));
}

void report_bill(struct buf *out, const struct evidence *e)
{
    uint64_t input = 0, output = 0;

    for (size_t i = 0; i < e->count; i++) {
        if (e->records[i].answered) {
            input += usage_input(&e->records[i].said.usage);
            output += usage_output(&e->records[i].said.usage);
        }
    }
    double cost =
        (double)input * (double)e->head.input_pico + (double)output * (double)e->head.output_pico;
    if (e->head.currency.n > 0) {
        buf_addf(out,
                 "%llu tokens of input and %llu of output are billed: %.4f %.*s at the list price",
                 (unsigned long long)input, (unsigned long long)output, cost / 1e12,
                 STR_ARG(e->head.currency));
    } else {
        buf_addf(out, "%llu tokens of input and %llu of output are billed",
                 (unsigned long long)input, (unsigned long long)output);
    }
}

static void put_head(struct text *t, const struct evidence *e)
{
    struct buf words;

    buf_init(&words, 4096);
    put_words(t, "Assay", 0);
    buf_add_byte(t->out, '\n');
    put_side(t, "of", &e->head.target);
    if (e->head.reference.url.n > 0) {
        put_side(t, "against", &e->head.reference);
    }
    clock_write_utc(&words, (int64_t)e->head.started_us);
    buf_addf(&words, ", profile %.*s, seed %llu", STR_ARG(e->head.profile),
             (unsigned long long)e->head.seed);
    say(t, 0, "when", 16, buf_str(&words));
    if (e->head.only.n > 0) {
        say(t, 0, "only", 16, e->head.only);
    }
    buf_clear(&words);
    report_calls(&words, e);
    say(t, 0, "calls", 16, buf_str(&words));
    buf_clear(&words);
    report_bill(&words, e);
    say(t, 0, "bill", 16, buf_str(&words));
    buf_add_byte(t->out, '\n');
    buf_release(&words);
}

const char report_folk_title[] = "What people usually ask";
const char report_folk_words[] =
    "Asked as people ask it, and shown for whoever knows these tests. None of them tells a true "
    "model from a false one; the profiles quick and standard have those that do.";

bool report_has(const struct verdicts *v, enum claim c)
{
    bool any = false;

    for (size_t i = 0; i < v->count; i++) {
        any = any || (v->findings[i].claim == c && !finding_folk(&v->findings[i]));
    }
    return any;
}

const char *report_verdict(int status)
{
    switch (status) {
    case 0:
        return "Nothing that was tested contradicts what is sold. What each test would not have "
               "noticed stands with it.";
    case 3:
        return "Something contradicts what is sold. Read what else may explain it before you speak "
               "of it to anybody, and ask the seller.";
    default: return "Nothing could be decided with these calls.";
    }
}

static void put_verdict(struct text *t, const struct verdicts *v)
{
    buf_add_byte(t->out, '\n');
    say(t, 0, "", 2, str_from(report_verdict(verdicts_status(v))));
}

void report_text(struct buf *out, const struct evidence *e, const struct verdicts *v,
                 enum lang lang, bool colour)
{
    struct text t = {out, lang, colour};

    put_head(&t, e);
    put_overview(&t, v);
    put_verdict(&t, v);
    bool folk = str_eq(e->head.profile, STR("folk")); /* then they are what was asked for */
    if (folk) {
        put_folk(&t, v);
    }
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        put_claim(&t, v, c);
    }
    if (!folk) {
        put_folk(&t, v);
    }
    buf_add_byte(out, '\n');
    say(&t, 0, "", 2, STR("What has an asterisk decides its claim. Folk tests weigh nothing."));
}
