/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for people: a line for each member of the outer object; each object of a list on a line of
 * its own, as name=value. The text is our own, compact and already valid, so bytes are enough to
 * walk it.
 */
#include <stdio.h>

#include "cli/cli.h"

struct printer {
    struct buf *out;
    struct str rest;
    unsigned depth;
    bool gap;
};

static struct str take_string(struct printer *p)
{
    size_t n = 1;
    while (n < p->rest.n && p->rest.p[n] != '"') {
        n += p->rest.p[n] == '\\' ? 2 : 1;
    }
    n = n < p->rest.n ? n : p->rest.n;
    struct str inner = str_slice(p->rest.p + 1, n > 0 ? n - 1 : 0);
    p->rest = str_skip(p->rest, n < p->rest.n ? n + 1 : n);
    return inner;
}

/* A string as it stands in the line: a name with its sign behind it, or a value. */
static void print_string(struct printer *p)
{
    struct str text = take_string(p);
    bool name = p->rest.n > 0 && p->rest.p[0] == ':';
    if (!name) {
        buf_add(p->out, text);
        return;
    }
    p->rest = str_skip(p->rest, 1);
    if (p->gap) {
        buf_add(p->out, p->depth == 1 ? STR("\n") : STR("  "));
    }
    p->gap = true;
    buf_add(p->out, text);
    buf_add(p->out, p->depth == 1 ? STR(": ") : STR("="));
}

void cli_print(struct buf *out, struct str json)
{
    struct printer p = {.out = out, .rest = json};
    while (p.rest.n > 0) {
        char c = p.rest.p[0];
        if (c == '"') {
            print_string(&p);
            continue;
        }
        p.rest = str_skip(p.rest, 1);
        if (c == '{') {
            if (++p.depth == 2) {
                buf_add(out, STR("\n  "));
            }
            p.gap = false;
        } else if (c == '}') {
            p.depth--;
            p.gap = true;
        } else if (c == ',') {
            continue;
        } else if (c != '[' && c != ']') {
            buf_add_byte(out, c);
        }
    }
    buf_add_byte(out, '\n');
}

void cli_result(bool json, struct str result)
{
    struct buf text;

    if (json) {
        printf("%.*s\n", STR_ARG(result));
        return;
    }
    buf_init(&text, 2 * result.n + 4096);
    if (!cli_charges(&text, result)) {
        cli_print(&text, result);
    }
    fwrite(text.p, 1, text.n, stdout);
    buf_release(&text);
}
