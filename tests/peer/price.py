# SPDX-License-Identifier: Apache-2.0
"""The test's own arithmetic of prices, in Python's integers and fractions.

A price's terms are the JSON that the station publishes: rates in pico (1e-12 of the currency) per
token, or per unit for what is counted in pieces; a leaf without a rate costs as the one that it
falls back to. The result is nano (1e-9), rounded once.

    python3 -m tests.peer.price > tests/fixtures/price_costs.txt

writes the vectors that tests/unit/test_price_cost.c computes, too.
"""
import json
import random
from fractions import Fraction

INPUT = {"in": None, "in_audio": "in", "in_image": "in", "in_video": "in", "in_tool": "in",
         "cache_read": "in", "cache_read_audio": "cache_read", "cache_read_image": "cache_read",
         "cache_read_video": "cache_read", "cache_write_5m": "in",
         "cache_write_1h": "cache_write_5m", "cache_write_other": "cache_write_5m"}
OUTPUT = {"out": None, "out_audio": "out", "out_image": "out", "out_video": "out",
          "reasoning": "out"}
TOKENS = {**INPUT, **OUTPUT}
LARGEST = 2**63 - 1


def rate_of(tier, leaf):
    """Pico for one of it; of what is no token, nothing where the tier does not say."""
    while leaf is not None:
        if leaf in tier:
            return tier[leaf]
        leaf = TOKENS.get(leaf)
    return 0


def tier_for(terms, usage):
    """The last one that begins at or below all of the input together."""
    total = sum(count for leaf, count in usage.items() if leaf in INPUT)
    return [tier for tier in terms["tiers"] if tier["min_input"] <= total][-1]


def exact(terms, usage, margin=(1, 1), service="standard", ratios=()):
    """The cost in nano, before rounding."""
    tier = tier_for(terms, usage)
    tokens = sum(count * rate_of(tier, leaf) for leaf, count in usage.items() if leaf in TOKENS)
    others = sum(count * rate_of(tier, leaf) for leaf, count in usage.items() if leaf not in TOKENS)
    total = tokens * Fraction(*terms.get("service", {}).get(service, (1, 1)))
    total += others + terms.get("request", 0)
    for pair in (margin, *ratios):
        total *= Fraction(*pair)
    return total / 1000


def cost(terms, usage, **more):
    return int(exact(terms, usage, **more) // 1)


def cost_up(terms, usage, **more):
    return -int(-exact(terms, usage, **more) // 1)


# Vectors

def _ratio(rng):
    return rng.choice([(1, 1), (21, 20), (1, 3), (1050000, 1000000), (10**12, 1), (1, 10**12),
                       (10**12 - 1, 10**12 - 3), (rng.randint(1, 10**12), rng.randint(1, 10**12))])


def _rate(rng):
    return rng.choice([0, 1, 3625, 999, 1000, 1001, 2500000, 10**12, LARGEST,
                       rng.randint(1, 10**8), rng.randint(1, LARGEST)])


def _count(rng):
    return rng.choice([0, 0, 1, 1, 3, 999, 12304, 10**9, rng.randint(0, 300000)])


def _tier(rng, min_input):
    tier = {"min_input": min_input, "in": _rate(rng), "out": _rate(rng)}
    for leaf in ("cache_read", "cache_write_5m", "cache_write_1h", "reasoning"):
        if rng.random() < 0.5:
            tier[leaf] = _rate(rng)
    return tier


def _case(rng):
    tiers = [_tier(rng, 0)]
    for _ in range(rng.choice([0, 0, 1, 1, 2, 3])):
        tiers.append(_tier(rng, tiers[-1]["min_input"] + rng.choice([1, 32000, 200001])))
    terms = {"tiers": tiers}
    if rng.random() < 0.3:
        terms["request"] = rng.choice([1, 999, 10**10, LARGEST])
    if rng.random() < 0.5:
        terms["service"] = {"batch": (1, 2), "flex": _ratio(rng), "priority": _ratio(rng)}
    usage = {leaf: _count(rng) for leaf in
             ("in", "cache_read", "cache_write_5m", "cache_write_1h", "out", "reasoning")}
    if len(tiers) > 1 and rng.random() < 0.7:       # at a boundary, and on either side of it
        usage.update({leaf: 0 for leaf in usage if leaf in INPUT})
        usage["cache_read"] = 1
        usage["in"] = rng.choice(tiers[1:])["min_input"] - 1 + rng.choice([-1, 0, 1])
        if usage["in"] < 0:
            usage["in"] = 0
    service = rng.choice(["standard", "batch", "flex", "priority"])
    return terms, usage, _ratio(rng), service, [_ratio(rng) for _ in range(rng.randint(0, 4))]


def vectors(count=600, seed=20261129):
    """Lines: terms, margin, service, usage, ratios, cost, the same rounded up without ratios; a
    result that no 64 bits hold is '-'."""
    def number(value):
        return str(value) if value <= LARGEST else "-"

    def pairs(items):
        return ",".join(f"{a}/{b}" for a, b in items) or "none"

    rng = random.Random(seed)
    for _ in range(count):
        terms, usage, margin, service, ratios = _case(rng)
        yield " ".join([
            json.dumps(terms, separators=(",", ":")), pairs([margin]), service,
            ",".join(f"{leaf}={n}" for leaf, n in usage.items()), pairs(ratios),
            number(cost(terms, usage, margin=margin, service=service, ratios=ratios)),
            number(cost_up(terms, usage, margin=margin, service=service))])


if __name__ == "__main__":
    print("\n".join(vectors()))
