/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/shape.h"

#include "assay/family.h"
#include "assay/ids.h"
#include "assay/shape_int.h"

enum form { FORM_BOTH, FORM_WHOLE, FORM_PIECES };
enum role { ROLE_MARK, ROLE_NEED, ROLE_ALSO };

static const struct row {
    enum maker maker;
    enum dialect dialect;
    enum form form;
    enum role role;
    enum shape_test test;
    const char *where, *what;
} rows[] = {
#define SHAPE(maker, dialect, form, role, test, where, what) \
    {MAKER_##maker, DIALECT_##dialect, FORM_##form, ROLE_##role, SHAPE_##test, where, what},
#include "assay/shapes.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))
_Static_assert(ROWS <= SHAPE_ROWS, "each has its place");

enum kind { KIND_VENDOR, KIND_CLOUD, KIND_GATEWAY };
static const struct {
    const char *name;
    enum kind kind;
} makers[] = {
#define MAKER(ID, name, kind) {name, KIND_##kind},
#include "assay/makers.def"
};
static const struct {
    const char *line;
    enum maker maker;
} sells[] = {
#define SELLS(line, ID) {line, MAKER_##ID},
#include "assay/makers.def"
};
#define SALES (sizeof(sells) / sizeof(sells[0]))

const char *maker_name(enum maker m)
{
    return makers[m].name;
}

bool maker_is_gateway(enum maker m)
{
    return m < MAKERS && makers[m].kind == KIND_GATEWAY;
}

/* The first of the rows with the longest line that fits; SALES: there is none. */
static size_t sale_of(struct str model)
{
    size_t best = SALES, longest = 0;

    for (size_t i = 0; i < SALES; i++) {
        size_t n = model_line(model, sells[i].line);
        if (n > longest) {
            longest = n;
            best = i;
        }
    }
    return best;
}

enum maker maker_of(struct str model)
{
    size_t i = sale_of(model);

    return i < SALES ? sells[i].maker : MAKERS;
}

bool maker_fits(enum maker m, struct str model)
{
    size_t i = sale_of(model);

    if (i == SALES || sells[i].maker == MAKER_NONE) {
        return m < MAKERS && !maker_is_gateway(m);
    }
    for (size_t j = i; j < SALES && strcmp(sells[j].line, sells[i].line) == 0; j++) {
        if (sells[j].maker == m) {
            return true;
        }
    }
    return false;
}

struct str shape_header(const struct record *r, const char *name)
{
    struct str head = r->head;

    while (head.n > 0) {
        struct str value = str_cut(&head, '\n');
        struct str key = str_cut(&value, ':');
        if (str_eq_nocase(key, str_from(name))) {
            return str_trim(value);
        }
    }
    return STR("");
}

/* What one maker's rows say of an answer. */
struct match {
    bool marked;
    const char *lacks;
    bool hit[SHAPE_ROWS];
};

static void match(const struct shape_pieces *p, const struct record *r, enum maker m,
                  struct match *out)
{
    *out = (struct match){0};
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *row = &rows[i];
        if (row->maker != m || row->dialect != r->dialect ||
            row->form == (r->stream ? FORM_WHOLE : FORM_PIECES)) {
            continue;
        }
        out->hit[i] = row->test == SHAPE_HEADER ? shape_header(r, row->where).n > 0
                                                : shape_holds(p, row->test, row->where);
        out->marked |= row->role == ROLE_MARK && out->hit[i];
        if (row->role == ROLE_NEED && !out->hit[i] && out->lacks == NULL) {
            out->lacks = row->what;
        }
    }
}

void shape_read(const struct record *r, struct shape *out)
{
    struct shape_pieces pieces;
    struct match m;

    *out = (struct shape){.maker = MAKERS};
    shape_open(&pieces, r);
    for (enum maker i = 0; i < MAKERS; i++) {
        match(&pieces, r, i, &m);
        if (m.marked && (out->maker == MAKERS || (out->lacks != NULL && m.lacks == NULL))) {
            out->maker = i;
            out->lacks = m.lacks;
            memcpy(out->hit, m.hit, sizeof(m.hit));
        }
    }
    shape_close(&pieces);
}

const char *shape_row(size_t i)
{
    return i < ROWS ? rows[i].what : NULL;
}

static bool digits(struct str s, size_t n)
{
    uint64_t number;

    return s.n == n && str_to_u64(s, &number);
}

const char *shape_software(const struct record *r)
{
    static const struct {
        const char *header, *software;
    } headers[] = {
        {"x-oneapi-request-id", "new-api, one-api"},
        {"x-litellm-version", "LiteLLM"},
        {"relay-request-id", "entrepot"},
    };
    struct str id = r->answered ? r->said.id : STR("");

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        if (shape_header(r, headers[i].header).n > 0) {
            return headers[i].software;
        }
    }
    if (str_starts(id, STR("msg_msg_"))) {
        return "msg_msg_";
    }
    if (str_starts(id, STR("chatcmpl-"))) {
        struct str rest = str_skip(id, 9);
        return digits(rest, 13) ? "claude-relay-service" : digits(rest, 10) ? "uni-api" : NULL;
    }
    return str_starts(id, STR("msg_")) && shape_is_hex(str_skip(id, 4), 24) ? "sub2api" : NULL;
}
