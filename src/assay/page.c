/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/page.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define SAID_MAX 1024

void page_raw(struct page *p, const char *markup)
{
    buf_add(p->out, str_from(markup));
}

static void add_character(struct buf *out, struct str s, uint32_t code)
{
    switch (code) {
    case '&': buf_add(out, STR("&amp;")); break;
    case '<': buf_add(out, STR("&lt;")); break;
    case '>': buf_add(out, STR("&gt;")); break;
    case '"': buf_add(out, STR("&quot;")); break;
    case '\'': buf_add(out, STR("&#39;")); break;
    default: buf_add(out, utf8_obeyed(code) && code != '\n' ? STR("\xEF\xBF\xBD") : s);
    }
}

void page_text_cut(struct page *p, struct str s, unsigned columns)
{
    for (unsigned at = 0; s.n > 0;) {
        uint32_t code = 0;
        size_t n = utf8_next(s, &code);
        at += code >= 0x2E80 ? 2 : 1;
        if (at > columns) {
            buf_add(p->out, STR("…"));
            return;
        }
        if (n == 0) {
            buf_add(p->out, STR("\xEF\xBF\xBD"));
        } else {
            add_character(p->out, str_slice(s.p, n), code);
        }
        s = str_skip(s, n > 0 ? n : 1);
    }
}

void page_text(struct page *p, struct str s)
{
    page_text_cut(p, s, UINT32_MAX);
}

void page_say_cut(struct page *p, struct str english, unsigned columns)
{
    struct buf words;

    buf_init(&words, p->out->max);
    words_say(&words, p->lang, english);
    page_text_cut(p, buf_str(&words), columns);
    buf_release(&words);
}

void page_say_str(struct page *p, struct str english)
{
    page_say_cut(p, english, UINT32_MAX);
}

void page_say(struct page *p, const char *english)
{
    page_say_str(p, str_from(english));
}

void page_sayf(struct page *p, const char *format, ...)
{
    char text[SAID_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    page_say(p, text);
}

void page_figure_open(struct page *p, const char *title, const char *explanation)
{
    page_raw(p, "<figure><figcaption><b>");
    page_say(p, title);
    page_raw(p, "</b> ");
    page_say(p, explanation);
    page_raw(p, "</figcaption><div class=\"row\">\n");
}

void page_figure_close(struct page *p)
{
    page_raw(p, "</div></figure>\n");
}

void page_svg_open(struct page *p, unsigned width, unsigned height)
{
    buf_addf(p->out,
             "<svg width=\"%u\" height=\"%u\" viewBox=\"0 0 %u %u\" role=\"img\" "
             "xmlns=\"http://www.w3.org/2000/svg\">",
             width, height, width, height);
}
