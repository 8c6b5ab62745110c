# SPDX-License-Identifier: Apache-2.0
"""A second implementation of vouchers' codes and of what the store keeps of one.

A code is a word of 30 symbols whose polynomial is 0 at 2, 4, 8 and 16, in the field of 32 elements
that x^5 + x^2 + 1 makes. The store keeps HMAC-SHA256(secret, the 16 bytes).
"""
import hashlib
import hmac

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ALIASES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})
SYMBOLS, CHECKS = 30, 4

POWERS = [1]
while len(POWERS) < 31:
    twice = POWERS[-1] << 1
    POWERS.append(twice ^ 0b100101 if twice & 32 else twice)


def product(a, b):
    return POWERS[(POWERS.index(a) + POWERS.index(b)) % 31] if a and b else 0


def syndromes(word):
    """The word's polynomial at the four roots, by Horner's rule: all 0 for a sound code."""
    values = []
    for root in POWERS[1:CHECKS + 1]:
        value = 0
        for symbol in word:
            value = product(value, root) ^ symbol
        values.append(value)
    return values


def words(text):
    return [ALPHABET.index(c) for c in text.upper().translate(ALIASES)]


def secret_bytes(text):
    """The 16 bytes of a code; ValueError where it is none."""
    word = words(text)
    if len(word) != SYMBOLS or any(syndromes(word)):
        raise ValueError(f"{text} does not check out")
    number = 0
    for symbol in word[:-CHECKS]:
        number = number * 32 + symbol
    return number.to_bytes(16, "big")


def hmac_of(secret, text):
    return hmac.new(secret, secret_bytes(text), hashlib.sha256).digest()


def code_of(number):
    """The text of a code of 16 bytes: the division that makes all syndromes 0."""
    divisor = [1]
    for root in POWERS[1:CHECKS + 1]:
        divisor = [a ^ product(b, root) for a, b in zip([*divisor, 0], [0, *divisor])]
    value = int.from_bytes(number, "big")
    payload = [value >> 5 * i & 31 for i in reversed(range(SYMBOLS - CHECKS))]
    rest = [*payload, *[0] * CHECKS]
    for i in range(len(payload)):
        rest[i:i + CHECKS + 1] = [a ^ product(rest[i], b)
                                  for a, b in zip(rest[i:], divisor)]
    return "".join(ALPHABET[symbol] for symbol in [*payload, *rest[-CHECKS:]])


def grouped(text):
    return "-".join(text[i:i + 5] for i in range(0, SYMBOLS, 5))
