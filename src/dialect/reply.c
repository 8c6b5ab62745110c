/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The neutral reply. Readers say what came, in the upstream's order; writers see parts one after
 * the other, each open, pieces, close. A part that comes while a call is incomplete waits for it.
 */
#include "base/hash.h"
#include "dialect/neutral.h"

enum part_state { WAITING, OPEN, CLOSED };

#define PARTS_MAX 4096 /* of one reply; the longest seen has 60 */

static const struct reply_writer *writer(const struct conversion *c)
{
    return spoken_of((enum dialect)c->from)->writer;
}

void reply_start(struct conversion *c, struct str id, struct str model)
{
    struct reply *r = &c->reply;

    if (r->upstream_id.n == 0 && id.n > 0) {
        r->upstream_id = conversion_str(c, id);
    }
    if (r->model.n == 0 && model.n > 0) {
        r->model = conversion_str(c, model);
    }
    if (!r->started && (r->model.n > 0 || r->parts != NULL || r->finished)) {
        r->started = true;
        if (!c->whole) {
            writer(c)->start(c);
        }
    }
}

static void ensure_started(struct conversion *c)
{
    if (!c->reply.started) {
        c->reply.started = true;
        if (!c->whole) {
            writer(c)->start(c);
        }
    }
}

/* ---- is this call's JSON complete? ---- */

static void follow_json(struct reply_part *p, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        if (p->json_escaped) {
            p->json_escaped = false;
        } else if (p->json_quoted) {
            p->json_escaped = ch == '\\';
            p->json_quoted = ch != '"';
        } else if (ch == '"') {
            p->json_quoted = true;
        } else if (ch == '{' || ch == '[') {
            p->json_depth++;
            p->json_begun = true;
        } else if (ch == '}' || ch == ']') {
            p->json_depth--;
        }
    }
}

static bool may_close(const struct reply_part *p)
{
    return p->kind != PART_CALL || (p->custom && !p->wrapped) ||
           (p->json_begun && p->json_depth <= 0);
}

static bool ends_short(const struct conversion *c)
{
    return c->reply.finish == FINISH_LENGTH || c->reply.finish == FINISH_CONTEXT;
}

/* ---- one part after the other ---- */

static bool keeps_text(const struct conversion *c, const struct reply_part *p)
{
    const struct reply_writer *w = writer(c);
    bool counted = p->kind == PART_TEXT && c->to == DIALECT_GEMINI; /* by its citations */
    return c->whole || w->keeps_texts || counted || (w->whole_calls && p->kind == PART_CALL);
}

static void write_piece(struct conversion *c, struct reply_part *p, struct str text)
{
    const struct reply_writer *w = writer(c);

    p->text_n += text.n;
    if (p->kind == PART_REASONING) {
        p->shown = (struct bound){p->shown.n + text.n, hash_fnv(p->shown.hash, text)};
    }
    p->characters += p->kind == PART_TEXT ? characters_of(text) : 0;
    if (keeps_text(c, p)) {
        c->reply.broken = !buf_add(&p->text, text) || c->reply.broken;
    }
    if (!c->whole && !(w->whole_calls && p->kind == PART_CALL)) {
        w->piece(c, p, text);
    }
}

/* The client wants no thoughts shown: they travel in the envelope alone. */
static bool keeps_thoughts(const struct conversion *c)
{
    return c->ask.reasoning.show == NO && (c->from == DIALECT_MESSAGES || c->from == DIALECT_CHAT);
}

/* Arguments are an object in every dialect: what begins otherwise waits for its end. */
static bool is_loose(struct reply_part *p, struct str words)
{
    if (p->text_n == 0 && words.n > 0 && !p->loose) {
        p->loose = words.p[0] != '{';
    }
    return p->loose || (p->text_n == 0 && words.n == 0);
}

static void deliver(struct conversion *c, struct reply_part *p, struct str text)
{
    if (p->kind == PART_CALL && (!p->custom || p->wrapped)) {
        follow_json(p, text);
    }
    if (p->wrapped || (p->kind == PART_REASONING && keeps_thoughts(c)) ||
        (p->kind == PART_CALL && !p->custom && is_loose(p, str_trim(text)))) {
        c->reply.broken = !buf_add(&p->kept, text) || c->reply.broken;
    } else {
        write_piece(c, p, text);
    }
}

/* A freeform tool was offered as a function of one string: that string is what its call says. */
static void unwrap(struct conversion *c, struct reply_part *p)
{
    struct json_doc *doc = json_parse(buf_str(&p->kept), NULL);
    struct str input = doc != NULL ? read_word(json_root(doc), "input") : STR("");

    write_piece(c, p, input.p != NULL && doc != NULL ? input : buf_str(&p->kept));
    json_free(doc);
    buf_release(&p->kept);
}

/* Nothing, or null, is no argument; anything else stands under "input". */
static void write_loose(struct conversion *c, struct reply_part *p)
{
    struct buf text;
    struct str words = str_trim(buf_str(&p->kept));

    if (words.n == 0 || str_eq(words, STR("null"))) {
        write_piece(c, p, STR("{}"));
    } else {
        buf_init(&text, LIMIT_BODY_BYTES);
        buf_add(&text, STR("{\"input\":"));
        json_write_str(&text, words);
        buf_add(&text, STR("}"));
        write_piece(c, p, conversion_take(c, &text));
    }
}

static void open_part(struct conversion *c, struct reply_part *p)
{
    p->state = OPEN;
    p->number = c->reply.part_count++;
    if (p->kind == PART_CALL) {
        p->call = c->reply.call_count++;
    }
    c->reply.current = p;
    if (!c->whole) {
        writer(c)->open(c, p);
    }
    if (p->waiting.n > 0) {
        deliver(c, p, buf_str(&p->waiting));
        buf_release(&p->waiting);
    }
}

static void close_part(struct conversion *c, struct reply_part *p)
{
    p->cut = p->kind == PART_CALL && !may_close(p) && (p->json_begun || ends_short(c));
    if (p->wrapped) {
        unwrap(c, p);
    } else if (p->kind == PART_CALL && !p->custom && p->text_n == 0) {
        write_loose(c, p);
        buf_release(&p->kept);
    }
    if (p->kind == PART_REASONING && p->opaque.n > 0 && c->from == DIALECT_CHAT) {
        p->opaque = envelope_bind(c, &p->shown, p->opaque);
    }
    if (p->kind == PART_REASONING && p->kept.n > 0 && p->opaque.n == 0) {
        p->opaque = envelope_wrap(c, ENVELOPE_TEXT, buf_str(&p->kept));
    }
    p->state = CLOSED;
    c->reply.current = NULL;
    if (!c->whole) {
        writer(c)->close(c, p);
    }
    if (!c->whole && !writer(c)->keeps_texts) {
        buf_release(&p->text);
    }
}

/* Opens what waits, as long as what is open may close. */
static void advance(struct conversion *c, bool all)
{
    for (struct reply_part *p; (p = c->reply.waiting) != NULL;) {
        if (c->reply.current != NULL && !all && !may_close(c->reply.current)) {
            return;
        }
        if (c->reply.current != NULL) {
            close_part(c, c->reply.current);
        }
        c->reply.waiting = p->next;
        open_part(c, p);
        if (p->closing) {
            close_part(c, p);
        }
    }
}

static struct reply_part *find_part(const struct conversion *c, enum part_kind kind, uint64_t key)
{
    struct reply_part *current = c->reply.current;

    if (current != NULL && current->kind == kind && current->key == key) {
        return current;
    }
    for (struct reply_part *p = c->reply.waiting; p != NULL; p = p->next) {
        if (p->kind == kind && p->key == key) { /* all before it are closed */
            return p;
        }
    }
    return NULL;
}

static struct reply_part *new_part(struct conversion *c, enum part_kind kind, uint64_t key)
{
    struct reply_part *p;

    if (c->reply.made == PARTS_MAX) {
        c->reply.broken = true;
        return c->reply.last;
    }
    c->reply.made++;
    p = conversion_alloc(c, sizeof(*p));
    *p = (struct reply_part){
        .kind = (uint8_t)kind, .key = key, .state = WAITING, .shown = {0, HASH_FNV}};
    buf_init(&p->text, LIMIT_BODY_BYTES);
    buf_init(&p->waiting, LIMIT_BODY_BYTES);
    buf_init(&p->kept, LIMIT_BODY_BYTES);
    if (c->reply.last != NULL) {
        c->reply.last->next = p;
    } else {
        c->reply.parts = p;
    }
    c->reply.last = p;
    c->reply.waiting = c->reply.waiting != NULL ? c->reply.waiting : p;
    return p;
}

void reply_piece(struct conversion *c, enum part_kind kind, uint64_t key, struct str text)
{
    /* An empty delta opens nothing, and a call opens by its name. */
    struct reply_part *p = text.n > 0 ? find_part(c, kind, key) : NULL;
    bool redacted = p != NULL && p->kind == PART_REASONING && p->withheld && p->state == OPEN;

    if (redacted && c->from == DIALECT_MESSAGES) {
        close_part(c, p); /* its block is open as one without text: the text has another */
        p = NULL;
    }
    if (p == NULL && (text.n == 0 || kind == PART_CALL)) {
        return;
    }
    ensure_started(c);
    if (p == NULL) {
        p = new_part(c, kind, key);
        advance(c, false);
    }
    if (p->state == OPEN) {
        deliver(c, p, text);
        advance(c, false);
    } else if (p->state == WAITING) {
        c->reply.broken = !buf_add(&p->waiting, text) || c->reply.broken;
    }
}

static bool id_taken(const struct conversion *c, struct str id)
{
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == PART_CALL && str_eq(p->id, id)) {
            return true;
        }
    }
    return false;
}

/* A call whose id is none, or came twice, has one made of the reply's; it comes back as that. */
static struct str call_id(struct conversion *c, struct str id)
{
    struct buf text;

    if (id_is_legal(id, 64, false) && !id_taken(c, id)) {
        return conversion_str(c, id);
    }
    buf_init(&text, 64);
    buf_cat(&text, STR("call_"), c->reply.id, STR("_"));
    buf_add_u64(&text, c->reply.made + 1);
    return conversion_take(c, &text);
}

/* A dialect without a slot on calls carries their state in a part of its own before them. */
static void state_before(struct conversion *c, uint64_t key, struct str state)
{
    struct reply_part *p = new_part(c, PART_REASONING, ~key);

    p->withheld = true;
    p->closing = true;
    p->opaque = envelope_wrap(c, ENVELOPE_NEXT, state);
}

void reply_call(struct conversion *c, uint64_t key, const struct reply_call *call)
{
    bool slot = c->from == DIALECT_CHAT || c->from == DIALECT_GEMINI;
    const struct tool *tool = tool_by_wire_name(c, call->name);
    struct reply_part *p;

    if (find_part(c, PART_CALL, key) != NULL) {
        return; /* names and ids stand whole in the first delta, and are repeated by some */
    }
    ensure_started(c);
    if (call->state.n > 0 && !slot) {
        state_before(c, key, call->state);
    }
    struct str id = call_id(c, call->id);
    p = new_part(c, PART_CALL, key);
    p->id = id;
    p->wire_id = conversion_str(c, call->id);
    p->name = tool != NULL ? tool->name : conversion_str(c, call->name);
    p->group = tool != NULL ? tool->group : STR("");
    p->search = tool != NULL && tool->search;
    p->custom = call->raw || (tool != NULL && tool->kind == TOOL_CUSTOM);
    p->wrapped = p->custom && !call->raw;
    if (call->state.n > 0 && slot) {
        p->opaque = envelope_wrap(c, ENVELOPE_OPAQUE, call->state);
    }
    c->reply.has_call = true;
    advance(c, false);
}

struct reply_part *reply_open_text(struct conversion *c, uint64_t key)
{
    ensure_started(c);
    struct reply_part *p = new_part(c, PART_TEXT, key);
    advance(c, false);
    return c->reply.broken ? NULL : p;
}

bool reply_is_other_call(const struct conversion *c, uint64_t key, struct str id)
{
    const struct reply_part *p = find_part(c, PART_CALL, key);

    return p != NULL && id.n > 0 && !str_eq(p->wire_id, id) && may_close(p);
}

void reply_put_arguments(struct json_out *o, const struct reply_part *p)
{
    struct json_doc *doc = p->custom ? NULL : json_parse_exact(buf_str(&p->text), NULL);

    if (doc != NULL && json_is_object(json_root(doc))) {
        json_put_value(o, json_root(doc)); /* not as it came: its lines would end an event's */
    } else {
        json_open(o, '{');
        json_key(o, "input");
        json_put_str(o, buf_str(&p->text));
        json_close(o, '}');
    }
    json_free(doc);
}

bool reply_seen(const struct conversion *c, enum part_kind kind, uint64_t key, bool with_text)
{
    for (const struct reply_part *p = c->reply.parts; p != NULL; p = p->next) {
        if (p->kind == kind && p->key == key) {
            return !with_text || p->text_n + p->waiting.n + p->kept.n > 0;
        }
    }
    return false;
}

void reply_opaque(struct conversion *c, uint64_t key, struct str state, bool withheld)
{
    struct reply_part *p = find_part(c, PART_REASONING, key);

    if (state.n == 0) {
        return;
    }
    ensure_started(c);
    if (p == NULL) {
        p = new_part(c, PART_REASONING, key);
        p->withheld = true;
    }
    p->withheld = p->withheld || withheld;
    /* Chat has text and state in two places, all parts' one behind the other: it is bound later. */
    p->opaque = c->from == DIALECT_CHAT ? conversion_str(c, state)
                                        : envelope_wrap(c, ENVELOPE_OPAQUE, state);
    advance(c, false);
}

void reply_close(struct conversion *c, enum part_kind kind, uint64_t key)
{
    struct reply_part *p = find_part(c, kind, key);

    if (p != NULL && p->state == OPEN) {
        close_part(c, p);
        advance(c, false);
    } else if (p != NULL) {
        p->closing = true;
    }
}

void reply_finish(struct conversion *c, enum finish f, struct str stop_sequence)
{
    ensure_started(c);
    c->reply.finished = true;
    c->reply.finish = (uint8_t)f;
    if (stop_sequence.n > 0) {
        c->reply.stop_sequence = conversion_str(c, stop_sequence);
    }
}

void reply_ping(struct conversion *c)
{
    if (c->reply.started && !c->whole && writer(c)->ping != NULL) {
        writer(c)->ping(c);
    }
}

void reply_end(struct conversion *c, const struct usage *u)
{
    struct reply *r = &c->reply;

    if (r->ended) {
        return;
    }
    ensure_started(c);
    advance(c, true);
    if (r->current != NULL) {
        close_part(c, r->current);
    }
    r->ended = true;
    r->usage = u;
    if (r->has_call &&
        (r->finish == FINISH_STOP || r->finish == FINISH_PAUSE || r->finish == FINISH_BAD_CALL)) {
        r->finish = FINISH_CALL; /* a bad one that came whole is the client's to answer */
    }
    if (!r->has_call && r->finish == FINISH_CALL) {
        r->finish = FINISH_STOP; /* a client would wait for the call */
    }
    if (r->nameless > 0 && !ends_short(c)) {
        r->finish = FINISH_BAD_CALL;
    }
    if (r->finish == FINISH_BAD_CALL || r->finish == FINISH_FAILED) {
        c->unreadable = true;
    } else if (c->whole) {
        writer(c)->whole(c);
    } else {
        writer(c)->end(c);
    }
    r->usage = NULL;
}

const struct usage *reply_usage(const struct conversion *c)
{
    static const struct usage none = {.state = USAGE_OK};

    return c->reply.usage != NULL ? c->reply.usage : &none;
}

struct usage_sums usage_sums(const struct usage *u)
{
    struct usage_sums s = {.in = usage_input(u),
                           .cache_read = u->cache_read + u->cache_read_audio + u->cache_read_image +
                                         u->cache_read_video,
                           .cache_write =
                               u->cache_write_5m + u->cache_write_1h + u->cache_write_other,
                           .in_audio = u->in_audio + u->cache_read_audio,
                           .out = usage_output(u),
                           .out_audio = u->out_audio,
                           .reasoning = u->reasoning};

    s.total = s.in + s.out;
    return s;
}
