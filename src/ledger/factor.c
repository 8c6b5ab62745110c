/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a customer's prices are multiplied with: the account's own factor, else its group's. Factors
 * are dated rows that never change; a charge names the one it was made with.
 */
#include <stdlib.h>

#include "base/clock.h"
#include "ledger/ledger_int.h"
#include "ledger/text.h"

#define GROUP_BYTES 64

struct group {
    struct factor *factor; /* NULL: 1 */
    char name[GROUP_BYTES + 1];
};

/* The row that ends an account's own factor, so that its group's counts again. Factors are reduced:
 * no other row is like it. */
static const struct ratio no_factor = {2, 2};

static bool is_none(struct ratio r)
{
    return r.num == no_factor.num && r.den == no_factor.den;
}

static void *must(void *p)
{
    if (p == NULL)
        abort(); /* the row is in the store already */
    return p;
}

static void apply(struct purse *p)
{
    struct factor *of_group = p->group != NULL ? p->group->factor : NULL;

    atomic_store(&p->account.factor, p->own_factor != NULL ? p->own_factor : of_group);
}

static void apply_all(struct ledger *l)
{
    size_t at = 0;
    struct str id;
    void *entry;

    while (map_next(l->accounts, &at, &id, &entry))
        apply(entry);
}

static struct group *group_named(struct ledger *l, struct str name)
{
    struct group *g = map_get(l->groups, name);

    if (g == NULL) {
        g = must(calloc(1, sizeof *g));
        memcpy(g->name, name.p, name.n);
        map_put(l->groups, name, g);
    }
    return g;
}

void group_join(struct ledger *l, struct purse *p, struct str group)
{
    p->group = group.n > 0 && group.n <= GROUP_BYTES ? group_named(l, group) : NULL;
    atomic_store(&p->account.group, p->group != NULL ? p->group->name : NULL);
    apply(p);
}

/* Factors live as long as the ledger: a request may still hold the one before. */
static struct factor *factor_new(struct ledger *l, int64_t id, struct ratio ratio)
{
    struct factor *f = must(malloc(sizeof *f));

    *f = (struct factor){id, ratio};
    map_put(l->factors, id_bytes(&f->id), f);
    return f;
}

/* The last row of each name counts. */
static const char load_sql[] = "SELECT id, scope, name, num, den FROM factor WHERE id IN"
                               " (SELECT MAX(id) FROM factor GROUP BY scope, name)";

bool factors_load(struct ledger *l, struct err *e)
{
    struct statement *st = store_prepare(l->store, load_sql, e);
    enum store_step step;

    if (st == NULL)
        return false;
    while ((step = store_step(st)) == STEP_ROW) {
        struct str name = store_text(st, 2);
        struct ratio ratio = {store_i64(st, 3), store_i64(st, 4)};
        if (is_none(ratio))
            continue;
        struct factor *f = factor_new(l, store_i64(st, 0), ratio);
        struct account *a = directory_account(l->directory, name);
        if (str_eq(store_text(st, 1), STR("group")) && name.n <= GROUP_BYTES)
            group_named(l, name)->factor = f;
        else if (a != NULL)
            ((struct purse *)(void *)a)->own_factor = f;
    }
    apply_all(l);
    return step == STEP_DONE || store_failed(l->store, e);
}

static void free_all(struct map *m)
{
    size_t at = 0;
    struct str name;
    void *entry;

    while (m != NULL && map_next(m, &at, &name, &entry))
        free(entry);
    map_free(m);
}

void factors_free(struct ledger *l)
{
    free_all(l->factors);
    free_all(l->groups);
}

static bool check_group(struct str group, struct err *e)
{
    if (group.n > GROUP_BYTES || !text_is_printable(group))
        return err_set(e, "a group's name is at most %d bytes of printable text", GROUP_BYTES);
    return text_is_name(group) || err_set(e, "a group's name holds nothing that is not seen");
}

bool ledger_account_group(struct ledger *l, struct str name, struct str group, struct buf *out,
                          struct err *e)
{
    struct statement *st = l->sql[SQL_SET_GROUP];
    struct account *a = account_named(l, name, e);

    if (a == NULL || !check_group(group, e))
        return false;
    store_bind_text(st, 1, group);
    store_bind_i64(st, 2, a->id);
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    group_join(l, purse_by_id(l, a->id), group);
    text_account(out, a, ledger_balance(a));
    return true;
}

bool ledger_group_priced(const struct ledger *l, struct str group)
{
    const struct group *g = map_get(l->groups, group);

    return g != NULL && g->factor != NULL;
}

static bool insert_factor(struct ledger *l, bool group, struct str name, struct ratio ratio,
                          int64_t *id, struct err *e)
{
    struct statement *st = l->sql[SQL_INSERT_FACTOR];

    store_bind_text(st, 1, group ? STR("group") : STR("account"));
    store_bind_text(st, 2, name);
    store_bind_i64(st, 3, ratio.num);
    store_bind_i64(st, 4, ratio.den);
    store_bind_i64(st, 5, clock_wall_us());
    if (store_step(st) != STEP_DONE)
        return store_failed(l->store, e);
    *id = store_last_id(l->store);
    return true;
}

bool ledger_factor_set(struct ledger *l, bool group, struct str name, struct ratio ratio,
                       struct buf *out, struct err *e)
{
    struct account *a = group ? NULL : account_named(l, name, e);
    int64_t id = 0;

    if (group && name.n == 0)
        return err_set(e, "a group has a name");
    if (group ? !check_group(name, e) : a == NULL)
        return false;
    if (!insert_factor(l, group, name, ratio, &id, e))
        return false;
    struct factor *f = factor_new(l, id, ratio);
    if (group) {
        group_named(l, name)->factor = f;
        apply_all(l);
    } else {
        purse_by_id(l, a->id)->own_factor = f;
        apply(purse_by_id(l, a->id));
    }
    buf_addf(out, "{\"factor_row\":%lld,\"%s\":", (long long)id, group ? "group" : "account");
    text_string(out, name);
    buf_addf(out, ",\"num\":%lld,\"den\":%lld}", (long long)ratio.num, (long long)ratio.den);
    return true;
}

bool ledger_factor_none(struct ledger *l, struct str name, struct buf *out, struct err *e)
{
    struct account *a = account_named(l, name, e);
    int64_t id;

    if (a == NULL || !insert_factor(l, false, name, no_factor, &id, e))
        return false;
    purse_by_id(l, a->id)->own_factor = NULL;
    apply(purse_by_id(l, a->id));
    text_account(out, a, ledger_balance(a));
    return true;
}
