/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the simulated vendor answers: a plan made from the request, then bytes, whole or event by
 * event.
 */
#ifndef SIM_REPLY_H
#define SIM_REPLY_H

#include "dialect/dialect.h"
#include "sim/sim.h"
#include "sim/zoo.h"

struct reply {
    struct target target;
    struct sim_options o;
    char model[LIMIT_NAME + 1];
    uint64_t input_tokens;
    size_t inputs; /* of an embeddings request */
    bool stream, include_usage, limited;
    unsigned status;
    uint8_t phase;
    uint32_t at; /* within the phase */
    uint32_t events;
    uint32_t blocks;       /* content blocks or output items begun */
    struct str error;      /* static text when status is not 200 */
    struct script *script; /* of a model of the zoo: all of it is there, and its own times */
};

void reply_plan(struct reply *r, struct zoo *zoo, unsigned method, struct str target,
                struct str body, const struct sim_options *defaults);
void reply_release(struct reply *r);
const char *reply_type(const struct reply *r);
void reply_whole(struct reply *r, struct buf *out);
/* How long to wait before the answer, or before its next event. */
uint32_t reply_wait(const struct reply *r);
/* Appends the next event; false when there is none left. */
bool reply_event(struct reply *r, struct buf *out);

/* Inside the room: one phase of a stream, or all of it as one object. */
enum phase {
    PHASE_BEGIN,
    PHASE_THOUGHT,
    PHASE_TEXT,
    PHASE_TOOL,
    PHASE_FINISH,
    PHASE_USAGE,
    PHASE_END
};
void reply_chat_event(struct reply *r, struct buf *out);
void reply_responses_event(struct reply *r, struct buf *out);
void reply_messages_event(struct reply *r, struct buf *out);
void reply_gemini_event(struct reply *r, struct buf *out);
void reply_write_words(struct buf *out, uint32_t first, uint32_t count);
void reply_write_whole(const struct reply *r, struct buf *out);
void reply_write_usage(const struct reply *r, struct buf *out);
void reply_write_model(const struct reply *r, struct buf *out);

#define REPLY_TOOL_ARGUMENTS "{\\\"query\\\":\\\"harbour\\\"}"
#define REPLY_TOOL_INPUT "{\"query\":\"harbour\"}"

#endif
