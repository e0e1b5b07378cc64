"""``kantor plot``: a piece as a piano roll, pieces as distributions of their notes, trainings as their curves.

What is drawn follows from what is given: a file of music gives a piano roll, a corpus or a folder of music the
distributions of pitch, step and duration, the folder of a training its curves, a folder of trainings the validation
curves of all of them. Two sets are drawn over each other, and how much they share is said: that is how one sees what a
model has learnt, and what it has not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kantor import bundle as bundles
from kantor import corpora, io, registry
from kantor.errors import InputError, OptionError
from kantor.evaluation.histograms import histograms, intersection
from kantor.render import pianoroll, plots
from kantor.score import Score
from kantor.verbs._logs import best_epoch, is_run, read
from kantor.verbs._sweeps import curves_of, is_sweep, trainings
from kantor.verbs.outputs import check_folder, check_new
from kantor.wording import counted

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["SUFFIXES", "plot"]

#: What :func:`plot` can write.
SUFFIXES = tuple(f".{kind}" for kind in pianoroll.KINDS)

#: A roll is seen at one glance: rows of eight bars, and of as many as four rows need where a piece is longer.
ROWS = 4
LONGEST = 25  # letters of a name: a title has room for two of them
_UNITS = {"pitch": "MIDI pitch", "step": "24ths of a quarter", "duration": "24ths of a quarter"}


def plot(
    target: str | Path,
    outputs: Sequence[str | Path] = (),
    *,
    against: str | Path | None = None,
    first: int | None = None,
    distributions: bool = False,
    force: bool = False,
    progress: bool = False,
) -> dict[str, Any]:
    """Draw ``target`` into each of ``outputs`` (``.png``, ``.svg``, ``.pdf``), and give the numbers behind the picture.

    Parameters
    ----------
    target         a file or a folder of music, a corpus by name, or the folder of a training, finished or running; or
                   the folder that holds several, as a training of several values leaves it.
    against        a second corpus, folder or file, over whose notes those of ``target`` are laid.
    first          the piano roll of so many notes only, from the beginning.
    distributions  draw a single file's distributions, not its piano roll.
    force          write over files that are there.
    progress       show a bar on stderr where reading takes longer than a second.

    Returns
    -------
    ``kind`` ("roll", "distributions", "training" or "trainings"), ``title``, ``files``, and what that kind
    has: see docs/json.md.

    Raises
    ------
    InputError
        If the target is not there, cannot be read, or has no notes, or a training has no figures yet.
    OptionError
        For a target that is nothing of these, an unknown suffix, or options that do not go together.
    OutputError
        If an output cannot be written.
    """
    paths = [Path(path) for path in outputs]
    _check(paths, first)
    if not force:
        check_new(paths)
    place = _path(target)
    with_sets = distributions or against is not None
    if _is_music(place) and not with_sets:
        figure, facts = _roll(place, first)
    elif first is not None:
        raise OptionError("expected --first with the piano roll of one file of music; leave it out.")
    elif not with_sets and _is_training(target, place):
        figure, facts = _training(place)
    elif not with_sets and _is_sweep(target, place):
        figure, facts = _trainings(place)
    else:
        figure, facts = _distributions([target] if against is None else [target, against], progress)
    pictures = [pianoroll.encode(figure, path.suffix.lower()[1:]) for path in paths]
    for path, data in zip(paths, pictures, strict=True):
        io.write_bytes(path, data)
    return {**facts, "files": [str(path) for path in paths]}


def _check(paths: Sequence[Path], first: int | None) -> None:
    if first is not None and first < 1:
        raise OptionError(f"expected --first of at least 1 note, got {first}.")
    if len(set(paths)) < len(paths):
        raise OptionError(f"expected every output once, got {', '.join(map(str, paths))}; leave out the second.")
    for path in paths:
        if path.suffix.lower() not in SUFFIXES:
            raise OptionError(f"expected a picture ending in one of {' '.join(SUFFIXES)}; got '{path.name}'.")
        check_folder(path)


# -- what is meant ---------------------------------------------------------------------------------------------------


def _path(target: str | Path) -> Path:
    with suppress(RuntimeError):  # a home that nobody has is a folder that is not there
        return Path(target).expanduser()
    return Path(target)


def _is_music(place: Path) -> bool:
    return place.suffix.lower() in io.SUFFIXES and not place.is_dir()


def _is_training(target: str | Path, place: Path) -> bool:
    return str(target) not in registry.names("corpora") and place.is_dir() and is_run(place)


def _is_sweep(target: str | Path, place: Path) -> bool:
    return str(target) not in registry.names("corpora") and is_sweep(place)


@dataclass(frozen=True)
class _Set:
    """Pieces that are counted together."""

    name: str
    scores: list[Score]
    left_out: list[str]

    @property
    def notes(self) -> int:
        return sum(map(len, self.scores))

    def __str__(self) -> str:
        return f"{_short(self.name)}: {counted(len(self.scores), 'piece')}, {counted(self.notes, 'note')}"


def _set(target: str | Path, progress: bool) -> _Set:
    """The pieces of a corpus by name, of a folder, or of one file; at least one note among them."""
    place = _path(target)
    if str(target) in registry.names("corpora"):
        found = _of_corpus(corpora.load(str(target), progress=progress))
    elif _is_music(place):
        found = _Set(place.name, [io.load(place)], [])
    elif place.is_dir() and not is_run(place) and not is_sweep(place):
        found = _of_corpus(corpora.folder(place, progress=progress))
    else:
        raise _no_pieces(target, place)
    if not found.notes:
        raise InputError(f"expected notes to plot, got none in '{target}'; try other music.")
    return found


def _of_corpus(corpus: corpora.Corpus) -> _Set:
    scores = [piece.score for piece in corpus.members]
    return _Set(corpus.name, scores, [f"{name}: {reason}" for name, reason in corpus.report])


def _no_pieces(target: str | Path, place: Path) -> OptionError:
    """Why there is nothing to count."""
    if place.is_dir():
        return OptionError(f"expected music to count, got the folder of a training, '{target}'; try kantor generate.")
    if place.exists():
        known = " ".join(io.SUFFIXES)
        return OptionError(f"expected music in a file ending in one of {known}; got '{place.name}'.")
    if str(target) in bundles.shipped():
        return OptionError(
            f"expected music or a training's folder, got the name of a model, '{target}', which comes without the logs "
            "of its training; try kantor generate."
        )
    names = ", ".join(registry.names("corpora"))
    return OptionError(
        f"expected a file or a folder of music, a training's folder, or a corpus by name ({names}); got '{target}', "
        "which is none of them."
    )


# -- what is drawn ---------------------------------------------------------------------------------------------------


def _roll(file: Path, first: int | None) -> tuple[Figure, dict[str, Any]]:
    score = io.load(file)
    whole = len(score)
    if not whole:
        raise InputError(f"expected notes to plot, got none in '{file.name}'; try other music.")
    if first is not None and first < whole:
        score = score.replace(notes=score.notes[:first], length_ticks=0)
    shown = len(score)
    name = _short(score.title or file.stem)
    title = f"{name}: {counted(whole, 'note')}" if shown == whole else f"{name}: first {shown:,} of {whole:,} notes"
    bars = score.bar_count
    facts = {
        "kind": "roll",
        "title": title,
        "notes": shown,
        "notes_in_file": whole,
        "lowest": int(score.notes["pitch"].min()),
        "highest": int(score.notes["pitch"].max()),
        "bars": bars,
        "seconds": round(score.seconds, 2),
    }
    per_row = max(-(-bars // ROWS), pianoroll.BARS_PER_ROW)
    return pianoroll.piano_roll(score.replace(title=title), bars_per_row=per_row), facts


def _distributions(targets: Sequence[str | Path], progress: bool) -> tuple[Figure, dict[str, Any]]:
    sets = [_set(target, progress) for target in targets]
    counted = [histograms(pieces.scores) for pieces in sets]
    names = [_short(pieces.name) for pieces in sets]
    title = f"{names[0]} against {names[1]}" if len(sets) == 2 else str(sets[0])
    figure = plots.distributions([(str(pieces), counts) for pieces, counts in zip(sets, counted, strict=True)], title)
    shared = {name: intersection(*(counts[name] for counts in counted)) for name in _UNITS} if len(sets) == 2 else None
    facts = {
        "kind": "distributions",
        "title": title,
        "sets": [
            {"name": pieces.name, "pieces": len(pieces.scores), "notes": pieces.notes, "left_out": pieces.left_out}
            for pieces in sets
        ],
        "histograms": {
            name: {
                "unit": unit,
                "bins": list(range(len(counted[0][name]))),
                "counts": [counts[name].tolist() for counts in counted],
            }
            for name, unit in _UNITS.items()
        },
        "intersection": shared,
    }
    return figure, facts


def _training(run: Path) -> tuple[Figure, dict[str, Any]]:
    figures = read(run)
    best = best_epoch(figures)
    epochs = len(figures["valid_nats"])
    nats = float(figures["valid_nats"][best - 1]) if best else None
    name = _short(run.resolve().name)
    found = f"epoch {best} is best with {nats:.4f} nats on valid" if best else "none with a finite figure on valid"
    title = f"Training of {name}: {counted(epochs, 'epoch')}, {found}"
    facts = {
        "kind": "training",
        "title": title,
        "epochs": epochs,
        "best_epoch": best,
        "best_valid_nats": nats,
        "curves": {name: _known(values) for name, values in figures.items()},
    }
    return plots.curves(figures, title, best), facts


def _trainings(folder: Path) -> tuple[Figure, dict[str, Any]]:
    runs = curves_of(trainings(folder))
    if not runs:
        raise InputError(
            f"expected figures of an epoch of a training in {folder}, none has ended yet; try again later."
        )
    bests = {name: best_epoch(figures) for name, figures in runs.items()}
    nats = {name: float(runs[name]["valid_nats"][best - 1]) for name, best in bests.items() if best}
    alike = all("=" in name for name in runs)  # else their nats may be of anything
    winner = min(nats, key=lambda name: nats[name]) if nats and alike else None
    title = f"{_short(folder.resolve().name)}: {counted(len(runs), 'training')}"
    if winner is not None:
        title += f", {_short(winner)} is best with {nats[winner]:.4f} nats on valid"
    facts = {
        "kind": "trainings",
        "title": title,
        "best": winner,
        "runs": [
            {
                "name": name,
                "epochs": len(figures["valid_nats"]),
                "best_epoch": bests[name],
                "best_valid_nats": nats.get(name),
                "curves": {curve: _known(values) for curve, values in figures.items()},
            }
            for name, figures in runs.items()
        ],
    }
    return plots.comparison(runs, title, winner, bests[winner] if winner else None), facts


def _known(values: NDArray[np.float64]) -> list[float | None]:
    """As JSON can hold it: what is no number is null."""
    return [value if math.isfinite(value) else None for value in values.tolist()]


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
