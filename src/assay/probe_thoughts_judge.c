/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is made of thoughts: whether they are shown, whose signature they bear, and whether who
 * should have signed them takes them back. Sellers may strip thoughts that come in, wrap what is
 * signed, or sell what a cloud made; none of that accuses.
 */
#include <stdio.h>

#include "assay/ids.h"
#include "assay/thoughts.h"

#define LEAST 3 /* answers without the thoughts that they bill */
#define BEYOND \
    60 /* tokens of output over the bytes that can be seen: no token is shorter than one,
                     and what stands around a text is fewer than ten */

/* It comes as Anthropic or a cloud of its sends it, without anything said of what was lost: a
 * gateway that converts, and cannot carry thoughts, makes ids and counts of its own. */
static bool as_the_vendor_sends(const struct record *r)
{
    const struct json *usage = json_get(json_root(r->said.doc), "usage");
    int64_t made;
    bool cloud =
        str_starts(r->said.id, STR("msg_bdrk_")) || str_starts(r->said.id, STR("msg_vrtx_"));
    bool own = str_starts(r->said.id, STR("msg_01")) && id_time(r->said.id, &made) != NULL &&
               json_is_string(json_get(usage, "service_tier"));

    return (cloud || own) && r->dialect == DIALECT_MESSAGES &&
           json_is_object(json_get(usage, "cache_creation")) &&
           str_find(r->head, STR("relay-lossy")) == SIZE_MAX;
}

static void judge_shown(const struct facts *f, struct verdicts *v)
{
    unsigned stripped = 0, vendors = 0;
    uint64_t tokens = 0, bytes = 0;
    char text[320];

    for (unsigned i = 0; i < f->n; i++) {
        const struct record *r = f->asks[i].r;
        uint64_t out = usage_output(&r->said.usage);
        if (!f->asks[i].thought.shown && r->said.usage.state != USAGE_MISSING &&
            r->said.call_count == 0 && out >= r->said.text.n + BEYOND) {
            stripped++;
            vendors += as_the_vendor_sends(r);
            tokens += out;
            bytes += r->said.text.n;
        }
    }
    if (f->shown > 0) {
        int n = snprintf(text, sizeof(text),
                         "Of %u answers that thoughts were asked for with, %u show them.", f->n,
                         f->shown);
        bool all = f->shown + 1 >= f->n || stripped == 0;
        thoughts_say(v, CLAIM_FEATURES, all ? STATE_CONSISTENT : STATE_INCONCLUSIVE, TIER_SHAPE,
                     str_slice(text, (size_t)n),
                     all ? STR("thoughts that are cut short, or another model's")
                         : STR("several machines behind one name, of which some send no thoughts"));
        return;
    }
    if (stripped < LEAST) {
        return;
    }
    int n = snprintf(text, sizeof(text),
                     "Thoughts were asked for, and %u answers bill %llu tokens of output for %llu "
                     "bytes of text, but none shows a thought.",
                     stripped, (unsigned long long)tokens, (unsigned long long)bytes);
    bool claude = f->says_claude && vendors == stripped;
    thoughts_say(v, CLAIM_FEATURES, claude ? STATE_INCONSISTENT : STATE_INCONCLUSIVE,
                 claude ? TIER_ACCOUNTING : TIER_SHAPE, str_slice(text, (size_t)n),
                 claude
                     ? STR("a seller that states that it passes no thoughts on")
                     : STR("a vendor that bills thoughts and does not show them; a gateway between "
                           "dialects that cannot carry them"));
}

static const char *place_of(const struct facts *f)
{
    static const char *const places[] = {
        [INFRA_DIRECT] = "at Anthropic itself",
        [INFRA_AWS] = "in Amazon's cloud, out of which it may honestly be sold",
        [INFRA_VERTEX] = "in Google's cloud, out of which it may honestly be sold",
        [INFRA_OTHER] = "at a place that is not known here",
    };
    const struct asked *first = NULL;

    for (unsigned i = 0; i < f->n; i++) {
        const struct asked *a = &f->asks[i];
        first = first == NULL && a->thought.signature.n > 0 ? a : first;
        if (a->thought.signature.n > 0 && a->signature.infra != first->signature.infra) {
            return "in several places";
        }
    }
    return places[first->signature.infra];
}

/* A name in clear can be made up, and what it is for was never published: it accuses only where
 * the reference signs the very name that is sold by the model that is sold. */
static void judge_names(const struct facts *f, struct verdicts *v)
{
    char text[400];
    const struct asked *a = NULL;

    for (unsigned i = 0; i < f->n && a == NULL; i++) {
        bool named = f->asks[i].signature.model[0] != '\0';
        a = named ? &f->asks[i] : NULL;
    }
    if (a == NULL || f->other == 0) {
        return;
    }
    struct str own = str_from(f->own.model);
    bool accuses = f->says_claude && f->other >= 2 && f->same == 0 && f->claude == f->is_signed &&
                   signature_is_claude(&f->own) &&
                   signature_models(own, f->own_model) == SAME_MODEL &&
                   signature_models(own, f->sold) == SAME_MODEL &&
                   signature_models(own, str_from(a->signature.model)) == OTHER_MODEL;
    int n = accuses
                ? snprintf(text, sizeof(text),
                           "Signatures of %u thoughts name the model %s, and the reference's own "
                           "names %s.",
                           f->other, a->signature.model, f->own.model)
                : snprintf(text, sizeof(text),
                           "Signatures of %u of %u thoughts name another model than what is sold: "
                           "the first names %s.",
                           f->other, f->is_signed, a->signature.model);
    thoughts_say(
        v, CLAIM_IDENTITY, accuses ? STATE_INCONSISTENT : STATE_INCONCLUSIVE, TIER_ACCOUNTING,
        str_slice(text, (size_t)n),
        accuses ? STR("a model that the seller says it takes in place of another")
                : STR("a name of the seller's own for that model; a vendor that answers with "
                      "another model where it would refuse; names in signatures mean something "
                      "else"));
}

/* Whose signatures are of that form, where all are of one that is another vendor's. */
static const char *other_vendor(const struct facts *f)
{
    static const char *const vendors[SIGNATURE_KINDS] = {
        [SIGNATURE_KIMI] = "Kimi",
        [SIGNATURE_FERNET] = "OpenAI",
        [SIGNATURE_GEMINI] = "Gemini",
        [SIGNATURE_UNPADDED] = "Grok",
    };
    const char *vendor = NULL;

    for (unsigned i = 0; i < f->n; i++) {
        const char *own = vendors[f->asks[i].signature.kind];
        if (f->asks[i].thought.signature.n > 0 &&
            (own == NULL || (vendor != NULL && own != vendor))) {
            return NULL;
        }
        vendor = own != NULL ? own : vendor;
    }
    return vendor;
}

static void judge_forms(const struct facts *f, struct verdicts *v)
{
    char text[400];
    const char *vendor = other_vendor(f);

    if (f->is_signed > 0 && f->claude == f->is_signed) {
        int n = snprintf(text, sizeof(text),
                         "%u of %u thoughts are signed in the form that Claude's have, and %u name "
                         "the model that is sold; by what they say they were made %s.",
                         f->claude, f->is_signed, f->same, place_of(f));
        thoughts_say(v, CLAIM_PROVENANCE, STATE_CONSISTENT, TIER_SHAPE, str_slice(text, (size_t)n),
                     STR("signatures that were copied or made up; requests without thoughts"));
        judge_names(f, v);
    } else if (vendor != NULL) {
        int n = snprintf(text, sizeof(text),
                         "What is sold as %.*s signs its thoughts as %s does (%u of %u).",
                         STR_ARG(str_first(f->sold, 80)), vendor, f->is_signed, f->is_signed);
        thoughts_say(v, CLAIM_IDENTITY, STATE_INCONCLUSIVE, TIER_ACCOUNTING,
                     str_slice(text, (size_t)n),
                     STR("a relay that wraps what is signed in a form of its own"));
    } else if (f->shown > 0) {
        int n = snprintf(text, sizeof(text),
                         "Of %u thoughts %u bear a signature in the form that Claude's have.",
                         f->shown, f->claude);
        thoughts_say(v, CLAIM_PROVENANCE, STATE_INCONCLUSIVE, TIER_SHAPE,
                     str_slice(text, (size_t)n),
                     STR("the vendor has changed that form, as it did before; thoughts that are "
                         "hidden; a gateway that converts, or wraps what is signed"));
    }
}

void thoughts_judge(const struct evidence *e, struct verdicts *v)
{
    struct facts f;

    thoughts_gather(&f, e);
    judge_shown(&f, v);
    if (f.says_claude) {
        judge_forms(&f, v);
        thoughts_judge_issuer(&f, v);
    }
}
