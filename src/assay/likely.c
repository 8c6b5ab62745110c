/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/likely.h"

#include <stdlib.h>

#define LEAST_TOKENS 3
#define LEAST_LOGPROB (-50) /* less is how some write that a token cannot be */

/* A token as its bytes, which are given where it may be a part of a character. */
static struct str bytes_of(struct arena *a, const struct json *token)
{
    struct json_each it = json_each(json_get(token, "bytes"));
    char bytes[64];
    size_t n = 0;
    uint64_t byte;

    while (n < sizeof(bytes) && json_next(&it) && str_to_u64(json_number(it.value), &byte) &&
           byte < 256) {
        bytes[n++] = (char)byte;
    }
    return arena_str(a, n > 0 ? str_slice(bytes, n) : json_str(json_get(token, "token")));
}

static uint32_t number_of(struct likely *l, struct str word)
{
    size_t i = 0;

    while (i < l->word_count && !str_eq(l->words[i], word)) {
        i++;
    }
    if (i == l->word_count) {
        l->words[l->word_count++] = word;
    }
    return (uint32_t)i;
}

static void add_token(struct likely_row *r, uint32_t token, double logprob)
{
    size_t at = r->n++;

    for (size_t i = 0; i < at; i++) {
        if (r->token[i] == token) { /* another spelling of the same bytes: the likelier stands */
            r->n--;
            return;
        }
    }
    for (; at > 0 && r->logprob[at - 1] < logprob; at--) {
        r->token[at] = r->token[at - 1];
        r->logprob[at] = r->logprob[at - 1];
    }
    r->token[at] = token;
    r->logprob[at] = logprob;
}

static void read_row(struct likely *l, struct arena *a, const struct json *list,
                     struct likely_row *out)
{
    struct json_each it = json_each(list);

    while (out->n < LIKELY_TOKENS && json_next(&it)) {
        const struct json *own = json_get(it.value, "logprob");
        struct str digits = json_number(own != NULL ? own : json_get(it.value, "logProbability"));
        char text[40] = "";
        if (digits.n == 0 || digits.n >= sizeof(text)) {
            continue;
        }
        memcpy(text, digits.p, digits.n);
        double logprob = strtod(text, NULL);
        if (logprob >= LEAST_LOGPROB && logprob <= 0) {
            add_token(out, number_of(l, bytes_of(a, it.value)), logprob);
        }
    }
}

/* Where the likeliest tokens of the first place stand. */
static const struct json *list_of(const struct json *root, enum dialect d)
{
    struct json_each items = json_each(json_get(root, "output"));
    const struct json *found = NULL;

    if (d == DIALECT_CHAT) {
        return json_get(root, "choices.0.logprobs.content.0.top_logprobs");
    }
    if (d == DIALECT_GEMINI) {
        return json_get(root, "candidates.0.logprobsResult.topCandidates.0.candidates");
    }
    while (found == NULL && json_next(&items)) {
        found = json_get(items.value, "content.0.logprobs.0.top_logprobs");
    }
    return found;
}

bool likely_add(struct likely *l, struct arena *a, const struct record *r)
{
    size_t *n = &l->n[r->reference];

    if (*n == LIKELY_ROWS) {
        return false;
    }
    /* The numbers as they were written. */
    struct json_doc *doc = json_parse_exact(r->body, NULL);
    struct likely_row *row = &l->rows[r->reference][*n];
    if (doc != NULL) {
        read_row(l, a, list_of(json_root(doc), r->dialect), row);
    }
    json_free(doc);
    *n += row->n > 0;
    return row->n > 0;
}

bool likely_rows(struct likely *l, struct stat_rows *out)
{
    size_t least = LIKELY_TOKENS;

    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < l->n[side]; i++) {
            least = l->rows[side][i].n < least ? l->rows[side][i].n : least;
        }
    }
    for (size_t side = 0; side < 2; side++) {
        for (size_t i = 0; i < l->n[side]; i++) {
            const struct likely_row *r = &l->rows[side][i];
            l->stat[side][i] = (struct stat_row){r->token, r->logprob, least};
        }
    }
    *out = (struct stat_rows){l->stat[0], l->stat[1], l->n[0], l->n[1]};
    return least >= LEAST_TOKENS && l->n[0] > 0 && l->n[1] > 1;
}
