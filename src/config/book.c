/* SPDX-License-Identifier: Apache-2.0 */
/* A price book of the operator's own: rows in a file, which stand before the built-in ones. */
#include <stdio.h>

#include "base/clock.h"
#include "config/options.h"

#define PATH_MAX_BYTES 1024

static void read_day(struct loader *l, yaml_node_t *node, void *target)
{
    struct book_entry *b = target;
    struct str text;
    if (loader_text(l, "from", node, &text) && !clock_parse_day(text, &b->from_us)) {
        loader_report(l, node->start_mark, "from must be a day such as 2026-08-21, not '%.*s'",
                      STR_ARG(text));
    }
}

static const struct option row_table[] = {
    {.name = "vendor",
     .kind = OPTION_TEXT,
     .required = true,
     .offset = offsetof(struct book_entry, vendor),
     .min = 1,
     .max = LIMIT_NAME - 1},
    {.name = "model",
     .kind = OPTION_TEXT,
     .required = true,
     .offset = offsetof(struct book_entry, model),
     .min = 1,
     .max = LIMIT_NAME - 1},
    {.name = "from", .kind = OPTION_OTHER, .read = read_day},
    {.name = "source",
     .kind = OPTION_TEXT,
     .offset = offsetof(struct book_entry, source),
     .max = 256},
    {.name = "price", .kind = OPTION_OTHER, .required = true, .read = loader_read_book_price},
};
static const struct option_set row_options = {"a row", row_table,
                                              sizeof(row_table) / sizeof(row_table[0])};

static void check_vendor(struct loader *l, yaml_node_t *node, struct str vendor)
{
    struct nearest near = {.wanted = vendor};
    char text[160];

    for (size_t i = 0; i < l->vendors->count; i++) {
        struct str name = str_from(l->vendors->rows[i].name);
        if (str_eq(name, vendor)) {
            return;
        }
        nearest_offer(&near, name);
    }
    loader_report(l, node->start_mark, "there is no vendor '%.*s'%s", STR_ARG(vendor),
                  nearest_text(&near, text));
}

static void read_rows(struct loader *l, yaml_node_t *node, void *target)
{
    struct config *c = target;
    size_t n = loader_count(l, "prices", node, LIMIT_BOOK_ROWS);

    c->book = loader_alloc(l, node->start_mark, (n + 1) * sizeof(*c->book));
    for (size_t i = 0; c->book != NULL && i < n; i++) {
        yaml_node_t *item = loader_item(l, node, i);
        struct book_entry *b = &c->book[c->book_count];
        loader_read_set(l, &row_options, item, b);
        if (b->vendor.n > 0) {
            check_vendor(l, item, b->vendor);
        }
        const struct book_entry *before = c->book_count > 0 ? b - 1 : NULL;
        if (before != NULL && str_eq(before->model, b->model) &&
            str_eq(before->vendor, b->vendor) && before->from_us > b->from_us) {
            loader_report(l, item->start_mark,
                          "rows of one model stand in the order of their days");
        }
        c->book_count++;
    }
}

static const struct option file_table[] = {
    {.name = "prices", .kind = OPTION_OTHER, .required = true, .read = read_rows},
};
static const struct option_set file_options = {"a price book", file_table, 1};

/* A path that does not begin at the root begins where the configuration is. */
static bool beside(const struct loader *l, struct str path, char out[static PATH_MAX_BYTES])
{
    const char *slash = strrchr(l->name, '/');
    int folder = slash == NULL || path.p[0] == '/' ? 0 : (int)(slash - l->name + 1);
    int n = snprintf(out, PATH_MAX_BYTES, "%.*s%.*s", folder, l->name, STR_ARG(path));
    return n > 0 && n < PATH_MAX_BYTES;
}

void loader_read_book(struct loader *l, yaml_node_t *node, void *target)
{
    char path[PATH_MAX_BYTES];
    struct str name;
    struct buf text;

    (void)target;
    if (!loader_text(l, "price_book", node, &name)) {
        return;
    }
    if (name.n == 0 || !beside(l, name, path)) {
        loader_report(l, node->start_mark, "price_book must be the path of a file");
        return;
    }
    buf_init(&text, LIMIT_CONFIG_BYTES + 4096);
    struct loader book = {
        .name = path, .vendors = l->vendors, .config = l->config, .errors = l->errors};
    if (!loader_file(path, &text, l->errors)) {
        l->failed = true;
    } else {
        loader_parse(&book, buf_str(&text), &file_options);
        l->failed = l->failed || book.failed;
    }
    buf_release(&text);
}
