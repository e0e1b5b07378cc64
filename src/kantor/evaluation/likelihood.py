"""How likely a model finds music it has never seen: teacher-forced, by the chain rule, in nats per note.

What a *note* is, the representation says (``unit``). On a chorale's grid it is one cell: one voice for one step of the
grid, silence included, as all published figures on these grids count. Elsewhere it is a note that sounds; nats of all
fields are summed and divided by the notes of the canonical score, so that models which write the same notes in
different ways can be compared. A class that a vocabulary lacks is charged as "unknown", and what spelling it out costs.
A field that the others of its step imply, such as a frame's chord, is charged and is none of the cells: what all fields
cost is then an upper bound on what the cells alone do. Protocols are those of :mod:`kantor.data.protocols`. Beside the
likelihood stand the shares of steps that the likeliest values get right, among all steps and among those that differ
from the frame before, and the baseline of copying that frame: an accuracy below it is worth nothing. Where a field is
regressed there is no accuracy: a mean that was fitted by squared errors does not aim at one step of the grid, and how
often it hits one says how fine the grid is, no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kantor.data.protocols import HIDDEN, PROTOCOLS, hide, windows
from kantor.errors import InputError, OptionError, UnknownNameError
from kantor.representations import Ids, Mask, Representation, cells_in, decided, inputs_of
from kantor.runtime import Features, Model
from kantor.sampling.fields import likeliest, surprise
from kantor.score import Score

__all__ = ["PROTOCOLS", "Likelihood", "likelihood", "protocols_of"]

BATCH = 16
SPAN = 1024  # steps shown at a time: memory does not grow with the piece
RESAMPLES = 2000


@dataclass(frozen=True)
class Likelihood:
    """The figures of one model on one set of pieces; the names are those of the JSON.

    Attributes
    ----------
    nats_per_note          micro mean over every predicted note (cell).
    nats_by_field          what each field adds to it, by name; together they are ``nats_per_note``.
    nats_per_note_interval 95 % bootstrap interval of that mean, over pieces; None for a single piece.
    nats_per_note_macro    mean over pieces of each piece's mean.
    nats_per_frame         nats a frame (a grid's), or a step; of a chorale its four cells.
    bits_per_note          the same as ``nats_per_note``, in bits.
    accuracy               share of steps whose likeliest values are the true ones, all fields of them but those that
                           others imply; None where a field is regressed.
    accuracy_changed       the same among steps that differ from the frame before; None likewise.
    copy_accuracy          baseline: share of steps equal to the frame before; for both, steps of a first frame,
                           which has none before it, are left out.
    binary_accuracy        of keys (multi-hot fields) alone: share of keys rightly said to sound or not; else None.
    note_density           of keys alone: sounding keys a frame in the music itself; else None.
    bce                    of keys alone: nats a frame and key, what seed 002 calls its loss; else None.
    spelling               nats a note that went into spelling what the vocabulary lacks, part of ``nats_per_note``.
    notes, frames, pieces  how many notes (cells) and frames (rounded) were predicted, in how many pieces.
    unit                   "cell", "note" or "frame": what the representation counts by.
    protocol               "whole", "windows" or "frames".
    """

    nats_per_note: float
    nats_by_field: dict[str, float]
    nats_per_note_interval: tuple[float, float] | None
    nats_per_note_macro: float
    nats_per_frame: float
    bits_per_note: float
    accuracy: float | None
    accuracy_changed: float | None
    copy_accuracy: float
    binary_accuracy: float | None
    note_density: float | None
    bce: float | None
    spelling: float
    notes: int
    frames: int
    pieces: int
    unit: str
    protocol: str

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


#: Of each piece, in this order: notes, frames, steps (of a choir, its cells), right, steps after the first frame, those
#: of them that changed, right among these, keys, keys rightly said, keys that sound, nats of spelling; then nats of
#: each field.
COUNTS = (
    *("notes", "frames", "steps", "right", "later", "changed", "right_changed"),
    *("keys", "right_keys", "sounding", "spelling"),
)
Sums = NDArray[np.float64]


class Example(NamedTuple):
    """A span of music to be judged: its piece, and each step's inputs, values, targets and kind.

    All steps are shown, those that are ``counted`` are judged.
    """

    piece: int
    inputs: NDArray[np.int64]
    values: NDArray[np.int64]
    targets: NDArray[np.int64]
    counted: Mask
    later: Mask
    changed: Mask

    def cut(self, span: slice) -> Example:
        """A stretch of its steps."""
        steps = (self.inputs[span], self.values[span], self.targets[span])
        return Example(self.piece, *steps, self.counted[span], self.later[span], self.changed[span])


def protocols_of(representation: Representation) -> tuple[str, ...]:
    """The protocols by which models of this representation can be judged."""
    if representation.unit == "cell":  # of a window the first cell is given, where a step is one
        return PROTOCOLS if len(representation.fields) == 1 else ("whole", "frames")
    return ("whole", "frames") if representation.unit == "frame" else ("whole",)


def likelihood(
    model: Model,
    representation: Representation,
    scores: Sequence[Score],
    protocol: str = "whole",
    advance: Callable[[int], None] = lambda _: None,
) -> Likelihood:
    """Judge ``model`` on ``scores``; ``advance`` is told how many pieces are done.

    Raises
    ------
    UnknownNameError
        If there is no such protocol.
    OptionError
        If the representation has no such frames as the protocol counts.
    InputError
        If no piece is left to judge by.
    """
    if protocol not in PROTOCOLS:
        raise UnknownNameError("protocol", protocol, PROTOCOLS)
    if protocol not in protocols_of(representation):
        known = ", ".join(protocols_of(representation))
        raise OptionError(
            f"expected a protocol that a model of '{representation.name}' has, {known}; got '{protocol}'."
        )
    sums = np.zeros((len(scores), len(COUNTS) + len(representation.fields)))
    examples = sorted(_examples(representation, scores, protocol, sums), key=lambda example: len(example.inputs))
    for start in range(0, len(examples), BATCH):
        batch = examples[start : start + BATCH]
        _add(sums, model, representation, batch)
        advance(min(start + BATCH, len(examples)) * len(scores) // len(examples))
    sums = sums[(sums[:, 0] > 0) & (sums[:, 2] > 0)]
    if not len(sums):
        raise InputError(
            f"expected a piece long enough for protocol '{protocol}', got {len(scores)} shorter ones; "
            "try --protocol whole."
        )
    return _figures(sums, representation, protocol)


def _examples(representation: Representation, scores: Sequence[Score], protocol: str, sums: Sums) -> Iterator[Example]:
    """The spans of every piece; notes, frames and spelling are counted into ``sums`` on the way."""
    for piece, score in enumerate(scores):
        spans = windows(representation.canonical(score)) if protocol == "windows" else (score,)
        for span in spans:
            encoding = representation.encode(span)
            frames = representation.frames(encoding)
            given = int(protocol == "windows")
            inputs = hide(inputs_of(encoding, representation), representation, HIDDEN)
            later = frames > 0
            changed = later[:, None] & _own(representation, representation.changed(encoding).reshape(len(later), -1))
            judged = later if protocol == "frames" else np.arange(len(later)) >= given
            notes = cells_in(representation, int(judged.sum())) if representation.unit == "cell" else encoding.notes
            if protocol == "frames" and representation.unit == "frame":
                notes -= int((representation.canonical(span).notes["onset"] == 0).sum())
            spelling = sum(encoding.spelling)
            counted = {"notes": notes, "frames": _frames(frames, judged, representation.unit), "spelling": spelling}
            for name, count in counted.items():
                sums[piece, COUNTS.index(name)] += count
            for field, nats in enumerate(encoding.spelling):
                sums[piece, len(COUNTS) + field] += nats
            cut = slice(given, None)
            steps = (inputs[cut], encoding.values[cut], encoding.targets[cut])
            yield Example(piece, *steps, judged[cut], later[cut], changed[cut])


def _own(representation: Representation, changed: Mask) -> Mask:
    """(steps, lines) of those fields that no others imply, where each is a line of its own."""
    own = [not field.implied for field in representation.fields]
    return changed[:, own] if changed.shape[1] == len(own) else changed


def _frames(frames: Ids, judged: Mask, unit: str) -> float:
    """How many frames are judged: of a grid its cells over the voices, for in a window the first cell is given."""
    if unit == "cell":
        return int(judged.sum()) / max(int((frames == 0).sum()), 1)
    return len(np.unique(frames[judged]))


def _add(sums: Sums, model: Model, representation: Representation, batch: Sequence[Example]) -> None:
    longest = max(len(example.inputs) for example in batch)
    padded = np.zeros((len(batch), longest, batch[0].inputs.shape[1]), dtype=np.int64)
    values = np.zeros((len(batch), longest, decided(representation)), dtype=np.int64)
    for row, example in enumerate(batch):
        padded[row, : len(example.inputs)] = example.inputs
        values[row, : len(example.inputs)] = example.values
    state = model.initial(len(batch))
    for start in range(0, longest, SPAN):
        span = slice(start, start + SPAN)
        features, state = model.run(padded[:, span], state)
        for row, example in enumerate(batch):
            if start < len(example.inputs):
                own = [part[row : row + 1] for part in features]
                _count(sums[example.piece], model, representation, own, example.cut(span))


def _count(sums: Sums, model: Model, representation: Representation, features: Features, stretch: Example) -> None:
    """Add one stretch of one piece; features (1, steps or more, ...)."""
    steps = len(stretch.inputs)
    features = [part[:, :steps] for part in features]
    counted = stretch.counted
    lines = stretch.changed.shape[1]  # what a step is right or wrong in: as a whole, or field by field
    right = np.ones((int(counted.sum()), lines), dtype=np.bool_)
    column = line = 0
    for k, field in enumerate(representation.fields):
        params = model.field(features, stretch.values[None], k)[0][counted]
        wanted = stretch.targets[counted, column : column + field.width]
        column += field.width
        sums[len(COUNTS) + k] += surprise(field, params, wanted).sum()
        if field.kind == "real" or field.implied:
            continue
        hits = likeliest(field, params) == wanted
        right[:, line % lines] &= hits.all(1)
        line += 1
        if field.kind == "multi-hot":
            for name, count in (("keys", hits.size), ("right_keys", hits.sum()), ("sounding", wanted.sum())):
                sums[COUNTS.index(name)] += count
    later, changed = stretch.later[counted], stretch.changed[counted]
    counts = {"steps": right.size, "right": right.sum(), "later": later.sum() * lines, "changed": changed.sum()}
    for name, count in {**counts, "right_changed": (right & changed).sum()}.items():
        sums[COUNTS.index(name)] += count


def _figures(sums: Sums, representation: Representation, protocol: str) -> Likelihood:
    total = dict(zip(COUNTS, sums.sum(0)[: len(COUNTS)].tolist(), strict=True))
    by_field = sums[:, len(COUNTS) :]
    nats, notes = by_field.sum(1), sums[:, 0]
    mean = float(nats.sum() / notes.sum())
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(sums), size=(RESAMPLES, len(sums)))
    means = nats[drawn].sum(1) / notes[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    keys = total["keys"]
    regressed = any(field.kind == "real" for field in representation.fields)
    fields = by_field.sum(0) / total["notes"]
    return Likelihood(
        nats_per_note=mean,
        nats_by_field={field.name: float(share) for field, share in zip(representation.fields, fields, strict=True)},
        nats_per_note_interval=(float(low), float(high)) if len(sums) > 1 else None,
        nats_per_note_macro=float((nats / notes).mean()),
        nats_per_frame=float(nats.sum() / total["frames"]),
        bits_per_note=mean / math.log(2),
        accuracy=None if regressed else total["right"] / total["steps"],
        accuracy_changed=None if regressed else total["right_changed"] / max(total["changed"], 1),
        copy_accuracy=1 - total["changed"] / max(total["later"], 1),
        binary_accuracy=total["right_keys"] / keys if keys else None,
        note_density=total["sounding"] / total["frames"] if keys else None,
        bce=float(nats.sum() / keys) if keys else None,
        spelling=total["spelling"] / total["notes"],
        notes=int(total["notes"]),
        frames=round(total["frames"]),
        pieces=len(sums),
        unit=representation.unit,
        protocol=protocol,
    )
