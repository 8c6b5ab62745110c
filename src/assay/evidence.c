/* SPDX-License-Identifier: Apache-2.0 */
/* Reading evidence. */
#include "assay/evidence.h"

#include <stdlib.h>

#include "base/limits.h"

#define TIME_END_US (253402300800 * UINT64_C(1000000)) /* the year 10000 */

void evidence_init(struct evidence *e)
{
    *e = (struct evidence){0};
}

void evidence_release(struct evidence *e)
{
    for (size_t i = 0; i < e->count; i++) {
        if (e->records[i].answered) {
            said_release(&e->records[i].said);
        }
        json_free(e->records[i].doc);
    }
    free(e->records);
    json_free(e->head_doc);
    json_free(e->end_doc);
}

static void read_side(struct evidence_side *s, const struct json *v)
{
    s->url = json_str(json_get(v, "url"));
    s->model = json_str(json_get(v, "model"));
}

static bool read_head(struct evidence *e, struct json_doc *doc, struct err *why)
{
    const struct json *root = json_root(doc);
    struct evidence_head *h = &e->head;
    uint64_t format = 0;

    if (e->head_doc != NULL || !json_u64(json_get(root, "assay"), &format) || format != 1) {
        json_free(doc);
        return err_set(why, "it is no evidence of an assay, or of a later version");
    }
    e->head_doc = doc;
    read_side(&h->target, json_get(root, "target"));
    read_side(&h->reference, json_get(root, "reference"));
    h->profile = json_str(json_get(root, "profile"));
    h->only = json_str(json_get(root, "only"));
    h->version = json_str(json_get(root, "version"));
    h->currency = json_str(json_get(root, "price.currency"));
    h->price_source = json_str(json_get(root, "price.source"));
    json_u64(json_get(root, "price.input_pico"), &h->input_pico);
    json_u64(json_get(root, "price.output_pico"), &h->output_pico);
    json_u64(json_get(root, "planned"), &h->planned);
    return (json_u64(json_get(root, "seed"), &h->seed) &&
            json_u64(json_get(root, "started_us"), &h->started_us) && h->started_us < TIME_END_US &&
            h->target.model.n > 0) ||
           err_set(why, "its first line has no seed, time or model");
}

static struct record *next_record(struct evidence *e)
{
    if (e->count >= LIMIT_ASSAY_CALLS) {
        return NULL;
    }
    if (e->count == e->room) {
        size_t room = e->room == 0 ? 64 : 2 * e->room;
        struct record *r = realloc(e->records, room * sizeof(*r));
        if (r == NULL) {
            return NULL;
        }
        e->records = r;
        e->room = room;
    }
    e->records[e->count] = (struct record){0};
    return &e->records[e->count];
}

static bool read_record(struct evidence *e, struct json_doc *doc, struct err *why)
{
    const struct json *root = json_root(doc);
    uint64_t status = 0;
    struct record *r = next_record(e);

    if (r == NULL || !json_u64(json_get(root, "seq"), &r->seq) ||
        !json_u64(json_get(root, "status"), &status) || status > 999 ||
        !speak_dialect_find(json_str(json_get(root, "dialect")), &r->dialect)) {
        json_free(doc);
        return err_set(why, r == NULL ? "too many calls" : "no seq, status or dialect");
    }
    r->doc = doc;
    speak_ask_find(json_str(json_get(root, "ask")), &r->ask);
    r->status = (unsigned)status;
    r->reference = str_eq(json_str(json_get(root, "side")), STR("reference"));
    r->probe = json_str(json_get(root, "probe"));
    r->cell = json_str(json_get(root, "cell"));
    json_u64(json_get(root, "k"), &r->k);
    json_u64(json_get(root, "max_tokens"), &r->max_tokens);
    json_u64(json_get(root, "sent_us"), &r->sent_us);
    r->expect = json_str(json_get(root, "expect"));
    r->failure = json_str(json_get(root, "failure"));
    r->head = json_str(json_get(root, "headers"));
    r->body = json_str(json_get(root, "body"));
    r->arrivals = json_get(root, "arrivals");
    r->stream = r->arrivals != NULL;
    r->answered = r->status == 200 && said_take(&r->said, r->dialect, r->ask, r->stream, r->body);
    e->count++;
    return true;
}

bool evidence_add(struct evidence *e, struct str line, struct err *why)
{
    struct json_doc *doc = json_parse_exact(line, why);

    if (doc == NULL) {
        return false;
    }
    if (e->head_doc == NULL) {
        return read_head(e, doc, why);
    }
    if (json_get(json_root(doc), "end") != NULL) {
        json_free(e->end_doc);
        e->end_doc = doc;
        e->end = json_str(json_get(json_root(doc), "end"));
        return true;
    }
    return read_record(e, doc, why);
}

bool evidence_read(struct evidence *e, struct str text, struct err *why)
{
    struct err inner = {""};

    hash_hex(e->sha256, text);
    for (unsigned line = 1; text.n > 0; line++) {
        bool torn = memchr(text.p, '\n', text.n) == NULL;
        struct str one = str_cut(&text, '\n');
        bool begun = e->head_doc != NULL;
        if (one.n > 0 && !evidence_add(e, one, &inner)) {
            return (torn && begun) || err_set(why, "line %u: %.200s", line, inner.text);
        }
    }
    return e->head_doc != NULL || err_set(why, "there is nothing in it");
}
