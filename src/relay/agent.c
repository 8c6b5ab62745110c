/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Coding agents offer their vendor's own tools (a search of the web) with every turn, whatever it
 * is about. Beside tools of the client's own these are extras, and a conversion may leave them out,
 * by name; where they are all that is offered, or are forced, they are what the client came for.
 */
#include "dialect/convert.h"

#include "relay/relay_int.h"

static bool begins(struct str s, struct str with)
{
    return s.n >= with.n && str_eq_nocase(str_slice(s.p, with.n), with);
}

static bool is_agent(const struct request *r)
{
    const char *base = r->session->in.p; /* it may have grown since the head was read */
    struct str agent = head_get(r->head, base, STR("user-agent"));

    return begins(agent, STR("codex")) || begins(agent, STR("claude-cli")) ||
           begins(head_get(r->head, base, STR("originator")), STR("codex"));
}

static bool is_own(const struct json *tool)
{
    struct str type = json_str(json_get(tool, "type"));

    return type.n == 0 || str_eq(type, STR("function")) || str_eq(type, STR("custom")) ||
           str_eq(type, STR("namespace"));
}

/* A list with tools of the client's own in it. */
static bool has_own(struct str tools)
{
    struct json_doc *doc = tools.p != NULL ? json_parse(tools, NULL) : NULL;
    struct json_each it = json_each(doc != NULL ? json_root(doc) : NULL);
    bool found = false;

    while (json_next(&it)) {
        found = found || is_own(it.value);
    }
    json_free(doc);
    return found;
}

/* tool_choice: absent, "auto", {"type": "auto"}; anything else may mean one of the vendor's. */
static bool is_free(struct str choice)
{
    struct json_doc *doc = choice.p != NULL ? json_parse(choice, NULL) : NULL;
    const struct json *root = doc != NULL ? json_root(doc) : NULL;
    struct str word = json_str(json_is_object(root) ? json_get(root, "type") : root);
    bool said = doc != NULL && !json_is_null(root);

    said = said && !str_eq(word, STR("auto")) && !str_eq(word, STR("none"));
    json_free(doc);
    return !said;
}

void agent_extras(const struct request *r, uint64_t allowed[CONVERSION_FIELDS / 64])
{
    const char *names[CONVERSION_FIELDS];
    struct json_member m[] = {{.key = STR("tools")}, {.key = STR("tool_choice")}};

    if (!is_agent(r) || !json_scan_found(json_scan_members(buf_str(&r->body), m, 2)) ||
        !has_own(m[0].value) || !is_free(m[1].value)) {
        return;
    }
    for (size_t i = conversion_fields(names); i-- > 0;) {
        if (str_eq(str_from(names[i]), STR("hosted tools"))) {
            allowed[i / 64] |= UINT64_C(1) << (i % 64);
        }
    }
}
