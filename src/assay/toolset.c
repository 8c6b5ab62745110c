/* SPDX-License-Identifier: Apache-2.0 */
#include "assay/toolset.h"

const struct tool tool_weather = {"get_weather", "Weather of a city",
                                  "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":"
                                  "\"string\"}},\"required\":[\"city\"]}"};

enum tool_id {
#define TOOL(ID, name, description, ...) TOOL_##ID,
#define REQUEST(KIND, name, ID, n, text)
#include "assay/toolset.def"
};

/* Schemas stand in the table as JSON: # makes a text of them. */
static const struct tool tools[] = {
#define TOOL(ID, name, description, ...) {name, description, #__VA_ARGS__},
#define REQUEST(KIND, name, ID, n, text)
#include "assay/toolset.def"
};

const struct toolset_request toolset_requests[] = {
#define TOOL(ID, name, description, ...)
#define REQUEST(KIND, name, ID, n, text) {TOOLSET_##KIND, name, &tools[TOOL_##ID], n, text},
#include "assay/toolset.def"
};
const size_t toolset_count = sizeof(toolset_requests) / sizeof(toolset_requests[0]);
