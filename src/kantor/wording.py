"""How a sentence counts, and how a value reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["counted", "spelt"]

LONG = 16


def counted(count: int, what: str) -> str:
    """A number and its noun: "1 piece", "2,000 pieces"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def spelt(value: Any) -> str:
    """A value of a card or a recipe as one reads it, without JSON's signs: "epochs 9, stages (rate 0.1; rate 0.2)".

    A pair of numbers is a range; of more than :data:`LONG` values it is said how many they are. What is None or empty
    within a mapping is left out.
    """
    if isinstance(value, Mapping):
        said = [(name, one) for name, one in value.items() if one is not None and one not in ("", [], {}, ())]
        return ", ".join(f"{name.replace('_', ' ')} {_within(one)}" for name, one in said)
    if isinstance(value, list | tuple):
        if len(value) > LONG:
            return counted(len(value), "value")
        if len(value) == 2 and all(isinstance(one, int | float) for one in value):
            return " .. ".join(map(spelt, value))
        return ("; " if any(isinstance(one, Mapping) for one in value) else ", ").join(map(spelt, value))
    if value is None or isinstance(value, bool):
        return {None: "-", True: "yes", False: "no"}[value]
    return f"{value:,}" if isinstance(value, int) else str(value)


def _within(value: Any) -> str:
    several = (
        isinstance(value, list | tuple) and len(value) <= LONG and any(isinstance(one, Mapping | str) for one in value)
    )
    return f"({spelt(value)})" if isinstance(value, Mapping) or several else spelt(value)
