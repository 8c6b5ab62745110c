/* SPDX-License-Identifier: Apache-2.0 */
/* A statement of many pages as one output: each page is printed as it comes, none is kept. */
#include <stdio.h>

#include "cli/cli.h"
#include "json/json.h"

#define PAGE_MAX (32 << 20)

static void print(struct str text)
{
    fwrite(text.p, 1, text.n, stdout);
}

static void print_csv(const struct json *page)
{
    print(json_str(json_get(page, "csv")));
}

static void print_words(struct str page)
{
    struct buf text;

    buf_init(&text, PAGE_MAX);
    cli_print(&text, page);
    print(buf_str(&text));
    buf_release(&text);
}

/* One object: the begin of the first page, the movements of all, the end of the last. */
static void print_json(struct str page, bool first, bool last)
{
    struct json_member m[] = {{.key = STR_INIT("movements")}, {.key = STR_INIT("closing")}};

    if (!json_scan_found(json_scan_members(page, m, 2)) || m[0].value.n < 2 || m[1].value.p == NULL)
        return;
    struct str inside = str_slice(m[0].value.p + 1, m[0].value.n - 2);
    if (first)
        print(str_slice(page.p, (size_t)(inside.p - page.p)));
    else if (inside.n > 0)
        print(STR(","));
    print(inside);
    if (last)
        printf("],\"closing\":%.*s,\"next\":null}\n", STR_ARG(m[1].value));
}

bool cli_statement_page(struct str page, bool json, bool first, struct buf *next)
{
    struct json_doc *doc = json_parse(page, NULL);
    const struct json *root = doc == NULL ? NULL : json_root(doc);

    buf_clear(next);
    buf_add(next, json_str(json_get(root, "next")));
    if (json_get(root, "csv") != NULL)
        print_csv(root);
    else if (json)
        print_json(page, first, next->n == 0);
    else
        print_words(page);
    json_free(doc);
    return root != NULL && next->n > 0;
}
