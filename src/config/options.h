/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The option table and the reader that walks a YAML document over it. A set of options is read into
 * one target; whatever is not a plain value has a reader of its own. Mistakes are collected in the
 * loader, and reading goes on, so that one run names them all.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include <yaml.h>

#include "config/config.h"

/* A name that can be resolved only when the whole file has been read. */
struct config_pending {
    struct config_pending *next;
    struct route *route;
    struct str upstream;
    yaml_mark_t mark;
};

/* The tables of a price, of which the names come from the caller. Built at the first price. */
struct price_options;

struct loader {
    const char *name;
    yaml_document_t *doc;
    const struct config_vendors *vendors;
    struct config *config;
    struct config_pending *pending;
    struct buf *errors;
    struct price_options *prices;
    bool failed;
};

enum option_kind {
    OPTION_TEXT,     /* struct str */
    OPTION_NUMBER,   /* 32 bits, min..max */
    OPTION_DURATION, /* int64 milliseconds, min..max */
    OPTION_DECIMAL,  /* struct str that is a decimal with at most six fraction digits */
    OPTION_UNIT,     /* the same with at most twelve */
    OPTION_SET,      /* a mapping read into the same target */
    OPTION_OTHER,    /* read */
};

struct option {
    const char *name;
    uint8_t kind; /* enum option_kind */
    bool required;
    size_t offset;
    int64_t min, max;
    const struct option_set *set;
    void (*read)(struct loader *l, yaml_node_t *node, void *target);
};

struct option_set {
    const char *what; /* "an upstream" */
    const struct option *options;
    size_t count;
};

extern const struct option_set station_options;

/* price.c: target is a model; a route or an upstream. */
void loader_read_price(struct loader *l, yaml_node_t *node, void *target);
void loader_read_route_cost(struct loader *l, yaml_node_t *node, void *target);
void loader_read_upstream_cost(struct loader *l, yaml_node_t *node, void *target);
void loader_read_book_price(struct loader *l, yaml_node_t *node, void *target);
/* book.c: another file, beside this one */
void loader_read_book(struct loader *l, yaml_node_t *node, void *target);
/* The whole file; false after a report. */
bool loader_file(const char *path, struct buf *text, struct buf *errors);
/* Walks the text over an option table; l.failed says whether it did. */
void loader_parse(struct loader *l, struct str text, const struct option_set *set);

/* budget.c: target is an upstream. */
void loader_read_budget(struct loader *l, yaml_node_t *node, void *target);

/* The index of a word in a list, or -1 after a report with the nearest one. */
int loader_word(struct loader *l, yaml_node_t *node, const char *what, const char *const *words,
                size_t n);
/* An empty snapshot with its defaults, one reference. */
struct config *config_new(void);

/* file:line:column: what */
void loader_report(struct loader *l, yaml_mark_t mark, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void loader_read_set(struct loader *l, const struct option_set *set, yaml_node_t *node,
                     void *target);
/* A scalar with its variables filled in, NUL-terminated; false after a report. */
bool loader_text(struct loader *l, const char *what, yaml_node_t *node, struct str *out);
bool loader_number(struct loader *l, const char *what, yaml_node_t *node, int64_t min, int64_t max,
                   uint32_t *out);
/* The n-th item of a sequence, or NULL at its end. */
yaml_node_t *loader_item(struct loader *l, yaml_node_t *sequence, size_t n);
/* The number of items; 0 after a report when it is no sequence or longer than max. */
size_t loader_count(struct loader *l, const char *what, yaml_node_t *node, size_t max);
void *loader_alloc(struct loader *l, yaml_mark_t mark, size_t n);

/* The best of several names: offer each, then ask. */
struct nearest {
    struct str wanted, best;
    unsigned distance;
};
void nearest_offer(struct nearest *n, struct str name);
/* ", did you mean 'x'?" or nothing. */
const char *nearest_text(const struct nearest *n, char out[static 160]);

#endif
