/* SPDX-License-Identifier: Apache-2.0 */
/* Reading an answer that came as events. */
#include "assay/slices.h"
#include "http/http.h"

#define TEXT_MAX (1 << 20)

struct fold {
    struct said *said;
    struct meter meter;
    unsigned events;
};

static bool take(void *ctx, const struct sse_event *event)
{
    struct fold *f = ctx;
    struct json_doc *doc = event->data.p != NULL ? json_parse(event->data, NULL) : NULL;

    if (event->data.p == NULL) {
        return true;
    }
    meter_event(&f->meter, STR(""), event->name, event->data);
    f->events++;
    if (doc != NULL) {
        struct str text = slice_text(f->meter.dialect, json_root(doc));
        buf_add(&f->said->text, text);
        f->said->pieces += text.n > 0;
    }
    json_free(doc);
    return true;
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
