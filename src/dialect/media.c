/* SPDX-License-Identifier: Apache-2.0 */
/* Images, files and sound: as data of a type, or as a URL. */
#include "dialect/neutral.h"

/* Some clients send the URL-safe alphabet, which strict decoders refuse and lax ones misread. */
static struct str standard_base64(struct conversion *c, struct str data)
{
    size_t odd = 0;
    struct buf b;

    while (odd < data.n && data.p[odd] != '-' && data.p[odd] != '_') {
        odd++;
    }
    if (odd == data.n) {
        return data;
    }
    buf_init(&b, data.n + 4);
    buf_add(&b, data);
    for (size_t i = odd; i < b.n; i++) {
        b.p[i] = b.p[i] == '-' ? '+' : b.p[i] == '_' ? '/' : b.p[i];
    }
    while (b.n % 4 != 0) {
        buf_add_byte(&b, '=');
    }
    return conversion_take(c, &b);
}

void media_set_data(struct conversion *c, struct part *p, struct str mime, struct str data)
{
    p->mime = mime;
    p->data = standard_base64(c, data);
}

void media_from_url(struct conversion *c, struct part *p, struct str url)
{
    size_t comma = str_find_byte(url, ',');
    struct str head = str_slice(url.p, comma);

    if (!str_starts(url, STR("data:")) || comma == url.n || !str_ends(head, STR(";base64"))) {
        p->url = url;
        return;
    }
    head = str_skip(head, sizeof("data:") - 1);
    media_set_data(c, p, str_slice(head.p, str_find_byte(head, ';')), str_skip(url, comma + 1));
}

void media_to_url(const struct part *p, struct buf *out)
{
    if (p->data.p == NULL) {
        buf_add(out, p->url);
    } else {
        buf_cat(out, STR("data:"), p->mime, STR(";base64,"), p->data);
    }
}

void media_lose_title(struct conversion *c, const struct part *p)
{
    bool beside = c->from == DIALECT_MESSAGES; /* beside the source, not in it */
    struct str key = beside                      ? STR("title")
                     : c->from == DIALECT_GEMINI ? STR("displayName")
                                                 : STR("filename");

    if (p->title.n > 0) {
        lose(c, FIELD_FILE_TITLE, place_key(c, beside ? p->from->up : p->from, key));
    }
}
