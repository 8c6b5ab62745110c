/* SPDX-License-Identifier: Apache-2.0 */
/* Writes docs/conversion.md from the rows that convert: `make docs`; a test keeps it current. */
#include <stdio.h>

#include "dialect/neutral.h"

static const char *const dialects[SPOKEN] = {"chat", "responses", "messages", "gemini"};

static const char head[] =
    "# What becomes of each field between the dialects\n\n"
    "This page is made of the tables that convert (`src/dialect/fields.def`) by `make docs`; a "
    "test\n"
    "fails when it is not current.\n\n"
    "A request whose upstream speaks the client's own dialect passes byte for byte, and nothing "
    "here\n"
    "concerns it. Otherwise every field is\n\n"
    "- **carried** (`=`),\n"
    "- **lost by name** (`~`): the answer's `Relay-Lossy` header and the request's row name the\n"
    "  client's own path, such as `messages[2].name`,\n"
    "- or **refused** (`R`): a 400 in the client's dialect that names the path. A route that says\n"
    "  `lossy: [\"the field's name below\"]` allows the loss: it is then left out and named.\n\n"
    "A key that no row knows is refused, whatever its value, and so is one that only other kinds "
    "of\n"
    "the item have, such as `image_url` in a part of text, unless it is empty. What says nothing "
    "is\n"
    "left out without a word: `null` at a known key, the values in the column *nothing*, wishes "
    "about\n"
    "tools where there are none (`tool_choice: \"auto\"`, `parallel_tool_calls`), empty texts "
    "beside\n"
    "others, and `id`, `status` and `index` where they number what the vendor's own store or "
    "stream\n"
    "held. Stop sequences beyond what a vendor takes are refused: five in the gemini dialect, in "
    "chat\n"
    "as many as the vendor's row says (`entrepot upstream vendors NAME`).\n\n"
    "Replies are carried whole: text, calls, reasoning, ends and usage; state that is bound to a\n"
    "vendor travels in an envelope in the client's opaque slot. An end whose word nobody knows is "
    "a\n"
    "stop. A picture in an answer of Gemini's is markdown with a data URL, for other dialects have "
    "no\n"
    "place for one. Blocks that tell of the vendor's own tools (a search, code that it ran) are "
    "left\n"
    "out, for no request that is converted can ask for these tools; what the model says of them\n"
    "stays. Citations of pages reach chat and responses clients; the other two dialects have no "
    "form\n"
    "for those of others. Log probabilities do not reach clients of another dialect yet.\n\n"
    "Embeddings are converted between OpenAI's kind (`/v1/embeddings`) and Gemini's\n"
    "(`:embedContent`, `:batchEmbedContents`); the rows below with `requests[]` are theirs. "
    "Vectors\n"
    "are numbers as the vendor wrote them, or base64 of 32-bit floats where the client asks for\n"
    "`encoding_format: base64`. Toward Gemini inputs of tokens, and of more than 100 texts, are\n"
    "refused.\n";

static const char *verdict(char to)
{
    return to == 'K' ? "=" : to == 'L' ? "~" : "R";
}

static void print_path(const char *path)
{
    if (path == NULL) {
        printf(" |");
    } else {
        printf(" `%s` |", path);
    }
}

static void print_fields(void)
{
    printf("\n## Fields\n\n"
           "| field | chat | responses | messages | gemini | to chat | to responses | to messages |"
           " to gemini | nothing | why |\n|---|---|---|---|---|---|---|---|---|---|---|\n");
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        const struct field_row *row = &fields[f];
        printf("| %s |", row->name);
        for (unsigned d = 0; d < SPOKEN; d++) {
            print_path(row->path[d]);
        }
        for (unsigned d = 0; d < SPOKEN; d++) {
            printf(" %s |", verdict(row->to[d]));
        }
        print_path(row->nothing);
        printf(" %s |\n", row->why != NULL ? row->why : "");
    }
}

/* The paths of one pair: what a client of `from` may say, and where it goes. */
static void print_pair(unsigned from, unsigned to)
{
    printf("\n### %s to %s\n\n| client's path | | upstream's path |\n|---|---|---|\n",
           dialects[from], dialects[to]);
    for (unsigned f = 0; f < FIELD_COUNT; f++) {
        const struct field_row *row = &fields[f];
        if (row->path[from] == NULL) {
            continue;
        }
        printf("| `%s` | %s |", row->path[from], verdict(row->to[to]));
        if (row->to[to] == 'K') {
            print_path(row->path[to]);
            printf("\n");
        } else {
            printf(" %s: %s |\n", row->name, row->why != NULL ? row->why : "");
        }
    }
}

static void print_efforts(void)
{
    printf("\n## Levels of reasoning and budgets\n\n| level | is sent as tokens |\n|---|---|\n");
    for (unsigned e = EFFORT_NONE; e <= EFFORT_MAX; e++) {
        printf("| %s | %lld |\n", effort_word((enum effort)e),
               (long long)effort_budget((enum effort)e));
    }
    printf("\n| tokens up to | read as level |\n|---|---|\n");
    for (int64_t tokens = 0; tokens <= 32768; tokens++) {
        if (tokens == 32768 || budget_effort(tokens) != budget_effort(tokens + 1)) {
            printf("| %s%lld | %s |\n", tokens == 32768 ? "above, such as " : "", (long long)tokens,
                   effort_word(budget_effort(tokens)));
        }
    }
}

static void print_ends(void)
{
    static const char *const names[] = {"stop",         "stop sequence", "tool call", "length",
                                        "context full", "filter",        "pause",     "bad call"};

    printf("\n## How answers end\n\n| end | chat | responses | messages | gemini |\n"
           "|---|---|---|---|---|\n");
    for (unsigned f = 0; f <= FINISH_BAD_CALL; f++) {
        printf("| %s |", names[f]);
        for (unsigned d = 0; d < SPOKEN; d++) {
            printf(" `%s` |", finish_word((enum dialect)d, (enum finish)f));
        }
        printf("\n");
    }
}

int main(void)
{
    fputs(head, stdout);
    print_fields();
    print_efforts();
    print_ends();
    printf("\n## Pair by pair\n");
    for (unsigned from = 0; from < SPOKEN; from++) {
        for (unsigned to = 0; to < SPOKEN; to++) {
            if (from != to) {
                print_pair(from, to);
            }
        }
    }
    return 0;
}
