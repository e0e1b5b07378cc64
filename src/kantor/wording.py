"""How a sentence counts, and how a value reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["counted", "spelt"]

LONG, DEEP = 64, 6


def counted(count: int, what: str) -> str:
    """A number and its noun: "1 piece", "2,000 pieces"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def spelt(value: Any, depth: int = DEEP) -> str:
    """A value of a card or a recipe as one reads it, without JSON's signs: "epochs 9, lags (2, 4), of (alto 0.1)".

    What is None or empty within a mapping is left out. Of more than :data:`LONG` values, or below so many brackets, it
    is said how many they are. What a terminal would not print is a sign for that.
    """
    if isinstance(value, Mapping | list | tuple):
        if not depth or len(value) > LONG:
            return counted(len(value), "value")
        if not isinstance(value, Mapping):
            return ", ".join(_within(one, depth - 1) for one in value)
        said = [(name, _within(one, depth - 1)) for name, one in value.items() if one is not None]
        return ", ".join(f"{_printable(name).replace('_', ' ')} {one}" for name, one in said if one)
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) else _printable(str(value))


def _within(value: Any, depth: int) -> str:
    said = spelt(value, depth)
    several = isinstance(value, Mapping) or (isinstance(value, list | tuple) and len(value) > 1)
    return f"({said})" if several and said else said


def _printable(text: str) -> str:
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
