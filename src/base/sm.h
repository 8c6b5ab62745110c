/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A declared state machine: a table of states, each with the states that may follow. The owner
 * keeps one byte; sm_move is the only way to change it, and asserts that the move is in the table.
 */
#ifndef BASE_SM_H
#define BASE_SM_H

#include <stdint.h>

#define SM_BIT(state) (1U << (state))

struct sm_state {
    const char *name;
    uint32_t next; /* SM_BIT of every state that may follow */
};

void sm_move(const struct sm_state *table, uint8_t *state, uint8_t to);

#endif
