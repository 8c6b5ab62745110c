/* SPDX-License-Identifier: Apache-2.0 */
/* Of neutral.h, where its rules stand: a reply between the dialects, part after part. */
#ifndef DIALECT_NEUTRAL_REPLY_H
#define DIALECT_NEUTRAL_REPLY_H

#include "dialect/dialect.h"
#include "dialect/neutral_ask.h"

/* ---- reply.c: the neutral reply; readers call these, writers are called by them ---- */
enum finish {
    FINISH_STOP,
    FINISH_STOP_SEQUENCE,
    FINISH_CALL,
    FINISH_LENGTH,
    FINISH_CONTEXT,
    FINISH_FILTER,
    FINISH_PAUSE,
    FINISH_BAD_CALL,
    FINISH_FAILED, /* the vendor's own fault: what came is a piece */
};
struct citation {
    struct citation *next;
    struct str url, title;
    uint64_t start, end; /* characters of the part's text */
};
struct reply_part {
    struct reply_part *next;
    uint8_t kind; /* TEXT, CALL, REASONING, REFUSAL, IMAGE, AUDIO */
    bool custom;
    bool withheld; /* REASONING: its text is, only opaque is there */
    bool left_out; /* CALL: of gemini's writer, which has not written it */
    uint8_t state; /* of reply.c, like the next line */
    bool wrapped;  /* a custom call that comes as a function's */
    bool closing, json_quoted, json_escaped, json_begun;
    bool loose;  /* CALL: its arguments are no object */
    bool cut;    /* CALL: it ended before its arguments did */
    bool search; /* CALL: of such a tool */
    int json_depth;
    size_t text_n;              /* bytes written so far */
    uint64_t key;               /* the reader's own name for it */
    unsigned number;            /* in the order of opening, from 0 */
    unsigned call;              /* CALL: its number among the calls */
    struct str id, name, group; /* CALL: the client's own name of the tool */
    struct str wire_id;         /* CALL: its id as the upstream wrote it */
    struct str mime;
    struct buf text;     /* all of it, where the writer keeps texts */
    struct str opaque;   /* enveloped for the client (chat's: at the close), or {NULL,0} */
    struct bound shown;  /* REASONING: of the text so far */
    uint64_t characters; /* of the text so far */
    struct citation *citations;
    struct buf waiting; /* not written yet: another part is open */
    struct buf kept;    /* not as it comes: a wrapped call's arguments, thoughts to be omitted */
};
/* What has come of a reply, and what its writer has made of it. */
struct reply {
    bool started, ended, has_call;
    bool finished;  /* the vendor has said why it stopped, if only by an empty word */
    bool broken;    /* it cannot be read, or is more than can be held: it ends as a failure */
    uint8_t finish; /* enum finish */
    struct str id;  /* of the station's request; the client's dialect puts its prefix before it */
    struct str upstream_id, model, stop_sequence;
    struct reply_part *parts, *last, *current;
    struct reply_part *waiting; /* the first that is not open yet: so are all behind it */
    uint64_t cited;             /* steps that citations have cost */
    unsigned made, part_count, call_count;
    unsigned states;              /* chat: of reasoning, that have come */
    uint64_t last_call;           /* chat: key of the call that deltas without an index belong to */
    struct unnamed_call *unnamed; /* chat: what came of calls before their names */
    unsigned unnamed_made;
    unsigned nameless; /* chat: calls with arguments that have no name yet */
    struct str head;   /* what each event of the client's begins with, where it is the same */
    uint64_t sequence; /* responses: of events */
    uint64_t sent;     /* of those that did not wait */
    bool held;
    unsigned items, contents;   /* responses: opened so far; in the open message, behind 1st */
    struct reply_part *message; /* responses: the first part of the open message, or NULL */
    struct str settings;        /* responses: what each response says of the request, as members */
    uint64_t created;           /* seconds */
    const struct usage *usage;  /* while the end is written; else NULL */
};
struct reply_writer {
    bool keeps_texts; /* close and end need each part's text */
    bool whole_calls; /* a call is written at its close, complete */
    void (*start)(struct conversion *c);
    void (*open)(struct conversion *c, struct reply_part *p);
    void (*piece)(struct conversion *c, struct reply_part *p, struct str text);
    void (*close)(struct conversion *c, struct reply_part *p);
    void (*end)(struct conversion *c);                           /* finish, usage, terminator */
    void (*ping)(struct conversion *c);                          /* NULL: no keep-alive is legal */
    void (*fail)(struct conversion *c, const struct problem *p); /* NULL: as if it were its own */
    void (*whole)(struct conversion *c);                         /* all of it as one document */
};
void reply_start(struct conversion *c, struct str id, struct str model);
/* Text (arguments, of a CALL) of the part (kind, key), which opens with its first piece. */
void reply_piece(struct conversion *c, enum part_kind kind, uint64_t key, struct str text);
struct reply_call {
    struct str id, name, state; /* state: the upstream's own that goes with it, not yet enveloped */
    bool raw;                   /* of a freeform tool, and its pieces are the input itself */
};
/* Opens a call; nothing for a key that is open. Its arguments follow as pieces. */
void reply_call(struct conversion *c, uint64_t key, const struct reply_call *call);
/* The upstream's own state of a reasoning part, not yet enveloped; withheld: there is no text. */
void reply_opaque(struct conversion *c, uint64_t key, struct str state, bool withheld);
/* A part of this name has come, with or without text; it may be closed. */
bool reply_seen(const struct conversion *c, enum part_kind kind, uint64_t key, bool with_text);
/* An open call at this key is complete, and this id is another's. */
bool reply_is_other_call(const struct conversion *c, uint64_t key, struct str id);
/* The arguments of a call as a JSON object; those that are none as one under "input". */
void reply_put_arguments(struct json_out *o, const struct reply_part *p);
void reply_close(struct conversion *c, enum part_kind kind, uint64_t key);
void reply_finish(struct conversion *c, enum finish f, struct str stop_sequence);
void reply_ping(struct conversion *c);
/* All has come: what is open closes, and the writer ends the stream or writes the whole; unless it
 * is c->unreadable. */
void reply_end(struct conversion *c, const struct usage *u);
/* ---- citations.c: of one event, or of a whole reply; before its part is closed ---- */
uint64_t characters_of(struct str text); /* of UTF-8 */
#define CITE_TO_END UINT64_MAX           /* as an end: of the part */
#define CITE_LAST UINT64_MAX             /* the key of whichever text is the last */
void reply_cite(struct conversion *c, uint64_t key, const struct citation *what);
void cite_openai(struct conversion *c, uint64_t key, const struct json *annotations);
void cite_messages(struct conversion *c, uint64_t key, const struct json *citation);
void cite_gemini(struct conversion *c, const struct json *candidate);
/* Its members; before: characters of the texts that stand before its part. */
void citation_write(struct json_out *o, const struct reply_part *p, const struct citation *what,
                    uint64_t before);
struct reply_part *reply_open_text(struct conversion *c, uint64_t key); /* reply.c */
/* The usage as the client's dialect counts it. */
struct usage_sums {
    uint64_t in, cache_read, cache_write, out, reasoning, total; /* in and out include the others */
    uint64_t in_audio, out_audio;
};
struct usage_sums usage_sums(const struct usage *u);
const struct usage *reply_usage(const struct conversion *c); /* none before the end */

/* ---- finish.c: words for ends, as vendors write them; the nearest for what nobody knows ---- */
enum finish finish_read(enum dialect d, struct str word);
const char *finish_word(enum dialect d, enum finish f);

#endif
