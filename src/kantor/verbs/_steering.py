"""How a piece is steered while it is composed: rules, given chords, a beam, how many tries there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kantor.bundle import Bundle
from kantor.errors import OptionError
from kantor.rules.range import Range
from kantor.sampling.guard import Asked, asked

__all__ = ["BY_DEFAULT", "Steering", "steering"]

#: Rules that hold for every model of four voices unless `--rule none` is given.
BY_DEFAULT = ("no-parallels", "no-crossing", "range")
MOST = 256  # beams, or tries to choose from


@dataclass(frozen=True)
class Steering:
    """What holds while a piece is composed.

    Attributes
    ----------
    rules    hard and soft ones.
    beam     how many beginnings a beam search carries; 0: notes are drawn.
    best_of  how many tries each piece is the best of.
    within   whether every part keeps to the range it has in the training pieces.
    """

    rules: tuple[Asked, ...] = ()
    beam: int = 0
    best_of: int = 1
    within: bool = True
    options: dict[str, Any] = field(default_factory=dict)


def steering(
    bundle: Bundle,
    rules: Sequence[str | Asked] = (),
    soft: Sequence[str] = (),
    chords: str | None = None,
    beam: int = 0,
    best_of: int = 1,
) -> Steering:
    """What is asked for, checked.

    Raises
    ------
    OptionError
        For a rule that is not known, or numbers out of range.
    """
    for name, value, least in (("beam", beam, 0), ("best-of", best_of, 1)):
        if not least <= value <= MOST:
            raise OptionError(f"expected --{name} within {least}..{MOST}, got {value}.")
    if beam and best_of > 1:
        raise OptionError("expected either --beam or --best-of, got both; a beam already finds the likeliest.")
    representation = bundle.representation
    wanted: list[str | Asked] = [*rules, *([f"chords={chords}"] if chords else [])]
    found = asked(wanted, soft, BY_DEFAULT if representation.voiced else ())
    # The corpus's ranges, which the grammar keeps at no cost, stand for the rule unless it names others.
    plain = [one for one in found if one.name == "range" and one.rule == Range() and one.weight is None]
    within = bool(plain) or not representation.voiced
    held = tuple(one for one in found if one not in plain)
    if held and not representation.ruled:
        raise OptionError(f"expected no rules for '{bundle.name}', whose pitches are not chosen among classes.")
    options = {"rules": [str(one) for one in rules], "soft": list(soft), "chords": chords}
    return Steering(held, beam, best_of, within, {**options, "beam": beam, "best_of": best_of})
