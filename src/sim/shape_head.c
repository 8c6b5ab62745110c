/* SPDX-License-Identifier: Apache-2.0 */
/* Headers and errors, as vendors and clouds have them. */
#include "sim/zoo.h"

static void add_id(struct exchange *x, const char *header, enum mark_kind kind, const char *prefix)
{
    buf_addf(&x->script->head, "%s: ", header);
    mark_write(x, kind, prefix, &x->script->head);
    buf_add(&x->script->head, STR("\r\n"));
}

void shape_head(struct exchange *x)
{
    struct buf *head = &x->script->head;
    enum make make = (enum make)x->served->make;
    unsigned long long left = 4000 - zoo_calls(x->zoo) % 100; /* a limit that is counted */

    if (x->cloud == CLOUD_AZURE) {
        add_id(x, "apim-request-id", MARK_UUID, "");
        buf_add(head, STR("x-ms-region: Sweden Central\r\nazureml-model-session: d042-sim\r\n"));
    } else if (x->cloud == CLOUD_BEDROCK) {
        add_id(x, "x-amzn-requestid", MARK_UUID, "");
    } else if (make == MAKE_ANTHROPIC) {
        bool vertex = x->cloud == CLOUD_VERTEX;
        add_id(x, "request-id", MARK_ANTHROPIC, vertex ? "req_vrtx_01" : "req_01");
        if (!vertex) {
            buf_addf(head,
                     "anthropic-ratelimit-requests-limit: 4000\r\n"
                     "anthropic-ratelimit-requests-remaining: %llu\r\n",
                     left);
        }
    } else if (make == MAKE_OPENAI) {
        add_id(x, "x-request-id", MARK_UUID, "req_");
        buf_addf(head, "openai-version: 2020-10-01\r\nopenai-processing-ms: %llu\r\n",
                 (unsigned long long)(x->first_ms + x->each_ms * x->made));
        buf_addf(head,
                 "x-ratelimit-limit-requests: 4000\r\nx-ratelimit-remaining-requests: %llu\r\n",
                 left);
    } else if (make != MAKE_GOOGLE) {
        add_id(x, "x-request-id", MARK_UUID, "");
    }
    if (x->script->status == 429) {
        buf_add(head, STR("Retry-After: 1\r\n"));
    }
}

/* Clouds say it in their own way; else the dialect does. */
void shape_error(struct exchange *x, unsigned status, const char *code, const char *text)
{
    struct problem p = {.status = status, .code = code, .text = str_from(text)};
    struct buf *b, id;

    x->asked.framing = FRAMING_WHOLE;
    x->asked.stream = false;
    x->script->status = status;
    x->script->type = "application/json";
    b = event_open(x, NULL);
    if (x->cloud == CLOUD_BEDROCK) {
        buf_add(b, STR("{\"message\":"));
        json_write_str(b, p.text);
        buf_add_byte(b, '}');
    } else if (x->cloud == CLOUD_AZURE) {
        buf_addf(b, "{\"error\":{\"code\":\"%s\",\"message\":",
                 status == 404   ? "DeploymentNotFound"
                 : status == 429 ? "429"
                                 : code);
        json_write_str(b, p.text);
        buf_add(b, STR("}}"));
    } else {
        buf_init(&id, 64);
        mark_write(x, MARK_ANTHROPIC, "req_01", &id);
        problem_write((enum dialect)x->asked.endpoint->dialect, &p, buf_str(&id), b);
        buf_release(&id);
    }
    event_close(x, false);
}
