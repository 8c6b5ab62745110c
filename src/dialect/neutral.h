/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of this room alone: the form between the dialects. A reader makes it of one dialect's JSON, a
 * writer makes another's JSON of it; four of each, and nothing knows two dialects. Everything lives
 * in the conversion's arena (strings in its document or its arena): what is made of the request
 * dies at the end of conversion_new, what is made of the reply with the conversion.
 *
 * 1. What a reader meets is taken, lost by name (lose), or refused (refuse); an unknown key is
 *    refused. After a refusal nothing that follows matters: readers stop at c->refused.
 * 2. Every part remembers its place in the client's JSON, so that a writer can name it.
 * 3. Reply parts never overlap when a writer sees them (reply.c sees to it).
 */
#ifndef DIALECT_NEUTRAL_H
#define DIALECT_NEUTRAL_H

#include "base/arena.h"
#include "dialect/convert.h"
#include "dialect/dialect.h"
#include "dialect/vendor.h"

#define SPOKEN 4 /* dialects that are converted: the first of enum dialect */

#define LOSSY_MAX 4096 /* bytes of the names of what was lost: they go into one header */
#define TOOLS_MAX 2048 /* of a request: each is looked for among all; vendors take 128 to 512 */
#define CALLS_MAX 8192 /* of a history; the longest agents make a few thousand */

struct conversion;

/* fields.def: everything a request can say, one row each. */
enum field {
#define X(ID, ...) FIELD_##ID,
#include "dialect/fields.def"
#undef X
    FIELD_COUNT
};
enum field_kind {
    KIND_CODE, /* read and written by code */
    KIND_NUMBER,
    KIND_COUNT, /* a non-negative integer */
    KIND_BOOL,
    KIND_STRING,
    KIND_ANY,
};
struct field_row {
    const char *name; /* as operators allow its loss and as documents name it */
    uint8_t kind;
    /* Where it stands in each dialect; NULL: the dialect cannot say it. */
    const char *path[SPOKEN];
    /* What becomes of it toward each dialect: K carried, L lost and named, R refused. */
    char to[SPOKEN + 1];
    const char *nothing; /* the value, as JSON, that says nothing: lost without a word; or NULL */
    const char *why;
};
extern const struct field_row fields[FIELD_COUNT];

/* Where in the client's JSON: a chain up to the root (NULL). */
struct place {
    const struct place *up;
    struct str key; /* {NULL,0}: an item of an array */
    size_t index;
};
const struct place *place_key(struct conversion *c, const struct place *up, struct str key);
const struct place *place_item(struct conversion *c, const struct place *up, size_t index);
/* "messages[2].content[0].text" */
void place_text(const struct place *p, struct buf *out);

enum role { ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT };
enum part_kind {
    PART_TEXT,
    PART_IMAGE,
    PART_FILE,
    PART_AUDIO,
    PART_VIDEO,
    PART_CALL,
    PART_RESULT,
    PART_REASONING,
    PART_REFUSAL,
};
struct parts {
    struct part *first, *last;
};
struct part {
    struct part *next;
    const struct place *from;
    uint8_t kind;
    bool custom;     /* CALL, RESULT: of a freeform tool, whose input is no JSON */
    bool failed;     /* RESULT: the tool says it failed */
    bool answered;   /* CALL: a result has come (turns_settle) */
    struct str text; /* TEXT, REASONING, REFUSAL; CALL: arguments as JSON text, or custom input */
    const struct place *text_from; /* CALL: where its arguments stand */
    struct str mime, data, url,
        ref;           /* media: base64 data of a MIME type, or a URL, or a vendor's id */
    struct str title;  /* FILE: its name */
    struct str detail; /* IMAGE: auto, low, high, original */
    const struct place *detail_from;
    struct str id, name; /* CALL, RESULT: what joins them; the client's name of the tool */
    struct str group;    /* CALL: the namespace of the tool */
    struct str wire_id;  /* id, or another where that is not legal at the upstream (turns_settle) */
    struct str opaque;   /* the upstream's own state as it gave it, already unwrapped for it */
    struct parts parts;  /* RESULT: what the tool gave: TEXT and media */
    const struct json *cache; /* a mark to cache up to here, or NULL */
    const struct place *cache_from;
};
struct turn {
    struct turn *next;
    const struct place *from;
    uint8_t role;
    struct parts parts;
};

enum tool_kind { TOOL_FUNCTION, TOOL_CUSTOM };
enum tristate { UNSAID, NO, YES };
struct tool {
    struct tool *next;
    const struct place *from;
    uint8_t kind, strict;
    bool search;  /* responses: the client's own search for further tools */
    bool allowed; /* it may be called (tools_rename) */
    struct str name, description;
    struct str group;     /* responses: the namespace it stands in */
    struct str wire_name; /* how the upstream knows it: name, or another where that is not legal */
    const struct json *schema; /* of its arguments, or NULL: none */
    const struct json *format; /* CUSTOM: grammar, or NULL */
    const struct json *cache;
    const struct place *cache_from;
};

enum choice_mode { CHOICE_UNSAID, CHOICE_AUTO, CHOICE_NONE, CHOICE_REQUIRED, CHOICE_NAMED };
struct tool_choice {
    uint8_t mode;
    struct str name;      /* NAMED */
    struct parts allowed; /* TEXT: names of those that alone may be called; none: all */
    const struct place *from, *allowed_from;
};

enum effort {
    EFFORT_UNSAID,
    EFFORT_NONE,
    EFFORT_MINIMAL,
    EFFORT_LOW,
    EFFORT_MEDIUM,
    EFFORT_HIGH,
    EFFORT_XHIGH,
    EFFORT_MAX
};
struct reasoning {
    uint8_t effort;  /* enum effort */
    uint8_t show;    /* tristate: the client wants to read it */
    bool has_budget; /* the client gave tokens */
    bool off;        /* it is switched off, whatever level is named beside it */
    bool adaptive;   /* messages: thinking is adaptive */
    int64_t budget;  /* tokens; 0: off; -1: the model's own choice */
    const struct place *effort_from, *budget_from; /* chat: where each is given */
    const struct place *show_from;                 /* where it asks for that apart, or NULL */
    const struct place *from;
};

enum format_kind { FORMAT_TEXT, FORMAT_JSON, FORMAT_SCHEMA };
struct format {
    uint8_t kind, strict;
    struct str name, description;
    const struct json *schema;
    const struct place *from;
};

struct value {
    const struct json *v;
    const struct place *at;
};

/* Of it the reply sees model, stream, stream_usage, reasoning.show and the tools whose calls come
 * back by another name or as another kind; the rest is gone when conversion_new returns. */
/* What a client's opaque slot held, and where it stands. */
struct slot {
    struct str text;
    const struct place *at;
};

struct ask_neutral {
    struct str model;               /* for the upstream */
    bool stream, stream_usage;      /* the client wants the usage frame of chat streams */
    struct turn *turns, *last_turn; /* system text stands where it stood; leading is first */
    struct tool *tools, *last_tool;
    unsigned tool_count;
    struct tool_choice choice;
    uint8_t parallel; /* tristate: may several tools be called at once */
    const struct place *parallel_from;
    struct reasoning reasoning;
    struct slot next_state; /* of the call that the reader will meet next */
    struct format format;
    struct value max_output; /* tokens */
    struct parts stops;      /* TEXT: stop sequences */
    struct value *value;     /* of each field; those of a kind other than CODE */
};

/* ---- read.c: walking a client's JSON by rows ---- */
enum take {
    TAKE_KNOWN, /* looked at elsewhere */
    TAKE_STR,   /* struct str at `at`; refused unless a string */
    TAKE_JSON,  /* const struct json * at `at` */
    TAKE_BOOL,  /* uint8_t tristate at `at` */
    TAKE_FIELD, /* a value of the row `field` */
    TAKE_LOSS,  /* cannot be taken along: lose(field) */
    TAKE_READ,  /* by `read` */
};
struct key {
    const char *name;
    uint8_t take;
    uint8_t field;
    uint16_t at;
    uint16_t of; /* bits: the kinds of the object that have this key; 0: all */
    void (*read)(struct conversion *c, const struct json *v, const struct place *at, void *into);
};
struct keys {
    const struct key *rows;
    size_t count;
    const char *prefix; /* values of rows of fields.def whose path begins so need no row here */
    unsigned kind;      /* the object's, one bit of `of`; 0: it has but one, or an unknown one */
};
/*
 * Each member of an object by its row; a null is as good as absent; a key without a row, or there
 * twice, is refused. One that only other kinds of the object have would go unread: it is
 * lose(FIELD_KEY_FOREIGN), unless it is empty.
 */
void read_object(struct conversion *c, const struct json *object, const struct place *at,
                 const struct keys *keys, void *into);
#define ROWS(rows) (rows), sizeof(rows) / sizeof((rows)[0])
/* prefix: "", "generationConfig." and their like, or NULL. */
#define READ_OBJECT(c, object, at, prefix, rows, into) \
    read_object(c, object, at, &(struct keys){ROWS(rows), prefix, 0}, into)
#define READ_KIND(c, object, at, kind, rows, into) \
    read_object(c, object, at, &(struct keys){ROWS(rows), NULL, kind}, into)
/* The bit of a word among the kinds that a table names; 0: none of them. */
struct kind {
    const char *word;
    unsigned bit;
};
unsigned kind_of(struct str word, const struct kind *kinds, size_t count);
/* The client's key is this name; in the Gemini dialect, JSON of protocol buffers, also where it is
 * written in snake case. */
bool key_is(const struct conversion *c, struct str key, struct str name);
/* Calls read for each item; refused unless an array. */
void read_items(struct conversion *c, const struct json *array, const struct place *at,
                void (*read)(struct conversion *c, const struct json *v, const struct place *at,
                             void *into),
                void *into);
/* The string member `key`, also where it is absent ({NULL,0}). */
struct str read_word(const struct json *object, const char *key);
bool json_means_nothing(const struct json *v, const char *nothing);

/* ---- convert.c ---- */
struct made_doc {
    struct made_doc *next;
    struct json_doc *doc;
};
struct reply_writer;
struct reply_part;
struct conversion {
    struct arena arena, spare; /* of the request, then of the reply; spare: at the cap */
    uint8_t from, to;          /* the client's dialect, the upstream's */
    bool refused;
    bool unreadable; /* the upstream's reply is not what its dialect says */
    const struct vendor *vendor;
    uint64_t max_output;                      /* the model's ceiling */
    struct str envelope_id;                   /* vendor and model, as envelopes name them */
    uint64_t allowed[CONVERSION_FIELDS / 64]; /* bits of fields whose loss the route allows */
    struct json_doc *doc;                     /* the client's request, while it is converted */
    struct made_doc *made;                    /* what readers made of parts of it, as long */
    struct ask_neutral ask;
    struct tool_names { /* of tools.c: each tool by its names */
        struct map *own, *bare, *wire;
        struct tool *last; /* up to which they are in `own` and `bare` */
    } names;
    struct embedding *embedding;   /* embeddings are asked for; NULL: an answer is */
    struct buf lossy, why, why_at; /* texts: "a, b"; what was refused, and where */
    /* of the reply */
    struct buf *out; /* where writers write; set for each call */
    uint8_t framing;
    bool whole; /* the client gets one JSON document */
    struct reply {
        bool started, ended, has_call;
        bool finished;  /* the vendor has said why it stopped, if only by an empty word */
        bool broken;    /* it cannot be read, or is more than can be held: it ends as a failure */
        uint8_t finish; /* enum finish */
        struct str
            id; /* of the station's request; the client's dialect puts its prefix before it */
        struct str upstream_id, model, stop_sequence;
        struct reply_part *parts, *last, *current;
        unsigned made, part_count, call_count;
        unsigned states;    /* chat: of reasoning, that have come */
        uint64_t last_call; /* chat: key of the call that deltas without an index belong to */
        struct str head;    /* what each event of the client's begins with, where it is the same */
        uint64_t sequence;  /* responses: of events */
        uint64_t sent;      /* of those that did not wait */
        bool held;
        unsigned items, contents;   /* responses: opened so far; in the open message, behind 1st */
        struct reply_part *message; /* responses: the first part of the open message, or NULL */
        struct str settings; /* responses: what each response says of the request, as members */
        uint64_t created;    /* seconds */
        struct usage usage;
    } reply;
};
/* Refuses the request: naming the place (NULL: the whole), why in words. The first one stands. */
void refuse(struct conversion *c, const struct place *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* What this row says of the target dialect: nothing (K), named in Relay-Lossy, or the request is
 * refused: who goes on behind it may look at c->refused. */
void lose(struct conversion *c, enum field f, const struct place *at);
void *conversion_alloc(struct conversion *c,
                       size_t n); /* zeroed; never NULL, a refusal at the cap */
struct str conversion_str(struct conversion *c, struct str s); /* a copy in the arena */
struct str conversion_take(struct conversion *c,
                           struct buf *b); /* the same of a buf; releases it */
/* A reader's own JSON as a value that lives as long as the request; releases text. */
const struct json *conversion_parse(struct conversion *c, struct buf *text);

/* ---- turns.c: what the writers need of the turns ---- */
struct turn *turn_new(struct conversion *c, enum role role, const struct place *from);
/* The last turn if it has this role, else a new one. */
struct turn *turn_last(struct conversion *c, enum role role, const struct place *from);
struct part *part_new(struct conversion *c, struct parts *list, enum part_kind kind,
                      const struct place *from);
struct part *part_text(struct conversion *c, struct parts *list, struct str text,
                       const struct place *from);
void parts_add(struct parts *list, struct part *p);
/* Letters, digits, and unless plain _ and -: what every dialect takes. */
bool id_is_legal(struct str id, size_t most, bool plain);
/* The arguments of a call as a JSON object's text; refused where they are none. */
struct str part_arguments(struct conversion *c, const struct part *p);
/* A call of the history, with the state that an envelope before it held. */
struct part *part_call(struct conversion *c, struct parts *list, const struct place *from);
/* Reasoning of the history: its text (may be empty) and what the client's opaque slot held. */
void part_reasoning(struct conversion *c, struct parts *list, struct str text, struct slot slot,
                    const struct place *from);
/* A mark to cache up to the end of the list; NULL: there is none. */
void parts_mark(struct conversion *c, struct parts *list, const struct json *cache,
                const struct place *at);
/* Takes reasoning out that the upstream cannot have: without its own state, unless texts are taken
 * as well. Loses it by name; a turn that would vanish is refused. */
void turns_drop_reasoning(struct conversion *c, bool take_texts, bool take_state);
bool turn_has(const struct turn *t, enum part_kind kind);
/* Joins results with their calls, gives both legal, unique ids; refuses orphans. After reading. */
void turns_settle(struct conversion *c);
/* For dialects that want turns of one role as one: no empty text, user turns with results first. */
void turns_merge(struct conversion *c);
/* For dialects with system text only at the top: what stands further down becomes user text. */
void turns_fold_system(struct conversion *c);
/* "data:image/png;base64,AAAA" into mime and data; else url. URL-safe base64 becomes standard. */
void media_from_url(struct conversion *c, struct part *p, struct str url);
void media_to_url(const struct part *p, struct buf *out);
void media_set_data(struct conversion *c, struct part *p, struct str mime, struct str data);

/* ---- effort.c: the two scales of reasoning ---- */
enum effort effort_read(struct str word); /* EFFORT_UNSAID: no such level */
const char *effort_word(enum effort e);
int64_t effort_budget(enum effort e); /* tokens */
enum effort budget_effort(int64_t tokens);
/* The client's wish on either scale; UNSAID where it has none. */
enum effort reasoning_effort(const struct reasoning *r);

/* ---- envelope.c: a vendor's opaque state in a client's opaque slot ---- */
enum envelope_kind {
    ENVELOPE_OPAQUE = 'o', /* of the part it stands in */
    ENVELOPE_NEXT = 'n',   /* of the part that follows: the slot stands in a part of its own */
    ENVELOPE_TEXT = 't', /* no state: the reasoning's own text, for clients that return no other */
};
/* "VENDOR.MODEL-HASH"; in the arena. */
struct str envelope_id(struct conversion *c, struct str vendor, struct str model);
/* Wraps for the client; in the arena. */
struct str envelope_wrap(struct conversion *c, enum envelope_kind kind, struct str inside);
/*
 * Unwraps what a client returns: false when it is not ours, or not of this upstream and model
 * (then it is dropped: lose(FIELD_SIGNATURE)). TEXT is of any upstream.
 */
bool envelope_open(struct conversion *c, struct str slot, enum envelope_kind *kind,
                   struct str *out);

/* ---- tools.c ---- */
struct tool *tool_new(struct conversion *c, enum tool_kind kind, const struct place *from);
/* The client's tool of this name; NULL: none. */
struct tool *tool_find(struct conversion *c, struct str group, struct str name);
/* Legal and unique names for the upstream (pattern and length by dialect), kept in wire_name; and
 * which of them the choice allows. */
void tools_rename(struct conversion *c);
void tools_free(struct conversion *c);
/* Anew in the reply's own memory: those of the request whose calls need them on their way back. */
void tools_keep(struct conversion *c, const struct tool *asked);
struct str tool_wire_name(struct conversion *c, struct str group, struct str name);
/* The tool of the client that the upstream calls by this name; NULL: none. */
const struct tool *tool_by_wire_name(const struct conversion *c, struct str name);
/* Its description member, and its schema as a value; a custom tool's as of one string. */
void tool_write_description(struct conversion *c, struct json_out *o, const struct tool *t);
void tool_write_schema(struct json_out *o, const struct tool *t);
/* For dialects that want tools declared where the history calls some, and there are none. */
void tools_declare_history(struct conversion *c);

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
    struct str opaque;   /* enveloped for the client, or {NULL,0} */
    uint64_t characters; /* of the text so far */
    struct citation *citations;
    struct buf waiting; /* not written yet: another part is open */
    struct buf kept;    /* not as it comes: a wrapped call's arguments, thoughts to be omitted */
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

/* ---- finish.c: words for ends, as vendors write them; the nearest for what nobody knows ---- */
enum finish finish_read(enum dialect d, struct str word);
const char *finish_word(enum dialect d, enum finish f);

/* ---- one row a dialect ---- */
struct spoken {
    void (*read_ask)(struct conversion *c, const struct json *root);
    void (*write_ask)(struct conversion *c, struct json_out *o);
    void (*read_whole)(struct conversion *c, const struct json *root);
    void (*read_event)(struct conversion *c, const struct json *root);
    const struct reply_writer *writer;
};
void chat_write_ask(struct conversion *c, struct json_out *o);
void chat_read_whole(struct conversion *c, const struct json *root);
void chat_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer chat_writer;
void responses_write_ask(struct conversion *c, struct json_out *o);
void responses_read_whole(struct conversion *c, const struct json *root);
void responses_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer responses_writer;
void messages_write_ask(struct conversion *c, struct json_out *o);
void messages_read_whole(struct conversion *c, const struct json *root);
void messages_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer messages_writer;
void gemini_write_ask(struct conversion *c, struct json_out *o);
void gemini_read_whole(struct conversion *c, const struct json *root);
void gemini_read_event(struct conversion *c, const struct json *root);
extern const struct reply_writer gemini_writer;
extern const struct spoken spoken_chat, spoken_responses, spoken_messages, spoken_gemini;
const struct spoken *spoken_of(enum dialect d); /* NULL: it is not converted */

/* ---- embeddings_*.c: the chat dialect's sibling /embeddings, and Gemini's methods ---- */
struct embedding {
    struct parts inputs; /* TEXT */
    size_t count;
    struct value dimensions;
    bool single; /* gemini: of one content, not of a batch */
    bool base64; /* chat: vectors as base64 of their 32-bit floats */
};
/* from and to are DIALECT_CHAT and DIALECT_GEMINI then, in either order. */
void embeddings_read_ask(struct conversion *c, const struct json *root);
void embeddings_write_ask(struct conversion *c, struct json_out *o);
/* The upstream's reply as the client's; what cannot be read is c->unreadable. */
void embeddings_convert_reply(struct conversion *c, const struct json *root, const struct usage *u);

/* Scalars whose path in the target begins with prefix, at that path's last name. */
void write_fields(struct conversion *c, struct json_out *o, const char *prefix);
/* A temperature above what the upstream takes is lost by name. 0: no limit is known. */
void check_temperature(struct conversion *c, unsigned most_tenths);
/* Toward dialects that neither name nor describe the schema of an answer. */
void lose_format_name(struct conversion *c);
/* The user, where the name is too long for OpenAI's dialects: a hash, which tells users apart. */
void write_long_user(struct conversion *c, struct json_out *o);
/* Those that the target cannot say: lost or refused, by their rows. */
void lose_unwritten(struct conversion *c);

#endif
