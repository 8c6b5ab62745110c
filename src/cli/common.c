/* SPDX-License-Identifier: Apache-2.0 */
/* What several subcommands need: the option -c, the configuration, saying a failure. */
#include <stdarg.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/prices.h"
#include "cli/vendors.h"
#include "dialect/dialect.h"
#include "json/json.h"

#define ERRORS_MAX (256 * 1024)
#define SIM_PORT 8089

/* The configuration numbers the dialects by itself, as it stands in a lower tier. */
_Static_assert(DIALECT_CHAT == 0 && DIALECT_RESPONSES == 1 && DIALECT_MESSAGES == 2 &&
                   DIALECT_GEMINI == 3 && DIALECT_EMBEDDINGS == 4,
               "the order in config/options.c");

int cli_fail(int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("entrepot: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return status;
}

int cli_fail_as(bool json, int status, struct str why, struct str result)
{
    struct buf text;

    if (!json) {
        return cli_fail(status, "%.*s", STR_ARG(why));
    }
    buf_init(&text, 2 * why.n + result.n + 4096);
    buf_addf(&text, "{\"error\":{\"code\":\"%s\",\"message\":", status == 2 ? "usage" : "failed");
    json_write_str(&text, why);
    if (result.n > 0) {
        buf_add(&text, STR(",\"result\":"));
        buf_add(&text, result);
    }
    buf_add(&text, STR("}}\n"));
    fwrite(text.p, 1, text.n, stdout);
    buf_release(&text);
    return status;
}

bool cli_config_option(int argc, char **argv, const char **file)
{
    for (int i = 1; i < argc; i++) {
        if (str_eq(str_from(argv[i]), STR("-c")) && i + 1 < argc) {
            *file = argv[++i];
        } else {
            cli_fail(2, "usage: entrepot %s [-c FILE]", argv[0]);
            return false;
        }
    }
    return true;
}

struct config *cli_config(const char *file, enum config_use use)
{
    struct config_vendors known = *cli_vendors();
    struct buf errors;
    buf_init(&errors, ERRORS_MAX);
    known.variables_optional = use != CONFIG_WHOLE;
    struct config *c = file != NULL ? config_load(file, &known, &errors)
                                    : config_default(SIM_PORT, &known, &errors);
    if (c != NULL && use != CONFIG_STORE_ONLY && !prices_set(c, NULL, &errors)) {
        config_unref(c);
        c = NULL;
    }
    if (errors.n > 0) {
        fwrite(errors.p, 1, errors.n, stderr);
    }
    buf_release(&errors);
    return c;
}
