/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vendor's counters as they stand in its usage object, before they are made disjoint. A stream
 * keeps them, since some dialects say in each event only what has changed.
 */
#ifndef DIALECT_COUNTS_H
#define DIALECT_COUNTS_H

#include <stdbool.h>
#include <stdint.h>

/* Of each group of three: the one named plus the modality. */
enum modality { OF_AUDIO, OF_IMAGE, OF_VIDEO, MODALITIES };

enum count {
    COUNT_IN,
    COUNT_TOOL, /* outside of IN */
    COUNT_CACHED,
    COUNT_MISSED, /* what no cache had, where the vendor says it, too */
    COUNT_WRITE,
    COUNT_WRITE_5M, /* inside WRITE */
    COUNT_WRITE_1H,
    COUNT_OUT,
    COUNT_REASONING,
    COUNT_TOTAL,
    COUNT_IN_OF,
    COUNT_CACHED_OF = COUNT_IN_OF + MODALITIES,
    COUNT_TOOL_OF = COUNT_CACHED_OF + MODALITIES,
    COUNT_OUT_OF = COUNT_TOOL_OF + MODALITIES,
    /* Compaction: in none of those above. */
    COUNT_MORE_IN = COUNT_OUT_OF + MODALITIES,
    COUNT_MORE_CACHED,
    COUNT_MORE_WRITE,
    COUNT_MORE_WRITE_5M,
    COUNT_MORE_WRITE_1H,
    COUNT_MORE_OUT,
    COUNT_MORE_REASONING,
    COUNT_WEB_SEARCH,
    COUNT_WEB_FETCH,
    COUNT_FILE_SEARCH,
    COUNT_CODE,
    COUNT_IMAGES,
    COUNTS
};

struct counts {
    uint32_t n[COUNTS]; /* each at most USAGE_MAX */
    uint64_t named;     /* bits by enum count: the object has it, good or not */
    uint64_t wrong;     /* of those, what is no count */
    bool bad;           /* one was no count, or they contradict each other */
    uint8_t family;     /* of the ways in which the dialect's vendors count */
    uint8_t tier;       /* enum tier */
};

#endif
