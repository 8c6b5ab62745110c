/* SPDX-License-Identifier: Apache-2.0 */
#include "ledger/ledger_int.h"

/* No column of any table can hold a prompt, an answer or a raw key. Append-only tables say so by
 * trigger. */
static const char schema_1[] =
    "CREATE TABLE account(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
    " currency TEXT NOT NULL, kind TEXT NOT NULL CHECK(kind IN ('customer','house','system')),"
    " balance INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL,"
    " CHECK(kind<>'customer' OR balance>=0)) STRICT;"
    "CREATE TABLE key(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE CHECK(length(hash)=32),"
    " label TEXT NOT NULL, account INTEGER NOT NULL REFERENCES account(id), models TEXT NOT NULL,"
    " expires INTEGER NOT NULL, rpm INTEGER NOT NULL, concurrency INTEGER NOT NULL,"
    " budget INTEGER NOT NULL, budget_period TEXT NOT NULL CHECK(budget_period IN ('d','m')),"
    " revoked INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL) STRICT;"
    "CREATE TABLE price(id INTEGER PRIMARY KEY, model TEXT NOT NULL, currency TEXT NOT NULL,"
    " in_ INTEGER NOT NULL, out INTEGER NOT NULL, cache_read INTEGER NOT NULL,"
    " cache_write_5m INTEGER NOT NULL, cache_write_1h INTEGER NOT NULL,"
    " margin_num INTEGER NOT NULL, margin_den INTEGER NOT NULL CHECK(margin_den>0),"
    " ts INTEGER NOT NULL, UNIQUE(model, currency, in_, out, cache_read, cache_write_5m,"
    " cache_write_1h, margin_num, margin_den)) STRICT;"
    "CREATE TABLE epoch(id INTEGER PRIMARY KEY AUTOINCREMENT, started INTEGER NOT NULL,"
    " last_charge INTEGER NOT NULL) STRICT;" /* its own charges have greater ids */
    "CREATE TABLE allotment(epoch INTEGER NOT NULL REFERENCES epoch(id),"
    " account INTEGER NOT NULL REFERENCES account(id), nano INTEGER NOT NULL CHECK(nano>=0),"
    " PRIMARY KEY(epoch, account)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE charge(id INTEGER PRIMARY KEY, rid BLOB NOT NULL UNIQUE CHECK(length(rid)=16),"
    " account INTEGER NOT NULL REFERENCES account(id), key INTEGER NOT NULL REFERENCES key(id),"
    " tag TEXT NOT NULL, asked TEXT NOT NULL, sent TEXT NOT NULL, seen TEXT NOT NULL,"
    " upstream TEXT NOT NULL, price INTEGER REFERENCES price(id), in_ INTEGER NOT NULL,"
    " cache_read INTEGER NOT NULL, cache_write_5m INTEGER NOT NULL,"
    " cache_write_1h INTEGER NOT NULL, out INTEGER NOT NULL, reasoning INTEGER NOT NULL,"
    " state INTEGER NOT NULL, cost INTEGER NOT NULL CHECK(cost>=0), cost_currency TEXT NOT NULL,"
    " computed INTEGER NOT NULL CHECK(computed>=0),"
    " nano INTEGER NOT NULL CHECK(nano>=0 AND nano<=computed),"
    " epoch INTEGER NOT NULL, ts INTEGER NOT NULL) STRICT;"
    "CREATE INDEX charge_account ON charge(account, ts);"
    "CREATE TABLE transfer(id INTEGER PRIMARY KEY, debit INTEGER NOT NULL REFERENCES account(id),"
    " credit INTEGER NOT NULL REFERENCES account(id), nano INTEGER NOT NULL CHECK(nano>0),"
    " kind TEXT NOT NULL, cause INTEGER REFERENCES charge(id), note TEXT,"
    " ts INTEGER NOT NULL, CHECK(debit<>credit)) STRICT;"
    "CREATE INDEX transfer_cause ON transfer(cause) WHERE cause IS NOT NULL;"
    "CREATE UNIQUE INDEX transfer_reversal ON transfer(cause, credit) WHERE kind='reversal';"
    "CREATE TABLE request(rid BLOB PRIMARY KEY CHECK(length(rid)=16), account INTEGER,"
    " key INTEGER, endpoint TEXT NOT NULL, asked TEXT NOT NULL, upstream TEXT NOT NULL,"
    " stream INTEGER NOT NULL, end TEXT NOT NULL, status INTEGER NOT NULL,"
    " attempts INTEGER NOT NULL, edits TEXT NOT NULL, bytes_in INTEGER NOT NULL,"
    " bytes_out INTEGER NOT NULL, ts INTEGER NOT NULL, first_us INTEGER NOT NULL,"
    " end_us INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE attempt(rid BLOB NOT NULL, n INTEGER NOT NULL, upstream TEXT NOT NULL,"
    " status INTEGER NOT NULL, failure TEXT NOT NULL, ts INTEGER NOT NULL,"
    " PRIMARY KEY(rid, n)) STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER transfer_keep BEFORE UPDATE ON transfer BEGIN"
    " SELECT RAISE(ABORT, 'transfers are append-only'); END;"
    "CREATE TRIGGER transfer_stay BEFORE DELETE ON transfer BEGIN"
    " SELECT RAISE(ABORT, 'transfers are append-only'); END;"
    "CREATE TRIGGER charge_keep BEFORE UPDATE ON charge BEGIN"
    " SELECT RAISE(ABORT, 'charges are append-only'); END;"
    "CREATE TRIGGER charge_stay BEFORE DELETE ON charge BEGIN"
    " SELECT RAISE(ABORT, 'charges are append-only'); END;"
    "CREATE TRIGGER price_keep BEFORE UPDATE ON price BEGIN"
    " SELECT RAISE(ABORT, 'prices are append-only'); END;"
    "CREATE TRIGGER price_stay BEFORE DELETE ON price BEGIN"
    " SELECT RAISE(ABORT, 'prices are append-only'); END;";

/* Accounts have a budget as keys do. */
static const char schema_2[] =
    "ALTER TABLE account ADD COLUMN budget INTEGER NOT NULL DEFAULT 0 CHECK(budget>=0);"
    "ALTER TABLE account ADD COLUMN budget_period TEXT NOT NULL DEFAULT 'm'"
    " CHECK(budget_period IN ('d','m'));";

/* An attempt's ts is when it ended; rows of before do not know when it began. */
static const char schema_3[] =
    "ALTER TABLE attempt ADD COLUMN began INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE attempt ADD COLUMN first_us INTEGER NOT NULL DEFAULT 0;";

/* What a conversion between dialects could not carry. */
static const char schema_4[] = "ALTER TABLE request ADD COLUMN lossy TEXT NOT NULL DEFAULT '';";

/* Balances in several currencies, promo, credit for houses, and the rows that make a price. */
static const char schema_5[] =
    "ALTER TABLE account ADD COLUMN owner INTEGER REFERENCES account(id);" /* NULL: itself */
    "ALTER TABLE account ADD COLUMN promo INTEGER NOT NULL DEFAULT 0 CHECK(promo IN (0, 1));"
    "ALTER TABLE account ADD COLUMN credit_limit INTEGER NOT NULL DEFAULT 0"
    " CHECK(credit_limit>=0);"
    "ALTER TABLE account ADD COLUMN group_ TEXT NOT NULL DEFAULT '';"
    "CREATE UNIQUE INDEX account_balance ON account(owner, currency, promo)"
    " WHERE owner IS NOT NULL;"
    "CREATE TABLE rate(id INTEGER PRIMARY KEY, base TEXT NOT NULL, quote TEXT NOT NULL,"
    " num INTEGER NOT NULL CHECK(num>0), den INTEGER NOT NULL CHECK(den>0),"
    " from_ INTEGER NOT NULL, source TEXT NOT NULL, ts INTEGER NOT NULL,"
    " CHECK(base<>quote)) STRICT;"
    "CREATE TABLE factor(id INTEGER PRIMARY KEY,"
    " scope TEXT NOT NULL CHECK(scope IN ('account', 'group')), name TEXT NOT NULL,"
    " num INTEGER NOT NULL CHECK(num>0), den INTEGER NOT NULL CHECK(den>0),"
    " ts INTEGER NOT NULL) STRICT;"
    "ALTER TABLE charge ADD COLUMN promo INTEGER NOT NULL DEFAULT 0"
    " CHECK(promo>=0 AND promo<=nano);"
    "ALTER TABLE charge ADD COLUMN factor INTEGER REFERENCES factor(id);"
    "ALTER TABLE charge ADD COLUMN rate INTEGER REFERENCES rate(id);"
    "ALTER TABLE charge ADD COLUMN cost_to TEXT NOT NULL DEFAULT '';" /* '': the upstream's cogs */
    "CREATE TRIGGER rate_keep BEFORE UPDATE ON rate BEGIN"
    " SELECT RAISE(ABORT, 'rates are append-only'); END;"
    "CREATE TRIGGER rate_stay BEFORE DELETE ON rate BEGIN"
    " SELECT RAISE(ABORT, 'rates are append-only'); END;"
    "CREATE TRIGGER factor_keep BEFORE UPDATE ON factor BEGIN"
    " SELECT RAISE(ABORT, 'factors are append-only'); END;"
    "CREATE TRIGGER factor_stay BEFORE DELETE ON factor BEGIN"
    " SELECT RAISE(ABORT, 'factors are append-only'); END;";

/* Leaves beyond the six columns, and the tier that the vendor named. */
static const char schema_6[] = "ALTER TABLE charge ADD COLUMN more TEXT NOT NULL DEFAULT '';"
                               "ALTER TABLE charge ADD COLUMN tier TEXT NOT NULL DEFAULT '';";

/*
 * A price is its terms, so that it may have any rates. Charges refer to the rows, whose ids stay; a
 * rate is left out where it is the one that its leaf falls back to, as price_terms_write does.
 * Which price a model had from when is in offer: the greatest from_ that has come, of the greatest
 * id; NULL: it was not sold from then on. The index serves the check of each reference while the
 * table goes and comes.
 */
static const char schema_7[] =
    "PRAGMA defer_foreign_keys=ON;"
    "CREATE INDEX charge_price ON charge(price);"
    "CREATE TABLE price_copy(id INTEGER PRIMARY KEY, model TEXT, currency TEXT, terms TEXT,"
    " margin_num INTEGER, margin_den INTEGER, ts INTEGER) STRICT;"
    "INSERT INTO price_copy SELECT id, model, currency, '{\"tiers\":[{\"min_input\":0,\"in\":' || "
    "in_"
    " || CASE WHEN cache_read<>in_ THEN ',\"cache_read\":' || cache_read ELSE '' END"
    " || CASE WHEN cache_write_5m<>in_ THEN ',\"cache_write_5m\":' || cache_write_5m ELSE '' END"
    " || CASE WHEN cache_write_1h<>cache_write_5m THEN ',\"cache_write_1h\":' || cache_write_1h"
    " ELSE '' END || ',\"out\":' || out || '}]}', margin_num, margin_den, ts FROM price;"
    "DROP TABLE price;"
    "CREATE TABLE price(id INTEGER PRIMARY KEY, model TEXT NOT NULL, currency TEXT NOT NULL,"
    " terms TEXT NOT NULL, margin_num INTEGER NOT NULL CHECK(margin_num>0),"
    " margin_den INTEGER NOT NULL CHECK(margin_den>0), source TEXT NOT NULL, ts INTEGER NOT NULL,"
    " UNIQUE(model, currency, terms, margin_num, margin_den)) STRICT;"
    "INSERT INTO price SELECT id, model, currency, terms, margin_num, margin_den, '', ts"
    " FROM price_copy;"
    "DROP TABLE price_copy;"
    "DROP INDEX charge_price;"
    "CREATE TRIGGER price_keep BEFORE UPDATE ON price BEGIN"
    " SELECT RAISE(ABORT, 'prices are append-only'); END;"
    "CREATE TRIGGER price_stay BEFORE DELETE ON price BEGIN"
    " SELECT RAISE(ABORT, 'prices are append-only'); END;"
    "CREATE TABLE offer(id INTEGER PRIMARY KEY, model TEXT NOT NULL,"
    " price INTEGER REFERENCES price(id), from_ INTEGER NOT NULL, ts INTEGER NOT NULL)"
    " STRICT;"
    "CREATE INDEX offer_model ON offer(model, id);"
    "INSERT INTO offer(model, price, from_, ts) SELECT model, id, ts, ts FROM price ORDER BY id;"
    "CREATE TRIGGER offer_keep BEFORE UPDATE ON offer BEGIN"
    " SELECT RAISE(ABORT, 'offers are append-only'); END;"
    "CREATE TRIGGER offer_stay BEFORE DELETE ON offer BEGIN"
    " SELECT RAISE(ABORT, 'offers are append-only'); END;";

/*
 * Vouchers, refunds, and keys that replace others. Of a code only its HMAC is kept, under a secret
 * of this store: here and not in a file beside it, so that a backup has all that redeeming takes;
 * the codes' 128 random bits are what keeps them from being found.
 */
static const char schema_8[] =
    "CREATE TABLE secret(name TEXT PRIMARY KEY, bytes BLOB NOT NULL CHECK(length(bytes)=32),"
    " ts INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE voucher_batch(id INTEGER PRIMARY KEY, currency TEXT NOT NULL,"
    " nano INTEGER NOT NULL CHECK(nano>0), count INTEGER NOT NULL CHECK(count>0),"
    " expires INTEGER NOT NULL, note TEXT NOT NULL, ts INTEGER NOT NULL,"
    " transfer INTEGER NOT NULL REFERENCES transfer(id)) STRICT;" /* nano: of each */
    "CREATE TABLE voucher(id INTEGER PRIMARY KEY,"
    " batch INTEGER NOT NULL REFERENCES voucher_batch(id),"
    " hmac BLOB NOT NULL UNIQUE CHECK(length(hmac)=32), state TEXT NOT NULL DEFAULT 'open'"
    " CHECK(state IN ('open', 'redeemed', 'void')), account INTEGER REFERENCES account(id),"
    " transfer INTEGER REFERENCES transfer(id), ts INTEGER NOT NULL DEFAULT 0,"
    " CHECK((state='redeemed')=(account IS NOT NULL) AND (state='open')=(transfer IS NULL)))"
    " STRICT;" /* account: the balance that it went to; transfer, ts: of its end */
    "CREATE INDEX voucher_batch_of ON voucher(batch);"
    "CREATE INDEX voucher_account ON voucher(account) WHERE account IS NOT NULL;"
    "CREATE TABLE refund(id INTEGER PRIMARY KEY, account INTEGER NOT NULL REFERENCES account(id),"
    " nano INTEGER NOT NULL CHECK(nano>0), reference TEXT NOT NULL,"
    " state TEXT NOT NULL DEFAULT 'requested' CHECK(state IN ('requested', 'sent', 'cancelled')),"
    " ts INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0,"
    " transfer INTEGER NOT NULL REFERENCES transfer(id),"
    " end_transfer INTEGER REFERENCES transfer(id),"
    " CHECK((state='requested')=(end_transfer IS NULL))) STRICT;"
    "CREATE UNIQUE INDEX refund_reference ON refund(account, reference)"
    " WHERE reference<>'' AND state<>'cancelled';"
    "CREATE INDEX transfer_out ON transfer(debit) WHERE cause IS NULL;" /* not a charge's */
    "CREATE INDEX transfer_in ON transfer(credit) WHERE cause IS NULL;"
    "ALTER TABLE key ADD COLUMN root INTEGER REFERENCES key(id);" /* whose limits it has */
    "CREATE INDEX key_root ON key(root) WHERE root IS NOT NULL;"
    "CREATE TRIGGER voucher_batch_keep BEFORE UPDATE ON voucher_batch BEGIN"
    " SELECT RAISE(ABORT, 'batches are append-only'); END;"
    "CREATE TRIGGER voucher_batch_stay BEFORE DELETE ON voucher_batch BEGIN"
    " SELECT RAISE(ABORT, 'batches are append-only'); END;"
    "CREATE TRIGGER voucher_ends_once BEFORE UPDATE ON voucher WHEN OLD.state<>'open' BEGIN"
    " SELECT RAISE(ABORT, 'a voucher ends once'); END;"
    "CREATE TRIGGER voucher_stay BEFORE DELETE ON voucher BEGIN"
    " SELECT RAISE(ABORT, 'vouchers stay'); END;"
    "CREATE TRIGGER refund_ends_once BEFORE UPDATE ON refund WHEN OLD.state<>'requested' BEGIN"
    " SELECT RAISE(ABORT, 'a refund ends once'); END;"
    "CREATE TRIGGER refund_stay BEFORE DELETE ON refund BEGIN"
    " SELECT RAISE(ABORT, 'refunds stay'); END;";

/* What came back by a reversal, for statements: few rows. */
static const char schema_9[] =
    "CREATE INDEX transfer_back ON transfer(credit) WHERE kind='reversal';";

/* What an operator paid in at a vendor, or wrote off there. A purchase across currencies has
 * transfers in two of them, which it alone ties together. */
static const char schema_10[] =
    "CREATE TABLE purchase(id INTEGER PRIMARY KEY, kind TEXT NOT NULL"
    " CHECK(kind IN ('buy', 'writeoff')), upstream TEXT NOT NULL, currency TEXT NOT NULL,"
    " nano INTEGER NOT NULL CHECK(nano>0), paid_currency TEXT NOT NULL,"
    " paid INTEGER NOT NULL CHECK(paid>=0), spread INTEGER NOT NULL CHECK(spread BETWEEN 0 AND"
    " paid), note TEXT NOT NULL, ts INTEGER NOT NULL,"
    " CHECK(paid_currency<>currency OR (spread=0 AND paid=nano))) STRICT;"
    "ALTER TABLE transfer ADD COLUMN purchase INTEGER REFERENCES purchase(id);"
    "CREATE INDEX transfer_purchase ON transfer(purchase) WHERE purchase IS NOT NULL;"
    "CREATE TRIGGER purchase_keep BEFORE UPDATE ON purchase BEGIN"
    " SELECT RAISE(ABORT, 'purchases are append-only'); END;"
    "CREATE TRIGGER purchase_stay BEFORE DELETE ON purchase BEGIN"
    " SELECT RAISE(ABORT, 'purchases are append-only'); END;";

/* A period of an upstream's budget: units that went to its vendor (used), those of them whose part
 * of the period's cost is booked, and how much that is (spent). Once the period has ended and all
 * of its cost is booked it is closed. */
static const char schema_11[] =
    "CREATE TABLE plan(id INTEGER PRIMARY KEY, upstream TEXT NOT NULL,"
    " unit TEXT NOT NULL CHECK(unit IN ('requests', 'tokens', 'amount')),"
    " units INTEGER NOT NULL CHECK(units>0), cost INTEGER NOT NULL CHECK(cost>=0),"
    " currency TEXT NOT NULL, from_ INTEGER NOT NULL, until INTEGER NOT NULL,"
    " used INTEGER NOT NULL DEFAULT 0 CHECK(used>=0),"
    " booked INTEGER NOT NULL DEFAULT 0 CHECK(booked>=0),"
    " spent INTEGER NOT NULL DEFAULT 0 CHECK(spent BETWEEN 0 AND cost),"
    " closed INTEGER NOT NULL DEFAULT 0 CHECK(closed IN (0, 1)),"
    " UNIQUE(upstream, from_, unit, currency)) STRICT;"
    "ALTER TABLE charge ADD COLUMN plan INTEGER REFERENCES plan(id);"
    "CREATE INDEX charge_plan ON charge(plan) WHERE plan IS NOT NULL;"
    "ALTER TABLE transfer ADD COLUMN plan INTEGER REFERENCES plan(id);"
    "CREATE INDEX transfer_plan ON transfer(plan) WHERE plan IS NOT NULL;";

/* Costs that nobody is charged for. */
static const char schema_12[] =
    "ALTER TABLE charge ADD COLUMN beyond INTEGER NOT NULL DEFAULT 0 CHECK(beyond>=0);"
    "ALTER TABLE attempt ADD COLUMN cost INTEGER CHECK(cost>=0);" /* NULL: unknown, or a charge's */
    "ALTER TABLE attempt ADD COLUMN cost_currency TEXT;"
    "ALTER TABLE attempt ADD COLUMN cost_to TEXT NOT NULL DEFAULT '';"; /* '': as charge's */

/* A station that spends alone keeps balances in memory; nobody may start beside it. One that shares
 * asks the disk. Settled: its allotments are returned, its charges closed or reversed. */
static const char schema_13[] =
    "ALTER TABLE epoch ADD COLUMN state TEXT NOT NULL DEFAULT 'alone'"
    " CHECK(state IN ('alone', 'shared', 'settled'));"
    "UPDATE epoch SET state='settled' WHERE id<(SELECT MAX(id) FROM epoch);"
    "CREATE INDEX epoch_open ON epoch(id) WHERE state<>'settled';"
    "CREATE TABLE budget_hold(epoch INTEGER NOT NULL REFERENCES epoch(id)," /* for the others */
    " key INTEGER NOT NULL REFERENCES key(id), nano INTEGER NOT NULL CHECK(nano>=0),"
    " PRIMARY KEY(epoch, key)) STRICT, WITHOUT ROWID;";

/* What is booked under a reference is booked once: an account's, or an upstream's. */
static const char schema_14[] =
    "CREATE TABLE reference(scope TEXT NOT NULL, reference TEXT NOT NULL, what TEXT NOT NULL,"
    " transfer INTEGER NOT NULL REFERENCES transfer(id), PRIMARY KEY(scope, reference))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TRIGGER reference_keep BEFORE UPDATE ON reference BEGIN"
    " SELECT RAISE(ABORT, 'references are append-only'); END;"
    "CREATE TRIGGER reference_stay BEFORE DELETE ON reference BEGIN"
    " SELECT RAISE(ABORT, 'references are append-only'); END;";

/* What was booked of a period before its units or its cost were changed. */
static const char schema_15[] =
    "ALTER TABLE plan ADD COLUMN base_booked INTEGER NOT NULL DEFAULT 0 CHECK(base_booked>=0);"
    "ALTER TABLE plan ADD COLUMN base_spent INTEGER NOT NULL DEFAULT 0 CHECK(base_spent>=0);";

const char *const ledger_schema[] = {schema_1,  schema_2,  schema_3,  schema_4,  schema_5,
                                     schema_6,  schema_7,  schema_8,  schema_9,  schema_10,
                                     schema_11, schema_12, schema_13, schema_14, schema_15};
const int ledger_schema_count = sizeof ledger_schema / sizeof ledger_schema[0];

const char *const ledger_sql[SQL_COUNT] = {
    [SQL_INSERT_ACCOUNT] = "INSERT INTO account(name, currency, kind, created, budget,"
                           " budget_period) VALUES(?,?,?,?,?,?)",
    [SQL_INSERT_BALANCE] = "INSERT INTO account(name, currency, kind, created, owner, promo)"
                           " SELECT ?1, ?2, kind, ?3, id, ?4 FROM account WHERE id=?5",
    [SQL_SET_CREDIT_LIMIT] = "UPDATE account SET credit_limit=? WHERE id=?",
    [SQL_SET_GROUP] = "UPDATE account SET group_=? WHERE id=?",
    [SQL_INSERT_FACTOR] = "INSERT INTO factor(scope, name, num, den, ts) VALUES(?,?,?,?,?)",
    [SQL_INSERT_RATE] =
        "INSERT INTO rate(base, quote, num, den, from_, source, ts) VALUES(?,?,?,?,?,?,?)",
    [SQL_SET_BUDGET] = "UPDATE account SET budget=?, budget_period=? WHERE id=?",
    [SQL_SPENT] = /* by an account, since a time; what was reversed left out */
    "SELECT COALESCE(SUM(c.nano), 0), COALESCE(MAX(c.ts), 0) FROM charge c WHERE c.account=?1 AND "
    "c.ts>=?2 AND NOT EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id AND t.kind='reversal')",
    [SQL_SPENT_BY_KEY] = /* and since a later one, by each key with those that replaced it */
    "SELECT COALESCE(k.root, k.id), SUM(c.nano), SUM(CASE WHEN c.ts>=?3 THEN c.nano ELSE 0 END),"
    " MAX(c.ts) FROM charge c JOIN key k ON k.id=c.key WHERE c.account=?1 AND c.ts>=?2 AND NOT"
    " EXISTS(SELECT 1 FROM transfer t WHERE t.cause=c.id AND t.kind='reversal') GROUP BY 1",
    [SQL_INSERT_CHARGE] =
        "INSERT INTO charge(rid, account, key, tag, asked, sent, seen, upstream, price, in_,"
        " cache_read, cache_write_5m, cache_write_1h, out, reasoning, state, cost, cost_currency,"
        " computed, nano, epoch, ts, promo, factor, rate, more, tier, plan, beyond)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_TRANSFER] =
        "INSERT INTO transfer(debit, credit, nano, kind, cause, note, ts, purchase,"
        " plan) VALUES(?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_PURCHASE] =
        "INSERT INTO purchase(kind, upstream, currency, nano, paid_currency, paid, spread, note,"
        " ts) VALUES(?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_PLAN] =
        "INSERT INTO plan(upstream, unit, units, cost, currency, from_, until)"
        " VALUES(?,?,?,?,?,?,?) ON CONFLICT(upstream, from_, unit, currency) DO NOTHING",
    [SQL_USE_PLAN] = "UPDATE plan SET used=MAX(0, used+?5), booked=booked+?6"
                     " WHERE upstream=?1 AND from_=?2 AND unit=?3 AND currency=?4"
                     " RETURNING id, units, cost, booked, spent, closed, base_booked, base_spent",
    [SQL_SPEND_PLAN] = "UPDATE plan SET spent=spent+? WHERE id=?",
    [SQL_REFUSE_PLAN] = "UPDATE plan SET used=used-?, booked=booked-?, spent=spent-? WHERE id=?",
    [SQL_INSERT_REQUEST] =
        "INSERT INTO request(rid, account, key, endpoint, asked, upstream, stream, end, status,"
        " attempts, edits, bytes_in, bytes_out, ts, first_us, end_us, lossy)"
        " VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_ATTEMPT] =
        "INSERT INTO attempt(rid, n, upstream, status, failure, ts, began, first_us, cost,"
        " cost_currency, cost_to) VALUES(?,?,?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_ALLOTMENT] = "INSERT INTO allotment(epoch, account, nano) VALUES(?,?,0)",
    [SQL_INSERT_KEY] =
        "INSERT INTO key(hash, label, account, models, expires, rpm, concurrency, budget,"
        " budget_period, created) VALUES(?,?,?,?,?,?,?,?,?,?)",
    [SQL_INSERT_PRICE] =
        "INSERT INTO price(model, currency, terms, margin_num, margin_den, source, ts)"
        " VALUES(?,?,?,?,?,?,?)",
    [SQL_UPDATE_BALANCE] = "UPDATE account SET balance=balance+? WHERE id=?",
    [SQL_UPDATE_ALLOTMENT] = "UPDATE allotment SET nano=nano+? WHERE epoch=? AND account=?",
    [SQL_REVOKE_KEY] = "UPDATE key SET revoked=1 WHERE id=?",
    [SQL_FIND_PRICE] =
        "SELECT id FROM price WHERE model=? AND currency=? AND terms=? AND margin_num=?"
        " AND margin_den=?",
    [SQL_OFFERED] = /* what a model costs at a time */
    "SELECT price FROM offer WHERE model=? AND from_<=? ORDER BY id DESC LIMIT 1",
    [SQL_LAST_OFFER] = "SELECT price, from_ FROM offer WHERE model=? ORDER BY id DESC LIMIT 1",
    [SQL_ALL_OFFERED] = "SELECT model FROM offer o WHERE price IS NOT NULL AND"
                        " id=(SELECT MAX(id) FROM offer WHERE model=o.model)",
    [SQL_INSERT_OFFER] = "INSERT INTO offer(model, price, from_, ts) VALUES(?,?,?,?)",
    [SQL_FIND_CHARGE] = "SELECT id, key, nano, ts, account FROM charge WHERE rid=?",
    [SQL_CHARGE_TRANSFERS] = "SELECT debit, credit, nano, kind FROM transfer WHERE cause=?"
                             " AND kind IN ('charge','promo','discount','overrun','cost')",
    [SQL_INSERT_EPOCH] = "INSERT INTO epoch(started, last_charge, state)"
                         " SELECT ?1, COALESCE(MAX(id), 0), ?2 FROM charge",
    [SQL_SET_EPOCH] = "UPDATE epoch SET state=? WHERE id=?",
    [SQL_OPEN_EPOCH] = "SELECT id, last_charge, state FROM epoch WHERE state<>'settled' AND id>?"
                       " AND id<>? ORDER BY id LIMIT 1",
    [SQL_DROP_ALLOTMENTS] = "DELETE FROM allotment WHERE epoch=?",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_LAST_ACCOUNT] = "SELECT COALESCE(MAX(id), 0) FROM account",
    [SQL_LAST_KEY] = "SELECT COALESCE(MAX(id), 0) FROM key",
    [SQL_LAST_CHARGE] = "SELECT COALESCE(MAX(id), 0) FROM charge",
    [SQL_LAST_TRANSFER] = "SELECT COALESCE(MAX(id), 0) FROM transfer",
    [SQL_NEW_ACCOUNTS] = "SELECT id, name, currency, kind, balance, budget, budget_period,"
                         " credit_limit, group_, owner, promo FROM account WHERE id>? ORDER BY id",
    [SQL_NEW_KEYS] = "SELECT id, hash, label, account, models, expires, rpm, concurrency,"
                     " budget, budget_period, revoked, root FROM key WHERE id>? ORDER BY id",
    [SQL_NEW_CHARGES] = "SELECT id, key, account, nano, epoch, ts FROM charge WHERE id>?"
                        " ORDER BY id",
    [SQL_NEW_TRANSFERS] = /* its charge, as above, where it takes one back */
    "SELECT t.id, c.key, c.account, c.nano, c.epoch, c.ts, c.id, t.debit, t.kind='reversal',"
    " t.credit FROM transfer t LEFT JOIN charge c ON c.id=t.cause WHERE t.id>? ORDER BY t.id",
    [SQL_DROP_BUDGET_HOLDS] = "DELETE FROM budget_hold WHERE epoch=?",
    [SQL_TELL_BUDGET_HOLD] = "INSERT OR REPLACE INTO budget_hold(epoch, key, nano) VALUES(?,?,?)",
    [SQL_BUDGET_HOLDS] = "SELECT key, SUM(nano) FROM budget_hold WHERE epoch<>? GROUP BY key",
    [SQL_REVOKED] = "SELECT id FROM key WHERE revoked=1",
    [SQL_PURSE] = "SELECT balance, credit_limit, (SELECT COALESCE(SUM(l.nano), 0) FROM allotment l"
                  " WHERE l.account=?1 AND l.epoch IN (SELECT id FROM epoch"
                  " WHERE state<>'settled')) FROM account WHERE id=?1",
    [SQL_REVERSED] = "SELECT 1 FROM transfer WHERE cause=? AND kind IN ('reversal','lost')",
};
