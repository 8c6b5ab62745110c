/* SPDX-License-Identifier: Apache-2.0 */
/* The tools that models are offered. */
#ifndef ASSAY_TOOLSET_H
#define ASSAY_TOOLSET_H

#include "assay/speak.h"

extern const struct tool tool_weather; /* get_weather(city) */

#endif
