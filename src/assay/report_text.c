/* SPDX-License-Identifier: Apache-2.0 */
/* The report for a person at a terminal. */
#include "assay/report.h"
#include "base/clock.h"

#define COLUMNS 80

struct text {
    struct buf *out;
    bool colour;
};

/* Columns of a text: East Asian characters take two. */
static unsigned width_at(struct str s, size_t *n)
{
    unsigned char c = (unsigned char)s.p[0];

    *n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    *n = *n > s.n ? s.n : *n;
    return c >= 0xE3 ? 2 : 1;
}

static unsigned width(struct str s)
{
    unsigned columns = 0;

    for (size_t n; s.n > 0; s = str_skip(s, n)) {
        columns += width_at(s, &n);
    }
    return columns;
}

/* A word that is longer than a line is cut; what a terminal would obey is not told it. */
static void add_long(struct text *t, struct str word, unsigned *at, unsigned indent)
{
    for (size_t n; word.n > 0; word = str_skip(word, n)) {
        unsigned w = width_at(word, &n);
        if (*at + w > COLUMNS) {
            buf_addf(t->out, "\n%*s", (int)indent, "");
            *at = indent;
        }
        unsigned char c = (unsigned char)word.p[0];
        bool control = c < 0x20 || c == 0x7F || (c == 0xC2 && n == 2 && (uint8_t)word.p[1] < 0xA0);
        buf_add(t->out, control ? STR("?") : str_slice(word.p, n));
        *at += w;
    }
}

/* Words behind a label, in lines that begin at indent. */
static void paragraph(struct text *t, const char *label, unsigned indent, struct str words)
{
    unsigned at = indent;

    buf_addf(t->out, "  %-*s", (int)indent - 2, label);
    for (bool first = true; words.n > 0; first = false) {
        struct str word = str_cut(&words, ' ');
        if (!first && at + 1 + width(word) > COLUMNS) {
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

static void put_state(struct text *t, enum state s)
{
    static const char *const colours[STATE_COUNT] = {
        [STATE_NOT_TESTED] = "2",  [STATE_NOT_TESTABLE] = "2",    [STATE_INCONCLUSIVE] = "33",
        [STATE_CONSISTENT] = "32", [STATE_INCONSISTENT] = "1;31",
    };

    if (t->colour) {
        buf_addf(t->out, "\033[%sm%-14s\033[0m", colours[s], state_name(s));
    } else {
        buf_addf(t->out, "%-14s", state_name(s));
    }
}

static void put_overview(struct text *t, const struct verdicts *v)
{
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        buf_add(t->out, STR("  "));
        put_state(t, verdicts_state(v, c));
        buf_addf(t->out, "%s\n", claim_meaning(c));
    }
}

static void put_finding(struct text *t, const struct finding *f, bool decisive)
{
    struct buf label;

    buf_init(&label, 64);
    buf_addf(&label, "%s%s%c", f->probe, decisive ? " *" : "", '\0');
    paragraph(t, label.p, 16, f->text);
    if (f->missed.n > 0 && f->state != STATE_INCONSISTENT) {
        paragraph(t, "  would miss", 16, f->missed);
    }
    if (f->benign.n > 0 && f->state != STATE_CONSISTENT) {
        paragraph(t, "  may also be", 16, f->benign);
    }
    buf_release(&label);
}

/* What decides comes first. */
static void put_claim(struct text *t, const struct verdicts *v, enum claim c)
{
    const struct finding *decisive = verdicts_decisive(v, c);
    bool any = decisive != NULL;

    for (size_t i = 0; i < v->count; i++) {
        any = any || v->findings[i].claim == c;
    }
    if (!any) {
        return;
    }
    buf_addf(t->out, "\n%s: %s\n", claim_meaning(c), state_name(verdicts_state(v, c)));
    if (decisive != NULL) {
        put_finding(t, decisive, true);
    }
    for (size_t i = 0; i < v->count; i++) {
        const struct finding *f = &v->findings[i];
        if (f->claim == c && f != decisive) {
            put_finding(t, f, false);
        }
    }
}

static void put_side(struct text *t, const char *label, const struct evidence_side *s)
{
    struct buf words;

    buf_init(&words, 8192);
    buf_cat(&words, s->model, STR(" at "), s->url);
    paragraph(t, label, 16, buf_str(&words));
    buf_release(&words);
}

static void put_head(struct text *t, const struct evidence *e)
{
    struct buf words;

    buf_init(&words, 4096);
    buf_add(t->out, STR("Assay\n"));
    put_side(t, "of", &e->head.target);
    if (e->head.reference.url.n > 0) {
        put_side(t, "against", &e->head.reference);
    }
    clock_write_utc(&words, (int64_t)e->head.started_us);
    buf_addf(&words, ", profile %.*s, seed %llu", STR_ARG(e->head.profile),
             (unsigned long long)e->head.seed);
    paragraph(t, "when", 16, buf_str(&words));
    buf_clear(&words);
    buf_addf(&words, "%zu calls (%llu were planned); %.*s", e->count,
             (unsigned long long)e->head.planned,
             STR_ARG(e->end.n > 0 ? e->end : STR("it broke off")));
    paragraph(t, "calls", 16, buf_str(&words));
    buf_add_byte(t->out, '\n');
    buf_release(&words);
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
    paragraph(t, "", 2, str_from(report_verdict(verdicts_status(v))));
}

void report_text(struct buf *out, const struct evidence *e, const struct verdicts *v, bool colour)
{
    struct text t = {out, colour};

    put_head(&t, e);
    put_overview(&t, v);
    put_verdict(&t, v);
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        put_claim(&t, v, c);
    }
    buf_add(out, STR("\n(* decides its claim. Findings by folk tests weigh nothing.)\n"));
}
