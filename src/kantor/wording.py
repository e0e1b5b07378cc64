"""How a sentence counts."""

from __future__ import annotations

__all__ = ["counted"]


def counted(count: int, what: str) -> str:
    """A number and its noun: "1 piece", "2,000 pieces"."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"
