/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/speak.h"

static const char *const names[] = {
    [DIALECT_CHAT] = "chat",
    [DIALECT_RESPONSES] = "responses",
    [DIALECT_MESSAGES] = "messages",
    [DIALECT_GEMINI] = "gemini",
};

static const char *const asks[] = {
    [ASK_ANSWER] = "answer",
    [ASK_COUNT] = "count",
    [ASK_RAW] = "raw",
};

const char *speak_ask_name(enum asking a)
{
    return asks[a];
}

bool speak_ask_find(struct str name, enum asking *out)
{
    for (enum asking a = ASK_ANSWER; a <= ASK_RAW; a++) {
        if (str_eq(name, str_from(asks[a]))) {
            *out = a;
            return true;
        }
    }
    return false;
}

const char *speak_dialect_name(enum dialect d)
{
    return names[d];
}

bool speak_dialect_find(struct str name, enum dialect *out)
{
    for (enum dialect d = DIALECT_CHAT; d <= DIALECT_GEMINI; d++) {
        if (str_eq(name, str_from(names[d]))) {
            *out = d;
            return true;
        }
    }
    return false;
}

/* "v1", "v4", "v1beta". */
static bool is_version(struct str s)
{
    return s.n >= 2 && s.n <= 7 && s.p[0] == 'v' && s.p[1] >= '1' && s.p[1] <= '9';
}

bool speak_can(enum dialect d, const struct question *q)
{
    bool thinks = d == DIALECT_MESSAGES || d == DIALECT_GEMINI;
    /* Gemini counts contents alone. */
    bool counts = d != DIALECT_CHAT && (d != DIALECT_GEMINI || q->system.n + q->tool_count == 0);

    bool seeds = d == DIALECT_CHAT || d == DIALECT_GEMINI;

    return (q->seed == NULL || seeds) && (q->ask != ASK_COUNT || counts) &&
           (q->logprobs == 0 || d != DIALECT_MESSAGES) && (!q->thinking || thinks) &&
           (q->turn.n == 0 || d == DIALECT_MESSAGES) && (q->stop == NULL || d != DIALECT_RESPONSES);
}

/* Also not at the end, as in /v1beta/openai. */
static bool has_version(struct str base)
{
    while (base.n > 0) {
        if (is_version(str_cut(&base, '/'))) {
            return true;
        }
    }
    return false;
}

static const char *method_of(const struct question *q)
{
    return q->ask == ASK_COUNT ? ":countTokens"
           : q->stream         ? ":streamGenerateContent?alt=sse"
                               : ":generateContent";
}

bool speak_url(struct buf *out, struct str base, const struct speaker *s, const struct question *q)
{
    static const struct {
        const char *answer, *count;
    } paths[] = {
        [DIALECT_CHAT] = {"/chat/completions", ""},
        [DIALECT_RESPONSES] = {"/responses", "/responses/input_tokens"},
        [DIALECT_MESSAGES] = {"/messages", "/messages/count_tokens"},
    };

    while (base.n > 0 && base.p[base.n - 1] == '/') {
        base.n--;
    }
    size_t slash = base.n;
    while (slash > 0 && base.p[slash - 1] != '/') {
        slash--;
    }
    struct str last = str_skip(base, slash);
    bool beta = s->dialect == DIALECT_GEMINI;
    if (!has_version(base)) {
        buf_cat(out, base, beta ? STR("/v1beta") : STR("/v1"));
    } else if (beta && str_eq(last, STR("v1"))) {
        buf_cat(out, base, STR("beta"));
    } else if (!beta && str_eq(last, STR("v1beta"))) {
        buf_add(out, str_slice(base.p, base.n - 4));
    } else {
        buf_add(out, base);
    }
    if (beta) {
        return buf_cat(out, STR("/models/"), q->model != NULL ? str_from(q->model) : s->model,
                       str_from(method_of(q)));
    }
    return buf_add(
        out, str_from(q->ask == ASK_COUNT ? paths[s->dialect].count : paths[s->dialect].answer));
}
