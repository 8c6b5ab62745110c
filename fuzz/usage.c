/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage out of any JSON: no leaf is below zero or beyond what a price can be put on, what is
 * missing has none, and a stream of one event is read as the whole reply is. The first byte is the
 * dialect.
 */
#include <assert.h>

#include "dialect/dialect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The event that carries a usage object of this dialect's whole reply. */
static void as_event(enum dialect d, struct str reply, struct buf *out)
{
    if (d == DIALECT_RESPONSES) {
        buf_cat(out, STR("{\"type\":\"response.completed\",\"response\":"), reply, STR("}"));
    } else if (d == DIALECT_MESSAGES) {
        buf_cat(out, STR("{\"type\":\"message_start\",\"message\":"), reply, STR("}"));
    } else {
        buf_add(out, reply);
    }
}

static void check_stream(enum dialect d, struct str reply, const struct usage *whole)
{
    struct meter m;
    struct buf event;
    buf_init(&event, 1 << 20);
    as_event(d, reply, &event);
    meter_init(&m, d);
    meter_event(&m, STR("openai"), STR(""), buf_str(&event));
    if (!event.overflow && m.has_usage) {
        assert(m.usage.state == whole->state && m.usage.tier == whole->tier);
        for (size_t i = 0; i < LEAF_COUNT; i++) {
            assert(leaf_get(&m.usage, &leaves[i]) == leaf_get(whole, &leaves[i]));
        }
    }
    buf_release(&event);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > (64 << 10)) {
        return 0;
    }
    enum dialect d = (enum dialect)(data[0] % DIALECT_OWN);
    struct str reply = {(const char *)data + 1, size - 1};
    struct json_doc *doc = json_parse(reply, NULL);
    if (doc == NULL) {
        return 0;
    }
    struct usage u;
    usage_read(d, STR("openai"), json_root(doc), &u);
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        uint64_t n = leaf_get(&u, &leaves[i]);
        assert(n <= USAGE_MAX && (n == 0 || u.state != USAGE_MISSING));
    }
    assert(u.tier < TIER_COUNT);
    /* A reply that holds another in it would be read elsewhere as an event. */
    if (json_is_object(json_root(doc)) && json_get(json_root(doc), "response") == NULL &&
        json_get(json_root(doc), "message") == NULL) {
        check_stream(d, reply, &u);
    }
    json_free(doc);
    return 0;
}
