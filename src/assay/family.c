/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/family.h"

static const struct {
    const char *prefix;
    enum stat_family family;
} rows[] = {
#define MODEL(prefix, family) {prefix, STAT_FAMILY_##family},
#define FOREIGN(word)
#include "assay/models.def"
};
static const char *const foreign[] = {
#define MODEL(prefix, family)
#define FOREIGN(word) word,
#include "assay/models.def"
};

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_slice(s.p, prefix.n), prefix);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* In any case, and with '-' where the prefix has '.'. */
static bool starts_like(struct str name, struct str prefix)
{
    for (size_t i = 0; i < prefix.n; i++) {
        bool dot = i < name.n && prefix.p[i] == '.' && name.p[i] == '-';
        if (i >= name.n || (!dot && lower(name.p[i]) != lower(prefix.p[i]))) {
            return false;
        }
    }
    return true;
}

struct str model_name(struct str model)
{
    for (size_t slash; (slash = str_find_byte(model, '/')) < model.n;) {
        model = str_skip(model, slash + 1);
    }
    return model;
}

static bool is_border(char c)
{
    return c == '-' || c == ':' || c == '@';
}

/* "-5" or "-25" goes on with the version; "-0613" is a date, and "-32k" or "-8b" a size. */
static bool is_version(struct str rest)
{
    size_t n = 1;

    while (n < rest.n && rest.p[n] >= '0' && rest.p[n] <= '9') {
        n++;
    }
    return rest.n > 0 && rest.p[0] == '-' && (n == 2 || n == 3) &&
           (n == rest.n || rest.p[n] == '.' || is_border(rest.p[n]));
}

/* What is trained on another's answers is named after both, and may have the tokenizer of either.
 */
static bool is_foreign(struct str rest)
{
    for (size_t i = 0; i < rest.n; i++) {
        struct str word = str_skip(rest, i + 1);
        for (size_t k = 0; k < sizeof(foreign) / sizeof(foreign[0]) && is_border(rest.p[i]); k++) {
            if (starts_nocase(word, str_from(foreign[k]))) {
                return true;
            }
        }
    }
    return false;
}

size_t model_fits(struct str model, const char *prefix)
{
    struct str name = model_name(model), first = str_from(prefix);

    if (!starts_like(name, first)) {
        return 0;
    }
    struct str rest = str_skip(name, first.n);
    bool ends = rest.n == 0 || (is_border(rest.p[0]) && !is_version(rest));
    return ends && !is_foreign(rest) ? first.n : 0;
}

enum stat_family family_claimed(struct str model)
{
    enum stat_family family = STAT_FAMILIES;
    size_t longest = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t n = model_fits(model, rows[i].prefix);
        if (n > longest) {
            longest = n;
            family = rows[i].family;
        }
    }
    return family;
}

/* Tokenizers take digits one by one, or up to three at a time: 32 of them tell which. */
struct family_range family_nonce(enum stat_family f)
{
    static const struct family_range any = {4, 9};

    if (f == STAT_FAMILIES) {
        return any;
    }
    switch (stat_family(f)->counts[STAT_STRING_DIGITS]) {
    case 33: return (struct family_range){9, 9};
    case 12: return (struct family_range){4, 4};
    default: return any;
    }
}

size_t model_line(struct str model, const char *line)
{
    struct str name = model_name(model), first = str_from(line);

    if (!starts_nocase(name, first)) {
        return 0;
    }
    struct str rest = str_skip(name, first.n);
    return (rest.n == 0 || is_border(rest.p[0])) && !is_foreign(rest) ? first.n : 0;
}

bool model_says(struct str model, const char *word)
{
    for (size_t i = 0; i < model.n; i++) {
        if (starts_nocase(str_skip(model, i), str_from(word))) {
            return true;
        }
    }
    return false;
}
