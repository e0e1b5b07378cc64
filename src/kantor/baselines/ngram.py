"""Counts: what came after what in the training pieces, smoothed (:mod:`kantor.baselines._kneser_ney`).

Each field of a step is counted after a context: numbers that say what it is likely to depend on, what matters most
first. They are the steps before (``what-2`` is the field *what* two steps ago), conditions of the representation
(``own``, ``phase``), and the fields of this step that are decided before (``duration``). Which they are stands in
:data:`CONTEXTS`. They were chosen on validation pieces: those of ``bach``, and of the published grids for the chorale.

Pieces are counted in every transposition by up to six semitones that stays within the ranges of the training pieces,
the nearest first, as long as there are no more than two million steps. What does not change by it is counted once.

Categorical fields alone can be counted so. For a frame of 88 independent keys an n-gram would be 88 models of one key
each, which know nothing of the others; and a real number has no classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.baselines import Method
from kantor.baselines._kneser_ney import KneserNey
from kantor.data.augmentation import part_ranges, shifts, transpose
from kantor.errors import OptionError
from kantor.representations import Encoding, Ids, Representation, inputs_of, start_of
from kantor.runtime import Features, State
from kantor.score import Score

__all__ = ["CONTEXTS", "PART", "Ngram", "fit"]

LAGS = 8  # steps that are remembered
TRANSPOSE = 6
MOST = 2_000_000  # steps, transposed ones included

#: Conditions that a representation is asked for: derived ones, and the beat. None says how a piece will end.
INPUTS = {
    "choir": ("phase", "now"),
    "chorale": ("voice", "phase", "own", "now"),
    "notes": ("phase", "beat", "stacked"),
    "roll": ("above", "phase"),
    "tokens": ("position",),
}
#: By representation and field: what it is counted after. "%4" is the remainder of a division by 4; fields of this step
#: that are not decided before it are left out.
CONTEXTS = {
    "choir": {
        "soprano": "now-S phase%4 bass alto tenor now-B now-A now-T",
        "alto": "now-A phase%4 soprano bass tenor now-S now-B now-T",
        "tenor": "now-T phase%4 bass soprano alto now-B now-S now-A",
        "bass": "now-B phase%4 soprano alto tenor now-S now-A now-T",
    },
    "chorale": {"cell": "voice own phase%4 now-S now-A now-T now-B"},
    "notes": {
        "what": "stacked what-1 phase%24 what-2 what-3 what-4 beat",
        "duration": "phase%24 stacked duration-1 beat duration-2",
        "gap": "stacked phase%24 duration duration-1 duration-2 duration-3 what",
        "velocity": "velocity-1 velocity-2",
    },
    "events": {
        "what": "what-1 what-2 what-3",
        "offset": "duration-1 offset-1 duration-2 offset-2 duration-3 what",
        "duration": "offset duration-1 what duration-2 what-1",
    },
    "roll": {"key": "above-0 key-1 phase%4 above-1 key-2 key-3 key-4"},
    "tokens": {"token": "token-1 token-4 position token-8 token-2"},
}


class Term(NamedTuple):
    """A number of a context: a column of what is known, and by what it is divided, if at all."""

    column: int
    modulus: int = 0


class Ngram:
    """Counts as a :class:`kantor.runtime.Model`: what is known of a step are the last steps and its conditions."""

    def __init__(self, representation: Representation) -> None:
        self._start = start_of(representation)
        self._terms = [_terms(representation, k) for k in range(len(representation.fields))]
        self._counts: list[KneserNey] = []

    def count(self, contexts: Ids, classes: Ids, size: int) -> None:
        """Count the next field: contexts (rows, terms) and the classes (rows,) that came, of ``size``."""
        self._counts.append(KneserNey(contexts, classes, size))

    @property
    def entries(self) -> int:
        """How many different things were counted."""
        return sum(counts.entries for counts in self._counts)

    def initial(self, batch: int) -> State:
        """The steps before the last one: before the start."""
        return [np.tile(self._start, (batch, LAGS - 1, 1)).astype(np.float32)]

    def run(self, inputs: Ids, state: State) -> tuple[Features, State]:
        """See :class:`kantor.runtime.Model`; the features are the last steps, nearest first, then the conditions."""
        width, steps = len(self._start), inputs.shape[1]
        past = np.concatenate([state[0], inputs[:, :, :width]], axis=1, dtype=np.float32)
        lags = [past[:, LAGS - 1 - lag : LAGS - 1 - lag + steps] for lag in range(LAGS)]
        return [np.concatenate([*lags, inputs[:, :, width:]], axis=2, dtype=np.float32)], [past[:, steps:]]

    def context(self, features: Features, values: Ids, k: int) -> Ids:
        """(batch, time, terms) what field ``k`` is counted after."""
        known = np.concatenate([features[0], values], axis=2).astype(np.int64)
        columns = [known[:, :, term.column] for term in self._terms[k]]
        return np.stack(
            [c % t.modulus if t.modulus else c for c, t in zip(columns, self._terms[k], strict=True)], axis=2
        )

    def field(self, features: Features, values: Ids, k: int) -> NDArray[np.float32]:
        """See :class:`kantor.runtime.Model`."""
        context = self.context(features, values, k)
        found = self._counts[k](context.reshape(-1, context.shape[2]))
        return np.log(found).astype(np.float32).reshape(*context.shape[:2], -1)


def fit(representation: Representation, pieces: Sequence[Score]) -> tuple[Representation, Ngram]:
    """The counts of these pieces, by the representation with no conditions but those that are counted after.

    Raises
    ------
    OptionError
        If a field has no classes to count.
    """
    for field in representation.fields:
        if field.kind != "categorical":
            raise OptionError(
                f"expected a representation in classes, for an n-gram to count, got '{representation.name}', whose "
                f"field '{field.name}' is {field.kind}; try ngram:notes or ngram:roll."
            )
    made: Any = representation.learn(pieces)
    if hasattr(made, "inputs"):
        made = replace(made, inputs=INPUTS.get(made.name, ()))
    model = Ngram(made)
    versions = _versions(made, pieces)
    for k, field in enumerate(made.fields):
        model.count(*_rows(model, made, versions, k), field.size)
    return made, model


PART = Method("Counts of what follows what in the training pieces, smoothed; what no learning is needed for.", fit)


def _terms(representation: Representation, k: int) -> list[Term]:
    """What field ``k`` is counted after; where nobody has chosen, the fields before it, then the step before."""
    fields = [field.name for field in representation.fields]
    conditions = [condition.name for condition in representation.conditions]
    chosen = CONTEXTS.get(representation.name, {}).get(fields[k])
    usual = [*reversed(fields[:k]), *(f"{name}-1" for name in (*fields[k:], *fields[:k]))]
    terms = []
    for spelt in chosen.split() if chosen else usual:
        name, _, modulus = spelt.partition("%")
        if name in conditions:
            column = LAGS * len(fields) + conditions.index(name)
        elif name in fields[k:]:
            continue
        elif name in fields:
            column = LAGS * len(fields) + len(conditions) + fields.index(name)
        else:
            field, _, lag = name.rpartition("-")
            column = (int(lag) - 1) * len(fields) + fields.index(field)
        terms.append(Term(column, int(modulus or 0)))
    return terms


def _versions(representation: Representation, pieces: Sequence[Score]) -> list[tuple[int, Encoding]]:
    """(piece, encoding) of the pieces as they are, then of their transpositions, the nearest first."""
    ranges = part_ranges(pieces, max(len(score.parts) for score in pieces))
    room = [set(shifts(score, ranges, TRANSPOSE).tolist()) for score in pieces]
    found: list[tuple[int, Encoding]] = []
    for shift in sorted(range(-TRANSPOSE, TRANSPOSE + 1), key=abs):
        found += [
            (number, representation.encode(transpose(score, shift)))
            for number, score in enumerate(pieces)
            if shift in room[number]
        ]
        steps = sum(len(encoding) for _, encoding in found)
        if shift == 0:
            as_they_are = steps
        if steps + as_they_are > MOST:
            break
    return found


def _rows(
    model: Ngram, representation: Representation, versions: Sequence[tuple[int, Encoding]], k: int
) -> tuple[Ids, Ids]:
    """Contexts (rows, terms) and classes (rows,) of field ``k``, less transpositions that look as their piece does."""
    first: dict[int, Ids] = {}
    rows = []
    for piece, encoding in versions:
        features, _ = model.run(inputs_of(encoding, representation)[None], model.initial(1))
        context = model.context(features, encoding.values[None], k)[0]
        row = np.concatenate([context, encoding.targets[:, k : k + 1]], axis=1)
        if piece not in first or not np.array_equal(row, first[piece]):
            rows.append(row)
        first.setdefault(piece, row)
    together = np.concatenate(rows)
    return together[:, :-1], together[:, -1]
