/* SPDX-License-Identifier: Apache-2.0 */
/* The vendor and price tables in the form in which config/ takes them. Built once; static storage.
 */
#ifndef CLI_VENDORS_H
#define CLI_VENDORS_H

#include "config/config.h"

const struct config_vendors *cli_vendors(void);

#endif
