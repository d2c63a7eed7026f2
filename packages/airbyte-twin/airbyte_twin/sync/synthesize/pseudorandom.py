"""Pseudo-random numbers as a function of their seed alone: the same on every machine and in any order.

A generator with a state would make a field's value depend on which other fields are generated.

Source: splitmix64's finalizer.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

WORD = 0xFFFFFFFFFFFFFFFF
T = TypeVar("T")


def seed_of(*parts: object) -> int:
    """A 64-bit number for some names."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def mixed(seed: int, salt: int = 0) -> int:
    """A 64-bit hash of two numbers."""
    word = (seed ^ salt) + 0x9E3779B97F4A7C15 & WORD
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
    word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
    return word ^ word >> 31


def pick(choices: Sequence[T], draw: int) -> T:
    """One of some choices."""
    return choices[draw % len(choices)]


def between(low: int, high: int, draw: int) -> int:
    """A whole number, both ends included."""
    return low + draw % (high - low + 1)


def chance(percent: int, draw: int) -> bool:
    """Whether an event of this probability happens."""
    return draw % 100 < percent
