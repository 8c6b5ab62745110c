/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The report as one page of HTML: what its parts share. Whatever an endpoint said goes through
 * page_text and is text there, whatever it holds.
 */
#ifndef ASSAY_PAGE_H
#define ASSAY_PAGE_H

#include "assay/claim.h"
#include "assay/evidence.h"
#include "assay/words.h"

struct page {
    struct buf *out;
    const struct evidence *e;
    const struct verdicts *v;
    enum lang lang;
};

/* Markup of our own. */
void page_raw(struct page *p, const char *markup);
/* A text of anybody's: escaped; what controls a terminal or turns the direction is replaced. */
void page_text(struct page *p, struct str s);
/* The same, of so many columns at most. */
void page_text_cut(struct page *p, struct str s, unsigned columns);
/* Words of our own, in the reader's language. */
void page_say(struct page *p, const char *english);
void page_say_str(struct page *p, struct str english);
void page_say_cut(struct page *p, struct str english, unsigned columns);
void page_sayf(struct page *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* <figure> up to where its drawings stand, and from there on. */
void page_figure_open(struct page *p, const char *title, const char *explanation);
void page_figure_close(struct page *p);
/* <svg> of that size in pixels; what it shows is told by the text after it. */
void page_svg_open(struct page *p, unsigned width, unsigned height);

/* Each draws what the evidence has of it, or nothing. */
void figure_slope(struct page *p);
void figure_answers(struct page *p);
void figure_stream(struct page *p);
void figure_cache(struct page *p);

extern const char page_style[];

#endif
