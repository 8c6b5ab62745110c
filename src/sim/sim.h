/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated vendor in all four dialects on a loop: for people, for load and for tests. It
 * answers what arrives and never dials out. What a request gets is decided by the model's name,
 * then by the options of the program, then by "sim: tokens=200 delay=20ms error=429 cut=3 tools=1
 * reasoning=50" in its last text. Its counts are simple enough to check by hand: a token of input
 * is four bytes of text, rounded up; a token of output is a word.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include "base/buf.h"
#include "io/io.h"

#define SIM_CHEATS 32
struct sim_cheat {
    uint64_t value; /* a number, thousandths, or which model */
    bool on;
};

struct sim_options {
    uint32_t tokens;    /* words of the answer */
    uint32_t reasoning; /* and of thought before it */
    uint32_t delay_ms;  /* before the answer, or before each event of a stream */
    uint32_t error;     /* answer with this status instead */
    uint32_t cut;       /* hang up after so many events; of a whole answer, half way */
    uint32_t tools;     /* end with this many calls of a tool */
    uint32_t seed;      /* of chance; 0: by the clock */
    uint32_t given;     /* a bit for each that was asked for: it wins over the model's own */
    struct sim_cheat cheats[SIM_CHEATS];
};

struct sim;

/* o NULL: the defaults. */
struct sim *sim_start(struct loop *l, struct str address, const struct sim_options *o,
                      struct err *e);
unsigned sim_port(const struct sim *s);
void sim_stop(struct sim *s);

/* Reads "name=value" words into o; unknown words are left alone. False: there was no other. */
bool sim_options_read(struct sim_options *o, struct str words);
#define SIM_GIVEN_TOKENS (1U << 0)
#define SIM_GIVEN_DELAY (1U << 2)

/* "swap=MODEL": how the models of the zoo are sold, beside their being honest. */
bool sim_cheat_read(struct sim_options *o, struct str word, struct err *e);
void sim_cheats_help(struct buf *out);
/* A line for each model of the zoo. */
void sim_zoo_help(struct buf *out);

#endif
