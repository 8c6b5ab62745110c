/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/toolset.h"

const struct tool tool_weather = {"get_weather", "Weather of a city",
                                  "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":"
                                  "\"string\"}},\"required\":[\"city\"]}"};
