/* SPDX-License-Identifier: Apache-2.0 */
/* The declared edits: what is changed between the client's request and the vendor's. */
#ifndef RELAY_EDIT_H
#define RELAY_EDIT_H

#include "relay/relay_int.h"

enum edit {
    EDIT_AUTH = 1,
    EDIT_ENCODING = 2,
    EDIT_USAGE = 4,
    EDIT_MODEL = 8,
    EDIT_CODING = 16,
    EDIT_DIALECT = 32, /* all of it: the upstream speaks another dialect */
};
/* Their names, separated by commas: Relay-Edits, and the request's row. */
void edit_names(unsigned edits, struct buf *out);
/* Builds the head, and the body where it differs, for r->channel. False: does not fit its maximum.
 */
bool edit_request(struct request *r);

#endif
