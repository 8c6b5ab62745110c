/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether two endpoints continue texts alike: maximum mean discrepancy over runs of three
 * characters. It sees how a model is sampled better than which weights it has.
 */
#include <stdlib.h>

#include "assay/probe.h"
#include "assay/starts.h"

#define PERMUTATIONS 9999
#define EACH 10
/* Texts of a prompt and side: below, a prompt is left out. */
#define LEAST 6
/* Texts of a side over all prompts: below, few differences would have been seen. In the pilot 50 a
 * side told another model in 98 of 100 runs. */
#define BLIND_BELOW 50
#define PROMPTS (sizeof(beginnings) / sizeof(beginnings[0]))

static const struct str task =
    STR_INIT("Continue the paragraph. Do not output anything except the continuation to the "
             "paragraph. Start the continuation immediately.\n\"");

static const struct {
    const char *name;
    struct str text;
} beginnings[] = {
    {"en 1", STR_INIT("The old lighthouse at the mouth of the river was built when the town still "
                      "lived from salt and")},
    {"en 2", STR_INIT("Measuring the weight of a cargo has always been a matter of trust between "
                      "those who")},
    {"de 1",
     STR_INIT("Die alte Lagerhalle am Hafen wurde im letzten Jahrhundert mehrmals umgebaut, "
              "zuerst als")},
    {"de 2", STR_INIT("Wer in den Bergen wandert, sollte früh aufbrechen, denn am Nachmittag")},
    {"fr 1", STR_INIT("Au printemps, les pêcheurs du village préparent leurs bateaux et réparent "
                      "les filets que")},
    {"fr 2", STR_INIT("La recette de cette soupe se transmet depuis longtemps, mais chaque "
                      "famille")},
    {"es 1", STR_INIT("El mercado de la plaza abre al amanecer, cuando los primeros camiones "
                      "traen")},
    {"es 2", STR_INIT("Durante siglos el reloj de la torre marcó las horas de trabajo y de "
                      "descanso para")},
    {"ru 1", STR_INIT("Зимой река замерзает, и тогда жители деревни ходят в город по льду, "
                      "потому что")},
    {"zh 1", STR_INIT("港口的清晨总是很热闹，渔船刚刚靠岸，买鱼的人已经在码头上等着，")},
};

void texts_plan(struct plan *p, const struct probe *self)
{
    struct buf text;

    buf_init(&text, 4096);
    for (size_t i = 0; i < PROMPTS && p->reference; i++) {
        buf_cat(&text, task, beginnings[i].text, STR("...\""));
        for (unsigned k = 0; k < EACH; k++) {
            plan_add(p, self, beginnings[i].name, k,
                     &(struct question){.text = buf_str(&text),
                                        .temperature = "1",
                                        .or_own_temperature = true,
                                        .max_tokens = 50});
        }
        buf_clear(&text);
    }
    buf_release(&text);
}

struct continued {
    struct str text[PROMPTS][2][EACH];
    size_t n[PROMPTS][2];
    struct stat_texts prompts[PROMPTS]; /* those with enough texts on both sides */
    size_t used, total[2];
};

static void gather(const struct evidence *e, struct continued *c)
{
    for (size_t i = 0; i < e->count; i++) {
        const struct record *r = &e->records[i];
        struct str said = r->answered ? str_trim(buf_str(&r->said.text)) : STR("");
        for (size_t j = 0; j < PROMPTS && said.n > 0 && str_eq(r->probe, STR("texts")); j++) {
            size_t *n = &c->n[j][r->reference];
            if (str_eq(r->cell, str_from(beginnings[j].name)) && *n < EACH) {
                c->text[j][r->reference][(*n)++] = said;
            }
        }
    }
    for (size_t j = 0; j < PROMPTS; j++) {
        if (c->n[j][0] >= LEAST && c->n[j][1] >= LEAST) {
            c->prompts[c->used++] = (struct stat_texts){
                .x = c->text[j][0], .y = c->text[j][1], .n = c->n[j][0], .m = c->n[j][1]};
            c->total[0] += c->n[j][0];
            c->total[1] += c->n[j][1];
        }
    }
}

static void say(const struct evidence *e, struct verdicts *v, const struct continued *c,
                const struct stat_mmd *mmd)
{
    struct buf text, numbers;
    struct starts starts;

    starts_compare(e, &starts);
    buf_init(&text, 512);
    buf_init(&numbers, 128);
    buf_addf(&text,
             "Continuations of %zu texts (%zu here, %zu at the reference): differences as large as "
             "these come by chance with a probability of %.4f.",
             c->used, c->total[0], c->total[1], mmd->p);
    starts_say(&starts, mmd->p, &text);
    buf_addf(&numbers, "\"mmd2\":%.6f,\"n\":%zu,\"m\":%zu", mmd->mmd2, c->total[0], c->total[1]);
    verdicts_add(v,
                 &(struct finding){
                     .claim = CLAIM_IDENTITY,
                     .tier = TIER_LIVE,
                     .probe = "texts",
                     .group = "texts",
                     .has_p = true,
                     .p = mmd->p,
                     .excused = starts.alike,
                     .blind = c->total[0] < BLIND_BELOW || c->total[1] < BLIND_BELOW,
                     .text = buf_str(&text),
                     .numbers = buf_str(&numbers),
                     .missed = STR("a hidden prompt, another quantisation, a model that serves a "
                                   "part of the requests"),
                     .benign = STR("other default settings, such as top_p or top_k; the "
                                   "vendor serves several versions under one name")});
    buf_release(&text);
    buf_release(&numbers);
}

void texts_judge(const struct evidence *e, struct verdicts *v)
{
    struct continued *c = calloc(1, sizeof(*c));
    struct stat_random random;
    struct stat_mmd mmd;

    if (c == NULL) {
        return;
    }
    gather(e, c);
    stat_seed(&random, e->head.seed);
    if (c->used > 0 &&
        stat_mmd(c->prompts, c->used, STAT_KERNEL_TRIGRAMS, PERMUTATIONS, &random, &mmd)) {
        say(e, v, c, &mmd);
    }
    free(c);
}
