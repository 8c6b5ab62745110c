/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/zoo.h"

const struct character characters[] = {
#define CHARACTER(name, make, family, around, system, think, picture, spread, input, output) \
    {name,          MAKE_##make, FAMILY_##family, around, system,                            \
     THINK_##think, picture,     spread,          input,  output},
#include "sim/characters.def"
};
const size_t character_count = sizeof(characters) / sizeof(characters[0]);

const struct character *character_find(struct str name)
{
    for (size_t i = 0; i < character_count; i++) {
        if (str_eq(name, str_from(characters[i].name))) {
            return &characters[i];
        }
    }
    return NULL;
}

unsigned character_dialects(const struct character *c)
{
    static const unsigned spoken[] = {
        [MAKE_OPENAI] = DIALECT_BIT(DIALECT_CHAT) | DIALECT_BIT(DIALECT_RESPONSES),
        [MAKE_ANTHROPIC] = DIALECT_BIT(DIALECT_MESSAGES) | DIALECT_BIT(DIALECT_CHAT),
        [MAKE_GOOGLE] = DIALECT_BIT(DIALECT_GEMINI) | DIALECT_BIT(DIALECT_CHAT),
        [MAKE_DEEPSEEK] = DIALECT_BIT(DIALECT_CHAT) | DIALECT_BIT(DIALECT_MESSAGES),
        [MAKE_OPEN] = DIALECT_BIT(DIALECT_CHAT) | DIALECT_BIT(DIALECT_MESSAGES) |
                      DIALECT_BIT(DIALECT_RESPONSES),
    };
    return spoken[c->make];
}

void sim_zoo_help(struct buf *out)
{
    static const char *const families[] = {
#define TEXT(id, text)
#define FAMILY(id, ...) #id,
#include "sim/families.def"
    };

    for (size_t i = 0; i < character_count; i++) {
        const struct character *c = &characters[i];
        buf_addf(out, "    %-22s counts as %-9s  %s / %s USD for a million tokens\n", c->name,
                 families[c->family], c->input, c->output);
    }
}
