/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which words of an answer rest on which page. Positions are characters of the part's text; Gemini
 * counts bytes, and the messages dialect marks whole blocks. Dialects without a form that anybody
 * may fill in (messages, gemini) are not given any.
 */
#include "dialect/neutral.h"

#define CITATIONS_MAX 1000 /* of one part */
/* Of one reply, in parts, citations and bytes walked over: what a vendor says is not trusted to be
 * short. An answer of 100 KB with 200 citations takes 40 million. */
#define STEPS_MAX (UINT64_C(1) << 28)

static bool affords(struct conversion *c, uint64_t steps)
{
    c->reply.cited += steps;
    return c->reply.cited <= STEPS_MAX;
}

static struct reply_part *text_part(const struct conversion *c, uint64_t key)
{
    struct reply_part *found = NULL;

    for (struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_TEXT && (p->key == key || key == CITE_LAST)) {
            found = p;
        }
    }
    return found;
}

void reply_cite(struct conversion *c, uint64_t key, const struct citation *what)
{
    struct reply_part *p;
    unsigned count = 0;

    if (!affords(c, c->reply.made)) {
        return;
    }
    p = text_part(c, key);
    if (p == NULL && key != CITE_LAST && what->url.n > 0) { /* it came before its text */
        p = reply_open_text(c, key);
    }
    if (p == NULL || what->url.n == 0) {
        return;
    }
    struct citation **at = &p->citations;
    for (; *at != NULL; at = &(*at)->next) {
        if ((str_eq((*at)->url, what->url) && (*at)->start == what->start) ||
            ++count == CITATIONS_MAX || !affords(c, 1)) {
            return; /* some say it twice: as it comes, and at the end */
        }
    }
    *at = conversion_alloc(c, sizeof(**at));
    **at = *what;
    (*at)->next = NULL;
    (*at)->url = conversion_str(c, what->url);
    (*at)->title = conversion_str(c, what->title);
}

void cite_openai(struct conversion *c, uint64_t key, const struct json *annotations)
{
    struct json_each it = json_each(annotations);

    while (json_next(&it)) { /* chat has it inside, responses flat */
        const struct json *nested = json_get(it.value, "url_citation");
        const struct json *from = nested != NULL ? nested : it.value;
        struct citation what = {.url = read_word(from, "url"), .title = read_word(from, "title")};

        if (str_eq(read_word(it.value, "type"), STR("url_citation"))) {
            (void)json_u64(json_get(from, "start_index"), &what.start);
            (void)json_u64(json_get(from, "end_index"), &what.end);
            reply_cite(c, key, &what);
        }
    }
}

void cite_messages(struct conversion *c, uint64_t key, const struct json *citation)
{
    struct citation what = {.url = read_word(citation, "url"),
                            .title = read_word(citation, "title"),
                            .end = CITE_TO_END};

    reply_cite(c, key, &what);
}

uint64_t characters_of(struct str text)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        n += ((unsigned char)text.p[i] & 0xc0) != 0x80;
    }
    return n;
}

static uint64_t characters_before(struct str text, uint64_t byte)
{
    return characters_of(str_slice(text.p, byte < text.n ? (size_t)byte : text.n));
}

static void cite_support(struct conversion *c, const struct json *chunks,
                         const struct json *support)
{
    const struct reply_part *p = affords(c, c->reply.made) ? text_part(c, CITE_LAST) : NULL;
    struct json_each it = json_each(json_get(support, "groundingChunkIndices"));
    struct citation what = {0};
    uint64_t start = 0, end = 0, index;

    (void)json_u64(json_get(support, "segment.startIndex"), &start);
    (void)json_u64(json_get(support, "segment.endIndex"), &end);
    if (p == NULL || !affords(c, 2 * p->text.n)) {
        return;
    }
    what.start = characters_before(buf_str(&p->text), start);
    what.end = characters_before(buf_str(&p->text), end);
    while (json_next(&it) && affords(c, json_count(chunks))) {
        struct json_each chunk = json_each(chunks);
        bool found = json_u64(it.value, &index) && index < json_count(chunks);
        while (found && json_next(&chunk) && chunk.index < index) {
        }
        what.url = read_word(chunk.value, "web.uri");
        what.title = read_word(chunk.value, "web.title");
        if (found) {
            reply_cite(c, CITE_LAST, &what);
        }
    }
}

void cite_gemini(struct conversion *c, const struct json *candidate)
{
    const struct json *grounding = json_get(candidate, "groundingMetadata");
    const struct json *chunks = json_get(grounding, "groundingChunks");
    struct json_each it = json_each(json_get(grounding, "groundingSupports"));

    while (json_next(&it)) {
        cite_support(c, chunks, it.value);
    }
}

void citation_write(struct json_out *o, const struct reply_part *p, const struct citation *what,
                    uint64_t before)
{
    json_key(o, "start_index");
    json_put_u64(o, before + what->start);
    json_key(o, "end_index");
    json_put_u64(o, before + (what->end == CITE_TO_END ? p->characters : what->end));
    json_key(o, "url");
    json_put_str(o, what->url);
    json_key(o, "title");
    json_put_str(o, what->title);
}
