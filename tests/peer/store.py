# SPDX-License-Identifier: Apache-2.0
"""Reads the station's SQLite file, read-only, to see what it really recorded."""
import sqlite3

from tests.peer.wait import PATIENCE_S, until

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"    # Crockford's base32
STATE_OK, STATE_INCONSISTENT, STATE_MISSING = 0, 1, 2     # charge.state: of the usage


def rid_bytes(text):
    """A request id as the store keeps it: 128 bits out of the 26 characters of the header."""
    number = 0
    for character in text.upper():
        number = number * 32 + ALPHABET.index(character)
    return number.to_bytes(16, "big")


class Store:
    def __init__(self, path):
        self.path = path

    def sql(self, statement, *values):
        """All rows of one read, as dicts."""
        connection = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=PATIENCE_S)
        try:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]
        finally:
            connection.close()

    def balance(self, name):
        """Nano on an account, as the disk has it."""
        return self.sql("SELECT balance FROM account WHERE name = ?", name)[0]["balance"]

    def charges(self, rid=None):
        """Charge rows of a request; of all, by request id, when none is named."""
        if rid is not None:
            return self.sql("SELECT * FROM charge WHERE rid = ?", rid_bytes(rid))
        found = {}
        for row in self.sql("SELECT * FROM charge"):
            found.setdefault(row["rid"], []).append(row)
        return found

    def charge(self, rid):
        """The one charge of a request; None when there is none. Two are always wrong."""
        rows = self.charges(rid)
        if len(rows) > 1:
            raise AssertionError(f"{rid} was charged {len(rows)} times")
        return rows[0] if rows else None

    def request(self, rid):
        rows = self.sql("SELECT * FROM request WHERE rid = ?", rid_bytes(rid))
        return rows[0] if rows else None

    def wait_request(self, rid, seconds=PATIENCE_S):
        """The closing row, which is written a little after the answer."""
        return until(lambda: self.request(rid), f"the request row of {rid}", seconds)

    def wait_requests(self, rids, seconds=PATIENCE_S):
        """The closing rows of all these requests."""
        wanted = {rid_bytes(rid) for rid in rids}
        until(lambda: wanted <= {row["rid"] for row in self.sql("SELECT rid FROM request")},
              f"the rows of {len(wanted)} requests", seconds)

    def attempts(self, rid):
        """The attempts of a request, in their order; the one that answered has no failure."""
        return self.sql("SELECT * FROM attempt WHERE rid = ? ORDER BY n", rid_bytes(rid))

    def net(self, rid):
        """Nano that the customer has paid for a request in the end, counted from the transfers:
        what left the account for its charge, less what came back."""
        return self.sql(
            "SELECT coalesce(sum(CASE WHEN t.debit = c.account THEN t.nano"
            " WHEN t.credit = c.account THEN -t.nano ELSE 0 END), 0) AS nano"
            " FROM charge c JOIN transfer t ON t.cause = c.id WHERE c.rid = ?",
            rid_bytes(rid))[0]["nano"]

    def nets(self):
        """The same for every request, by request id (bytes)."""
        return {row["rid"]: row["nano"] for row in self.sql(
            "SELECT c.rid AS rid, sum(CASE WHEN t.debit = c.account THEN t.nano"
            " WHEN t.credit = c.account THEN -t.nano ELSE 0 END) AS nano"
            " FROM charge c LEFT JOIN transfer t ON t.cause = c.id GROUP BY c.rid")}
