"""How a piece is steered while it is composed: rules, given chords, a beam, how many tries there are to choose from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kantor import registry
from kantor.bundle import Bundle
from kantor.corpora import tracks_of
from kantor.errors import OptionError
from kantor.evaluation.novelty import Memory
from kantor.rules import Rule
from kantor.rules.range import Range
from kantor.sampling.guard import Asked, asked, spelt

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
    memory   the training pieces, where what is composed is to be held against them.
    within   whether every part keeps to the range it has in the training pieces.
    """

    rules: tuple[Asked, ...] = ()
    beam: int = 0
    best_of: int = 1
    within: bool = True
    memory: Memory | None = None
    options: dict[str, Any] = field(default_factory=dict)


def steering(
    bundle: Bundle,
    rules: Sequence[str | Rule | Asked] = (),
    soft: Sequence[str] = (),
    chords: str | None = None,
    beam: int = 0,
    best_of: int = 1,
    novelty: bool = False,
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
    wanted = rules if isinstance(rules, str) or not chords else [*rules, f"chords={chords}"]
    found = asked(wanted, soft, BY_DEFAULT if representation.voiced else ())
    # The corpus's ranges, which the grammar keeps at no cost, stand for the rule unless it names others.
    plain = [one for one in found if one.name == "range" and one.rule == Range() and one.weight is None]
    within = bool(plain) or not representation.voiced
    held = tuple(one for one in found if one not in plain)
    if held and not representation.ruled:
        raise OptionError(f"expected no rules for '{bundle.name}', whose pitches are not chosen among classes.")
    options: dict[str, Any] = {"rules": [_recorded(one) for one in rules], "soft": list(soft), "chords": chords}
    options |= {"beam": beam, "best_of": best_of, "novelty": novelty}
    return Steering(held, beam, best_of, within, memory_of(bundle) if novelty else None, options)


def _recorded(rule: str | Rule | Asked) -> str:
    """The rule as a recipe has it: text as it was given.

    Raises
    ------
    OptionError
        If no rule of Kantor's bears its name: nothing could make the piece again.
    """
    if isinstance(rule, str):
        return rule
    (one,) = asked([rule])
    text = spelt(one)
    try:
        again = asked([text])
    except OptionError:
        again = ()
    if again != (one,):
        raise OptionError(f"expected a rule that a recipe can spell, got {one!r}; try one of kantor.rules.")
    return text


def memory_of(bundle: Bundle) -> Memory:
    """The pieces that a model has learned from.

    Raises
    ------
    OptionError
        If they are of a folder, and not of a corpus that can be read anywhere.
    """
    name = str(bundle.card.get("corpus", {}).get("name", ""))
    if name not in registry.names("corpora"):
        raise OptionError(f"expected --novelty with a model of a corpus by name, got '{bundle.name}', of '{name}'.")
    corpus = registry.part("corpora", name)()
    tracks = bundle.card.get("tracks", "")
    return Memory([(piece.name, tracks_of(piece.score, tracks)) for piece in corpus.members if piece.split == "train"])
