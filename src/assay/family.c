/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/family.h"

#define STAT_FAMILY_NONE STAT_FAMILIES

static const struct {
    const char *prefix;
    enum stat_family family;
} rows[] = {
#define MODEL(prefix, family) {prefix, STAT_FAMILY_##family},
#include "assay/models.def"
};

static bool starts_nocase(struct str s, struct str prefix)
{
    return s.n >= prefix.n && str_eq_nocase(str_slice(s.p, prefix.n), prefix);
}

enum stat_family family_claimed(struct str model)
{
    enum stat_family family = STAT_FAMILIES;
    size_t longest = 0;

    for (size_t slash; (slash = str_find_byte(model, '/')) < model.n;) {
        model = str_skip(model, slash + 1);
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str prefix = str_from(rows[i].prefix);
        if (starts_nocase(model, prefix) && prefix.n > longest) {
            longest = prefix.n;
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
