/* SPDX-License-Identifier: Apache-2.0 */
/* The tests of shapes.def on the events of an answer. */
#include <stdlib.h>

#include "assay/ids.h"
#include "assay/shape_int.h"
#include "http/http.h"

#define EVENTS_MAX 4096 /* of an answer; those behind it are not looked at */

static void add(struct shape_pieces *p, struct str text)
{
    struct json_doc *doc = json_parse(text, NULL);

    if (doc != NULL && p->count == p->room && p->room < EVENTS_MAX) {
        size_t room = p->room == 0 ? 16 : 2 * p->room;
        struct shape_event *events = realloc(p->events, room * sizeof(*events));
        if (events != NULL) {
            p->events = events;
            p->room = room;
        }
    }
    if (doc == NULL || p->count == p->room) {
        json_free(doc);
        return;
    }
    p->events[p->count++] = (struct shape_event){doc, json_root(doc)};
}

static bool take(void *ctx, const struct sse_event *event)
{
    struct shape_pieces *p = ctx;

    if (event->data.p != NULL) {
        p->done = str_eq(event->data, STR("[DONE]"));
        add(p, event->data);
    }
    return true;
}

static struct str id_of(const struct shape_pieces *p)
{
    static const char *const places[] = {"id", "responseId", "message.id", "response.id"};

    for (size_t i = 0; i < p->count; i++) {
        for (size_t j = 0; j < sizeof(places) / sizeof(places[0]); j++) {
            struct str id = json_str(json_get(p->events[i].root, places[j]));
            if (id.n > 0) {
                return id;
            }
        }
    }
    return STR("");
}

void shape_open(struct shape_pieces *p, const struct record *r)
{
    struct sse sse;

    *p = (struct shape_pieces){0};
    if (r->stream) {
        sse_init(&sse);
        sse_feed(&sse, r->body, take, p);
        sse_release(&sse);
    } else {
        add(p, r->body);
    }
    p->id = id_of(p);
}

void shape_close(struct shape_pieces *p)
{
    for (size_t i = 0; i < p->count; i++) {
        json_free(p->events[i].doc);
    }
    free(p->events);
}

static size_t having(const struct shape_pieces *p, const char *where)
{
    size_t n = 0;

    for (size_t i = 0; i < p->count; i++) {
        n += json_get(p->events[i].root, where) != NULL;
    }
    return n;
}

bool shape_is_hex(struct str s, size_t n)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) {
            return false;
        }
    }
    return s.n == n;
}

static bool is_uuid(struct str s)
{
    static const size_t parts[] = {8, 4, 4, 4, 12};
    struct str rest = s;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (!shape_is_hex(str_cut(&rest, '-'), parts[i])) {
            return false;
        }
    }
    return s.n == 36;
}

/* 20260701..., a date and a time, and digits of 16 behind it. */
static bool begins_with_date(struct str s)
{
    uint64_t n = 0;

    return s.n >= 24 && s.n <= 32 && str_to_u64(str_slice(s.p, 14), &n) &&
           n / UINT64_C(1000000000000) == 20 && n / 100000000 % 100 <= 12 &&
           n / 1000000 % 100 <= 31 && shape_is_hex(str_skip(s, 14), s.n - 14);
}

static bool is_dated(struct str id, const char *vendor)
{
    int64_t seconds;
    const char *found = id_time(id, &seconds);

    return found != NULL && str_eq(str_from(found), str_from(vendor));
}

static struct str type_of(const struct shape_pieces *p, size_t i)
{
    return json_str(json_get(p->events[i].root, "type"));
}

static bool is_named(const struct shape_pieces *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++) {
        if (str_eq(type_of(p, i), str_from(name))) {
            return true;
        }
    }
    return false;
}

/* Those of messages, in the order that they must have. */
static bool has_only_names(const struct shape_pieces *p)
{
    static const char *const names[] = {"message_start",
                                        "content_block_start",
                                        "content_block_delta",
                                        "content_block_stop",
                                        "message_delta",
                                        "message_stop",
                                        "ping",
                                        "error"};

    for (size_t i = 0; i < p->count; i++) {
        bool known = false;
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            known |= str_eq(type_of(p, i), str_from(names[j]));
        }
        if (!known) {
            return false;
        }
    }
    return p->count > 1 && str_eq(type_of(p, 0), STR("message_start")) &&
           str_eq(type_of(p, p->count - 1), STR("message_stop"));
}

/* The members of each event begin with these, in this order. */
static bool comes_first(const struct shape_pieces *p, const char *names)
{
    for (size_t i = 0; i < p->count; i++) {
        struct json_each it = json_each(p->events[i].root);
        struct str rest = str_from(names);
        while (rest.n > 0) {
            struct str name = str_cut(&rest, ' ');
            if (!json_next(&it) || !str_eq(it.key, name)) {
                return false;
            }
        }
    }
    return p->count > 0;
}

static bool is_counted(const struct shape_pieces *p, const char *where)
{
    for (size_t i = 0; i < p->count; i++) {
        uint64_t n = 0;
        if (!json_u64(json_get(p->events[i].root, where), &n) || n != i) {
            return false;
        }
    }
    return p->count > 0;
}

static uint64_t input_of(const struct json *usage)
{
    static const char *const parts[] = {"input_tokens", "cache_creation_input_tokens",
                                        "cache_read_input_tokens"};
    uint64_t all = 0, n;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        all += json_u64(json_get(usage, parts[i]), &n) ? n : 0;
    }
    return all;
}

/* Input does not change while an answer comes, unless tools of the vendor add to it; and output
 * only grows. */
static bool is_steady(const struct shape_pieces *p)
{
    uint64_t begun = 0, output = 0;

    for (size_t i = 0; i < p->count; i++) {
        const struct json *start = json_get(p->events[i].root, "message.usage");
        const struct json *usage = start != NULL ? start : json_get(p->events[i].root, "usage");
        uint64_t input = input_of(usage), n = 0;
        bool said = json_u64(json_get(usage, "output_tokens"), &n);
        if (json_get(usage, "server_tool_use") != NULL || json_get(usage, "iterations") != NULL) {
            return true;
        }
        if ((said && n < output) || (start == NULL && input > 0 && input != begun)) {
            return false;
        }
        output = said ? n : output;
        begun = start != NULL ? input : begun;
    }
    return true;
}

bool shape_holds(const struct shape_pieces *p, enum shape_test test, const char *where)
{
    switch (test) {
    case SHAPE_HERE: return having(p, where) > 0;
    case SHAPE_EVERY: return p->count > 0 && having(p, where) == p->count;
    case SHAPE_GONE: return having(p, where) == 0;
    case SHAPE_ID: return str_starts(p->id, str_from(where));
    case SHAPE_DATED: return is_dated(p->id, where);
    case SHAPE_UUID: return is_uuid(p->id);
    case SHAPE_HEX32: return shape_is_hex(p->id, 32);
    case SHAPE_DIGITS: return begins_with_date(p->id);
    case SHAPE_NAMED: return is_named(p, where);
    case SHAPE_NAMES: return has_only_names(p);
    case SHAPE_FIRST: return comes_first(p, where);
    case SHAPE_COUNTED: return is_counted(p, where);
    case SHAPE_STEADY: return is_steady(p);
    case SHAPE_DONE: return p->done;
    case SHAPE_HEADER: break;
    }
    return false;
}
