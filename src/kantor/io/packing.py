"""A score as one line of text, nothing lost: what a recipe carries of the music that it began with.

Facts are JSON, notes are rows of numbers; both are compressed (zlib) and written in base 85. What is unpacked comes
from files of strangers, so it is measured before it is believed.
"""

from __future__ import annotations

import base64
import json
import zlib
from dataclasses import asdict
from typing import Any

import numpy as np

from kantor.errors import FileFormatError, KantorError
from kantor.score import NOTE, Key, Meter, Part, Score, Tempo

__all__ = ["facts", "pack_score", "score_of", "unpack_score"]

_EVENTS: dict[str, Any] = {"parts": Part, "tempi": Tempo, "meters": Meter, "keys": Key}
_TICKS = ("fermatas", "barlines")
MOST = 2**26  # bytes that a packed score may come to: some million notes


def facts(score: Score) -> str:
    """All that a score says besides its notes, as JSON with sorted keys."""
    known = {name: getattr(score, name) for name in score.__dataclass_fields__ if name != "notes"}
    known |= {name: [asdict(event) for event in known[name]] for name in _EVENTS}
    return json.dumps(known, sort_keys=True, default=int)


def score_of(notes: Any, known: dict[str, Any]) -> Score:
    """The score of these notes and of what :func:`facts` says, read as JSON."""
    known = known | {name: tuple(kind(**event) for event in known[name]) for name, kind in _EVENTS.items()}
    known |= {name: tuple(known[name]) for name in _TICKS}
    return Score(notes, **known)


def pack_score(score: Score) -> str:
    """The score as one line of printable ASCII; equal scores, equal lines."""
    text = json.dumps([json.loads(facts(score)), score.notes.tolist()], separators=(",", ":"), sort_keys=True)
    return base64.b85encode(zlib.compress(text.encode(), 9)).decode()


def unpack_score(text: str) -> Score:
    """The score that :func:`pack_score` made ``text`` of.

    Raises
    ------
    FileFormatError
        If it is damaged, or larger than any music.
    """
    try:
        inflate = zlib.decompressobj()
        plain = inflate.decompress(base64.b85decode(text), MOST)
        if inflate.unconsumed_tail:
            raise FileFormatError(f"expected music in a recipe, got more than {MOST >> 20} MiB of it.")
        known, rows = json.loads(plain)
        notes = np.array([tuple(row) for row in rows], dtype=NOTE)
        return score_of(notes, known)
    except FileFormatError:
        raise
    except (
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
        zlib.error,
        KantorError,
    ) as error:
        raise FileFormatError("expected music in a recipe, got something damaged.") from error
