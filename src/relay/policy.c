/* SPDX-License-Identifier: Apache-2.0 */
/* The policy as code asks for it, and as /v1/policy tells it. */
#include "relay/policy.h"

#include "base/hash.h"
#include "json/json.h"

#define POLICY_BYTES (64 << 10)

static const struct end_row ends[END_COUNT] = {
#define X(NAME, name, pays, cost_to, status, code, text) \
    [END_##NAME] = {name, PAYS_##pays, BEARER_##cost_to, status, code, text},
#include "relay/ends.def"
#undef X
};

const struct end_row *end_row(enum end e)
{
    return &ends[e];
}

const char *pays_name(enum pays p)
{
    static const char *const names[] = {
        [PAYS_NOBODY] = "nothing", [PAYS_LOWER] = "lower_bound", [PAYS_CUSTOMER] = "computed"};

    return names[p];
}

const char *bearer_account(enum bearer b)
{
    static const char *const accounts[] = {
        [BEARER_NONE] = NULL,
        [BEARER_COGS] = NULL,
        [BEARER_FAILED] = "cogs:failed_attempts",
        [BEARER_NO_USAGE] = "loss:no_usage",
        [BEARER_ZERO] = "loss:zero_completion",
        [BEARER_CRASH] = "loss:crash",
    };

    return accounts[b];
}

const struct policy_rule policy_rules[] = {
    {"computed", "Usage times the price row, its margin, the customer's factor and the rate of its "
                 "admission, rounded down once."},
    {"lower_bound",
     "Where the vendor has told its usage, that is charged. Where it has not, what "
     "there was at the very least: one token for eight bytes of text, of output only "
     "what was delivered."},
    {"overrun", "Never more than was held and is there: what an answer comes to beyond that is "
                "the operator's (loss:overrun)."},
    {"promo", "Promo pays first."},
    {"one_answer", "Only the attempt that answers is paid for. What one costs that failed before a "
                   "byte was sent is the operator's (cogs:failed_attempts), also where it was the "
                   "last."},
    {"inconsistent_usage", "Where a vendor's numbers contradict each other the cheaper reading is "
                           "charged, and the charge says so."},
    {"other_model",
     "Where the reply names another model than the one that was asked for, and that "
     "one is sold here in the same currency, the cheaper of the two prices is "
     "charged: the price row is then the other model's. A dated spelling is the same "
     "model."},
    {"unknown_cost", "A cost that the vendor has not told is unknown, never zero. Of an answer "
                     "without usage the lower bound's cost is the upstream's cost of sales; what "
                     "an estimate of four bytes for a token comes to beyond it is loss:no_usage."},
    {"reversal", "A charge that comes too late, or that no answer has followed when the station "
                 "died, is given back whole; its cost is loss:crash."},
};
const size_t policy_rule_count = sizeof(policy_rules) / sizeof(policy_rules[0]);

static void write_rules(struct buf *out)
{
    for (size_t i = 0; i < policy_rule_count; i++) {
        buf_add(out, i == 0 ? STR("{\"rule\":") : STR(",{\"rule\":"));
        json_write_str(out, str_from(policy_rules[i].name));
        buf_add(out, STR(",\"text\":"));
        json_write_str(out, str_from(policy_rules[i].text));
        buf_add_byte(out, '}');
    }
}

static void write_end(struct buf *out, const struct end_row *row)
{
    buf_add(out, STR("{\"end\":"));
    json_write_str(out, str_from(row->name));
    buf_addf(out, ",\"customer_pays\":\"%s\",\"cost_to\":", pays_name((enum pays)row->pays));
    if (row->bearer == BEARER_NONE) {
        buf_add(out, STR("null"));
    } else {
        const char *account = bearer_account((enum bearer)row->bearer);
        json_write_str(out, str_from(account != NULL ? account : "cogs:{upstream}"));
    }
    buf_add(out, STR(",\"status\":"));
    if (row->status == 0) {
        buf_add(out, STR("null"));
    } else {
        buf_add_u64(out, row->status);
    }
    buf_add(out, STR(",\"text\":"));
    json_write_str(out, str_from(row->text));
    buf_add_byte(out, '}');
}

void policy_write(struct buf *out)
{
    struct buf text;
    char version[HASH_HEX + 1];

    buf_init(&text, POLICY_BYTES);
    buf_add(&text, STR("{\"rules\":["));
    write_rules(&text);
    buf_add(&text, STR("],\"ends\":["));
    for (enum end e = 0; e < END_COUNT; e++) {
        if (e > 0) {
            buf_add_byte(&text, ',');
        }
        write_end(&text, &ends[e]);
    }
    buf_add(&text, STR("]}"));
    hash_hex(version, buf_str(&text));
    buf_cat(out, STR("{\"version\":\""), str_from(version), STR("\",\"policy\":"), buf_str(&text),
            STR("}"));
    buf_release(&text);
}
