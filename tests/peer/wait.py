# SPDX-License-Identifier: Apache-2.0
"""Waiting for what must come, however slow and busy the machine is.

A client has its answer before the station has written the closing row, counted the request and
given its slot back: whatever is read of these is waited for. The maximum here only ends a test that
has failed; it is no measure of anything.
"""
import time

PATIENCE_S = 60.0


def until(condition, what, seconds=PATIENCE_S):
    """The first true value of condition(). `what` says in the failure what did not come."""
    deadline = time.monotonic() + seconds
    pause = 0.002
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s")
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
    return value


def within_one(seconds, attempt, clock=time.time):
    """What attempt() says when all of it fell into one window of the clock (a minute, a day), as
    limits are counted. An attempt that a window's end cut in two is made again."""
    for _ in range(20):
        window = clock() // seconds
        said = attempt()
        if clock() // seconds == window:
            return said
    raise AssertionError(f"no attempt was quicker than {seconds} s")
