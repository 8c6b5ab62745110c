/* SPDX-License-Identifier: Apache-2.0 */
/* The report as one file for a browser: nothing is loaded, nothing runs. */
#include "assay/page.h"
#include "assay/report.h"
#include "base/clock.h"

static void put_state(struct page *p, enum state s)
{
    static const char *const marks[STATE_COUNT] = {
        [STATE_NOT_TESTED] = "–", [STATE_NOT_TESTABLE] = "–", [STATE_INCONCLUSIVE] = "?",
        [STATE_CONSISTENT] = "✓", [STATE_INCONSISTENT] = "✗",
    };

    buf_addf(p->out, "<span class=\"s s%u\">%s ", (unsigned)s, marks[s]);
    page_say(p, state_name(s));
    page_raw(p, "</span>");
}

static void put_side(struct page *p, const char *label, const struct evidence_side *s)
{
    page_raw(p, "<dt>");
    page_say(p, label);
    page_raw(p, "</dt><dd><b>");
    page_text(p, s->model);
    page_raw(p, "</b> ");
    page_text(p, s->url);
    page_raw(p, "</dd>\n");
}

static void put_row(struct page *p, const char *label, struct str value)
{
    page_raw(p, "<dt>");
    page_say(p, label);
    page_raw(p, "</dt><dd>");
    page_text(p, value);
    page_raw(p, "</dd>\n");
}

static void put_head(struct page *p)
{
    const struct evidence_head *h = &p->e->head;
    struct buf words, calls;

    buf_init(&words, 256);
    buf_init(&calls, p->out->max);
    clock_write_utc(&words, (int64_t)h->started_us);
    page_raw(p, "<h1>");
    page_say(p, "Assay");
    page_raw(p, "</h1>\n<dl>\n");
    put_side(p, "of", &h->target);
    if (h->reference.url.n > 0) {
        put_side(p, "against", &h->reference);
    }
    put_row(p, "when", buf_str(&words));
    put_row(p, "profile", h->profile);
    if (h->only.n > 0) {
        put_row(p, "only", h->only);
    }
    page_raw(p, "<dt>");
    page_say(p, "calls");
    page_raw(p, "</dt><dd>");
    report_calls(&calls, p->e);
    page_say_str(p, buf_str(&calls));
    page_raw(p, "</dd>\n<dt>");
    page_say(p, "bill");
    page_raw(p, "</dt><dd>");
    buf_clear(&calls);
    report_bill(&calls, p->e);
    page_say_str(p, buf_str(&calls));
    buf_clear(&words);
    buf_add_u64(&words, h->seed);
    page_raw(p, "</dd>\n");
    put_row(p, "seed", buf_str(&words));
    put_row(p, "evidence (SHA-256)", str_from(p->e->sha256));
    page_raw(p, "</dl>\n");
    buf_release(&words);
    buf_release(&calls);
}

static void put_overview(struct page *p)
{
    int status = verdicts_status(p->v);

    buf_addf(p->out, "<p class=\"sum x%d\">", status);
    page_say(p, report_verdict(status));
    page_raw(p, "</p>\n<table>\n");
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        bool more = report_has(p->v, c);
        page_raw(p, "<tr><td>");
        put_state(p, verdicts_state(p->v, c));
        page_raw(p, "</td><td>");
        if (more) {
            buf_addf(p->out, "<a href=\"#%s\">", claim_name(c));
        }
        page_say(p, claim_meaning(c));
        page_raw(p, more ? "</a></td></tr>\n" : "</td></tr>\n");
    }
    page_raw(p, "</table>\n");
}

static void put_more(struct page *p, const char *label, struct str words)
{
    if (words.n > 0) {
        page_raw(p, "<p class=\"more\"><b>");
        page_say(p, label);
        page_say(p, ": ");
        page_raw(p, "</b>");
        page_say_str(p, words);
        page_raw(p, "</p>\n");
    }
}

/* The strength of a finding, in words. */
static const char *const tiers[] = {
    [TIER_ISSUER] = "the vendor itself accepts or refuses what came back",
    [TIER_ACCOUNTING] = "exact arithmetic on what is billed",
    [TIER_LIVE] = "statistics against a live reference",
    [TIER_SNAPSHOT] = "statistics against something recorded earlier: accuses nobody",
    [TIER_SHAPE] = "how answers look: accuses nobody",
    [TIER_CONTEXT] = "what people ask, or a model says of itself: weighs nothing",
};

static void put_numbers(struct page *p, const struct finding *f)
{
    if (f->numbers.n == 0 && !f->has_p) {
        return;
    }
    page_raw(p, "<details><summary>");
    page_say(p, "Numbers");
    page_raw(p, "</summary><code>");
    if (f->has_p) {
        buf_addf(p->out, "p = %.6g, p_adjusted = %.6g ", f->p, f->p_adjusted);
    }
    page_text(p, f->numbers);
    page_raw(p, "</code></details>\n");
}

static void put_finding(struct page *p, const struct finding *f, bool decisive)
{
    page_raw(p, decisive ? "<article class=\"first\"><p>" : "<article><p>");
    bool folk = finding_folk(f);
    if (!folk) {
        put_state(p, f->state);
        page_raw(p, " · ");
    }
    page_raw(p, "<code>");
    page_say(p, folk ? f->group : f->probe);
    page_raw(p, "</code> <span class=\"more\">");
    page_say(p, tiers[f->tier]);
    page_raw(p, "</span></p>\n<p>");
    page_say_str(p, f->text);
    page_raw(p, "</p>\n");
    if (f->state != STATE_INCONSISTENT) {
        put_more(p, folk ? "worth" : "would miss", f->missed);
    }
    if (f->state != STATE_CONSISTENT) {
        put_more(p, "may also be", f->benign);
    }
    put_numbers(p, f);
    page_raw(p, "</article>\n");
}

static void put_figures(struct page *p, enum claim c)
{
    switch (c) {
    case CLAIM_IDENTITY: figure_answers(p); break;
    case CLAIM_INPUT_BILLING: figure_slope(p); break;
    case CLAIM_CACHE_BILLING: figure_cache(p); break;
    case CLAIM_STREAMING: figure_stream(p); break;
    default: break;
    }
}

/* What decides comes first. */
static void put_claim(struct page *p, enum claim c)
{
    const struct finding *decisive = verdicts_decisive(p->v, c);

    if (!report_has(p->v, c)) {
        return;
    }
    buf_addf(p->out, "<section id=\"%s\"><h2>", claim_name(c));
    page_say(p, claim_meaning(c));
    page_say(p, ": ");
    put_state(p, verdicts_state(p->v, c));
    page_raw(p, "</h2>\n");
    if (decisive != NULL) {
        put_finding(p, decisive, true);
    }
    for (size_t i = 0; i < p->v->count; i++) {
        const struct finding *f = &p->v->findings[i];
        if (f->claim == c && f != decisive && !finding_folk(f)) {
            put_finding(p, f, false);
        }
    }
    put_figures(p, c);
    page_raw(p, "</section>\n");
}

static void put_folk(struct page *p)
{
    bool any = false;

    for (size_t i = 0; i < p->v->count; i++) {
        if (finding_folk(&p->v->findings[i])) {
            if (!any) {
                page_raw(p, "<section id=\"folk\"><h2>");
                page_say(p, report_folk_title);
                page_raw(p, "</h2>\n<p class=\"more\">");
                page_say(p, report_folk_words);
                page_raw(p, "</p>\n");
            }
            any = true;
            put_finding(p, &p->v->findings[i], false);
        }
    }
    page_raw(p, any ? "</section>\n" : "");
}

void report_html(struct buf *out, const struct evidence *e, const struct verdicts *v,
                 enum lang lang)
{
    struct page p = {out, e, v, lang};

    buf_addf(out, "<!doctype html>\n<html lang=\"%s\">\n", words_tag(lang));
    page_raw(&p, "<head><meta charset=\"utf-8\">\n"
                 "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                 "style-src 'unsafe-inline'\">\n"
                 "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                 "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    page_say(&p, "Assay");
    page_say(&p, ": ");
    page_text(&p, e->head.target.model);
    page_raw(&p, "</title>\n<style>\n");
    page_raw(&p, page_style);
    page_raw(&p, "</style></head>\n<body><main>\n");
    put_head(&p);
    put_overview(&p);
    bool folk = str_eq(e->head.profile, STR("folk")); /* then they are what was asked for */
    if (folk) {
        put_folk(&p);
    }
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        put_claim(&p, c);
    }
    if (!folk) {
        put_folk(&p);
    }
    page_raw(&p, "<p class=\"more\">");
    page_say(&p, "The finding that is marked at its edge decides its claim. Findings by folk tests "
                 "weigh nothing.");
    page_raw(&p, "</p>\n</main></body></html>\n");
}
