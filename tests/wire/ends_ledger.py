# SPDX-License-Identifier: Apache-2.0
"""More of ends.py: what ends for money, for time, or because the ledger does not keep up."""
import contextlib
import signal

from tests.peer.case import CHAT, body_for
from tests.peer.wait import until
from tests.wire.ends import cause, chat

FLOOD = 100_000     # LIMIT_LEDGER_QUEUE
HALF = FLOOD // 2 + 500     # nobody is let in above half; one batch has left the queue
READERS = 400       # more than may wait anywhere


# Money and time

@cause
def no_funds(t):
    return t.customer("0").post(CHAT, body_for("chat"))


@cause
def budget(t):
    one = t.customer("5.00", budget="0.0001", period="month")
    return one.post(CHAT, body_for("chat", maximum=1000))


@cause
def account_budget(t):
    one = t.customer("5.00")
    t.station.cli("account", "set", one.name, "--budget", "0.0001", "--budget-period", "month")
    return one.post(CHAT, body_for("chat", maximum=1000))


@cause
def limit(t):
    one = t.customer("0.03")
    one.post(CHAT, body_for("chat", "x [[tokens=30000 pause=0.0001]]", stream=True, maximum=100000))


@cause
def total_time(t):
    t.hold_streams()
    chat(t, stream=True)


# Another process holds the store: nothing is committed meanwhile.

@cause
def ledger_late(t):
    new = t.customer()
    with t.stalled_ledger():
        return new.post(CHAT, body_for("chat"))


def flood(t, count):
    """Requests that are refused and leave a row each for the ledger."""
    with t.station.connect() as raw:
        for _ in range(count // 500):
            raw.send(t.buyer.request(CHAT, b"{") * 500)
            for _ in range(500):
                t.assertEqual(raw.response().status, 400)


@cause
def ledger_down(t):
    with t.stalled_ledger():
        flood(t, HALF)
        return chat(t)


@cause
def store_failed(t):
    with t.stalled_ledger():
        flood(t, HALF)
        return t.buyer.post("/v1/keys/rotate", {})


@cause
def ledger_full(t):
    """More reads of the ledger than may wait, of a house, which may have many. They are sent while
    the station stands still, so that it finds all of them at once."""
    house = t.customer(None, kind="house")
    with t.stalled_ledger(), contextlib.ExitStack() as crowd:
        flood(t, FLOOD)
        t.assertEqual(t.station.ask("GET", "/readyz").status, 503)
        readers = [crowd.enter_context(t.station.connect()) for _ in range(READERS)]

        def burst():
            t.station.signal(signal.SIGSTOP)
            for raw in readers:
                raw.request("GET", "/v1/usage", [house.auth])
            t.station.signal(signal.SIGCONT)
            answers = [raw.response() for raw in readers]
            return next((answer for answer in answers if answer.status != 200), None)

        return until(burst, "one of many reads is refused")
