/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Log probabilities of an answer of one word: how much the model likes each of the words that it
 * chose from, and a little unevenness, as servers have by what they compute together. A word is
 * one place here, however many tokens it has. Longer answers have none.
 */
#include <math.h>

#include "sim/zoo.h"

#define MOST 20
#define MOST_AZURE 5
#define UNEVEN 0.05

const char *likely_wrong(const struct exchange *x)
{
    unsigned long long most = x->cloud == CLOUD_AZURE ? MOST_AZURE : MOST;

    if (!x->asked.likely) {
        return NULL;
    }
    if (x->served->make == MAKE_OPENAI && x->served->think == THINK_HIDDEN) {
        return "Unsupported parameter: 'logprobs' is not supported with this model.";
    }
    return x->asked.logprobs > most
               ? "Invalid value for 'top_logprobs': must be less than or equal to 20 (or 5)."
               : NULL;
}

struct option {
    size_t number;
    double logprob;
};

/* The likeliest first. */
static size_t options(struct exchange *x, struct option *out)
{
    const struct choice *c = &x->answer.choice;
    size_t most = (size_t)x->asked.logprobs, n = 0;
    double weight[CHOICE_MAX], sum = 0;

    for (size_t i = 0; i < c->n; i++) {
        weight[i] = draw_weight(x, c->cell, i);
        sum += exp(weight[i]);
    }
    for (; n < most && n < c->n; n++) {
        size_t best = 0;
        for (size_t i = 1; i < c->n; i++) {
            best = weight[i] > weight[best] ? i : best;
        }
        out[n] = (struct option){best, weight[best] - log(sum) - UNEVEN * draw_share(x)};
        weight[best] = -INFINITY;
    }
    return n;
}

static void put_option(const struct exchange *x, struct json_out *o, struct option p, bool gemini)
{
    const struct choice *c = &x->answer.choice;
    struct buf word, number;

    buf_init(&word, 64);
    buf_init(&number, 64);
    buf_addf(&number, "%.6f", p.logprob < 0 ? p.logprob : 0);
    if (c->words != NULL) {
        buf_add(&word, str_from(c->words[p.number]));
    } else {
        buf_add_u64(&word, c->low + p.number);
    }
    json_key(o, "token");
    json_put_str(o, buf_str(&word));
    json_key(o, gemini ? "logProbability" : "logprob");
    json_put_raw(o, buf_str(&number));
    if (!gemini) {
        json_key(o, "bytes");
        json_open(o, '[');
        for (size_t i = 0; i < word.n; i++) {
            json_put_u64(o, (unsigned char)word.p[i]);
        }
        json_close(o, ']');
    }
    buf_release(&word);
    buf_release(&number);
}

static void put_options(struct exchange *x, struct json_out *o, bool gemini)
{
    struct option list[MOST];
    size_t n = options(x, list);

    json_open(o, '[');
    for (size_t i = 0; i < n; i++) {
        json_open(o, '{');
        put_option(x, o, list[i], gemini);
        json_close(o, '}');
    }
    json_close(o, ']');
}

bool likely_known(const struct exchange *x)
{
    return x->asked.likely && x->answer.choice.n > 0 && x->served->make != MAKE_ANTHROPIC &&
           !x->asked.stream;
}

/* One place, of the one word. */
void likely_write(struct exchange *x, struct json_out *o)
{
    const struct choice *c = &x->answer.choice;
    double sum = 0;

    for (size_t i = 0; i < c->n; i++) {
        sum += exp(draw_weight(x, c->cell, i) - draw_weight(x, c->cell, c->chosen));
    }
    json_open(o, '[');
    json_open(o, '{');
    put_option(x, o, (struct option){c->chosen, -log(sum)}, false);
    json_key(o, "top_logprobs");
    put_options(x, o, false);
    json_close(o, '}');
    json_close(o, ']');
}

void likely_write_gemini(struct exchange *x, struct json_out *o)
{
    json_key(o, "logprobsResult");
    json_open(o, '{');
    json_key(o, "topCandidates");
    json_open(o, '[');
    json_open(o, '{');
    json_key(o, "candidates");
    put_options(x, o, true);
    json_close(o, '}');
    json_close(o, ']');
    json_close(o, '}');
}
