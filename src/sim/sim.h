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

#include "io/io.h"

struct sim_options {
    uint32_t tokens;    /* words of the answer */
    uint32_t reasoning; /* and of thought before it */
    uint32_t delay_ms;  /* before the answer, or before each event of a stream */
    uint32_t error;     /* answer with this status instead */
    uint32_t cut;       /* hang up after so many events; of a whole answer, half way */
    uint32_t tools;     /* end with this many calls of a tool */
    uint32_t given;     /* a bit for each that was asked for: it wins over the model's own */
};

struct sim;

/* o NULL: the defaults. */
struct sim *sim_start(struct loop *l, struct str address, const struct sim_options *o,
                      struct err *e);
unsigned sim_port(const struct sim *s);
void sim_stop(struct sim *s);

/* Reads "name=value" words into o; unknown words are left alone. False: there was no other. */
bool sim_options_read(struct sim_options *o, struct str words);

#endif
