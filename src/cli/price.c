/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entrepot price diff: what a configuration would change. entrepot price import: what another price
 * list says beside the book, and the difference as a price book to be reviewed. Neither changes
 * what is asked.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "dialect/vendor.h"
#include "price/import.h"
#include "json/json.h"

#define OUTPUT_MAX (8 << 20)
#define LIST_MAX (32 << 20)

struct changes {
    struct buf *out;
    const char *before, *after; /* what the sides are called */
    struct str head;            /* members that each change begins with */
    bool any;
};

static void add_change(void *ctx, struct str name, struct str before, struct str after)
{
    struct changes *c = ctx;

    buf_addf(c->out, "%s{%.*s,\"what\":\"%.*s\",\"%s\":", c->any ? "," : "", STR_ARG(c->head),
             STR_ARG(name), c->before);
    json_write_str(c->out, before);
    buf_addf(c->out, ",\"%s\":", c->after);
    json_write_str(c->out, after);
    buf_add_byte(c->out, '}');
    c->any = true;
}

/* A price as price_write has told it. */
static bool read_told(const struct json *row, struct price *p)
{
    struct buf text;
    uint64_t num, den;

    buf_init(&text, 2 * PRICE_TERMS_MAX);
    bool ok = json_get(row, "terms") != NULL && json_write_value(&text, json_get(row, "terms")) &&
              price_terms_parse(buf_str(&text), p, NULL) &&
              currency_parse(json_str(json_get(row, "currency")), &p->currency) &&
              str_to_u64(json_number(json_get(row, "margin_num")), &num) &&
              str_to_u64(json_number(json_get(row, "margin_den")), &den);
    if (ok) {
        p->margin = (struct ratio){(int64_t)num, (int64_t)den};
    }
    buf_release(&text);
    return ok;
}

static const struct json *sold(const struct json *prices, struct str model)
{
    struct json_each it = json_each(prices);

    while (json_next(&it)) {
        if (str_eq(json_str(json_get(it.value, "model")), model)) {
            return it.value;
        }
    }
    return NULL;
}

static void compare_model(struct changes *c, struct str model, const struct price *now,
                          const struct price *then)
{
    struct buf head;

    buf_init(&head, 1024);
    buf_add(&head, STR("\"model\":"));
    json_write_str(&head, model);
    c->head = buf_str(&head);
    price_compare(now, then, add_change, c);
    buf_release(&head);
}

static void compare_all(struct changes *c, const struct json *prices, const struct config *next)
{
    struct json_each it = json_each(prices);
    int64_t now_us = clock_wall_us();
    struct price told;

    for (unsigned i = 0; i < next->model_count; i++) {
        const struct model *m = &next->models[i];
        const struct dated_price *then = prices_at(m->prices, now_us);
        const struct json *row = sold(prices, m->name);
        bool now = row != NULL && read_told(row, &told);
        compare_model(c, m->name, now ? &told : NULL, then == NULL ? NULL : then->price);
    }
    while (json_next(&it)) {
        struct str name = json_str(json_get(it.value, "model"));
        const struct model *m = config_model(next, name);
        bool gone = m == NULL || !str_eq(m->name, name);
        if (gone && read_told(it.value, &told)) {
            compare_model(c, name, &told, NULL);
        }
    }
}

/* Without a station and without a store nothing is sold yet. */
static bool ask_sold(const struct config *c, struct buf *answer, struct err *e)
{
    static const char *const words[] = {"price", "show"};
    char path[1100];

    snprintf(path, sizeof(path), "%.*s", STR_ARG(c->store_path));
    if (access(path, F_OK) != 0) {
        buf_add(answer, STR("{\"ok\":true,\"result\":{\"prices\":[]}}"));
        return true;
    }
    return cli_ask(words, 2, c, answer, e);
}

static int diff(const struct config *next, bool json)
{
    struct err e = {""};
    struct buf answer, out;

    buf_init(&answer, OUTPUT_MAX);
    buf_init(&out, OUTPUT_MAX);
    bool ok = ask_sold(next, &answer, &e);
    struct json_doc *doc = ok ? json_parse_exact(str_trim(buf_str(&answer)), &e) : NULL;
    const struct json *prices = doc == NULL ? NULL : json_get(json_root(doc), "result.prices");
    ok = prices != NULL;
    if (ok) {
        struct changes c = {.out = &out, .before = "now", .after = "then"};
        buf_add(&out, STR("{\"changes\":["));
        compare_all(&c, prices, next);
        buf_add(&out, STR("]}"));
        if (c.any || json) {
            cli_result(json, buf_str(&out));
        } else {
            puts("nothing changes");
        }
    }
    int status = ok ? 0 : cli_fail_as(json, 1, str_from(e.text), STR(""));
    json_free(doc);
    buf_release(&out);
    buf_release(&answer);
    return status;
}

/* Words with a value behind them, and what is left: one operand at most. */
struct words {
    const char *file, *operand, *vendor, *write;
    bool json, ok;
};

static struct words read_words(int argc, char **argv)
{
    struct words w = {.ok = true};

    for (int i = 1; i < argc; i++) {
        struct str word = str_from(argv[i]);
        const char **value = str_eq(word, STR("-c"))         ? &w.file
                             : str_eq(word, STR("--vendor")) ? &w.vendor
                             : str_eq(word, STR("--write"))  ? &w.write
                                                             : NULL;
        if (str_eq(word, STR("--json"))) {
            w.json = true;
        } else if (value != NULL) {
            w.ok = w.ok && i + 1 < argc && *value == NULL;
            *value = i + 1 < argc ? argv[++i] : NULL;
        } else {
            w.ok = w.ok && w.operand == NULL && argv[i][0] != '-';
            w.operand = argv[i];
        }
    }
    return w;
}

int cli_price_diff(int argc, char **argv)
{
    struct words w = read_words(argc, argv);

    if (!w.ok || w.file == NULL || w.operand != NULL || w.vendor != NULL || w.write != NULL) {
        return cli_fail_as(w.json, 2, STR("usage: entrepot price diff -c FILE [--json]"), STR(""));
    }
    struct config *next = cli_config(w.file, CONFIG_PRICES);
    if (next == NULL) {
        return cli_fail_as(w.json, 1, STR("the configuration was refused"), STR(""));
    }
    int status = diff(next, w.json);
    config_unref(next);
    return status;
}

struct review {
    const struct words *words;
    struct buf told, book; /* what differs; the same as rows of a price book */
    bool any_row;
    bool *seen; /* rows of the book that a model of the list has been found for */
    unsigned same, differ, unknown;
    struct changes changes;
    struct str source;
    int64_t now_us;
};

static void add_rates(struct buf *b, const struct price_tier *t)
{
    for (enum leaf_number i = 0; i < LEAF_COUNT; i++) {
        bool counter = leaves[i].side == SIDE_COUNTER;
        bool told = leaves[i].fallback != i ? t->rate[i] != t->rate[leaves[i].fallback]
                                            : !counter || t->rate[i] != 0;
        if (told) {
            buf_add(b, STR(", \""));
            price_rate_name(i, b);
            buf_add(b, STR("\": \""));
            decimal_write(b, t->rate[i], counter ? 12 : 6);
            buf_add_byte(b, '"');
        }
    }
}

/* Factors of the book are decimals. */
static void add_services(struct buf *b, const struct price *p)
{
    bool first = true;

    for (unsigned i = 0; i < TIER_COUNT; i++) {
        const struct ratio *r = &p->service[i];
        if (r->num != r->den) {
            buf_addf(b, "%s\"%s\": \"", first ? ", \"service_tiers\": {" : ", ",
                     tier_name((enum tier)i));
            decimal_write(b, r->num * 1000000 / r->den, 6);
            buf_add_byte(b, '"');
            first = false;
        }
    }
    buf_add(b, first ? STR("") : STR("}"));
}

static void add_day(struct buf *b, int64_t from_us)
{
    struct buf day;

    buf_init(&day, 64);
    clock_write_utc(&day, from_us);
    buf_add(b, str_slice(day.p, 10));
    buf_release(&day);
}

/* A line of a price book, which is YAML and JSON alike. */
static void add_book_row(struct review *r, const char *vendor, struct str model, int64_t from_us,
                         const struct price *p)
{
    struct buf *b = &r->book;

    buf_addf(b, "%s\n  {\"vendor\": \"%s\", \"model\": ", r->any_row ? "," : "", vendor);
    json_write_str(b, model);
    if (from_us > 0) {
        buf_add(b, STR(", \"from\": \""));
        add_day(b, from_us);
        buf_add_byte(b, '"');
    }
    buf_add(b, STR(", \"source\": "));
    json_write_str(b, r->source);
    buf_addf(b, ",\n   \"price\": {\"currency\": \"%s\"", p->currency.code);
    add_rates(b, &p->tiers[0]);
    if (p->request > 0) {
        buf_add(b, STR(", \"request\": \""));
        decimal_write(b, p->request, 12);
        buf_add_byte(b, '"');
    }
    add_services(b, p);
    for (unsigned i = 1; i < p->tier_count; i++) {
        buf_addf(b, "%s{\"min_input\": %lld", i == 1 ? ", \"tiers\": [" : ", ",
                 (long long)p->tiers[i].min_input);
        add_rates(b, &p->tiers[i]);
        buf_add_byte(b, '}');
    }
    buf_add(b, p->tier_count > 1 ? STR("]}}") : STR("}}"));
    r->any_row = true;
}

/* What such lists do not tell is taken from the book. */
static void keep_untold(struct price *theirs, const struct price *book)
{
    memcpy(theirs->service, book->service, sizeof(theirs->service));
    for (unsigned i = 0; i < theirs->tier_count; i++) {
        for (enum leaf_number k = 0; k < LEAF_COUNT; k++) {
            if (leaves[k].side == SIDE_COUNTER && theirs->tiers[i].rate[k] == 0) {
                theirs->tiers[i].rate[k] = book->tiers[0].rate[k];
            }
        }
    }
}

/* One model of the book beside the list's, now and as announced; how much differs. */
static unsigned compare_rows(struct review *r, const struct import_model *m,
                             const struct book_row *const *rows, size_t n)
{
    unsigned count = 0;
    struct buf head;

    buf_init(&head, 1024);
    for (size_t i = 0; i < n || i < m->count; i++) {
        struct price book, theirs = {0};
        book_price(rows[i < n ? i : n - 1], &book);
        if (i < m->count) {
            theirs = m->rows[i].price;
            keep_untold(&theirs, &book);
        }
        buf_clear(&head);
        buf_addf(&head, "\"vendor\":\"%s\",\"model\":\"%s\"", m->vendor, rows[0]->model);
        if (i > 0) {
            buf_add(&head, STR(",\"from\":\""));
            add_day(&head, i < n ? book_from_us(rows[i]) : m->rows[i].from_us);
            buf_add_byte(&head, '"');
        }
        r->changes.head = buf_str(&head);
        count += price_compare(i < n ? &book : NULL, i < m->count ? &theirs : NULL, add_change,
                               &r->changes);
    }
    buf_release(&head);
    return count;
}

static void add_book_rows(struct review *r, const struct import_model *m, struct str name,
                          const struct book_row *const *rows, size_t n)
{
    for (size_t i = 0; i < m->count; i++) {
        struct price theirs = m->rows[i].price, book;
        if (n > 0) {
            book_price(rows[i < n ? i : n - 1], &book);
            keep_untold(&theirs, &book);
        }
        add_book_row(r, m->vendor, name, i == 0 ? 0 : m->rows[i].from_us, &theirs);
    }
}

/* Whether this row of the book is the first of its model, and the list means it. */
static bool is_meant(const struct review *r, const struct import_model *m, size_t at)
{
    const struct book_row *b = &price_book[at];
    bool first = at == 0 || strcmp(b[-1].model, b->model) != 0;
    return first && !r->seen[at] && strcmp(b->currency, "USD") == 0 &&
           strcmp(b->vendor, m->vendor) == 0 && import_names(m, str_from(b->model));
}

static void review_model(void *ctx, const struct import_model *m)
{
    struct review *r = ctx;
    bool known = false;

    for (size_t i = 0; i < price_book_count; i++) {
        const struct book_row *rows[LIMIT_PRICE_DATES];
        if (!is_meant(r, m, i)) {
            continue;
        }
        struct str name = str_from(price_book[i].model);
        size_t n =
            book_find(str_from(m->vendor), name, STR("USD"), r->now_us, rows, LIMIT_PRICE_DATES);
        bool differs = compare_rows(r, m, rows, n) > 0;
        r->seen[i] = known = true;
        r->same += !differs;
        r->differ += differs;
        if (differs) {
            add_book_rows(r, m, name, rows, n);
        }
    }
    r->unknown += !known;
    if (!known && r->words->vendor != NULL) {
        add_book_rows(r, m, m->model, NULL, 0);
    }
}

/* Never over a file that is there. */
static bool write_book(const char *path, struct str text, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

    if (f == NULL) {
        return err_set(e, "cannot make %s: %s", path, strerror(errno));
    }
    bool ok = fwrite(text.p, 1, text.n, f) == text.n;
    ok = fclose(f) == 0 && ok;
    return ok || err_set(e, "cannot write %s: %s", path, strerror(errno));
}

static bool read_list(const char *path, struct buf *text, struct err *e)
{
    FILE *f = fopen(path, "re");

    if (f == NULL) {
        return err_set(e, "cannot read %s: %s", path, strerror(errno));
    }
    for (;;) {
        char *at = buf_reserve(text, 65536);
        size_t n = at == NULL ? 0 : fread(at, 1, 65536, f);
        text->n += n;
        if (n == 0) {
            break;
        }
    }
    bool ok = !ferror(f) && !text->overflow;
    fclose(f);
    return ok || err_set(e, "cannot read %s: it is too large, or broken", path);
}

static bool review(struct review *r, struct err *e)
{
    struct import i = {
        .wall_us = r->now_us, .each = review_model, .ctx = r, .vendor = r->words->vendor};
    struct buf text;
    struct err why = {""};

    if (i.vendor != NULL && vendor_find(str_from(i.vendor)) == NULL) {
        return err_set(e, "there is no vendor '%s'; entrepot upstream vendors lists them",
                       i.vendor);
    }
    buf_init(&text, LIST_MAX);
    bool ok = read_list(r->words->operand, &text, e);
    if (ok && !import_read(buf_str(&text), &i, &why)) {
        ok = err_set(e, "%s: %s", r->words->operand, why.text);
    }
    buf_release(&text);
    buf_addf(&r->told, "],\"same\":%u,\"differ\":%u,\"not_in_book\":%u,\"left_out\":%u}", r->same,
             r->differ, r->unknown, i.left_out);
    buf_add(&r->book, STR("\n]}\n"));
    if (ok && (r->told.overflow || r->book.overflow)) {
        ok = err_set(e, "the list is too long");
    }
    return ok && (r->words->write == NULL || write_book(r->words->write, buf_str(&r->book), e));
}

int cli_price_import(int argc, char **argv)
{
    struct words w = read_words(argc, argv);
    struct err e = {""};

    if (!w.ok || w.file != NULL || w.operand == NULL) {
        return cli_fail_as(
            w.json, 2,
            STR("usage: entrepot price import LIST [--vendor NAME] [--write FILE] [--json]"),
            STR(""));
    }
    const char *slash = strrchr(w.operand, '/');
    struct review r = {.words = &w,
                       .now_us = clock_wall_us(),
                       .source = str_from(slash == NULL ? w.operand : slash + 1),
                       .seen = calloc(price_book_count, sizeof(bool))};
    if (r.seen == NULL) {
        return cli_fail_as(w.json, 1, STR("out of memory"), STR(""));
    }
    buf_init(&r.told, OUTPUT_MAX);
    buf_init(&r.book, OUTPUT_MAX);
    buf_add(&r.told, STR("{\"differences\":["));
    buf_add(&r.book, STR("{\"prices\": ["));
    r.changes = (struct changes){.out = &r.told, .before = "book", .after = "list"};
    bool ok = review(&r, &e);
    if (ok) {
        cli_result(w.json, buf_str(&r.told));
    }
    buf_release(&r.told);
    buf_release(&r.book);
    free(r.seen);
    return ok ? 0 : cli_fail_as(w.json, 1, str_from(e.text), STR(""));
}
