/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A document that parses is scanned, and a member the scan is sure of is the one the parser sees.
 * Its "schema", where it is one that is known, is held against its "value".
 */
#include <assert.h>

#include "json/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(const struct json *seen, struct str raw)
{
    struct json_doc *d = json_parse(raw, NULL);
    uint64_t a = 0, b = 0;
    assert(d != NULL && seen != NULL);
    const struct json *v = json_root(d);
    assert(json_is_object(v) == json_is_object(seen) && json_is_array(v) == json_is_array(seen));
    assert(json_u64(v, &a) == json_u64(seen, &b) && a == b);
    assert(str_eq(json_str(v), json_str(seen)) && json_count(v) == json_count(seen));
    json_free(d);
}

static void judge(struct str text)
{
    struct json_doc *d = json_parse_exact(text, NULL);
    const struct json *root = d != NULL ? json_root(d) : NULL;
    const struct json *schema = json_get(root, "schema"), *value = json_get(root, "value");
    struct err why = {""};
    if (schema != NULL && value != NULL && schema_usable(schema, &why)) {
        const char *broken = schema_broken(schema, value);
        assert(broken == NULL || json_count(schema) > 0);
    } else {
        assert(schema == NULL || value == NULL || why.text[0] != '\0');
    }
    json_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct json_member m[] = {{.key = STR("m")}, {.key = STR("ab")}};
    enum json_scan verdict = json_scan_members(text, m, 2);
    struct json_doc *d = json_parse(text, NULL);
    if (d != NULL) {
        const struct json *root = json_root(d);
        assert(json_is_object(root) == json_scan_found(verdict));
        assert(json_is_object(root) || verdict == JSON_SCAN_NOT_OBJECT);
        for (size_t i = 0; i < 2 && json_scan_found(verdict); i++) {
            const struct json *seen = json_get(root, i == 0 ? "m" : "ab");
            assert(m[i].count > 0 || seen == NULL);
            if (m[i].count == 1 && !m[i].escaped)
                same(seen, m[i].value);
        }
    }
    assert(d != NULL || verdict != JSON_SCAN_OK); /* it is never surer than the parser */
    json_free(d);
    judge(text);
    return 0;
}
