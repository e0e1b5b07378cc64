"""Which pieces are for learning, for choosing between models, and for measuring them: 70 : 15 : 15, by contents.

A piece's place on a line from 0 to 1 is a hash of what is in its file, and the line is cut at .70 and .85. So a split
needs no seed, and a piece stays where it is when others come or when files are renamed. Chance decides how many fall
into each part. Where fewer than two thirds of its share do, the nearest cut moves; with three pieces none is empty.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

from kantor.corpora._corpus import Split

__all__ = ["by_contents"]

_SHARES: dict[Split, int] = {"train": 70, "valid": 15, "test": 15}  # in hundredths, which add up exactly


def by_contents(digests: Mapping[str, str]) -> dict[str, Split]:
    """The split of each piece by its digest, 16 hexadecimal digits or more; with three pieces or more none is empty."""
    order = sorted(digests, key=lambda piece: (digests[piece], piece))
    places = [int(digests[piece][:16], 16) / 2**64 for piece in order]
    count = len(order)
    train, valid, test = (max(share * 2 * count // 300, int(count >= 3)) for share in _SHARES.values())
    second = bisect_left(places, (_SHARES["train"] + _SHARES["valid"]) / 100)
    second = max(min(second, count - test), train + valid)
    first = max(min(bisect_left(places, _SHARES["train"] / 100), second - valid), train)
    return {piece: "train" if at < first else "valid" if at < second else "test" for at, piece in enumerate(order)}
