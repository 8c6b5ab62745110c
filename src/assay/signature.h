/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signatures of thoughts. Claude's are base64 of nested fields that nobody has published and
 * that changed three times in a year: what does not fit is unknown, and says nothing. Pure.
 */
#ifndef ASSAY_SIGNATURE_H
#define ASSAY_SIGNATURE_H

#include "base/buf.h"

enum signature_kind {
    SIGNATURE_NONE,     /* empty */
    SIGNATURE_UNKNOWN,  /* in no form that is known here */
    SIGNATURE_CLAUDE,   /* 'E' */
    SIGNATURE_CLAUDE_R, /* the same in base64 once more, as some of Google's gateways send it */
    SIGNATURE_CLAUDE_C, /* within an envelope with a version: "CAIS" */
    SIGNATURE_KIMI,     /* by its length alone */
    SIGNATURE_FERNET,   /* as OpenAI seals reasoning */
    SIGNATURE_GEMINI,
    SIGNATURE_UNPADDED, /* base64 without its padding, as Grok sends it */
    SIGNATURE_KINDS
};

enum signature_infra { INFRA_DIRECT, INFRA_AWS, INFRA_VERTEX, INFRA_OTHER };

/* What stands in clear in a signature of Claude's. */
struct signature {
    enum signature_kind kind;
    char model[64]; /* or "": older ones name none */
    char use[16];   /* "thinking", or "" */
    enum signature_infra infra;
    uint64_t channel;
    bool account; /* it holds a UUID of whom it was made for */
};

void signature_read(struct signature *s, struct str text);
bool signature_is_claude(const struct signature *s);
/* One bit in the middle of what is encrypted is changed; twice is as before. False unless it is
 * Claude's. */
bool signature_alter(struct buf *out, struct str text);
/* A text of base64, also twice, with zeros for the UUIDs in it, which name accounts. False unless
 * it has one. */
bool signature_anonymous(struct buf *out, struct str text);
/* A text without the accounts that signatures within it name; all else of them stays. */
void signature_redact(struct buf *out, struct str text);

enum signature_same { SAME_UNKNOWN, SAME_MODEL, OTHER_MODEL };
/* Whether two names of Claude models mean one, whatever their order of words, snapshot, cloud or
 * suffix. OTHER: the line (Opus, Sonnet, ...) or version differs. */
enum signature_same signature_models(struct str a, struct str b);
/* The name of a model says that it is a Claude. */
bool signature_says_claude(struct str model);

#endif
