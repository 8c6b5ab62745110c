/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Usage as the station reads it, for tests in other languages. A line of input is a dialect, a
 * vendor and the JSON of a reply, with tabs between; with several JSONs they are the events of a
 * stream. A line of output is the leaves that are not zero, the tier and the state.
 */
#include <stdio.h>
#include <stdlib.h>

#include "dialect/dialect.h"

static bool find_dialect(struct str name, enum dialect *out)
{
    static const char *const names[] = {
        [DIALECT_CHAT] = "chat",
        [DIALECT_RESPONSES] = "responses",
        [DIALECT_MESSAGES] = "messages",
        [DIALECT_GEMINI] = "gemini",
        [DIALECT_EMBEDDINGS] = "embeddings",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq(name, str_from(names[i]))) {
            *out = (enum dialect)i;
            return true;
        }
    }
    return false;
}

static void print_usage(const struct usage *u)
{
    static const char *const states[] = {"ok", "inconsistent", "missing"};
    printf("{");
    for (size_t i = 0; i < LEAF_COUNT; i++) {
        if (leaf_get(u, &leaves[i]) > 0) {
            printf("\"%s\":%llu,", leaves[i].name, (unsigned long long)leaf_get(u, &leaves[i]));
        }
    }
    printf("\"tier\":\"%s\",\"state\":\"%s\"}\n", tier_name((enum tier)u->tier), states[u->state]);
}

static bool read_line(struct str line, struct usage *u)
{
    enum dialect d;
    struct str name = str_cut(&line, '\t');
    struct str vendor = str_cut(&line, '\t');
    struct str json = str_cut(&line, '\t');
    if (!find_dialect(name, &d)) {
        return false;
    }
    if (line.n == 0) {
        struct json_doc *doc = json_parse(json, NULL);
        if (doc == NULL) {
            return false;
        }
        usage_read(d, vendor, json_root(doc), u);
        json_free(doc);
        return true;
    }
    struct meter m;
    meter_init(&m, d);
    for (; json.n > 0; json = str_cut(&line, '\t')) {
        meter_event(&m, vendor, STR(""), json);
    }
    *u = m.usage;
    return true;
}

int main(void)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t n;
    while ((n = getline(&line, &room, stdin)) > 0) {
        struct usage u = {.state = USAGE_MISSING};
        if (!read_line(str_trim(str_slice(line, (size_t)n)), &u)) {
            fprintf(stderr, "usage_of: not a line of a dialect, a vendor and JSON\n");
            return 1;
        }
        print_usage(&u);
    }
    free(line);
    return 0;
}
