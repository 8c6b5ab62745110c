/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"
#include "json/plain.h"

static bool write_escaped(struct buf *b, unsigned char c)
{
    static const char short_form[][3] = {
        ['"'] = "\\\"", ['\\'] = "\\\\", ['\n'] = "\\n", ['\r'] = "\\r", ['\t'] = "\\t"};
    if (c < sizeof(short_form) / sizeof(short_form[0]) && short_form[c][0] != '\0') {
        return buf_add(b, str_slice(short_form[c], 2));
    }
    return buf_addf(b, "\\u%04x", c);
}

bool json_write_inside(struct buf *b, struct str s)
{
    size_t from = 0;
    bool ok = true;

    if (s.n == 0) { /* its pointer may be NULL */
        return true;
    }
    for (size_t i = 0; i < s.n && ok; i++) {
        i += json_plain_run(s.p + i, s.n - i);
        unsigned char c = i < s.n ? (unsigned char)s.p[i] : ' ';
        if (c < 0x20 || c == '"' || c == '\\') {
            ok = buf_add(b, str_slice(s.p + from, i - from)) && write_escaped(b, c);
            from = i + 1;
        }
    }
    return ok && buf_add(b, str_slice(s.p + from, s.n - from));
}

bool json_write_str(struct buf *b, struct str s)
{
    return buf_add_byte(b, '"') && json_write_inside(b, s) && buf_add_byte(b, '"');
}

bool json_write_value(struct buf *b, const struct json *v)
{
    struct json_out o = {b, false};
    json_put_value(&o, v);
    return !b->overflow;
}

static void before(struct json_out *o)
{
    if (o->comma) {
        buf_add_byte(o->b, ',');
    }
    o->comma = true;
}

void json_open(struct json_out *o, char bracket)
{
    before(o);
    buf_add_byte(o->b, bracket);
    o->comma = false;
}

void json_close(struct json_out *o, char bracket)
{
    buf_add_byte(o->b, bracket);
    o->comma = true;
}

void json_put_key(struct json_out *o, struct str key)
{
    before(o);
    json_write_str(o->b, key);
    buf_add_byte(o->b, ':');
    o->comma = false;
}

void json_key(struct json_out *o, const char *key)
{
    json_put_key(o, str_from(key));
}

void json_open_typed(struct json_out *o, const char *type)
{
    json_open(o, '{');
    json_key(o, "type");
    json_put_str(o, str_from(type));
}

void json_put_members(struct json_out *o, struct str text)
{
    before(o);
    buf_add(o->b, text);
}

void json_put_str(struct json_out *o, struct str s)
{
    before(o);
    json_write_str(o->b, s);
}

void json_put_u64(struct json_out *o, uint64_t v)
{
    before(o);
    buf_add_u64(o->b, v);
}

void json_put_raw(struct json_out *o, struct str text)
{
    before(o);
    buf_add(o->b, text);
}

void json_put_bool(struct json_out *o, bool v)
{
    json_put_raw(o, v ? STR("true") : STR("false"));
}

/* As deep as the document, which is at most 128 levels. */
void json_put_value(struct json_out *o, const struct json *v)
{
    struct json_each it = json_each(v);
    bool object = json_is_object(v);
    bool flag;

    if (object || json_is_array(v)) {
        json_open(o, object ? '{' : '[');
        while (json_next(&it)) {
            if (object) {
                json_put_key(o, it.key);
            }
            json_put_value(o, it.value);
        }
        json_close(o, object ? '}' : ']');
    } else if (json_is_string(v)) {
        json_put_str(o, json_str(v));
    } else if (json_bool(v, &flag)) {
        json_put_bool(o, flag);
    } else if (json_number(v).n > 0) {
        json_put_raw(o, json_number(v));
    } else {
        json_put_raw(o, STR("null"));
    }
}
