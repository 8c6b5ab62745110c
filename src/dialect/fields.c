/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of all that a request can say, and what they decide: carried, lost by name, refused. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "dialect/neutral.h"

#define WHY_MAX 255 /* bytes: words of the client's stand in it */
#define USER_MAX 64 /* bytes, of OpenAI's dialects */

const struct field_row fields[FIELD_COUNT] = {
#define X(ID, name, kind, chat, responses, messages, gemini, to, nothing, why) \
    [FIELD_##ID] = {name, KIND_##kind, {chat, responses, messages, gemini}, to, nothing, why},
#include "dialect/fields.def"
#undef X
};

const struct place *place_key(struct conversion *c, const struct place *up, struct str key)
{
    struct place *p = conversion_alloc(c, sizeof(*p));
    *p = (struct place){up, key, 0};
    return p;
}

const struct place *place_item(struct conversion *c, const struct place *up, size_t index)
{
    struct place *p = conversion_alloc(c, sizeof(*p));
    *p = (struct place){up, {NULL, 0}, index};
    return p;
}

void place_text(const struct place *p, struct buf *out)
{
    if (p == NULL) {
        return;
    }
    place_text(p->up, out);
    if (p->key.p == NULL) {
        buf_addf(out, "[%zu]", p->index);
    } else {
        buf_cat(out, p->up != NULL ? STR(".") : STR(""), p->key);
    }
}

void refuse(struct conversion *c, const struct place *at, const char *format, ...)
{
    char text[WHY_MAX + 2]; /* one byte more than is shown, to see whether a character ends there */
    va_list args;

    if (c->refused) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    c->refused = true;
    place_text(at, &c->why_at);
    buf_add(&c->why, str_first(str_from(text), WHY_MAX));
}

/* One name stands once, however often it was met. */
static bool named(struct str list, struct str name)
{
    while (list.n > 0) {
        if (str_eq(str_trim(str_cut(&list, ',')), name)) {
            return true;
        }
    }
    return false;
}

static void note_lossy(struct conversion *c, const struct place *at, const char *name)
{
    struct str full = STR(", and more");
    struct buf text;

    if (str_ends(buf_str(&c->lossy), full)) {
        return;
    }
    buf_init(&text, 512);
    place_text(at, &text);
    if (at == NULL) {
        buf_add(&text, str_from(name));
    }
    for (size_t i = 0; i < text.n; i++) { /* it becomes a header, and keys are the client's own */
        if (text.p[i] < 0x21 || text.p[i] > 0x7e || text.p[i] == ',') {
            text.p[i] = '_';
        }
    }
    if (c->lossy.n + text.n + 2 > LOSSY_MAX - full.n) {
        buf_add(&c->lossy, full);
    } else if (!named(buf_str(&c->lossy), buf_str(&text))) {
        buf_cat(&c->lossy, c->lossy.n > 0 ? STR(", ") : STR(""), buf_str(&text));
    }
    buf_release(&text);
}

void lose(struct conversion *c, enum field f, const struct place *at)
{
    const struct field_row *row = &fields[f];
    bool allowed = (c->allowed[f / 64] >> (f % 64) & 1) != 0;

    if (row->to[c->to] == 'L' || (row->to[c->to] == 'R' && allowed)) {
        note_lossy(c, at, row->name);
    } else if (row->to[c->to] == 'R') {
        c->uncarried = c->uncarried || !c->refused;
        refuse(c, at,
               "This model's upstream speaks another dialect, which cannot carry %s: %s. (Its "
               "operator may allow the loss: lossy: [\"%s\"].)",
               row->name, row->why, row->name);
    }
}

bool json_means_nothing(const struct json *v, const char *nothing)
{
    struct buf text;
    bool same;

    if (nothing == NULL) {
        return false;
    }
    buf_init(&text, 256);
    json_write_value(&text, v);
    struct str s = buf_str(&text);
    same = str_eq_nocase(s, str_from(nothing)) ||
           (str_eq(str_from(nothing), STR("0")) && str_eq(s, STR("0.0")));
    buf_release(&text);
    return same;
}

void write_fields(struct conversion *c, struct json_out *o, const char *prefix)
{
    struct str p = str_from(prefix);

    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        struct str path = str_from(fields[f].path[c->to]);
        const struct json *v = c->ask.value[f].v;

        if (v == NULL || fields[f].to[c->to] != 'K' || !str_starts(path, p) ||
            str_find_byte(str_skip(path, p.n), '.') < path.n - p.n) {
            continue;
        }
        json_key(o, path.p + p.n);
        json_put_value(o, v);
        c->ask.value[f].v = NULL;
    }
}

/* Google's clients send the default of its models with every request. */
static enum field row_of_value(const struct conversion *c, enum field f)
{
    bool usual = f == FIELD_TOP_K && c->from == DIALECT_GEMINI &&
                 str_eq(json_number(c->ask.value[f].v), STR("64"));
    return usual ? FIELD_TOP_K_DEFAULT : f;
}

static uint64_t hash_of(struct str s, uint64_t seed)
{
    uint64_t hash = UINT64_C(14695981039346656037) ^ seed; /* FNV-1a */

    for (size_t i = 0; i < s.n; i++) {
        hash = (hash ^ (unsigned char)s.p[i]) * UINT64_C(1099511628211);
    }
    return hash;
}

void write_long_user(struct conversion *c, struct json_out *o)
{
    struct value *value = &c->ask.value[FIELD_USER];
    struct str user = json_str(value->v);
    char text[33];

    if (user.n <= USER_MAX) {
        return;
    }
    lose(c, FIELD_USER_HASHED, value->at);
    (void)snprintf(text, sizeof(text), "%016" PRIx64 "%016" PRIx64, hash_of(user, 0),
                   hash_of(user, UINT64_MAX));
    json_key(o, "user");
    json_put_str(o, str_from(text));
    value->v = NULL;
}

void lose_unwritten(struct conversion *c)
{
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        const struct value *value = &c->ask.value[i];
        enum field f = row_of_value(c, (enum field)i);
        if (value->v != NULL && !json_means_nothing(value->v, fields[f].nothing)) {
            lose(c, f, value->at);
        }
    }
}

void lose_format_name(struct conversion *c)
{
    const struct format *f = &c->ask.format;

    if (f->name.n > 0) {
        lose(c, FIELD_FORMAT_NAME, place_key(c, f->from, STR("name")));
    }
    if (f->description.n > 0) {
        lose(c, FIELD_FORMAT_NAME, place_key(c, f->from, STR("description")));
    }
}

/* A decimal as written, rounded up; what has an exponent is not looked at: 0. */
static uint64_t millionths_of(struct str number)
{
    uint64_t n = 0;
    unsigned decimals = 0;
    bool point = false, more = false;

    for (size_t i = 0; i < number.n && n < UINT64_C(1000000000000); i++) {
        char ch = number.p[i];
        if (ch == '.') {
            point = true;
        } else if (ch < '0' || ch > '9') {
            return 0;
        } else if (!point || decimals < 6) {
            n = n * 10 + (unsigned)(ch - '0');
            decimals += point;
        } else {
            more = more || ch != '0';
        }
    }
    for (; decimals < 6; decimals++) {
        n *= 10;
    }
    return n + more;
}

void check_temperature(struct conversion *c, unsigned most_tenths)
{
    struct value *value = &c->ask.value[FIELD_TEMPERATURE];

    if (most_tenths > 0 && value->v != NULL &&
        millionths_of(json_number(value->v)) > most_tenths * UINT64_C(100000)) {
        lose(c, FIELD_TEMPERATURE_HIGH, value->at);
        value->v = NULL; /* where the route allows it, the vendor's own default stands */
    }
}

void lose_sampling(struct conversion *c)
{
    static const struct {
        enum field field;
        uint64_t least, most; /* millionths */
    } taken[] = {
        {FIELD_TEMPERATURE, 1000000, 1000000}, {FIELD_TOP_P, 950000, 1000000}, {FIELD_TOP_K, 1, 0}};

    for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
        struct value *value = &c->ask.value[taken[i].field];
        uint64_t n = value->v != NULL ? millionths_of(json_number(value->v)) : 0;
        if (value->v != NULL && (n < taken[i].least || n > taken[i].most)) {
            lose(c, FIELD_REASONING_SAMPLING, value->at);
            value->v = NULL;
        }
    }
}
