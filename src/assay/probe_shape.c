/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whose answers, streams and headers these look like. It asks nothing itself. What converts loses
 * its vendor's shape and is honest; a shape is cheap to imitate. So this accuses nobody.
 */
#include <stdio.h>

#include "assay/probe.h"
#include "assay/shape.h"

#define LEAST 3
#define MOSTLY 20         /* one of so many may be another kind of answer */
#define STILL_LEAST 20    /* answers, in ... */
#define STILL_US 10000000 /* ... so long, until limits must have moved */

struct tally {
    unsigned seen;
    unsigned marked[MAKERS], whole[MAKERS];
    const char *lacks[MAKERS];
    unsigned hit[SHAPE_ROWS];
    enum maker rows_of[SHAPE_ROWS];
    unsigned with_software;
    const char *software;
};

static void look(const struct record *r, struct tally *t)
{
    struct shape s;
    const char *software = shape_software(r);

    shape_read(r, &s);
    t->seen++;
    t->with_software += software != NULL;
    t->software = software != NULL ? software : t->software;
    if (s.maker == MAKERS) {
        return;
    }
    t->marked[s.maker]++;
    t->whole[s.maker] += s.lacks == NULL;
    t->lacks[s.maker] = s.lacks != NULL ? s.lacks : t->lacks[s.maker];
    for (size_t i = 0; shape_row(i) != NULL; i++) {
        t->hit[i] += s.hit[i];
        t->rows_of[i] = s.hit[i] ? s.maker : t->rows_of[i];
    }
}

/* What of that maker was seen, each once. */
static void list(const struct tally *t, enum maker m, struct buf *out)
{
    struct buf names;

    buf_init(&names, 1024);
    for (size_t i = 0; shape_row(i) != NULL; i++) {
        char name[64];
        int n = snprintf(name, sizeof(name), "\"%s\"", shape_row(i));
        if (t->hit[i] > 0 && t->rows_of[i] == m &&
            str_find(buf_str(&names), str_slice(name, (size_t)n)) == SIZE_MAX) {
            buf_cat(&names, names.n > 0 ? STR(",") : STR(""), str_slice(name, (size_t)n));
            buf_cat(out, out->n > 0 ? STR(", ") : STR(""), str_from(shape_row(i)));
        }
    }
    buf_release(&names);
}

static void add(struct verdicts *v, enum state state, struct str text, struct str benign)
{
    verdicts_add(v, &(struct finding){.claim = CLAIM_PROVENANCE,
                                      .state = state,
                                      .tier = TIER_SHAPE,
                                      .probe = "shape",
                                      .group = "shape",
                                      .text = text,
                                      .missed = state == STATE_CONSISTENT
                                                    ? STR("marks that were imitated, which is "
                                                          "easy; and it says nothing of which "
                                                          "model answered")
                                                    : STR(""),
                                      .benign = benign});
}

static const struct str converted = STR_INIT(
    "an honest gateway that converts between dialects, or writes answers anew; a vendor or cloud "
    "that is not known here, or has changed its shapes");

static void say_unmarked(struct verdicts *v, const struct tally *t, struct str model)
{
    enum maker expected = maker_of(model);
    char text[256];
    int n;

    if (expected == MAKERS) {
        n = snprintf(text, sizeof(text),
                     "None of %u answers has the marks of a vendor or host that is known here.",
                     t->seen);
        add(v, STATE_NOT_TESTABLE, str_slice(text, (size_t)n), STR(""));
        return;
    }
    n = snprintf(text, sizeof(text), "None of %u answers has the marks that those of %s have.",
                 t->seen, maker_name(expected));
    add(v, STATE_INCONCLUSIVE, str_slice(text, (size_t)n), converted);
}

static void say_marked(struct verdicts *v, const struct tally *t, enum maker top, struct str model)
{
    struct buf text, marks;
    bool whole = (t->seen - t->whole[top]) * MOSTLY <= t->seen, fits = maker_fits(top, model);

    buf_init(&text, 2048);
    buf_init(&marks, 1024);
    list(t, top, &marks);
    if (whole) {
        buf_addf(&text, "%u of %u answers look as from %s (%.*s).", t->whole[top], t->seen,
                 maker_name(top), STR_ARG(buf_str(&marks)));
    } else {
        buf_addf(&text, "%u of %u answers look as from %s (%.*s); the others lack something of it.",
                 t->whole[top], t->seen, maker_name(top), STR_ARG(buf_str(&marks)));
        if (t->lacks[top] != NULL) {
            buf_addf(&text, " One lacks %s.", t->lacks[top]);
        }
    }
    if (!fits && maker_of(model) < MAKERS) {
        buf_addf(&text, " %.*s is one of %s.", STR_ARG(model), maker_name(maker_of(model)));
    }
    add(v, whole && fits ? STATE_CONSISTENT : STATE_INCONCLUSIVE, buf_str(&text),
        whole && fits ? STR("") : converted);
    buf_release(&text);
    buf_release(&marks);
}

/* Relays are what is looked at here: that one names its software is no fault. */
static void say_software(struct verdicts *v, const struct tally *t)
{
    char text[200];

    if (t->with_software * 2 > t->seen) {
        int n = snprintf(text, sizeof(text),
                         "Headers or ids of %u of %u answers are those of a relay's software: %s.",
                         t->with_software, t->seen, t->software);
        verdicts_add(v, &(struct finding){.claim = CLAIM_PROVENANCE,
                                          .state = STATE_INCONCLUSIVE,
                                          .tier = TIER_CONTEXT,
                                          .probe = "shape",
                                          .group = "shape",
                                          .text = str_slice(text, (size_t)n)});
    }
}

/* All headers of a vendor's limits, one behind the other; false: none, or none says until when. */
static bool limits_of(const struct record *r, struct buf *out)
{
    struct str head = r->head;
    bool until = false;

    while (head.n > 0) {
        struct str line = str_cut(&head, '\n'), rest = line, name = str_cut(&rest, ':');
        if (str_find(name, STR("ratelimit")) != SIZE_MAX) {
            buf_cat(out, line, STR("\n"));
            until |= str_find(name, STR("reset")) != SIZE_MAX;
        }
    }
    return until;
}

/* A limit that is counted moves, and so does the time at which it is whole again. */
static void judge_limits(const struct evidence *e, struct verdicts *v)
{
    struct buf first, next;
    uint64_t from = UINT64_MAX, to = 0;
    unsigned same = 0, seen = 0;
    char text[200];

    buf_init(&first, 16 << 10);
    buf_init(&next, 16 << 10);
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        buf_clear(&next);
        if (r->reference || !r->answered || !limits_of(r, &next)) {
            continue;
        }
        if (seen++ == 0) {
            buf_add(&first, buf_str(&next));
        }
        same += str_eq(buf_str(&first), buf_str(&next));
        from = r->sent_us < from ? r->sent_us : from;
        to = r->sent_us > to ? r->sent_us : to;
    }
    if (seen >= STILL_LEAST && same == seen && to - from >= STILL_US) {
        int n = snprintf(text, sizeof(text),
                         "The headers of limits are the same in all of %u answers over %.0f "
                         "seconds, until when they hold included.",
                         seen, (double)(to - from) * 1e-6);
        add(v, STATE_INCONCLUSIVE, str_slice(text, (size_t)n),
            STR("a gateway that writes limits of its own; limits that are not counted"));
    }
    buf_release(&first);
    buf_release(&next);
}

void shape_judge(const struct evidence *e, struct verdicts *v)
{
    struct tally t = {0};
    enum maker top = 0;

    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        if (r->answered && !r->reference && r->ask == ASK_ANSWER &&
            !str_eq(r->probe, STR("errors"))) {
            look(r, &t);
        }
    }
    if (t.seen < LEAST) {
        return;
    }
    for (enum maker m = 1; m < MAKERS; m++) {
        top = t.marked[m] > t.marked[top] ? m : top;
    }
    /* A few marks without the rest are anybody's, unless they are what was to be expected. */
    enum maker expected = maker_of(e->head.target.model);
    if (t.marked[top] == 0 || (t.whole[top] == 0 && top != expected)) {
        say_unmarked(v, &t, e->head.target.model);
    } else {
        say_marked(v, &t, top, e->head.target.model);
    }
    say_software(v, &t);
    judge_limits(e, v);
}
