/* SPDX-License-Identifier: Apache-2.0 */
/* Of neutral.h, where its rules stand: a request between the dialects, how it is read and put in
 * order for its writer. */
#ifndef DIALECT_NEUTRAL_ASK_H
#define DIALECT_NEUTRAL_ASK_H

#include "base/buf.h"
#include "json/json.h"

#define SPOKEN 4 /* dialects that are converted: the first of enum dialect */

#define TOOLS_MAX 2048 /* of a request; vendors take 128 to 512 */
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
struct bound {
    uint64_t n;    /* bytes */
    uint32_t hash; /* hash_fnv */
};
struct part {
    struct part *next;
    const struct place *from;
    uint8_t kind;
    bool custom;            /* CALL, RESULT: of a freeform tool, whose input is no JSON */
    bool failed;            /* RESULT: the tool says it failed */
    bool answered;          /* CALL: a result has come (turns_settle) */
    unsigned order;         /* CALL: its number in the history; RESULT: its call's (turns_settle) */
    struct part *next_call; /* CALL: the next of its turn that may wait for a result */
    struct str text; /* TEXT, REASONING, REFUSAL; CALL: arguments as JSON text, or custom input */
    /* CALL: where its arguments stand; RESULT: where it says that it failed; REFUSAL: its text */
    const struct place *text_from;
    struct str mime, data, url,
        ref;           /* media: base64 data of a MIME type, or a URL, or a vendor's id */
    struct str title;  /* FILE: its name */
    struct str detail; /* IMAGE: auto, low, high, original */
    const struct place *detail_from;
    struct str id, name; /* CALL, RESULT: what joins them; the client's name of the tool */
    struct str group;    /* CALL: the namespace of the tool */
    struct str wire_id;  /* id, or another where that is not legal at the upstream (turns_settle) */
    struct str opaque;   /* the upstream's own state as it gave it, already unwrapped for it */
    const struct bound *bound; /* REASONING: the text that opaque came with, where it is known */
    bool torn;                 /* that one has not come back */
    struct parts parts;        /* RESULT: what the tool gave: TEXT and media */
    const struct json *cache;  /* a mark to cache up to here, or NULL */
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

/* What a client's opaque slot held, and where it stands. */
struct slot {
    struct str text;
    const struct place *at;
};

/* Of it the reply sees model, stream, stream_usage, reasoning.show and the tools whose calls come
 * back by another name or as another kind; the rest is gone when conversion_new returns. */
struct ask_neutral {
    struct str model;               /* for the upstream */
    bool stream, stream_usage;      /* the client wants the usage frame of chat streams */
    struct turn *turns, *last_turn; /* system text stands where it stood; leading is first */
    const struct place *emptied;    /* the first text of turns_merge that was left out as empty */
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
/* The same of what may be a string, too, and is none. */
void read_content_items(struct conversion *c, const struct json *array, const struct place *at,
                        void (*read)(struct conversion *c, const struct json *v,
                                     const struct place *at, void *into),
                        void *into);
/* The string member `key`, also where it is absent ({NULL,0}). */
struct str read_word(const struct json *object, const char *key);
/* Of who called a tool, {"type": "direct"}: another caller is a program at the vendor. */
void read_caller(struct conversion *c, const struct json *v, const struct place *at, void *into);
bool text_is_object(struct str text); /* JSON, and an object */
bool json_means_nothing(const struct json *v, const char *nothing);

/* ---- turns.c: what the writers need of the turns ---- */
struct turn *turn_new(struct conversion *c, enum role role, const struct place *from);
/* The last turn if it has this role, else a new one. */
struct turn *turn_last(struct conversion *c, enum role role, const struct place *from);
struct part *part_new(struct conversion *c, struct parts *list, enum part_kind kind,
                      const struct place *from);
struct part *part_text(struct conversion *c, struct parts *list, struct str text,
                       const struct place *from);
/* What the model would not do, which `from` says under "refusal". */
struct part *part_refusal(struct conversion *c, struct parts *list, struct str text,
                          const struct place *from);
/* Where a part is one, it becomes text. */
void lose_refusal(struct conversion *c, const struct part *p);
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
/* A user's turn must say something; content: where that should stand. */
void need_parts(struct conversion *c, const struct turn *t, const struct place *content);
bool turn_has(const struct turn *t, enum part_kind kind);
/* Joins results with their calls, gives both legal, unique ids; refuses orphans, and parts where
 * none of their kind can stand. After reading. */
void turns_settle(struct conversion *c);
/* For dialects that want turns of one role as one: no empty text, user turns with results first. */
void turns_merge(struct conversion *c);
/* Behind it, for those that want a turn that is not the system's. */
void turns_need_some(struct conversion *c);
/* For dialects with system text only at the top: what stands further down becomes user text. */
void turns_fold_system(struct conversion *c);
/* "data:image/png;base64,AAAA" into mime and data; else url. URL-safe base64 becomes standard. */
void media_from_url(struct conversion *c, struct part *p, struct str url);
void media_to_url(const struct part *p, struct buf *out);
/* Where the name of a file cannot be said. */
void media_lose_title(struct conversion *c, const struct part *p);
void media_set_data(struct conversion *c, struct part *p, struct str mime, struct str data);

/* ---- effort.c: the two scales of reasoning ---- */
enum effort effort_read(struct str word); /* EFFORT_UNSAID: no such level */
const char *effort_word(enum effort e);
int64_t effort_budget(enum effort e); /* tokens */
enum effort budget_effort(int64_t tokens);
/* The client's wish on either scale; UNSAID where it has none. */
enum effort reasoning_effort(const struct reasoning *r);

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

/* ---- fields.c: what the rows decide for values that no code knows ---- */
/* Scalars whose path in the target begins with prefix, at that path's last name. */
void write_fields(struct conversion *c, struct json_out *o, const char *prefix);
/* A temperature above what the upstream takes is lost by name. 0: no limit is known. */
void check_temperature(struct conversion *c, unsigned most_tenths);
/* Beside reasoning, the messages dialect takes temperature 1, a top_p of 0.95 to 1, no top_k. */
void lose_sampling(struct conversion *c);
/* Toward dialects that neither name nor describe the schema of an answer. */
void lose_format_name(struct conversion *c);
/* The user, where the name is too long for OpenAI's dialects: a hash, which tells users apart. */
void write_long_user(struct conversion *c, struct json_out *o);
/* Those that the target cannot say: lost or refused, by their rows. */
void lose_unwritten(struct conversion *c);

#endif
