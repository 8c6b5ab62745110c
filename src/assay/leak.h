/* SPDX-License-Identifier: Apache-2.0 */
/* What an error's text gives away: hosts of others, keys, paths. Pure. */
#ifndef ASSAY_LEAK_H
#define ASSAY_LEAK_H

#include "base/str.h"

#define LEAK_HOSTS 4
struct leaks {
    struct str own; /* the address that was asked: not given away */
    size_t count;
    char hosts[LEAK_HOSTS][64];
    bool secret, path;
};
void leaks_init(struct leaks *l, struct str own);
/* Adds what text has. Hosts are letters, digits, '.' and '-' alone; of keys nothing is kept. */
void leaks_find(struct leaks *l, struct str text);

#endif
