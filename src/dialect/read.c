/* SPDX-License-Identifier: Apache-2.0 */
/* Walking a client's JSON by rows: nothing in it goes unseen. */
#include "dialect/neutral.h"

static const char *const kind_words[] = {[KIND_NUMBER] = "a number",
                                         [KIND_COUNT] = "a non-negative integer",
                                         [KIND_BOOL] = "true or false",
                                         [KIND_STRING] = "a string"};

bool key_is(const struct conversion *c, struct str key, struct str name)
{
    size_t k = 0;

    if (c->from != DIALECT_GEMINI || key.n < name.n) {
        return str_eq(key, name);
    }
    for (size_t i = 0; i < name.n; i++, k++) {
        char want = name.p[i];
        if (k < key.n && key.p[k] == '_' && want >= 'A' && want <= 'Z') {
            want = (char)(want - 'A' + 'a');
            k++;
        }
        if (k >= key.n || key.p[k] != want) {
            return false;
        }
    }
    return k == key.n;
}

static bool kind_fits(enum field_kind kind, const struct json *v)
{
    uint64_t n;
    bool flag;

    switch (kind) {
    case KIND_NUMBER: return json_number(v).n > 0;
    case KIND_COUNT: return json_u64(v, &n);
    case KIND_BOOL: return json_bool(v, &flag);
    case KIND_STRING: return json_is_string(v);
    case KIND_CODE:
    case KIND_ANY: break;
    }
    return true;
}

/* Clients whose type for it is a float write 40 as 40.0. */
static const struct json *whole_number(struct conversion *c, const struct json *v)
{
    struct str text = json_number(v);
    struct buf digits;
    uint64_t n;

    if (!str_ends(text, STR(".0")) || !str_to_u64(str_slice(text.p, text.n - 2), &n)) {
        return v;
    }
    buf_init(&digits, 32);
    buf_add_u64(&digits, n);
    return conversion_parse(c, &digits);
}

static void take_field(struct conversion *c, enum field f, const struct json *v,
                       const struct place *at)
{
    v = fields[f].kind == KIND_COUNT ? whole_number(c, v) : v;
    if (!kind_fits((enum field_kind)fields[f].kind, v)) {
        refuse(c, at, "It must be %s.", kind_words[fields[f].kind]);
        return;
    }
    c->ask.value[f] = (struct value){v, at};
}

/* The row of fields.def that stands at prefix and key, or FIELD_COUNT. */
static enum field find_field(const struct conversion *c, struct str prefix, struct str key)
{
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        struct str path = str_from(fields[f].path[c->from]);
        if (fields[f].kind != KIND_CODE && path.n > prefix.n && str_starts(path, prefix) &&
            str_find_byte(key, '.') == key.n && key_is(c, key, str_skip(path, prefix.n))) {
            return (enum field)f;
        }
    }
    return FIELD_COUNT;
}

static void take_str(struct conversion *c, const struct json *v, const struct place *at,
                     struct str *into)
{
    if (!json_is_string(v)) {
        refuse(c, at, "It must be a string.");
        return;
    }
    *into = json_str(v);
}

static void take_bool(struct conversion *c, const struct json *v, const struct place *at,
                      uint8_t *into)
{
    bool flag;

    if (!json_bool(v, &flag)) {
        refuse(c, at, "It must be true or false.");
        return;
    }
    *into = flag ? YES : NO;
}

static void take(struct conversion *c, const struct key *row, const struct json *v,
                 const struct place *at, void *into)
{
    char *slot = into != NULL ? (char *)into + row->at : NULL;

    switch ((enum take)row->take) {
    case TAKE_KNOWN: break;
    case TAKE_STR: take_str(c, v, at, (struct str *)(void *)slot); break;
    case TAKE_JSON: *(const struct json **)(void *)slot = v; break;
    case TAKE_BOOL: take_bool(c, v, at, (uint8_t *)slot); break;
    case TAKE_FIELD: take_field(c, (enum field)row->field, v, at); break;
    case TAKE_LOSS:
        if (!json_means_nothing(v, fields[row->field].nothing)) {
            lose(c, (enum field)row->field, at);
        }
        break;
    case TAKE_READ: row->read(c, v, at, into); break;
    }
}

static const struct key *find_row(const struct conversion *c, const struct key *rows, size_t count,
                                  struct str key)
{
    for (size_t i = 0; i < count; i++) {
        if (key_is(c, key, str_from(rows[i].name))) {
            return &rows[i];
        }
    }
    return NULL;
}

/* The next letter of a key, in the one way of writing it that all others are led back to. */
static char next_letter(struct str key, size_t *at)
{
    char ch = key.p[(*at)++];
    bool small = ch == '_' && *at < key.n && key.p[*at] >= 'a' && key.p[*at] <= 'z';

    return small ? (char)(key.p[(*at)++] - 'a' + 'A') : ch;
}

/* Whether both keys are of one name: key_is, with neither of them the name itself. */
static bool same_key(const struct conversion *c, struct str a, struct str b)
{
    size_t i = 0, k = 0;

    if (c->from != DIALECT_GEMINI) {
        return str_eq(a, b);
    }
    while (i < a.n && k < b.n) {
        if (next_letter(a, &i) != next_letter(b, &k)) {
            return false;
        }
    }
    return i == a.n && k == b.n;
}

static bool seen_before(const struct conversion *c, const struct json *object, struct str key,
                        size_t index)
{
    struct json_each it = json_each(object);

    while (json_next(&it) && it.index < index) {
        if (same_key(c, it.key, key)) {
            return true;
        }
    }
    return false;
}

unsigned kind_of(struct str word, const struct kind *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(word, str_from(kinds[i].word))) {
            return kinds[i].bit;
        }
    }
    return 0;
}

static bool is_empty(const struct json *v)
{
    bool on = true;

    if (json_is_string(v)) {
        return json_str(v).n == 0;
    }
    return json_is_object(v) || json_is_array(v) ? json_count(v) == 0 : json_bool(v, &on) && !on;
}

/* Whether the object's kind has this key. */
static bool is_own(struct conversion *c, const struct keys *keys, const struct key *row,
                   const struct json *v, const struct place *at)
{
    bool own = row->of == 0 || keys->kind == 0 || (row->of & keys->kind) != 0;

    if (!own && !is_empty(v)) {
        lose(c, FIELD_KEY_FOREIGN, at);
    }
    return own;
}

void read_object(struct conversion *c, const struct json *object, const struct place *at,
                 const struct keys *keys, void *into)
{
    struct json_each it = json_each(object);

    if (!json_is_object(object)) {
        refuse(c, at, "It must be an object.");
        return;
    }
    while (!c->refused && json_next(&it)) {
        const struct key *row = find_row(c, keys->rows, keys->count, it.key);
        const struct place *here = place_key(c, at, it.key);
        enum field f = row == NULL && keys->prefix != NULL
                           ? find_field(c, str_from(keys->prefix), it.key)
                           : FIELD_COUNT;

        if (seen_before(c, object, it.key, it.index)) {
            refuse(c, here, "It is there twice.");
        } else if (row == NULL && f == FIELD_COUNT) {
            c->uncarried = true;
            refuse(c, here,
                   "It is not known here, and this model's upstream speaks another "
                   "dialect: it cannot be passed on.");
        } else if (json_is_null(it.value)) {
            continue;
        } else if (row == NULL) {
            take_field(c, f, it.value, here);
        } else if (is_own(c, keys, row, it.value, here)) {
            take(c, row, it.value, here, into);
        }
    }
}

void read_items(struct conversion *c, const struct json *array, const struct place *at,
                void (*read)(struct conversion *c, const struct json *v, const struct place *at,
                             void *into),
                void *into)
{
    struct json_each it = json_each(array);

    if (!json_is_array(array)) {
        refuse(c, at, "It must be an array.");
        return;
    }
    while (!c->refused && json_next(&it)) {
        read(c, it.value, place_item(c, at, it.index), into);
    }
}

void read_content_items(struct conversion *c, const struct json *array, const struct place *at,
                        void (*read)(struct conversion *c, const struct json *v,
                                     const struct place *at, void *into),
                        void *into)
{
    if (!json_is_array(array)) {
        refuse(c, at, "It must be a string or an array.");
        return;
    }
    read_items(c, array, at, read, into);
}

struct str read_word(const struct json *object, const char *key)
{
    const struct json *v = json_get(object, key);
    return v != NULL ? json_str(v) : (struct str){NULL, 0};
}

bool text_is_object(struct str text)
{
    struct json_doc *doc = json_parse_exact(text, NULL);
    bool object = doc != NULL && json_is_object(json_root(doc));

    json_free(doc);
    return object;
}

void read_caller(struct conversion *c, const struct json *v, const struct place *at, void *into)
{
    (void)into;
    if (!str_eq(read_word(v, "type"), STR("direct"))) {
        lose(c, FIELD_TOOL_CALLERS, at);
    }
}
