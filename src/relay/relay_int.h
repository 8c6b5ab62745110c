/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the relay. A session is a client's connection; a request is one walk:
 *
 *   HEAD -> BODY -> PARSE -> ADMIT -> HOLD (-> WAIT_LEDGER -> HOLD) -> SEND -> WAIT_REPLY -> STREAM
 *        -> CHARGE -> WAIT_COMMIT -> CLOSE -> DONE;   from anywhere before the reply: -> ANSWER ->
 * CLOSE;   from a reply that fails before anything was sent: -> SEND
 *
 * A request outlives its session: when the client is gone, session is NULL and it settles alone.
 */
#ifndef RELAY_RELAY_INT_H
#define RELAY_RELAY_INT_H

#include "base/rand.h"
#include "base/sm.h"
#include "dialect/convert.h"
#include "dialect/vendor.h"
#include "http/coding.h"
#include "identity/guesses.h"
#include "ledger/statement.h"
#include "relay/policy.h"
#include "relay/relay.h"
#include "upstream/upstream.h"

struct lane {
    struct station *station;
    struct loop *loop;
    struct pool *pool;
    struct config *config; /* as last seen */
    unsigned config_number;
    struct ledger_outbox outbox; /* of this turn */
    struct task send_outbox, wake;
    struct listener *listeners[LIMIT_LANES]; /* one, or as many as it has inherited */
    unsigned listener_count;
    struct listener *admin; /* on the first lane, where the configuration has it */
    struct list sessions;
    struct guesses *guesses, *code_guesses; /* of keys, of vouchers */
    struct rand_weak random;
    struct timer sweep;
    unsigned session_count, request_count;
};

enum request_state {
    REQ_HEAD,
    REQ_BODY,
    REQ_PARSE,
    REQ_ADMIT,
    REQ_HOLD,
    REQ_WAIT_LEDGER,
    REQ_SEND,
    REQ_WAIT_REPLY,
    REQ_STREAM,
    REQ_CHARGE,
    REQ_WAIT_COMMIT,
    REQ_ANSWER,
    REQ_CLOSE,
    REQ_DONE,
};

struct session {
    struct lane *lane;
    struct conn *conn;
    struct list link;
    struct request *req;
    struct buf in;  /* head bytes, and what came after the message */
    struct buf out; /* what the socket would not take yet, or what waits for the turn's end */
    struct h1 h1;
    struct timer timer;
    struct task free_task, uncork_task;
    size_t fed; /* bytes of `in` that the parser has taken */
    size_t drained;
    size_t memory_counted; /* of the station's request_bytes, where much waits in `out` */
    struct ip peer;
    bool admin;   /* came over the admin listener */
    bool closing; /* no further request: close once `out` is empty */
    bool drain;   /* reading and dropping, so that the client can read an early answer */
    bool broken;  /* a write failed: handled at the next event */
    bool corked;  /* what is sent is gathered; written by uncork_task */
    bool dead;    /* closed; the memory goes at the end of the turn */
};

/* station.c: it drains, and connections end with what is under way on them. */
bool station_closes(const struct station *st);

/* lane.c: the configuration in force; borrowed until the lane's next turn. */
struct config *lane_config(struct lane *l);
/* ledger_gather into the lane's outbox, which goes out at the end of the turn. */
bool lane_submit(struct lane *l, struct ledger_op *op) MUST_CHECK;

struct request {
    struct lane *lane;
    struct session *session; /* NULL: the client is gone */
    struct config *config;
    struct head *head; /* until parsed */
    const char *head_base;
    struct buf body, upstream_head, upstream_body, reply, tail, extra;
    size_t memory_counted; /* of the station's request_bytes */
    struct coding *coding; /* of the body, until its end */
    uint8_t coding_kind, coding_result;
    uint64_t wire_bytes; /* of the body as it came */
    size_t body_most;    /* that this endpoint takes; 0: no body */
    struct target target;
    struct ask ask;
    struct key *key;
    const struct model *model;
    const struct dated_price *price; /* in force when it came; of its configuration */
    struct channel channel;
    struct exchange exchange;
    struct conversion *conversion;     /* of this attempt; NULL: bytes pass */
    struct buf converted;              /* for the client, of what one read of the upstream held */
    char *refused_where, *refused_why; /* of the first conversion that was refused */
    bool uncarried;                    /* it was refused for what the upstream's dialect lacks */
    char *lossy;                       /* what the conversion lost, or NULL */
    uint32_t refused_routes;           /* bits of routes that no conversion reaches */
    uint8_t spoken;                    /* the dialect of the upstream */
    struct meter meter;
    int16_t open_block; /* of a messages stream, -1: none */
    struct sse sse;
    struct array array; /* instead, where the stream is one */
    struct str run;     /* bytes of the reply that wait to be sent as one chunk */
    struct timer timer;
    struct timer pulse; /* of a stream: its head is due, or a keep-alive */
    int64_t told_ms;    /* when the client was last sent something */
    struct ip client;   /* as trusted proxies say */
    struct rid rid;
    char rid_text[RID_TEXT + 1];
    char *asked, *tag; /* the model's name as the client wrote it; Relay-Tag; or NULL */
    unsigned edits;    /* enum edit */
    char *detail;      /* words for our own error, instead of the end's; or NULL */
    const char *field;
    struct statement_ask *statement; /* what was asked for of it, or NULL */
    struct margin_query *margin;     /* the same of the margin */
    int64_t wanted_row;              /* of the prices; 0: all that there ever were */
    const char *problem_code;        /* instead of the end's; or NULL */
    uint8_t state, end;
    bool keep;         /* the client wants its connection kept, and nothing says otherwise */
    bool stale_pool;   /* it met an idle connection that was closed: there may be more of them */
    bool head_only;    /* it asked by HEAD: an answer has no body */
    bool durable;      /* its charge is, which may be reversed yet */
    bool reading;      /* it counts among its account's reads of the books */
    bool op_in_flight; /* `op` is in the ledger's hands: neither it nor the request may go */
    bool entered, stream, in_array, head_sent, bad_reply, own_usage_frame, terminal, late, unclosed,
        upstream_done, streamed, begun, refused;
    uint16_t status, problem_status;
    uint8_t failure;                      /* enum failure of the last attempt */
    struct health *tried[LIMIT_ATTEMPTS]; /* channels not to be tried again */
    unsigned tried_count;
    struct attempt attempts[LIMIT_ATTEMPTS];
    unsigned attempt_count, allot_waits;
    int64_t rest_ms;
    unsigned retry_after_s;
    struct hold hold;            /* from: the balance that pays, once one has been found */
    const struct factor *factor; /* of the customer's prices, NULL: 1; rate.id 0: none is needed */
    struct plan plan;            /* of the channel's upstream, at this attempt; no unit: none */
    int64_t spent_ms; /* until the first budget that is spent is there again; 0: none is */
    struct rate rate;
    struct ratio ratios[2]; /* both, where there are */
    unsigned ratio_count;
    int64_t estimate_in;
    uint64_t reach;       /* tokens of input that it may come to */
    uint64_t ceiling;     /* tokens of output that it may come to */
    uint64_t input_floor; /* tokens; known once the request's bytes are dropped */
    uint64_t bytes_in, bytes_out, settle_bytes;
    uint64_t undelivered; /* bytes that a client who left had not taken */
    int64_t ts_us, first_us;
    int64_t until_ms;    /* by the loop's clock */
    struct ledger_op op; /* one in flight at a time */
    struct self *self;   /* what the customer changes by itself; or NULL */
    struct charge charge;
    struct task free_task, refuse_task;
};

/* session.c */
void session_accept(void *ctx, struct conn *c);
void session_accept_admin(void *ctx, struct conn *c);
void session_send(struct session *s, struct str a, struct str b, struct str c);
/* What is sent from here to the end of the turn goes out in one piece. */
void session_cork(struct session *s);
/* The bytes of the request's own message are of no more use: wiped and freed. */
void session_forget(struct session *s);
void session_answered(struct session *s, bool keep); /* the request is over; the next may be read */
void session_close(struct session *s);               /* at once: an answer under way is cut */
void session_run(struct session *s);

/* body.c */
void body_begin(struct request *r); /* the head has arrived */
void body_take(void *ctx, const char *p, size_t n);
bool body_sound(struct request *r);     /* after bytes were taken; false: it has failed */
void body_too_large(struct request *r); /* by r->body_most */
bool body_end(struct request *r);       /* all has arrived; false: it has failed */

/* request.c */
extern const struct sm_state request_states[];
struct request *request_new(struct session *s);
void request_head(struct request *r); /* the head has arrived */
/* Counts what its buffers hold against the memory of all requests; false: over it. */
bool request_count_memory(struct request *r);
void request_body_done(struct request *r);
void request_client_gone(struct request *r, uint64_t undelivered);
void request_drained(struct request *r); /* the client has taken what waited */
void request_run(struct request *r);     /* drives steps until one waits */
void request_fail(struct request *r, enum end end);
void request_failf(struct request *r, enum end end, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void request_move(struct request *r, enum request_state to);
void request_await_total(struct request *r); /* the longest that it may take as a whole */

/* The station is stopped with this request under way: it ends now, and costs nothing. */
void request_stop(struct request *r);

/* steps.c: one short function a state */
void step_parse(struct request *r);
void step_admit(struct request *r);
void step_hold(struct request *r);
void step_send(struct request *r);
void step_answer(struct request *r);
void step_ledger_done(struct task *t);
/* Hands `op` to the ledger as this kind, the rest of it filled before; false: its queue is full. */
bool step_ledger_ask(struct request *r, enum ledger_op_kind kind) MUST_CHECK;
bool request_may_use(const struct request *r, const struct model *m); /* the key's scope */
void step_give_up(struct request *r);      /* no attempt is left: answers with the last failure */
bool step_authenticate(struct request *r); /* on the head, before a body is read */
/* Tokens of input that its model takes at most. */
uint64_t request_context(const struct request *r);
/* The most that so much may cost; INT64_MAX: more than can be counted. */
int64_t request_cost(const struct request *r, uint64_t in, uint64_t out);
/* The same of further output alone. */
int64_t request_cost_more(const struct request *r, uint64_t out);

/* charge.c */
void step_charge(struct request *r);
/* A charge came back from the ledger. */
void charge_done(struct request *r);
/* What is charged where the vendor has told no usage: the least that there was. */
void step_floor_usage(struct request *r);
/* The vendor names another model than was asked of it; a dated spelling of the same is none. */
bool request_mismatch(const struct request *r);

/* attempt.c */
#define ATTEMPT_ABANDONED "abandoned" /* nobody waits for its answer any more */
void attempt_begin(struct request *r);
void attempt_head(struct request *r); /* the reply's status has come */
/* By a failure of the table, "" where it has answered; nothing where it has ended before. */
void attempt_end(struct request *r, const char *failure);
/* What so much usage costs the operator on the channel at hand; false: nobody knows. */
bool attempt_cost(const struct request *r, const struct usage *u, int64_t *nano,
                  struct currency *cur);
/* Who bears what each attempt costs that no charge has told of. */
void attempt_costs_settle(struct request *r);

/* budget.c: the budgets of upstreams */
/* What the choice has to know of each route; notes the nearest reset of those that could serve. */
void budget_waits(struct request *r, const uint32_t *dialects, uint32_t wanted,
                  int64_t waits[LIMIT_ROUTES]);
/* The channel's budget is taken for an attempt; false: another request took the last of it. */
bool budget_take(struct request *r) MUST_CHECK;
void budget_give_back(struct request *r); /* it did not reach the vendor */
/* The attempt that begins counts in the store; false: the ledger is full, and it must not begin. */
bool budget_count(struct request *r) MUST_CHECK;
void budget_undo(struct request *r);    /* the last attempt did not reach its vendor after all */
void budget_charged(struct request *r); /* the last attempt has a durable charge */

/* close.c */
void step_close(struct request *r);

/* The attempt's row says why it failed, and its channel rests. */
void attempt_note(struct request *r, enum failure f, const char *why, unsigned status);
/* Tries another channel, or answers: with the vendor's own words where the table says so. */
void attempt_fail(struct request *r, enum failure f, const char *why, unsigned status);
/* The same with what r->reply says, which came under a status of success: it gets the status that
 * it stands for, and the client's own shape. */
void attempt_refused(struct request *r, const char *why);

/* reply.c */
extern const struct exchange_events reply_events;
/* The request's bytes are of no more use once the reply has begun: wiped and freed. */
void drop_request_bytes(struct request *r);

/* opening.c */
void stream_begin(struct request *r);  /* the reply is a stream */
void stream_open(struct request *r);   /* the client's head, and what has waited for it */
void stream_refuse(struct request *r); /* it is no answer; from inside its bytes */
/* Why an event of it was not taken. */
const char *stream_trouble(const struct request *r);
void stream_forget(struct request *r); /* all of it, for another attempt */
void stream_pulse(struct timer *t);
/* Looks at an event before the head is sent; false: it is a failure. */
bool stream_opening(struct request *r, const struct sse_event *ev, enum mark mark);
/* Whether a client that leaves now has had something of it. */
bool stream_owes(const struct request *r);

/* stream.c */
void stream_bytes(struct request *r, struct str bytes); /* from the upstream */
void stream_send(struct request *r, struct str bytes);  /* to the client, as a chunk */
void stream_end(struct request *r);                     /* the upstream's reply is over */
/* More of a balance can be held, or there is no more: its vendor may stay silent for long. */
void stream_allotted(struct request *r);
void stream_settle(struct request *r); /* to its charge */
void stream_cut(struct request *r, enum failure f, const char *why);
void stream_release_tail(struct request *r); /* after the commit */
void stream_broken(struct request *r, enum end end);
void stream_unended(struct request *r); /* its conversion has no end: what came is no answer */
/* It is written anew, and the vendor has said why it stopped: an end of its own is not needed. */
bool stream_finished(const struct request *r);

/* convert.c */
/* Dialects that an upstream may speak instead of this endpoint's. */
uint32_t convert_dialects(const struct endpoint *ep);
/* Makes r->conversion and the upstream's body in one of these; false: all refuse. */
bool convert_request(struct request *r, const struct vendor *v, uint32_t dialects);
void convert_event(struct request *r, struct str data); /* one event of the upstream's stream */
/* What the client gets last: into the tail, or all of it into r->reply. False: it is unreadable. */
bool convert_end(struct request *r) MUST_CHECK;
bool convert_whole(struct request *r);   /* r->reply in the client's dialect */
void convert_problem(struct request *r); /* the same of a vendor's error */
struct str convert_type(const struct request *r);
void convert_drop(struct request *r);

/* agent.c */
/* Adds what a coding agent's request may lose beyond what its route allows. */
void agent_extras(const struct request *r, uint64_t allowed[CONVERSION_FIELDS / 64]);

/* answer.c */
void answer_head(struct request *r, unsigned status, struct str content_type, int64_t length,
                 struct str extra, struct buf *out);
void answer_problem(struct request *r);
/* Endpoints of our own. */
void own_answer(struct request *r);
/* Tokens of the input, counted here because no upstream of the model counts them. */
void own_estimate(struct request *r);
/* The ledger has filled r->reply for one of them. */
/* own_books.c: read on a reader's thread; own_ledger_done answers */
void own_usage(struct request *r);
void own_statement(struct request *r);
void own_margin(struct request *r);
void own_ledger_done(struct request *r);
/* Hands r->op to a reader, unless its customer waits for enough of them. */
void own_ask_reader(struct request *r, enum ledger_op_kind kind);
void own_read_ended(struct request *r);
/* An answer of our own from r->reply; moves to CLOSE. extra: headers. */
void answer_own(struct request *r, unsigned status, struct str content_type, struct str extra);

/* self.c: what customers do by themselves. */
void self_redeem(struct request *r);
void self_rotate(struct request *r);
/* The ledger has done it. */
void self_done(struct request *r);
void self_free(struct request *r);

#endif
