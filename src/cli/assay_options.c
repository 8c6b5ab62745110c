/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <string.h>

#include "assay/probe.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cli/assay.h"
#include "cli/cli.h"

struct reading {
    struct assay_options *o;
    const char *max_cost, *max_calls, *seed, *threads, *profile, *only, *dialect, *model,
        *reference, *lang, *reference_model;
};

static const char **place_of(struct reading *r, const char *name)
{
    const struct {
        const char *name;
        const char **to;
    } places[] = {
        {"--model", &r->model},
        {"--key-env", &r->o->key_env[0]},
        {"--dialect", &r->dialect},
        {"--reference", &r->reference},
        {"--reference-model", &r->reference_model},
        {"--reference-key-env", &r->o->key_env[1]},
        {"--profile", &r->profile},
        {"--only", &r->only},
        {"--max-cost", &r->max_cost},
        {"--max-calls", &r->max_calls},
        {"--concurrency", &r->threads},
        {"--seed", &r->seed},
        {"--json", &r->o->json},
        {"--html", &r->o->html},
        {"--lang", &r->lang},
        {"--evidence", &r->o->evidence},
        {"--recompute", &r->o->recompute},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (strcmp(name, places[i].name) == 0) {
            return places[i].to;
        }
    }
    return NULL;
}

static bool wrong(const char *what, const char *value)
{
    cli_fail(1, "assay: %s '%s'; see entrepot assay --help", what, value);
    return false;
}

static bool read_words(int argc, char **argv, struct reading *r)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        const char **to = place_of(r, word);
        if (strcmp(word, "-y") == 0) {
            r->o->yes = true;
        } else if (to != NULL && i + 1 < argc) {
            *to = argv[++i];
        } else if (to != NULL) {
            return wrong("there is nothing behind", word);
        } else if (word[0] == '-' || r->o->sides[0].url.n > 0) {
            return wrong("there is no option", word);
        } else {
            r->o->sides[0].url = str_from(word);
        }
    }
    return true;
}

/* An empty value is as good as none given; otherwise a number from 1 to max. */
static bool read_number(const char *value, const char *name, uint64_t max, uint64_t *out)
{
    if (value == NULL) {
        return true;
    }
    if (!str_to_u64(str_from(value), out) || *out == 0 || *out > max) {
        cli_fail(1, "assay: %s takes a number from 1 to %llu, not '%s'", name,
                 (unsigned long long)max, value);
        return false;
    }
    return true;
}

static bool read_dialect(const struct reading *r)
{
    struct assay_options *o = r->o;

    if (r->dialect == NULL || strcmp(r->dialect, "auto") == 0) {
        return true;
    }
    for (int i = 0; i < 2; i++) {
        if (!speak_dialect_find(str_from(r->dialect), &o->sides[i].speaker.dialect)) {
            return wrong("--dialect is auto, chat, responses, messages or gemini, not", r->dialect);
        }
        o->sides[i].found = true;
    }
    return true;
}

static bool read_model(struct run_side *s, const char *model, const char *name)
{
    struct str m = str_from(model);

    if (m.n == 0 || m.n > LIMIT_NAME) {
        cli_fail(1, "assay: %s is needed, of %d bytes at most", name, LIMIT_NAME);
        return false;
    }
    for (size_t i = 0; i < m.n; i++) {
        if ((unsigned char)m.p[i] <= ' ' || strchr("?#%\"\\", m.p[i]) != NULL) {
            return wrong("this is no name of a model:", model);
        }
    }
    s->speaker.model = m;
    return true;
}

static bool read_sides(const struct reading *r)
{
    struct assay_options *o = r->o;
    struct err e = {""};

    o->sides[1].url = str_from(r->reference);
    if (!read_model(&o->sides[0], r->model, "--model")) {
        return false;
    }
    if (r->reference == NULL && (r->reference_model != NULL || o->key_env[1] != NULL)) {
        return wrong("without --reference URL there is no use for", "--reference-...");
    }
    const char *model = r->reference_model != NULL ? r->reference_model : r->model;
    if (!read_model(&o->sides[1], model, "--reference-model")) {
        return false;
    }
    for (int i = 0; i < (r->reference != NULL ? 2 : 1); i++) {
        if (!client_url_valid(o->sides[i].url, &e)) {
            return wrong(e.text, o->sides[i].url.n > 0 ? o->sides[i].url.p : "");
        }
    }
    return true;
}

static void say_probes(enum profile profile, const char *only)
{
    struct buf names;

    buf_init(&names, 4096);
    for (size_t i = 0; i < probe_count; i++) {
        if (probes[i].plan != NULL && (probes[i].profiles & PROFILE_BIT(profile)) != 0) {
            buf_addf(&names, " %s", probes[i].name);
        }
    }
    cli_fail(1, "assay: --only '%s' is no list of probes of profile %s; they are:%.*s", only,
             profile_name(profile), STR_ARG(buf_str(&names)));
    buf_release(&names);
}

/* Each name is that of a probe which asks in this profile. */
static bool read_only(struct assay_options *o, struct str names)
{
    o->only = names;
    while (names.n > 0) {
        struct str name = str_cut(&names, ',');
        bool known = false;
        for (size_t i = 0; i < probe_count; i++) {
            known = known || (probes[i].plan != NULL && str_eq(name, str_from(probes[i].name)) &&
                              (probes[i].profiles & PROFILE_BIT(o->profile)) != 0);
        }
        if (!known) {
            return false;
        }
    }
    return o->only.n > 0;
}

bool assay_options_read(int argc, char **argv, struct assay_options *o)
{
    struct reading r = {.o = o};

    o->threads = 2;
    o->max_nano = -1;
    o->profile = PROFILE_STANDARD;
    o->seed = (uint64_t)clock_wall_us() % 1000000000;
    if (!read_words(argc, argv, &r)) {
        return false;
    }
    if (r.lang != NULL && !words_lang(str_from(r.lang), &o->lang)) {
        return wrong("--lang is en or zh, not", r.lang);
    }
    if (o->json != NULL && o->html != NULL && strcmp(o->json, o->html) == 0) {
        return wrong("--json and --html go to different files, not both to", o->json);
    }
    if (o->recompute != NULL) {
        return o->sides[0].url.n == 0 || wrong("--recompute asks nobody: leave out", "URL");
    }
    if (r.profile != NULL && !profile_find(str_from(r.profile), &o->profile)) {
        return wrong("--profile is quick, standard, deep or folk, not", r.profile);
    }
    if (r.only != NULL && !read_only(o, str_from(r.only))) {
        say_probes(o->profile, r.only);
        return false;
    }
    if (r.max_cost != NULL &&
        (!decimal_parse(str_from(r.max_cost), 9, &o->max_nano) || o->max_nano == 0)) {
        return wrong("--max-cost takes an amount such as 0.50, not", r.max_cost);
    }
    return read_number(r.max_calls, "--max-calls", 1000000, &o->max_calls) &&
           read_number(r.threads, "--concurrency", LIMIT_ASSAY_THREADS, &o->threads) &&
           read_number(r.seed, "--seed", INT64_MAX, &o->seed) && read_dialect(&r) && read_sides(&r);
}
