/* SPDX-License-Identifier: Apache-2.0 */
/* Every maximum of the program, each with its reason. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* Front */
#define LIMIT_HEAD_BYTES (32 * 1024) /* Claude Code and Codex send up to 6 KB; nginx allows 32 KB */
#define LIMIT_HEADERS 100            /* nothing seen above 45 */
#define LIMIT_BODY_BYTES (32 << 20)  /* Anthropic's own limit for a request */
#define LIMIT_SMALL_BODY_BYTES (64 << 10) /* endpoints of our own that take a small JSON object */
#define LIMIT_REQUESTS_BYTES (512L << 20) /* bodies and replies in memory together; above: 503 */
#define LIMIT_HEAD_MS (15 * 1000)         /* slow-loris: a head arrives in one round trip */
#define LIMIT_BODY_MS (120 * 1000)        /* 32 MB at 2.2 Mbit/s */
#define LIMIT_IDLE_MS (75 * 1000)         /* keep-alive between requests, as nginx */
#define LIMIT_TOTAL_MS (60 * 60 * 1000)   /* the longest reasoning answers seen take half of it */
#define LIMIT_WRITE_MS (60 * 1000)        /* a client that takes no byte for so long is gone */
#define LIMIT_SESSIONS 20000              /* per lane; the usual hard limit of file descriptors */
#define LIMIT_DRAIN_BYTES \
    (1 << 20) /* read and dropped after an early error, so that the client reads it */
#define LIMIT_DRAIN_MS 2000
#define LIMIT_TRUSTED 256 /* networks of proxies; the largest content networks publish half of it */
#define LIMIT_BAD_KEYS 30 /* of one address, a minute and lane: a tool with an old key, retried */
#define LIMIT_BAD_KEYS_MS (60 * 1000)
#define LIMIT_GUESSERS 4096 /* addresses remembered for it, per lane */

#define LIMIT_TAKEOVER_MS \
    (10 * 1000) /* for each answer in a takeover; all else goes on meanwhile */
#define LIMIT_STOP_MS (10 * 60 * 1000) /* draining at SIGTERM; then what runs is cut off */

/* Upstream */
#define LIMIT_CONNECT_MS (10 * 1000)
#define LIMIT_FIRST_BYTE_MS (10 * 60 * 1000) /* whole answers of reasoning models take minutes */
#define LIMIT_EVENT_GAP_MS (5 * 60 * 1000)   /* the longest silence between two events */
#define LIMIT_ATTEMPTS 4                     /* per request, over all channels */
#define LIMIT_POOL_IDLE 512                  /* idle connections per upstream and lane */
#define LIMIT_POOL_IDLE_MS (50 * 1000) /* below the 60 s after which vendors' front ends close */
#define LIMIT_DNS_MS (30 * 1000)
#define LIMIT_ADDRESSES 8                  /* per host name */
#define LIMIT_COOLDOWN_MS (10 * 60 * 1000) /* the longest Retry-After that is believed */

/* Relay */
#define LIMIT_HIGH_WATER (256 * 1024) /* unsent bytes to a client before its upstream is paused */
#define LIMIT_EVENT_BYTES (16 << 20)  /* one stream event; an image of 4 MB was seen */
#define LIMIT_COMMIT_MS (10 * 1000)   /* a charge that is not durable by then fails the request */
#define LIMIT_SETTLE_MS (30 * 1000)   /* reading on for the usage after a client left */
#define LIMIT_SETTLE_BYTES (4 << 20)
#define LIMIT_OPENING_MS (10 * 1000) /* an error until then becomes a status; SDKs wait a minute */
#define LIMIT_SILENCE_MS (15 * 1000) /* then a keep-alive; proxies cut silence after 30 s or more */
#define LIMIT_BUDGET_TRIES 64        /* to take what a budget has left while others take, too */
#define LIMIT_CONTEXT 1000000        /* tokens of input, where the model's own are not said */
#define LIMIT_IMAGE_TOKENS 5000      /* of one image; Anthropic's largest has 4784 */
#define LIMIT_OUTPUT_STEP 2048       /* tokens of output held at a time for a stream */

/* Ledger */
#define LIMIT_CLOSINGS_KEPT 10000        /* request rows that wait for a store that commits again */
#define LIMIT_BATCH 256                  /* ledger operations in one commit */
#define LIMIT_CHECK_MS (60 * 60 * 1000)  /* from one check of the books to the next */
#define LIMIT_CHECK_AGAIN_MS (60 * 1000) /* after one that could not be made */
#define LIMIT_CHECK_WAIT_MS 1000         /* that a start waits for the first: 100,000 charges */
#define LIMIT_STATEMENT_LINES 1000       /* of a page, each at most 4 KB; a read of milliseconds */
#define LIMIT_MARGIN_ROWS 1000           /* groups of a report: what somebody can still read */
#define LIMIT_ACCOUNT_READS 4            /* of those, of one customer: a long one takes a second */
#define LIMIT_READS 256                  /* waiting reads of the store; each takes milliseconds */
#define LIMIT_LEDGER_QUEUE 100000        /* waiting operations; above, admissions stop with 503 */

#define LIMIT_VOUCHERS 10000  /* of one batch: half a second of the ledger's time */
#define LIMIT_BAD_CODES 10    /* unknown voucher codes of one account, a minute */
#define LIMIT_ROTATIONS 10    /* of one key, a day: each is a row for ever */
#define LIMIT_OVERLAP_DAYS 30 /* that a replaced key goes on */

/* Configuration */
#define LIMIT_CONFIG_BYTES (1 << 20)   /* a file of 4096 models is half of it */
#define LIMIT_CONFIG_MEMORY (32 << 20) /* what such a file becomes */
#define LIMIT_UPSTREAMS 256
#define LIMIT_MODELS 4096
#define LIMIT_ALIASES 32     /* per model */
#define LIMIT_PRICE_TIERS 4  /* of one price, by length of input; three are the most seen */
#define LIMIT_PRICE_DATES 2  /* of one model: the price of now, and one that is announced */
#define LIMIT_BOOK_ROWS 2048 /* of a price book of one's own */
#define LIMIT_RATES 32       /* of a price, each with a name of its own */
#define LIMIT_SERVICES 8     /* tiers of service that are billed by a factor */

/* Names */
#define LIMIT_BALANCES 16  /* of an account, each in another currency */
#define LIMIT_NAME 128     /* bytes of a model, account or tag name */
#define LIMIT_UPSTREAM 100 /* bytes of an upstream's name: names of accounts hold it */
#define LIMIT_LEAVES 1024  /* bytes of a charge's further leaves: all there are, and largest */
#define LIMIT_KEYS_PER_UPSTREAM 32
#define LIMIT_ROUTES 16
#define LIMIT_LANES 64
#define LIMIT_WORKERS 4

/* Assay: its calls */
#define LIMIT_ASSAY_CALLS 4096           /* of one run: the deep profile has a thousand a side */
#define LIMIT_ASSAY_BODY (1 << 20)       /* of an answer; the longest stream asked for is 200 KB */
#define LIMIT_ASSAY_CALL_MS (180 * 1000) /* short answers; reasoning models think for a minute */
#define LIMIT_ASSAY_ATTEMPTS 4           /* of one call, when the seller is busy */
#define LIMIT_ASSAY_RETRY_MS (60 * 1000) /* the longest Retry-After that is waited for */
#define LIMIT_ASSAY_RUN_MS (2 * 3600 * 1000) /* of all calls; a deep run takes half an hour */
#define LIMIT_ASSAY_THREADS 4                /* calls at a time: a person's use, not a load test */
#define LIMIT_ASSAY_EVIDENCE (32 << 20) /* of all lines: ten deep runs; read, 16 times as much */

/* Assay: its statistics */
#define LIMIT_ASSAY_CELLS 64          /* the widest battery of one-token probes known has 40 */
#define LIMIT_ASSAY_ANSWERS 100000    /* of one cell, both sides; the largest collection has 5000 */
#define LIMIT_ASSAY_PERMUTATIONS 9999 /* p from 0.0001 on: below what a claim needs */
#define LIMIT_ASSAY_RUNS 10000        /* simulated, for a detection limit */
#define LIMIT_ASSAY_PROMPTS 64        /* of continuations; published tests have 25 */
#define LIMIT_ASSAY_TEXTS 512 /* of one prompt, both sides: kernels are worked out in pairs */
#define LIMIT_ASSAY_TEXT_BYTES 16384 /* of one continuation: 50 to 400 tokens */
#define LIMIT_ASSAY_MODELS 1024      /* snapshots to identify by; the largest pool known has 167 */
#define LIMIT_ASSAY_LOGPROBS 1024    /* of one place; vendors give 20 at most */
#define LIMIT_ASSAY_TRIES 1000000    /* of a share */
#define LIMIT_ASSAY_CLAIMS 256       /* of one report */
#define LIMIT_ASSAY_MEMORY (256 << 20) /* of one statistic */

#endif
