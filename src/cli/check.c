/* SPDX-License-Identifier: Apache-2.0 */
/* entrepot check -c FILE: every mistake of a configuration in one run. */
#include <stdio.h>

#include "cli/cli.h"

int cli_check(int argc, char **argv)
{
    const char *file = NULL;
    if (!cli_config_option(argc, argv, &file)) {
        return 2;
    }
    if (file == NULL) {
        return cli_fail(2, "usage: entrepot check -c FILE");
    }
    struct config *c = cli_config(file, CONFIG_WHOLE);
    if (c == NULL) {
        return 1;
    }
    if (c->model_count == 0) {
        config_unref(c);
        return cli_fail(1, "%s: there are no models, so nothing would be sold", file);
    }
    printf("%s: %u upstreams, %u models, no mistakes\n", file, c->upstream_count, c->model_count);
    config_unref(c);
    return 0;
}
