/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vendors, a row each (vendor.c): where they are, how they take keys, which dialects they speak
 * themselves, and what is particular about each in them. A row stands for one base, that is for one
 * kind of key: a vendor's plan at another base is a row of its own. What a row does not say is as
 * OpenAI has it. Pure and constant; any thread. docs/add-a-vendor.md says how a row is made.
 */
#ifndef DIALECT_VENDOR_H
#define DIALECT_VENDOR_H

#include "dialect/dialect.h"

enum vendor_auth { AUTH_BEARER, AUTH_X_API_KEY, AUTH_X_GOOG_API_KEY };

/* How a chat request asks for reasoning. */
enum reasoning_in {
    REASONING_NONE,            /* not at all: the model alone decides */
    REASONING_EFFORT,          /* reasoning_effort */
    REASONING_THINKING_TYPE,   /* thinking: {type: enabled | disabled} */
    REASONING_ENABLE_THINKING, /* enable_thinking, thinking_budget */
    REASONING_OBJECT,          /* reasoning: {enabled, effort, max_tokens} */
};

/* What becomes of the reasoning in a chat's earlier assistant turns. */
enum reasoning_back {
    BACK_ANY,    /* it may be sent back */
    BACK_REPLAY, /* it has to be there in every turn behind the first tool call */
    BACK_OMIT,   /* it has to be left out */
};

/* The values of tool_choice that a chat takes. */
enum choice_taken {
    TAKES_AUTO = 1,
    TAKES_NONE = 2,
    TAKES_REQUIRED = 4,
    TAKES_NAMED = 8,
    TAKES_ALL = 15,
};

enum tool_id_rule {
    TOOL_ID_ANY,
    TOOL_ID_ALNUM9, /* nine letters and digits */
};

/* How a reply of status 200 may say that it is a failure, besides {"error": ...}. */
enum reply_shape {
    REPLY_CODE = 1,      /* {"code": ..., "msg" or "message": ...} */
    REPLY_BASE_RESP = 2, /* {"base_resp": {"status_code": not 0, "status_msg": ...}} */
};

struct vendor {
    const char *name; /* "openai" */
    const char *env;  /* the variable that customarily holds its key, or NULL */
    /*
     * What stands before an endpoint's path, by enum dialect; NULL: not spoken. All are on one
     * host. One without a host ("/v1") is somebody's own server: the operator says where.
     */
    const char *bases[DIALECT_OWN];
    uint8_t auth; /* enum vendor_auth */
    bool keyless; /* works without a key, too */
    bool cancel_stops_billing;
    /* Of chat: */
    bool stream_options;         /* takes stream_options.include_usage */
    bool developer_role;         /* takes messages of the role developer */
    bool top_k;                  /* takes top_k */
    bool cache_control;          /* takes cache_control on the parts of messages */
    bool tool_text_only;         /* a tool message's content has to be a string */
    bool usage_in_choice;        /* a stream's usage may stand in its last choice */
    uint8_t tool_choice;         /* enum choice_taken bits */
    uint8_t tool_id;             /* enum tool_id_rule */
    uint8_t reasoning_in;        /* enum reasoning_in */
    uint8_t reasoning_back;      /* enum reasoning_back */
    const char *efforts;         /* the words that ask for effort, rising; NULL: there are none */
    const char *reasoning_field; /* where thoughts stand in messages; NULL: nowhere */
    const char *max_tokens;      /* its name for the limit of output tokens */
    const char *seed;            /* its name for the seed */
    uint8_t stops;               /* most stop sequences; 0: no limit is known */
    uint8_t temperature_tenths;  /* highest temperature; 0: as OpenAI, 2 */
    const char *lacks;           /* OpenAI's fields (or a field.value) that it overlooks, or NULL */
    const char *extra;           /* members for a request that was not written for it, or NULL */
    uint8_t errors;              /* enum reply_shape bits; of every dialect */
    const char *note;            /* other hosts and what to know, for people; or NULL */
};
extern const struct vendor vendors[];
extern const size_t vendor_count;

const struct vendor *vendor_find(struct str name);
/* Mask of the dialects that it speaks itself. */
uint32_t vendor_dialects(const struct vendor *v);
/* The base of the first of them; one without a host ("/v1") is no URL. */
const char *vendor_base(const struct vendor *v);
/*
 * The path before an endpoint's at an upstream whose own base has the path own. An operator's base
 * moves a vendor to another host as long as its path is one that the vendor has for any dialect;
 * with another path it stands for all dialects. v may be NULL.
 */
struct str vendor_path(const struct vendor *v, enum dialect d, struct str own);
/* A list such as efforts or lacks has this word; the list may be NULL. */
bool vendor_word(const char *list, struct str word);

#endif
