"""What a model thinks of music that is there: how unlikely each note was, and what else it might have been."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kantor.bundle import Bundle
from kantor.corpora import tracks_of
from kantor.errors import OptionError
from kantor.representations import Encoding, Ids, inputs_of
from kantor.sampling.fields import surprise
from kantor.score import TICKS_PER_QUARTER, Score
from kantor.studio import shelf
from kantor.theory import note_name
from kantor.verbs._attacks import Attacks, attacks
from kantor.verbs._models import one_sided

__all__ = ["Other", "choices", "surprises"]

AT_A_TIME = 1024  # steps that are shown at once
MOST = 16  # choices that are told


class Other(NamedTuple):
    """A choice: a pitch that might be struck; None where nothing is."""

    pitch: int | None
    name: str
    probability: float


def surprises(bundle: Bundle, score: Score) -> list[float | None]:
    """Nats of each note; None of one that the model does not decide by itself: it is off its grid, or held.

    Raises
    ------
    ScoreError
        If the model cannot read the score.
    BundleError
        If it does not go from left to right.
    """
    if not len(score.pitched):
        return [None] * len(score)
    encoding = _read(bundle, score)
    nats = _nats(bundle, encoding)
    found = attacks(bundle.representation, encoding.values)
    told: list[float | None] = [None] * len(score)
    for note, attack in _met(bundle, score, found):
        told[note] = found.surprise(attack, nats[found.step[attack]])
    return told


def choices(bundle: Bundle, score: Score, note: int) -> tuple[list[Other], float]:
    """What might stand in place of a note, likeliest first, given what comes before it; and the nats of what does.

    Raises
    ------
    OptionError
        If the model does not decide this note by itself.
    ScoreError, BundleError
        As :func:`surprises`.
    """
    representation = one_sided(bundle).representation
    encoding = _read(bundle, score)
    found = attacks(representation, encoding.values)
    met = dict(_met(bundle, score, found))
    if note not in met:
        raise OptionError(f"expected a note that '{bundle.name}' decides by itself, got one off its grid; try another.")
    step, field = int(found.step[met[note]]), max(int(found.field[met[note]]), 0)
    logits = _logits(bundle, encoding, step, field)
    deriver = representation.derive(encoding.plan)
    for values in encoding.values[:step]:
        deriver.push(values[None])
    deriver.conditions()
    allowed = deriver.allowed(field, encoding.values[step : step + 1])
    weights = np.exp(logits - logits.max()) * (1.0 if allowed is None else allowed[0])
    chances = weights / max(float(weights.sum()), 1e-300)
    fifths = score.keys[0].fifths if score.keys else 0
    told = [
        Other(pitch, note_name(pitch, fifths) if pitch is not None else name, round(float(chances[one]), 6))
        for one in np.argsort(-chances, kind="stable").tolist()
        for pitch, name in [_meaning(bundle, one)]
        if (pitch is not None or name) and chances[one] > 0
    ]
    return told[:MOST], found.surprise(met[note], _nats(bundle, encoding)[step])


def _read(bundle: Bundle, score: Score) -> Encoding:
    return one_sided(bundle).representation.encode(tracks_of(score, bundle.card.get("tracks", "")))


def _nats(bundle: Bundle, encoding: Encoding) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """(steps, fields) the surprise of each."""
    representation, model = bundle.representation, shelf.runtime_of(bundle)
    inputs, targets, state = inputs_of(encoding, representation), encoding.targets, model.initial(1)
    nats = np.zeros((len(inputs), len(representation.fields)))
    for start in range(0, len(inputs), AT_A_TIME):
        span = slice(start, start + AT_A_TIME)
        features, state = model.run(inputs[None, span], state)
        place = 0
        for k, field in enumerate(representation.fields):
            params = model.field(features, encoding.values[None, span], k)[0]
            nats[span, k] = surprise(field, params, targets[span, place : place + field.width])
            place += field.width
    return nats


def _logits(bundle: Bundle, encoding: Encoding, step: int, field: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """(classes,) of a field of a step, those before it being what they are."""
    model, state = shelf.runtime_of(bundle), shelf.runtime_of(bundle).initial(1)
    inputs = inputs_of(encoding, bundle.representation)[: step + 1]
    for start in range(0, len(inputs), AT_A_TIME):
        span = slice(start, start + AT_A_TIME)
        features, state = model.run(inputs[None, span], state)
    params = model.field(features, encoding.values[None, : step + 1][:, span], field)
    return params[0, -1].astype(np.float64)  # type: ignore[no-any-return]


def _met(bundle: Bundle, score: Score, found: Attacks) -> list[tuple[int, int]]:
    """(note, attack) of the notes that the model strikes where they stand; of several alike, top down."""
    step = bundle.representation.step
    waiting: dict[tuple[int, int], list[int]] = {}
    order: Ids = np.lexsort((found.voice, found.step))
    for attack in order.tolist():
        waiting.setdefault((int(found.tick[attack]), int(found.pitch[attack])), []).append(attack)
    onset = score.notes["onset"] * (TICKS_PER_QUARTER / score.ticks_per_quarter) / step
    ticks = (np.floor(onset + 0.5).astype(np.int64) * step).tolist()
    met = []
    for note, place in enumerate(zip(ticks, score.notes["pitch"].tolist(), strict=True)):
        if alike := waiting.get(place):
            met.append((note, alike.pop(0)))
    return met


def _meaning(bundle: Bundle, one: int) -> tuple[int | None, str]:
    """The pitch that a class strikes, or what it is else; nothing where it cannot be said of one note."""
    fields, name = bundle.representation.fields, bundle.representation.name
    field = fields[0]
    if bundle.representation.unit == "cell":
        if one == bundle.representation.hold:  # type: ignore[attr-defined]
            return None, "held"
        pitch = int(fields[-1].table["pitch"][one])  # the first may be a chord
        return (pitch, "") if pitch >= 0 else (None, "rest")
    if name == "roll":
        row = field.table[one]
        return (int(row["pitch"]), "") if row["struck"] and row["pitch"] >= 0 else (None, "")
    sound = field.table[one]
    if len(sound) == 1:
        return int(sound[0]), ""
    return (None, "rest") if not len(sound) and name == "notes" else (None, "")
