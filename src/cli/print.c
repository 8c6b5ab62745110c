/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for people: a line for each member of the outer object; each object of a list on a line of
 * its own, as name=value. What is deeper keeps its brackets, and lists their commas. The text is
 * our own, compact and already valid, so bytes are enough to walk it.
 */
#include <stdio.h>

#include "cli/cli.h"

struct printer {
    struct buf *out;
    struct str rest;
    unsigned depth;  /* of objects */
    uint64_t within; /* a bit for each bracket that is open, the last one lowest: is it a list's? */
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

static void print_open(struct printer *p, bool list)
{
    bool shown = p->depth >= 2;

    p->within = p->within << 1 | list;
    if (!list && ++p->depth == 2) {
        buf_add(p->out, STR("\n  "));
    } else if (shown) {
        buf_add_byte(p->out, list ? '[' : '{');
    }
    p->gap = p->gap && list;
}

static void print_close(struct printer *p, bool list)
{
    p->within >>= 1;
    p->depth -= !list;
    p->gap = true;
    if (p->depth >= 2) {
        buf_add_byte(p->out, list ? ']' : '}');
    }
}

/* Between members their names make room, between objects of the outermost lists the lines do. */
static void print_comma(struct printer *p)
{
    bool object = p->rest.n > 0 && p->rest.p[0] == '{';

    if ((p->within & 1) != 0 && !(object && p->depth == 1)) {
        buf_add(p->out, STR(", "));
    }
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
        if (c == '{' || c == '[') {
            print_open(&p, c == '[');
        } else if (c == '}' || c == ']') {
            print_close(&p, c == ']');
        } else if (c == ',') {
            print_comma(&p);
        } else {
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
