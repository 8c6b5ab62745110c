/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/report.h"

#include <stdio.h>

#include "base/clock.h"
#include "json/json.h"

static void put(struct json_out *o, const char *name, struct str value)
{
    json_key(o, name);
    json_put_str(o, value);
}

static void put_number(struct json_out *o, const char *name, double v)
{
    char text[32];
    int n = snprintf(text, sizeof(text), "%.6g", v);

    json_key(o, name);
    json_put_raw(o, str_slice(text, (size_t)n));
}

static void put_side(struct json_out *o, const char *name, const struct evidence_side *s)
{
    json_key(o, name);
    json_open(o, '{');
    put(o, "url", s->url);
    put(o, "model", s->model);
    json_close(o, '}');
}

static void put_finding(struct json_out *o, const struct finding *f)
{
    json_open(o, '{');
    put(o, "probe", str_from(f->probe));
    put(o, "group", str_from(f->group));
    json_key(o, "tier");
    json_put_u64(o, f->tier);
    put(o, "state", str_from(state_name(f->state)));
    if (f->has_p) {
        put_number(o, "p", f->p);
        put_number(o, "p_adjusted", f->p_adjusted);
    }
    put(o, "text", f->text);
    if (f->missed.n > 0) {
        put(o, finding_folk(f) ? "worth" : "would_miss", f->missed);
    }
    if (f->benign.n > 0) {
        put(o, "benign", f->benign);
    }
    json_key(o, "numbers");
    json_open(o, '{');
    if (f->numbers.n > 0) {
        json_put_members(o, f->numbers);
    }
    json_close(o, '}');
    json_close(o, '}');
}

static void put_claim(struct json_out *o, const struct verdicts *v, enum claim c)
{
    json_open(o, '{');
    put(o, "claim", str_from(claim_name(c)));
    put(o, "meaning", str_from(claim_meaning(c)));
    put(o, "state", str_from(state_name(verdicts_state(v, c))));
    json_key(o, "findings");
    json_open(o, '[');
    for (size_t i = 0; i < v->count; i++) {
        if (v->findings[i].claim == c) {
            put_finding(o, &v->findings[i]);
        }
    }
    json_close(o, ']');
    json_close(o, '}');
}

static void put_calls(struct json_out *o, const struct evidence *e)
{
    uint64_t answered = 0, input = 0, output = 0;

    for (size_t i = 0; i < e->count; i++) {
        if (e->records[i].answered) {
            answered++;
            input += usage_input(&e->records[i].said.usage);
            output += usage_output(&e->records[i].said.usage);
        }
    }
    json_key(o, "calls");
    json_open(o, '{');
    json_key(o, "planned");
    json_put_u64(o, e->head.planned);
    json_key(o, "made");
    json_put_u64(o, e->count);
    json_key(o, "answered");
    json_put_u64(o, answered);
    json_key(o, "input_tokens");
    json_put_u64(o, input);
    json_key(o, "output_tokens");
    json_put_u64(o, output);
    put(o, "end", e->end);
    json_close(o, '}');
}

void report_json(struct buf *out, const struct evidence *e, const struct verdicts *v)
{
    struct json_out o = {out, false};
    struct buf when;

    buf_init(&when, 64);
    clock_write_utc(&when, (int64_t)e->head.started_us);
    json_open(&o, '{');
    json_key(&o, "assay");
    json_put_u64(&o, 1);
    put(&o, "version", STR(ENTREPOT_VERSION));
    put(&o, "made_by", e->head.version);
    put(&o, "evidence_sha256", str_from(e->sha256));
    put(&o, "started", buf_str(&when));
    put_side(&o, "target", &e->head.target);
    if (e->head.reference.url.n > 0) {
        put_side(&o, "reference", &e->head.reference);
    }
    put(&o, "profile", e->head.profile);
    if (e->head.only.n > 0) {
        put(&o, "only", e->head.only);
    }
    json_key(&o, "seed");
    json_put_u64(&o, e->head.seed);
    put_calls(&o, e);
    json_key(&o, "status");
    json_put_u64(&o, (uint64_t)verdicts_status(v));
    json_key(&o, "claims");
    json_open(&o, '[');
    for (enum claim c = 0; c < CLAIM_COUNT; c++) {
        put_claim(&o, v, c);
    }
    json_close(&o, ']');
    json_close(&o, '}');
    buf_add_byte(out, '\n');
    buf_release(&when);
}
