/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the bytes of a file to a snapshot: YAML, the walk over the option table, names at the end.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "config/options.h"

#define ERROR_TEXT 512

void loader_report(struct loader *l, yaml_mark_t mark, const char *format, ...)
{
    char text[ERROR_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    l->failed = true;
    buf_addf(l->errors, "%s:%zu:%zu: %s\n", l->name, mark.line + 1, mark.column + 1, text);
}

void *loader_alloc(struct loader *l, yaml_mark_t mark, size_t n)
{
    void *p = arena_alloc(&l->config->memory, n);
    if (p == NULL) {
        loader_report(l, mark, "the configuration is too large");
    }
    return p;
}

void nearest_offer(struct nearest *n, struct str name)
{
    unsigned distance = str_distance(n->wanted, name);
    /* Beyond a third of its letters it is another word. */
    if (distance <= 3 && distance * 2 < name.n + 1 &&
        (n->best.p == NULL || distance < n->distance)) {
        n->best = name;
        n->distance = distance;
    }
}

const char *nearest_text(const struct nearest *n, char out[static 160])
{
    out[0] = '\0';
    if (n->best.p != NULL) {
        snprintf(out, 160, ", did you mean '%.*s'?", STR_ARG(n->best));
    }
    return out;
}

yaml_node_t *loader_item(struct loader *l, yaml_node_t *sequence, size_t n)
{
    yaml_node_item_t *at = sequence->data.sequence.items.start + n;
    return at < sequence->data.sequence.items.top ? yaml_document_get_node(l->doc, *at) : NULL;
}

size_t loader_count(struct loader *l, const char *what, yaml_node_t *node, size_t max)
{
    if (node->type != YAML_SEQUENCE_NODE) {
        loader_report(l, node->start_mark, "%s must be a list", what);
        return 0;
    }
    size_t n = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
    if (n > max) {
        loader_report(l, node->start_mark, "%s has %zu items, %zu at most", what, n, max);
        return 0;
    }
    return n;
}

/* The value of "NAME" or "NAME:-otherwise"; false after a report. */
static bool expand_one(struct loader *l, yaml_node_t *node, struct str inner, struct buf *out)
{
    size_t at = str_find(inner, STR(":-"));
    struct str name = at == SIZE_MAX ? inner : str_slice(inner.p, at);
    char text[LIMIT_NAME];
    if (name.n == 0 || name.n >= sizeof(text)) {
        loader_report(l, node->start_mark, "${...} needs the name of a variable");
        return false;
    }
    memcpy(text, name.p, name.n);
    text[name.n] = '\0';
    const char *value = getenv(text);
    if (at != SIZE_MAX && (value == NULL || value[0] == '\0')) {
        return buf_add(out, str_skip(inner, at + 2));
    }
    if (value == NULL && l->vendors->variables_optional) {
        return buf_add(out, STR("unset"));
    }
    if (value == NULL) {
        loader_report(l, node->start_mark, "the environment variable %s is not set", text);
        return false;
    }
    return buf_add(out, str_from(value));
}

static bool expand(struct loader *l, yaml_node_t *node, struct str s, struct buf *out)
{
    for (;;) {
        size_t at = str_find(s, STR("${"));
        if (at == SIZE_MAX) {
            return buf_add(out, s);
        }
        buf_add(out, str_slice(s.p, at));
        s = str_skip(s, at + 2);
        size_t end = str_find_byte(s, '}');
        if (end == s.n) {
            loader_report(l, node->start_mark, "'${' without its '}'");
            return false;
        }
        if (!expand_one(l, node, str_slice(s.p, end), out)) {
            return false;
        }
        s = str_skip(s, end + 1);
    }
}

bool loader_text(struct loader *l, const char *what, yaml_node_t *node, struct str *out)
{
    if (node->type != YAML_SCALAR_NODE) {
        loader_report(l, node->start_mark, "%s must be a single value", what);
        return false;
    }
    struct str raw = {(const char *)node->data.scalar.value, node->data.scalar.length};
    struct buf text;
    buf_init(&text, LIMIT_CONFIG_BYTES);
    bool ok = expand(l, node, raw, &text);
    if (ok && text.n > 0 && memchr(text.p, '\0', text.n) != NULL) {
        loader_report(l, node->start_mark, "%s holds a zero byte", what);
        ok = false;
    }
    if (ok) {
        *out = arena_str(&l->config->memory, text.n > 0 ? buf_str(&text) : STR(""));
        if (out->p == NULL) {
            loader_report(l, node->start_mark, "the configuration is too large");
            ok = false;
        }
    }
    buf_release(&text);
    return ok;
}

bool loader_number(struct loader *l, const char *what, yaml_node_t *node, int64_t min, int64_t max,
                   uint32_t *out)
{
    struct str text;
    uint64_t value;
    if (!loader_text(l, what, node, &text)) {
        return false;
    }
    if (!str_to_u64(text, &value) || value < (uint64_t)min || value > (uint64_t)max) {
        loader_report(l, node->start_mark,
                      "%s must be a whole number from %lld to %lld, not '%.*s'", what,
                      (long long)min, (long long)max, STR_ARG(text));
        return false;
    }
    *out = (uint32_t)value;
    return true;
}

static bool duration_parse(struct str s, int64_t *ms)
{
    static const struct {
        struct str unit;
        uint64_t ms;
    } units[] = {
        {STR_INIT("ms"), 1},
        {STR_INIT("s"), 1000},
        {STR_INIT("m"), 60 * 1000},
        {STR_INIT("h"), 60 * 60 * 1000},
    };
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        uint64_t n;
        if (str_ends(s, units[i].unit) && str_to_u64(str_slice(s.p, s.n - units[i].unit.n), &n)) {
            if (n > INT32_MAX) {
                return false;
            }
            *ms = (int64_t)(n * units[i].ms);
            return true;
        }
    }
    return false;
}

static void read_duration(struct loader *l, const struct option *o, yaml_node_t *node, void *at)
{
    struct str text;
    int64_t ms;
    if (!loader_text(l, o->name, node, &text)) {
        return;
    }
    if (!duration_parse(text, &ms)) {
        loader_report(l, node->start_mark,
                      "%s must be a time such as 500ms, 15s, 2m or 1h, not '%.*s'", o->name,
                      STR_ARG(text));
    } else if (ms < o->min || ms > o->max) {
        loader_report(l, node->start_mark, "%s must be from %lld ms to %lld ms", o->name,
                      (long long)o->min, (long long)o->max);
    } else {
        memcpy(at, &ms, sizeof(ms));
    }
}

static void report_range(struct loader *l, const struct option *o, yaml_node_t *node,
                         struct str text, unsigned digits)
{
    struct buf range;

    buf_init(&range, 64);
    decimal_write(&range, o->min, digits);
    buf_add(&range, STR(" to "));
    decimal_write(&range, o->max, digits);
    loader_report(l, node->start_mark, "%s must be from %.*s, not '%.*s'", o->name,
                  STR_ARG(buf_str(&range)), STR_ARG(text));
    buf_release(&range);
}

static void read_decimal(struct loader *l, const struct option *o, yaml_node_t *node, void *at)
{
    bool unit = o->kind == OPTION_UNIT;
    struct str text;
    int64_t value;
    if (!loader_text(l, o->name, node, &text)) {
        return;
    }
    if (!decimal_parse(text, unit ? 12 : 6, &value)) {
        loader_report(l, node->start_mark,
                      "%s must be a decimal number with at most %s digits after the point, "
                      "not '%.*s'",
                      o->name, unit ? "twelve" : "six", STR_ARG(text));
        return;
    }
    if (value < o->min || value > o->max) {
        report_range(l, o, node, text, unit ? 12 : 6);
        return;
    }
    memcpy(at, &text, sizeof(text));
}

static void read_option(struct loader *l, const struct option *o, yaml_node_t *node, void *target)
{
    char *at = (char *)target + o->offset;
    uint32_t number;
    struct str text;
    switch ((enum option_kind)o->kind) {
    case OPTION_TEXT:
        if (!loader_text(l, o->name, node, &text)) {
            break;
        }
        if (text.n < (size_t)o->min || text.n > (size_t)o->max) {
            loader_report(l, node->start_mark, "%s must have from %lld to %lld bytes", o->name,
                          (long long)o->min, (long long)o->max);
            break;
        }
        memcpy(at, &text, sizeof(text));
        break;
    case OPTION_NUMBER:
        if (loader_number(l, o->name, node, o->min, o->max, &number)) {
            memcpy(at, &number, sizeof(number));
        }
        break;
    case OPTION_DURATION: read_duration(l, o, node, at); break;
    case OPTION_DECIMAL:
    case OPTION_UNIT: read_decimal(l, o, node, at); break;
    case OPTION_SET: loader_read_set(l, o->set, node, target); break;
    case OPTION_OTHER: o->read(l, node, target); break;
    }
}

static const struct option *find_option(struct loader *l, const struct option_set *set,
                                        yaml_node_t *key)
{
    if (key->type != YAML_SCALAR_NODE) {
        loader_report(l, key->start_mark, "a name of %s must be a word", set->what);
        return NULL;
    }
    struct nearest near = {
        .wanted = {(const char *)key->data.scalar.value, key->data.scalar.length}};
    for (size_t i = 0; i < set->count; i++) {
        struct str name = str_from(set->options[i].name);
        if (str_eq(name, near.wanted)) {
            return &set->options[i];
        }
        nearest_offer(&near, name);
    }
    char text[160];
    loader_report(l, key->start_mark, "'%.*s' is no setting of %s%s",
                  (int)(near.wanted.n < 80 ? near.wanted.n : 80), near.wanted.p, set->what,
                  nearest_text(&near, text));
    return NULL;
}

int loader_word(struct loader *l, yaml_node_t *node, const char *what, const char *const *words,
                size_t n)
{
    struct nearest near = {0};
    if (!loader_text(l, what, node, &near.wanted)) {
        return -1;
    }
    for (size_t i = 0; i < n; i++) {
        if (str_eq(near.wanted, str_from(words[i]))) {
            return (int)i;
        }
        nearest_offer(&near, str_from(words[i]));
    }
    char text[160];
    loader_report(l, node->start_mark, "there is no %s '%.*s'%s", what, STR_ARG(near.wanted),
                  nearest_text(&near, text));
    return -1;
}

void loader_read_set(struct loader *l, const struct option_set *set, yaml_node_t *node,
                     void *target)
{
    if (node->type != YAML_MAPPING_NODE) {
        loader_report(l, node->start_mark, "%s must be a mapping of names to values", set->what);
        return;
    }
    uint64_t seen = 0;
    for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top;
         p++) {
        yaml_node_t *key = yaml_document_get_node(l->doc, p->key);
        const struct option *o = find_option(l, set, key);
        if (o == NULL) {
            continue;
        }
        uint64_t bit = UINT64_C(1) << (o - set->options);
        if (seen & bit) {
            loader_report(l, key->start_mark, "'%s' is given twice", o->name);
            continue;
        }
        seen |= bit;
        read_option(l, o, yaml_document_get_node(l->doc, p->value), target);
    }
    for (size_t i = 0; i < set->count; i++) {
        if (set->options[i].required && !(seen & (UINT64_C(1) << i))) {
            loader_report(l, node->start_mark, "%s needs '%s'", set->what, set->options[i].name);
        }
    }
}

static void resolve_routes(struct loader *l)
{
    struct config *c = l->config;
    for (struct config_pending *p = l->pending; p != NULL; p = p->next) {
        struct nearest near = {.wanted = p->upstream};
        for (unsigned i = 0; i < c->upstream_count; i++) {
            if (str_eq(c->upstreams[i].name, p->upstream)) {
                p->route->upstream = &c->upstreams[i];
            }
            nearest_offer(&near, c->upstreams[i].name);
        }
        if (p->route->upstream == NULL) {
            char text[160];
            loader_report(l, p->mark, "there is no upstream '%.*s'%s", STR_ARG(p->upstream),
                          nearest_text(&near, text));
        }
    }
}

void loader_parse(struct loader *l, struct str text, const struct option_set *set)
{
    yaml_parser_t parser;
    yaml_document_t doc;

    if (text.n > LIMIT_CONFIG_BYTES) {
        buf_addf(l->errors, "%s: larger than %d bytes\n", l->name, LIMIT_CONFIG_BYTES);
        l->failed = true;
        return;
    }
    if (!yaml_parser_initialize(&parser)) {
        abort();
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)(text.n > 0 ? text.p : ""),
                                 text.n);
    if (!yaml_parser_load(&parser, &doc)) {
        loader_report(l, parser.problem_mark, "%s",
                      parser.problem != NULL ? parser.problem : "no YAML");
        yaml_parser_delete(&parser);
        return;
    }
    l->doc = &doc;
    yaml_node_t *root = yaml_document_get_root_node(&doc);
    if (root == NULL) {
        loader_report(l, (yaml_mark_t){0}, "the file is empty");
    } else {
        loader_read_set(l, set, root, l->config);
        resolve_routes(l);
    }
    yaml_document_delete(&doc);
    yaml_parser_delete(&parser);
}

struct config *config_parse(const char *name, struct str text, const struct config_vendors *v,
                            struct buf *errors)
{
    struct loader l = {.name = name, .vendors = v, .errors = errors, .config = config_new()};

    loader_parse(&l, text, &station_options);
    if (l.failed) {
        config_unref(l.config);
        return NULL;
    }
    return l.config;
}

bool loader_file(const char *path, struct buf *text, struct buf *errors)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
        return false;
    }
    for (;;) {
        char *at = buf_reserve(text, 4096);
        size_t n = at == NULL ? 0 : fread(at, 1, 4096, f);
        text->n += n;
        if (n == 0) {
            break;
        }
    }
    bool ok = !ferror(f);
    if (!ok) {
        buf_addf(errors, "%s: %s\n", path, strerror(errno));
    }
    fclose(f);
    return ok;
}

struct config *config_load(const char *path, const struct config_vendors *v, struct buf *errors)
{
    struct buf text;

    buf_init(&text, LIMIT_CONFIG_BYTES + 4096);
    bool ok = loader_file(path, &text, errors);
    struct config *c = ok ? config_parse(path, buf_str(&text), v, errors) : NULL;
    buf_release(&text);
    return c;
}
