/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the room: the zoo, models with a character of their own that may be sold honestly or not.
 * A request is read (asked.c), answered by the model that serves it (mind.c), and written in the
 * shapes of a vendor (shape_*.c) as a script: bytes, and when each piece of them goes out. Cheats
 * and honest variants (cheat.c) change the exchange at one of these stages.
 */
#ifndef SIM_ZOO_H
#define SIM_ZOO_H

#include "base/buf.h"
#include "base/rand.h"
#include "dialect/dialect.h"
#include "sim/sim.h"
#include "json/json.h"

enum family {
#define TEXT(id, text)
#define FAMILY(id, ...) FAMILY_##id,
#include "sim/families.def"
    FAMILIES
};

enum make { MAKE_OPENAI, MAKE_ANTHROPIC, MAKE_GOOGLE, MAKE_DEEPSEEK, MAKE_OPEN };
/* ASKED: where the request wants it, and shown. HIDDEN: unless it is turned off, and only billed.
 */
enum think { THINK_NEVER, THINK_ASKED, THINK_HIDDEN };

struct character {
    const char *name;
    uint8_t make, family, around, system, think;
    unsigned picture; /* tokens that a small one is billed; 0: it sees none */
    double spread;
    const char *input, *output;
};
extern const struct character characters[];
extern const size_t character_count;
const struct character *character_find(struct str name);
/* Where models of this make can be asked: DIALECT_BITs. */
unsigned character_dialects(const struct character *c);

/* Between two texts of a prompt; counts nothing. */
#define TEXT_END '\x1e'
/* Splits off the next piece, one token or a few, and says how many. */
struct str tokens_piece(struct str *rest, enum family f, unsigned *tokens);
uint64_t tokens_count(struct str text, enum family f);
/* How many bytes of text the first so many tokens are. */
size_t tokens_bytes(struct str text, enum family f, uint64_t tokens);

#define ASKED_STOPS 4
#define ASKED_BLOCKS 16
#define ASKED_TOOLS 16
struct asked_tool {
    struct str name;
    const struct json *schema; /* of its arguments, or NULL */
};
struct asked {
    struct json_doc *doc;
    const struct endpoint *endpoint;
    bool stream, usage_wanted, plain_chunks;
    uint8_t framing;
    struct buf text; /* all that is read, each text ended by TEXT_END */
    size_t last;     /* where the last text of the user begins */
    size_t marked;   /* bytes up to the last mark of a cache; 0: none */
    uint64_t tool_bytes;
    unsigned turns;
    bool system, result; /* result: the last turn is what a tool has said */
    double temperature;
    bool seeded;
    uint64_t seed, max_tokens; /* 0: as many as it likes */
    struct str stops[ASKED_STOPS];
    size_t stop_count;
    struct asked_tool tools[ASKED_TOOLS]; /* that may be called */
    size_t tool_count;
    bool forced, forbidden;
    struct str picture; /* the last one, in Base64 */
    uint64_t pictures;
    bool likely; /* log probabilities are wanted, of so many words */
    uint64_t logprobs;
    bool think, no_think, sealed;            /* sealed: reasoning is wanted back encrypted */
    const struct json *blocks[ASKED_BLOCKS]; /* of thought, that come back */
    size_t block_count;
    const char *wrong; /* what makes it no request that a vendor takes, or NULL */
};
struct exchange;
/* False: broken JSON. The texts live as long as the exchange. */
bool asked_read(struct exchange *x, struct str body);
/* False: a signature in it is none that the model has given. */
bool asked_signed(const struct exchange *x);
/* The last text of the user. */
struct str asked_last(const struct asked *a);

enum finish { FINISH_STOP, FINISH_SEQUENCE, FINISH_LENGTH, FINISH_TOOL };
/* What a word or a number was chosen from; n 0: the answer is none. */
struct choice {
    uint64_t cell, low;
    const char *const *words; /* NULL: numbers from low on */
    size_t n, chosen;
};
#define CHOICE_MAX 1000
struct answer {
    struct choice choice;
    struct buf thinking, text, arguments;
    struct str tool, sequence;
    uint8_t finish;
    bool calls, thought, silent; /* silent: what was thought is signed and not shown */
    uint64_t input, cached, created, output, reasoning; /* input: all of it */
};

enum cloud { CLOUD_OWN, CLOUD_AZURE, CLOUD_BEDROCK, CLOUD_VERTEX };

/* What goes out, and when. */
struct piece {
    size_t end;
    uint32_t wait_ms; /* before it */
};
struct script {
    struct buf head, bytes; /* head: header lines */
    struct piece *pieces;
    size_t count, cap, at;
    unsigned status;
    const char *type;
};
void script_free(struct script *s); /* NULL is fine */

struct zoo;
struct exchange {
    struct zoo *zoo;
    const struct sim_options *o;
    const struct character *claimed, *served, *other; /* other: that may serve instead */
    struct asked asked;
    struct answer answer;
    struct rand_weak rand;
    uint64_t made;           /* tokens of output, whatever is billed */
    uint64_t waiting_ms;     /* of events that are held back */
    double nudge;            /* how far a hidden prompt moves what it prefers */
    uint64_t hidden, billed; /* tokens added; billed instead of what is read, 0: not */
    uint32_t first_ms, each_ms, burst, events;
    bool at_once, first_sight, bill_uncut, canned, strip;
    uint8_t cloud;
    unsigned status; /* 200, or what the variant makes of it */
    int64_t now_us;
    char model[LIMIT_NAME + 1]; /* as it was asked for */
    struct script *script;
};

/* mind.c, draw.c */
void mind_answer(struct exchange *x);
/* What is to be said or given as it stands in s, and the word that s begins with; or empty. */
struct str mind_as_it_stands(struct str s);
struct str mind_word_at(struct str s);
/* mind_call.c: false when the question wants no tool. */
bool mind_call(struct exchange *x, struct str question);
double draw_share(struct exchange *x); /* in [0, 1) */
/* One of n answers in a cell, by what the model prefers and the temperature. */
size_t draw(struct exchange *x, uint64_t cell, size_t n);
/* How much it likes one of them. */
double draw_weight(const struct exchange *x, uint64_t cell, size_t i);
/* Draws the answer to a question for one token; false: it is none. */
bool draw_cell(struct exchange *x, struct str question, struct buf *out);
void draw_prose(struct exchange *x, unsigned words, struct buf *out);

/* picture.c: the digits in it and its colour. False: it is no picture. */
bool picture_look(struct str base64, struct buf *out);

/* likely.c: log probabilities of an answer of one word. */
const char *likely_wrong(const struct exchange *x); /* why they are refused, or NULL */
bool likely_known(const struct exchange *x);
void likely_write(struct exchange *x, struct json_out *o);
void likely_write_gemini(struct exchange *x, struct json_out *o); /* a member */

/* mark.c: ids that carry their time, and blobs that look signed. */
enum mark_kind {
    MARK_CHAT,
    MARK_ANTHROPIC,
    MARK_RANDOM58,
    MARK_RANDOM62,
    MARK_HEX,
    MARK_UUID,
    MARK_GEMINI
};
void mark_write(struct exchange *x, enum mark_kind kind, const char *prefix, struct buf *out);
/* "resp_" and its items share their beginning. */
void mark_response(struct exchange *x, uint64_t stem, const char *prefix, struct buf *out);
void mark_sealed(struct exchange *x, struct buf *out);
void mark_signature(const struct character *c, enum cloud cloud, struct str thinking,
                    struct buf *out);
uint64_t mark_hash(uint64_t seed, struct str s);

/* cheat.c */
/* The same for prompts that differ in digits and single letters alone. */
uint64_t cheat_same(const struct exchange *x);
enum when { WHEN_ASKED, WHEN_ANSWERED };
void cheats_apply(struct exchange *x, enum when when);

/* zoo.c: one for a simulator. */
struct zoo *zoo_new(uint64_t seed); /* 0: by the clock */
void zoo_free(struct zoo *z);
struct rand_weak *zoo_rand(struct zoo *z);
uint64_t zoo_calls(const struct zoo *z);
/* The number that the first answer to such a prompt began with; it is this one from now on. */
struct str zoo_kept(struct zoo *z, uint64_t hash, struct str number);
/* NULL: the model is none of the zoo. */
struct script *zoo_answer(struct zoo *z, const struct target *t, const struct ask *ask,
                          const struct sim_options *o, struct str body);

/* shape_*.c: the answer, whole or as events. */
void shape_chat(struct exchange *x);
void shape_responses(struct exchange *x);
void shape_messages(struct exchange *x);
void shape_gemini(struct exchange *x);
void shape_head(struct exchange *x);
void shape_error(struct exchange *x, unsigned status, const char *code, const char *text);
/* Begins an event of a stream ("event: name" where there is a name), and ends it. */
struct buf *event_open(struct exchange *x, const char *name);
void event_close(struct exchange *x, bool timed); /* timed: as long after as a token takes */
void script_end(struct exchange *x);
/* The next slice of a text as streams send it. */
struct str event_slice(struct exchange *x, struct str *rest);

#endif
