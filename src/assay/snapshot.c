/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/snapshot.h"

#include <stdlib.h>

#include "base/limits.h"

#define SURE 0.9  /* the claimed is taken for itself */
#define FAR 0.001 /* down to this it may be */

#define DIRECT false
#define GATEWAY true
const struct snapshot snapshots[] = {
#define SNAPSHOT(name, model, day, way, answers, numbers) {name, model, day, way, answers, numbers},
#include "assay/snapshots.def"
};
const size_t snapshot_count = sizeof(snapshots) / sizeof(snapshots[0]);

const struct str snapshot_question =
    STR_INIT("请从1到355之间随机选择一个数字，只输出这个数字，不要有任何其他内容。");

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- Names ---- */

/* Ends with a pattern in which 0 is any digit. */
static bool ends_as(struct str s, const char *pattern)
{
    struct str p = str_from(pattern);

    for (size_t i = 0; i < p.n && p.n < s.n; i++) {
        char c = s.p[s.n - p.n + i];
        if (p.p[i] == '0' ? !is_digit(c) : c != p.p[i]) {
            return false;
        }
    }
    return p.n < s.n;
}

/* Lower case with hyphens alone, without what gateways and clouds set around it and without its
 * date: "us.anthropic.claude-opus-4-8-20260401-v1:0" becomes "claude-opus-4-8". */
static struct str plain_name(struct str model, char out[LIMIT_NAME])
{
    static const char *const ends[] = {":free", "-latest", "-0000-00-00", "-00000000", "-000000"};
    size_t slash, cloud;

    while ((slash = str_find_byte(model, '/')) < model.n) {
        model = str_skip(model, slash + 1);
    }
    cloud = str_find(model, STR("anthropic."));
    if (cloud != SIZE_MAX) {
        model = str_skip(model, cloud + 10);
        model.n = str_find_byte(model, ':');
    }
    struct str name = {out, model.n < LIMIT_NAME ? model.n : 0};
    for (size_t i = 0; i < name.n; i++) {
        char c = model.p[i];
        bool apart = c == '.' || c == '_' || c == '@';
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : apart ? '-' : c;
    }
    name.n -= cloud != SIZE_MAX && ends_as(name, "-v0") ? 3 : 0;
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        name.n -= ends_as(name, ends[i]) ? strlen(ends[i]) : 0;
    }
    return name;
}

size_t snapshot_claimed(struct str model)
{
    char asked[LIMIT_NAME], recorded[LIMIT_NAME];
    struct str name = plain_name(model, asked);

    for (size_t i = 0; i < snapshot_count; i++) {
        if (str_eq(name, plain_name(str_from(snapshots[i].model), recorded))) {
            return i;
        }
    }
    return snapshot_count;
}

/* ---- Numbers ---- */

void snapshot_numbers(size_t i, uint32_t counts[SNAPSHOT_KINDS])
{
    struct str rest = str_from(snapshots[i].numbers);

    memset(counts, 0, SNAPSHOT_KINDS * sizeof(*counts));
    while (rest.n > 0) {
        struct str times = str_cut(&rest, ' '), number = str_cut(&times, ':');
        uint64_t n = 0, k = 1;
        if (str_to_u64(number, &n) && n >= 1 && n <= SNAPSHOT_KINDS &&
            (times.n == 0 || str_to_u64(times, &k))) {
            counts[n - 1] += (uint32_t)k;
        }
    }
}

/* Some write it in bold, in quotes or with a full stop. */
unsigned snapshot_number(struct str said)
{
    static const char *const around[] = {"*", "`", "\"", "'", ".", "。", "“", "”", "「", "」"};
    uint64_t n = 0;

    for (bool more = true; more;) {
        said = str_trim(said);
        more = false;
        for (size_t i = 0; i < sizeof(around) / sizeof(around[0]); i++) {
            struct str mark = str_from(around[i]);
            if (str_starts(said, mark)) {
                said = str_skip(said, mark.n);
                more = true;
            }
            if (str_ends(said, mark)) {
                said.n -= mark.n;
                more = true;
            }
        }
    }
    return str_to_u64(said, &n) && n <= SNAPSHOT_KINDS ? (unsigned)n : 0;
}

uint32_t *snapshot_table(void)
{
    uint32_t *table = calloc(snapshot_count * SNAPSHOT_KINDS, sizeof(*table));

    for (size_t i = 0; i < snapshot_count && table != NULL; i++) {
        snapshot_numbers(i, &table[i * SNAPSHOT_KINDS]);
    }
    return table;
}

/* ---- Which of them ---- */

static enum snapshot_found judge(const struct snapshot_match *m)
{
    return m->claimed >= SURE          ? SNAPSHOT_SAME
           : m->claimed > FAR          ? SNAPSHOT_UNCLEAR
           : m->best == snapshot_count ? SNAPSHOT_NONE
                                       : SNAPSHOT_OTHER;
}

bool snapshot_match(const uint32_t *table, const uint32_t *answers, size_t claimed,
                    struct snapshot_match *out)
{
    double posterior[LIMIT_ASSAY_MODELS + 1];
    struct stat_snapshots all = {table, snapshot_count, SNAPSHOT_KINDS};

    *out = (struct snapshot_match){.next = snapshot_count, .best = snapshot_count};
    if (!stat_identify(&all, answers, posterior)) {
        return false;
    }
    for (size_t i = 0; i <= snapshot_count; i++) {
        out->best = posterior[i] > posterior[out->best] ? i : out->best;
        bool first = out->next == claimed;
        if (i != claimed && (first || posterior[i] > posterior[out->next])) {
            out->next = i;
        }
    }
    out->best_share = posterior[out->best];
    out->next_share = posterior[out->next];
    out->claimed = claimed < snapshot_count ? posterior[claimed] : 0;
    out->found = judge(out);
    return true;
}
