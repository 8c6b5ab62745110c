/* SPDX-License-Identifier: Apache-2.0 */
/* The tools that models are offered, and requests that should or should not call them
 * (toolset.def). */
#ifndef ASSAY_TOOLSET_H
#define ASSAY_TOOLSET_H

#include "assay/speak.h"

extern const struct tool tool_weather; /* get_weather(city) */

enum toolset_kind { TOOLSET_CALL, TOOLSET_TEXT, TOOLSET_STRICT, TOOLSET_KINDS };
struct toolset_request {
    enum toolset_kind kind;
    const char *name;
    const struct tool *tools; /* that it is offered */
    unsigned tool_count;
    const char *text;
};
extern const struct toolset_request toolset_requests[];
extern const size_t toolset_count;

#endif
