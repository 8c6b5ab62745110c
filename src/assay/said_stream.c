/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an answer that came as events. */
#include "assay/said_int.h"
#include "assay/slices.h"
#include "http/http.h"

#define TEXT_MAX (1 << 20)

/* A call of a tool, of which pieces come. */
struct piecewise {
    uint64_t index; /* as the dialect counts */
    struct buf name, arguments;
};

struct fold {
    struct said *said;
    struct meter meter;
    unsigned events;
    struct piecewise calls[SAID_CALLS];
    unsigned call_count;
};

/* The call of that index, a new one if need be; NULL: there are too many. */
static struct piecewise *call_at(struct fold *f, uint64_t index)
{
    for (unsigned i = 0; i < f->call_count; i++) {
        if (f->calls[i].index == index) {
            return &f->calls[i];
        }
    }
    if (f->call_count == SAID_CALLS) {
        return NULL;
    }
    struct piecewise *c = &f->calls[f->call_count++];
    c->index = index;
    buf_init(&c->name, TEXT_MAX);
    buf_init(&c->arguments, TEXT_MAX);
    return c;
}

static void add_piece(struct fold *f, uint64_t index, struct str name, struct str arguments)
{
    struct piecewise *c = call_at(f, index);

    if (c != NULL) {
        buf_add(&c->name, c->name.n == 0 ? name : STR("")); /* some repeat it */
        buf_add(&c->arguments, arguments);
    }
}

static void chat_calls(struct fold *f, const struct json *root)
{
    struct json_each it = json_each(json_get(root, "choices.0.delta.tool_calls"));

    while (json_next(&it)) {
        uint64_t index = it.index;
        json_u64(json_get(it.value, "index"), &index);
        add_piece(f, index, json_str(json_get(it.value, "function.name")),
                  json_str(json_get(it.value, "function.arguments")));
    }
}

static void responses_calls(struct fold *f, const struct json *root)
{
    struct str type = json_str(json_get(root, "type"));
    uint64_t index = 0;

    json_u64(json_get(root, "output_index"), &index);
    if (str_eq(json_str(json_get(root, "item.type")), STR("function_call")) &&
        str_eq(type, STR("response.output_item.added"))) {
        add_piece(f, index, json_str(json_get(root, "item.name")), STR(""));
    } else if (str_eq(type, STR("response.function_call_arguments.delta"))) {
        add_piece(f, index, STR(""), json_str(json_get(root, "delta")));
    }
}

static void messages_calls(struct fold *f, const struct json *root)
{
    uint64_t index = 0;

    json_u64(json_get(root, "index"), &index);
    if (str_eq(json_str(json_get(root, "content_block.type")), STR("tool_use"))) {
        add_piece(f, index, json_str(json_get(root, "content_block.name")), STR(""));
    } else if (json_is_string(json_get(root, "delta.partial_json"))) {
        add_piece(f, index, STR(""), json_str(json_get(root, "delta.partial_json")));
    }
}

/* They come whole. */
static void gemini_calls(struct fold *f, const struct json *root)
{
    struct json_each it = json_each(json_get(root, "candidates.0.content.parts"));

    while (json_next(&it)) {
        const struct json *call = json_get(it.value, "functionCall");
        struct buf arguments;
        if (call != NULL) {
            buf_init(&arguments, TEXT_MAX);
            const struct json *args = json_get(call, "args");
            if (args != NULL) {
                json_write_value(&arguments, args);
            }
            add_piece(f, f->call_count, json_str(json_get(call, "name")), buf_str(&arguments));
            buf_release(&arguments);
        }
    }
}

static void (*const call_readers[])(struct fold *f, const struct json *root) = {
    [DIALECT_CHAT] = chat_calls,
    [DIALECT_RESPONSES] = responses_calls,
    [DIALECT_MESSAGES] = messages_calls,
    [DIALECT_GEMINI] = gemini_calls,
};

static bool take(void *ctx, const struct sse_event *event)
{
    struct fold *f = ctx;
    struct json_doc *doc = event->data.p != NULL ? json_parse_exact(event->data, NULL) : NULL;

    if (event->data.p == NULL) {
        return true;
    }
    meter_event(&f->meter, STR(""), event->name, event->data);
    f->events++;
    if (doc != NULL) {
        call_readers[f->meter.dialect](f, json_root(doc));
        struct str text = slice_text(f->meter.dialect, json_root(doc));
        buf_add(&f->said->text, text);
        f->said->pieces += text.n > 0;
    }
    json_free(doc);
    return true;
}

/* The calls as one document, of which the answer holds slices. */
static void keep_calls(struct fold *f)
{
    struct buf text;
    struct json_out o = {&text, false};

    buf_init(&text, 12 * SAID_CALLS * TEXT_MAX);
    json_open(&o, '[');
    for (unsigned i = 0; i < f->call_count; i++) {
        json_put_str(&o, buf_str(&f->calls[i].name));
        json_put_str(&o, buf_str(&f->calls[i].arguments));
        buf_release(&f->calls[i].name);
        buf_release(&f->calls[i].arguments);
    }
    json_close(&o, ']');
    f->said->streamed = f->call_count > 0 ? json_parse_exact(buf_str(&text), NULL) : NULL;
    buf_release(&text);
    struct json_each it =
        json_each(f->said->streamed != NULL ? json_root(f->said->streamed) : NULL);
    while (json_next(&it)) {
        const struct json *name = it.value;
        if (json_next(&it)) {
            said_add_call(f->said, name, it.value);
        }
    }
}

bool said_read_stream(struct said *s, enum dialect d, struct str body)
{
    struct fold f = {.said = s};
    struct sse sse;

    *s = (struct said){0};
    buf_init(&s->text, TEXT_MAX);
    sse_init(&sse);
    meter_init(&f.meter, d);
    sse_feed(&sse, body, take, &f);
    sse_release(&sse);
    keep_calls(&f);
    s->usage = f.meter.usage;
    if (!f.meter.has_usage) {
        s->usage.state = USAGE_MISSING;
    }
    s->complete = meter_complete(&f.meter);
    if (f.events == 0) {
        buf_release(&s->text);
        return false;
    }
    return true;
}
