/* SPDX-License-Identifier: Apache-2.0 */
/* Whose words a refusal is in. */
#include "assay/shape.h"

enum how { HOW_ANY, HOW_IS, HOW_BEGINS, HOW_HAS, HOW_NUMBER, HOW_HERE, HOW_GONE };

struct condition {
    const char *where;
    enum how how;
    struct str text;
};

static const struct {
    enum maker maker;
    struct condition a, b;
} rows[] = {
#define REFUSAL(maker, where, how, text, where2, how2, text2) \
    {MAKER_##maker, {where, HOW_##how, STR_INIT(text)}, {where2, HOW_##how2, STR_INIT(text2)}},
#include "assay/errors.def"
};

static bool holds(const struct json *root, const struct condition *c)
{
    const struct json *v = json_get(root, c->where);
    struct str s = json_str(v);
    uint64_t n;

    switch (c->how) {
    case HOW_ANY: return true;
    case HOW_IS: return str_eq(s, c->text) && s.n > 0;
    case HOW_BEGINS: return s.n > 0 && str_starts(s, c->text);
    case HOW_HAS: return s.n > 0 && str_find(s, c->text) != SIZE_MAX;
    case HOW_NUMBER: return json_u64(v, &n);
    case HOW_HERE: return v != NULL;
    case HOW_GONE: return v == NULL;
    }
    return false;
}

enum maker shape_refusal(struct str body)
{
    struct json_doc *doc = json_parse(body, NULL);
    enum maker found = MAKERS;

    for (size_t i = 0; doc != NULL && found == MAKERS && i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct json *root = json_root(doc);
        if (json_is_object(root) && holds(root, &rows[i].a) && holds(root, &rows[i].b)) {
            found = rows[i].maker;
        }
    }
    json_free(doc);
    return found;
}
