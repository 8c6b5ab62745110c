/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sm.h"

#include <assert.h>

void sm_move(const struct sm_state *table, uint8_t *state, uint8_t to)
{
    assert((table[*state].next & SM_BIT(to)) != 0);
    *state = to;
}
