/* SPDX-License-Identifier: Apache-2.0 */
/* The turns of a conversation: built by readers, put in order for writers. */
#include "base/map.h"
#include "dialect/neutral.h"

struct turn *turn_new(struct conversion *c, enum role role, const struct place *from)
{
    struct turn *t = conversion_alloc(c, sizeof(*t));

    *t = (struct turn){.from = from, .role = (uint8_t)role};
    if (c->ask.last_turn != NULL) {
        c->ask.last_turn->next = t;
    } else {
        c->ask.turns = t;
    }
    c->ask.last_turn = t;
    return t;
}

struct turn *turn_last(struct conversion *c, enum role role, const struct place *from)
{
    struct turn *last = c->ask.last_turn;
    return last != NULL && last->role == role ? last : turn_new(c, role, from);
}

struct part *part_new(struct conversion *c, struct parts *list, enum part_kind kind,
                      const struct place *from)
{
    struct part *p = conversion_alloc(c, sizeof(*p));

    *p = (struct part){.from = from, .kind = (uint8_t)kind};
    parts_add(list, p);
    return p;
}

struct part *part_text(struct conversion *c, struct parts *list, struct str text,
                       const struct place *from)
{
    struct part *p = part_new(c, list, PART_TEXT, from);

    p->text = text;
    return p;
}

struct part *part_refusal(struct conversion *c, struct parts *list, struct str text,
                          const struct place *from)
{
    struct part *p = part_new(c, list, PART_REFUSAL, from);

    p->text = text;
    p->text_from = place_key(c, from, STR("refusal"));
    return p;
}

void lose_refusal(struct conversion *c, const struct part *p)
{
    if (p->kind == PART_REFUSAL && p->text.n > 0) {
        lose(c, FIELD_REFUSAL_SAID, p->text_from);
    }
}

void parts_add(struct parts *list, struct part *p)
{
    p->next = NULL;
    if (list->last != NULL) {
        list->last->next = p;
    } else {
        list->first = p;
    }
    list->last = p;
}

struct str part_arguments(struct conversion *c, const struct part *p)
{
    struct str text = str_trim(p->text);
    bool object;

    if (text.n == 0) {
        return STR("{}");
    }
    object = text_is_object(text);
    if (!object) {
        lose(c, FIELD_TOOL_ARGUMENTS, p->text_from != NULL ? p->text_from : p->from);
    }
    return object ? text : STR("{}");
}

struct part *part_call(struct conversion *c, struct parts *list, const struct place *from)
{
    struct part *p = part_new(c, list, PART_CALL, from);

    p->opaque = c->ask.next_state.text;
    c->ask.next_state.text = STR("");
    return p;
}

void parts_mark(struct conversion *c, struct parts *list, const struct json *cache,
                const struct place *at)
{
    struct part *last = list->last;

    if (cache == NULL) {
        return;
    }
    if (last == NULL || last->kind == PART_REASONING || last->cache != NULL) {
        lose(c, FIELD_CACHE_SPARE, at);
        return;
    }
    last->cache = cache;
    last->cache_from = at;
}

/* No call has come that it belongs to. */
static void lose_next_state(struct conversion *c)
{
    if (c->ask.next_state.text.n > 0) {
        lose(c, FIELD_SIGNATURE, c->ask.next_state.at);
        c->ask.next_state.text = STR("");
    }
}

void part_reasoning(struct conversion *c, struct parts *list, struct str text, struct slot slot,
                    const struct place *from)
{
    enum envelope_kind kind = ENVELOPE_TEXT;
    struct str inside = STR("");
    bool ours = slot.text.n > 0 && envelope_open(c, slot.text, &kind, &inside);

    if (ours && kind == ENVELOPE_NEXT) {
        lose_next_state(c);
        c->ask.next_state = (struct slot){inside, slot.at};
        if (text.n == 0) {
            return;
        }
    }
    if (slot.text.n > 0 && !ours) {
        lose(c, FIELD_SIGNATURE, slot.at);
    }
    struct part *p = part_new(c, list, PART_REASONING, from);
    p->text = text;
    if (ours && kind == ENVELOPE_BOUND) {
        p->bound = envelope_unbind(c, &inside);
        p->opaque = inside;
    } else if (ours && kind == ENVELOPE_OPAQUE) {
        p->opaque = inside;
    } else if (ours && kind == ENVELOPE_TEXT && text.n == 0) {
        p->text = inside;
    }
}

void need_parts(struct conversion *c, const struct turn *t, const struct place *content)
{
    if (t->role == ROLE_USER && t->parts.first == NULL) {
        refuse(c, content, "The user says nothing here.");
    }
}

bool turn_has(const struct turn *t, enum part_kind kind)
{
    for (const struct part *p = t->parts.first; p != NULL; p = p->next) {
        if (p->kind == kind) {
            return true;
        }
    }
    return false;
}

/* ---- calls and their results ---- */

static bool nine_wanted(const struct conversion *c)
{
    return c->to == DIALECT_CHAT && c->vendor->tool_id == TOOL_ID_ALNUM9;
}

bool id_is_legal(struct str id, size_t most, bool plain)
{
    for (size_t i = 0; i < id.n; i++) {
        char ch = id.p[i];
        bool word = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') ||
                    (ch >= '0' && ch <= '9') || (!plain && (ch == '_' || ch == '-'));
        if (!word) {
            return false;
        }
    }
    return id.n > 0 && id.n <= most;
}

static bool takes_id(const struct conversion *c, struct str id)
{
    if (nine_wanted(c)) {
        return id.n == 9 && id_is_legal(id, 9, true);
    }
    return id_is_legal(id, c->to == DIALECT_RESPONSES ? 64 : 128, false);
}

struct waiting_calls {
    struct part *first, *last;
};

struct joining {
    struct conversion *c;
    struct map *by_id;                /* as the client names them -> the last call of that name */
    struct map *by_wire;              /* as the upstream will read them */
    struct waiting_calls now, before; /* of this turn; of the assistant's last one before it */
    unsigned made, calls;
};

static void wait_for_result(struct waiting_calls *list, struct part *call)
{
    if (list->last != NULL) {
        list->last->next_call = call;
    } else {
        list->first = call;
    }
    list->last = call;
}

/* By its place in the history, so that the next turn makes the same. */
static void name_call(struct joining *j, struct part *call)
{
    struct buf text;

    if (++j->calls > CALLS_MAX) {
        refuse(j->c, call->from, "More than %d tool calls cannot be converted.", CALLS_MAX);
    }
    call->order = j->calls;
    wait_for_result(&j->now, call);
    if (call->id.n > 0) {
        (void)map_put(j->by_id, call->id, call);
    }
    if (takes_id(j->c, call->id) && map_get(j->by_wire, call->id) == NULL) {
        call->wire_id = call->id;
    } else {
        buf_init(&text, 64);
        do {
            buf_clear(&text);
            buf_addf(&text, nine_wanted(j->c) ? "call%05u" : "call_%u", j->made++);
        } while (map_get(j->by_wire, buf_str(&text)) != NULL);
        call->wire_id = conversion_take(j->c, &text);
    }
    (void)map_put(j->by_wire, call->wire_id, call);
}

/* The call before it that a result without an id is the answer to, or one whose id the call never
 * had (clients make up their own): the next unanswered one of its name. Those that are answered
 * leave the list, so that many results do not walk over them again and again. */
static struct part *next_unanswered(struct joining *j, const struct part *result)
{
    for (struct part **at = &j->before.first; *at != NULL;) {
        struct part *p = *at;
        bool same = result->name.n > 0 ? str_eq(p->name, result->name) : result->id.n == 0;
        if (p->answered) {
            *at = p->next_call;
        } else if (same && (result->id.n == 0 || p->id.n == 0)) {
            return p;
        } else {
            at = &p->next_call;
        }
    }
    return NULL;
}

static void join_result(struct joining *j, struct part *result)
{
    struct part *call = result->id.n > 0 ? map_get(j->by_id, result->id) : NULL;

    call = call != NULL ? call : next_unanswered(j, result);
    if (call == NULL) {
        refuse(j->c, result->from, "No tool call '%.*s' comes before this result.",
               STR_ARG(result->id.n > 0 ? result->id : result->name));
        return;
    }
    call->answered = true;
    result->order = call->order;
    result->wire_id = call->wire_id;
    result->name = call->name;
    result->group = call->group;
    result->custom = call->custom;
}

/* Calls of a turn that another follows must be answered: vendors refuse them otherwise. */
static void check_answered(struct conversion *c)
{
    for (struct turn *t = c->ask.turns; t != NULL && t->next != NULL; t = t->next) {
        for (struct part *p = t->parts.first; p != NULL; p = p->next) {
            if (p->kind == PART_CALL && !p->answered) {
                refuse(c, p->from, "The tool call '%.*s' has no result.", STR_ARG(p->id));
            }
        }
    }
}

/* ---- what stands where ---- */

static const char *const part_words[] = {
    [PART_TEXT] = "Text",       [PART_IMAGE] = "An image",      [PART_FILE] = "A file",
    [PART_AUDIO] = "Audio",     [PART_VIDEO] = "A video",       [PART_CALL] = "A tool call",
    [PART_RESULT] = "A result", [PART_REASONING] = "Reasoning", [PART_REFUSAL] = "A refusal",
};

#define BIT(kind) (1U << PART_##kind)
#define MEDIA_BITS (BIT(IMAGE) | BIT(FILE) | BIT(AUDIO) | BIT(VIDEO))

/* Writers write each kind of part where it can stand: elsewhere it would go unseen. */
static const struct where {
    const char *word;
    unsigned kinds;
} places[] = {
    [ROLE_SYSTEM] = {"system text", BIT(TEXT)},
    [ROLE_USER] = {"a user's turn", BIT(TEXT) | BIT(REFUSAL) | BIT(RESULT) | MEDIA_BITS},
    [ROLE_ASSISTANT] = {"an assistant's turn",
                        BIT(TEXT) | BIT(REFUSAL) | BIT(REASONING) | BIT(CALL) | MEDIA_BITS},
};
static const struct where in_result = {"the result of a tool",
                                       BIT(TEXT) | BIT(REFUSAL) | MEDIA_BITS};

/* The vendor of a client's own dialect may know better: then it is not converted. */
static void check_place(struct conversion *c, const struct part *first, const struct where *where)
{
    for (const struct part *p = first; p != NULL && !c->refused; p = p->next) {
        if ((where->kinds >> p->kind & 1) == 0) {
            c->uncarried = true;
            refuse(c, p->from, "%s in %s cannot be converted.", part_words[p->kind], where->word);
        }
        check_place(c, p->parts.first, &in_result);
    }
}

void turns_settle(struct conversion *c)
{
    struct joining j = {.c = c, .by_id = map_new(), .by_wire = map_new()};

    lose_next_state(c);
    for (const struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        check_place(c, t->parts.first, &places[t->role]);
    }
    for (struct turn *t = c->ask.turns; t != NULL && !c->refused; t = t->next) {
        for (struct part *p = t->parts.first; p != NULL && !c->refused; p = p->next) {
            if (p->kind == PART_CALL) {
                name_call(&j, p);
            } else if (p->kind == PART_RESULT) {
                join_result(&j, p);
            }
        }
        j.before = t->role == ROLE_ASSISTANT ? j.now : j.before;
        j.now = (struct waiting_calls){NULL, NULL};
    }
    map_free(j.by_id);
    map_free(j.by_wire);
    check_answered(c);
}

/* ---- one turn a role ---- */

static void append_parts(struct turn *to, struct turn *from)
{
    for (struct part *p = from->parts.first, *next; p != NULL; p = next) {
        next = p->next;
        parts_add(&to->parts, p);
    }
}

static void results_first(struct turn *t)
{
    struct parts results = {NULL, NULL}, rest = {NULL, NULL};

    for (struct part *p = t->parts.first, *next; p != NULL; p = next) {
        next = p->next;
        parts_add(p->kind == PART_RESULT ? &results : &rest, p);
    }
    t->parts = results.first != NULL ? results : rest;
    if (results.first != NULL && rest.first != NULL) {
        t->parts.last->next = rest.first;
        t->parts.last = rest.last;
    }
}

static void drop_empty_texts(struct turn *t)
{
    struct parts kept = {NULL, NULL};

    for (struct part *p = t->parts.first, *next; p != NULL; p = next) {
        next = p->next;
        if (p->kind != PART_TEXT || p->text.n > 0 || p->opaque.n > 0) {
            parts_add(&kept, p);
        }
    }
    t->parts = kept;
}

void turns_merge(struct conversion *c)
{
    struct turn *last = NULL;

    for (struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        const struct part *first = t->parts.first;
        drop_empty_texts(t);
        if (t->parts.first == NULL) {
            bool said = t->role != ROLE_SYSTEM && first != NULL;
            c->ask.emptied = c->ask.emptied == NULL && said ? first->from : c->ask.emptied;
            continue;
        }
        if (last != NULL && last->role == t->role) {
            append_parts(last, t);
            continue;
        }
        if (last != NULL) {
            last->next = t;
        } else {
            c->ask.turns = t;
        }
        last = t;
    }
    if (last != NULL) {
        last->next = NULL;
    } else {
        c->ask.turns = NULL;
    }
    for (struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        results_first(t);
    }
}

void turns_need_some(struct conversion *c)
{
    if (c->ask.turns == NULL && c->ask.emptied != NULL) {
        refuse(c, c->ask.emptied, "It is empty, and there is nothing else but system text.");
    } else if (c->ask.turns == NULL) {
        refuse(c, place_key(c, NULL, str_from(fields[FIELD_MESSAGES].path[c->from])),
               "There is no message but system text.");
    }
}

/* ---- system text ---- */

void turns_fold_system(struct conversion *c)
{
    struct turn *t = c->ask.turns;

    while (t != NULL && t->role == ROLE_SYSTEM) {
        t = t->next;
    }
    for (; t != NULL; t = t->next) {
        if (t->role != ROLE_SYSTEM) {
            continue;
        }
        lose(c, FIELD_SYSTEM_INSIDE, t->from);
        t->role = ROLE_USER;
        for (struct part *p = t->parts.first; p != NULL; p = p->next) {
            struct buf text;
            buf_init(&text, p->text.n + 64);
            buf_cat(&text, STR("<system-reminder>\n"), p->text, STR("\n</system-reminder>"));
            p->text = conversion_take(c, &text);
        }
    }
}

void turns_drop_reasoning(struct conversion *c, bool take_texts, bool take_state)
{
    for (struct turn *t = c->ask.turns; t != NULL; t = t->next) {
        struct parts kept = {NULL, NULL};
        const struct part *gone = NULL;

        for (struct part *p = t->parts.first, *next; p != NULL; p = next) {
            next = p->next;
            bool usable = (take_state && p->opaque.n > 0) || (take_texts && p->text.n > 0);
            if (p->kind != PART_REASONING || usable) {
                parts_add(&kept, p);
                continue;
            }
            gone = p;
            if (p->text.n > 0) {
                lose(c, FIELD_REASONING_TEXT, p->from);
            }
        }
        if (gone != NULL && kept.first == NULL) {
            lose(c, FIELD_REASONING_ALONE, gone->from);
        }
        t->parts = kept;
    }
}
