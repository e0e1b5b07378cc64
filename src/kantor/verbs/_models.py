"""Which model a verb works with: one of the package, a folder, or a floor that is made on the spot.

Floors (:mod:`kantor.baselines`) are called ``random`` and ``ngram``, or ``random:PRESET`` and ``ngram:PRESET``: by the
representation of that preset and from the tracks that it takes, as ``ngram:melody``. Without a preset they are on the
plain grid of chorales, as the preset seed-000 has it. Counted is the training split of the corpus that the preset
learns from, unless another is given. A folder that bears such a name is ``./random``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kantor import bundle as bundles
from kantor import corpora, registry
from kantor.baselines import Baseline, Method, baseline
from kantor.bundle import Bundle
from kantor.corpora import Corpus, Selection, select
from kantor.data.augmentation import part_ranges
from kantor.errors import BundleError, InputError, OptionError, UnknownNameError
from kantor.presets import Preset
from kantor.runtime import Model, Runtime
from kantor.score import Score
from kantor.verbs._sources import fitting

__all__ = ["model_of", "one_sided", "opened", "openings"]

PLAIN = "seed-000"  # the preset of the plain grid


def opened(model: str | Path | Bundle, music: Callable[[], Corpus] | None = None) -> Bundle:
    """A shipped model by name, a model folder, a floor by name, or a bundle that is open already.

    Parameters
    ----------
    music   gives the corpus that a floor counts; that of its preset unless given.

    Raises
    ------
    UnknownNameError, BundleError
        If there is no such model, or its parts do not belong together.
    InputError, OptionError
        If a floor has nothing to count.
    """
    if isinstance(model, Bundle):
        return model
    kind, colon, of = str(model).partition(":")
    if isinstance(model, str) and kind in registry.names("baselines"):
        preset = registry.part("presets", of if colon else PLAIN)
        return _floor(model, registry.part("baselines", kind), preset, music)
    try:
        return bundles.load(model)
    except UnknownNameError:
        if str(model) in registry.names("presets"):
            raise OptionError(
                f"expected a model, got the preset '{model}', of which the package has none; train it first: "
                f"kantor train {model}."
            ) from None
        known = (*bundles.shipped(), *registry.names("baselines"))
        raise UnknownNameError("model", str(model), known) from None


def one_sided(model: str | Path | Bundle, music: Callable[[], Corpus] | None = None) -> Bundle:
    """An :func:`opened` model that composes from left to right, and is played and judged so.

    Raises
    ------
    BundleError
        Also if it sees both sides of what it fills in.
    """
    bundle = opened(model, music)
    if "network" in bundle.card and bundle.network.two_sided:  # a floor has no network
        raise BundleError(
            f"expected a model that composes from left to right, got '{bundle.name}', which fills in what is missing; "
            "try kantor harmonize or kantor infill."
        )
    return bundle


def model_of(bundle: Bundle, threads: int = 1) -> Model:
    """What runs it; one thread is quickest for a stream, 0 takes every core, for whole pieces."""
    return bundle.model if isinstance(bundle, Baseline) else Runtime(bundle, threads)


def openings(pieces: Sequence[Score]) -> list[list[Any]]:
    """How often each (fifths, mode, meter, pickup in quarters) opens a piece: what generation draws from."""
    seen: Counter[tuple[Any, ...]] = Counter()
    for score in pieces:
        if score.keys and score.meters:
            key, pickup = score.keys[0], score.anacrusis_ticks / score.ticks_per_quarter
            seen[(key.fifths, key.mode, str(score.meters[0]), pickup)] += 1
    return [[*plan, count] for plan, count in sorted(seen.items(), key=lambda item: (-item[1], str(item[0])))]


def _floor(name: str, method: Method, preset: Preset, music: Callable[[], Corpus] | None) -> Baseline:
    card: dict[str, Any] = {"about": method.about, "preset": preset.name}
    if name == "random":  # the notebook's random chorale knows no music, not even its ranges
        return baseline(name, *method.fit(preset.representation, ()), card)
    corpus = music() if music else corpora.load(preset.corpus, progress=False)
    corpus = select(corpus, Selection(tracks=preset.tracks))
    pieces, refused = fitting(corpus.split("train"), preset.representation)
    if not pieces:
        raise InputError(
            f"expected a training piece for '{name}' to count, none fits; {refused[0][0]}: {refused[0][1]}"
        )
    card |= {
        "corpus": {"name": corpus.name, "hash": corpus.hash, "licence": corpus.licence, "pieces": len(pieces)},
        "ranges": part_ranges(pieces, max(len(score.parts) for score in pieces)).tolist(),
        "tracks": preset.tracks,
        "plans": openings(pieces),
    }
    return baseline(name, *method.fit(preset.representation, pieces), card)
