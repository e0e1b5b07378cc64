"""``kantor compare``: models beside each other, and ways to draw from them: the leaderboard.

Each row is a model played in one way. Likelihood is the model's; what the music is like depends on how it is drawn.
All rows are drawn with one seed, and models of one corpus are held against the same pieces.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import kantor
from kantor import io
from kantor.bundle import Bundle
from kantor.errors import InputError, OptionError
from kantor.evaluation.counterpoint import RULES
from kantor.evaluation.features import Features, hear_set
from kantor.evaluation.novelty import Memory
from kantor.evaluation.sets import against, estimates
from kantor.verbs._models import one_sided
from kantor.verbs._plans import check_amounts
from kantor.verbs._sets import Pieces, composed, corpus_of, heard, like, named, training
from kantor.verbs.judge import copies
from kantor.verbs.outputs import check_report

__all__ = ["COLUMNS", "SAMPLING", "compare", "sampling"]

#: Ways to draw that are compared unless others are named; greedy is always among them.
SAMPLING = ("own", "T=1", "T=0")
GREEDY = "T=0"
COUNT = 64

#: What a row says, and whether less of it is better; None: there is no better.
COLUMNS: dict[str, bool | None] = {
    "nats_per_note": True,
    "nats_drawn": None,
    "parallel_fifths": True,
    "parallel_octaves": True,
    "faults": True,
    "frechet": True,
    "accuracy": True,
    "overlap": False,
    "copied_quarters": True,
    "copied_bars": True,
    "distinct": False,
    "seconds_per_piece": True,
    "notes_per_second": False,
}
_NAMES = {"t": "temperature", "temperature": "temperature", "top-p": "top_p", "top-k": "top_k", "min-p": "min_p"}
_WHOLE = ("beam", "best-of")


def compare(
    models: Sequence[str | Path | Bundle],
    ways: Sequence[str] = (),
    outputs: Sequence[str | Path] = (),
    *,
    against: str | Path | None = None,
    corpus: str | None = None,
    data: str | Path | None = None,
    count: int = COUNT,
    bars: int | None = None,
    rules: Sequence[str] = (),
    sort: str = "frechet",
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:
    """A row for each model and each way to draw from it, the best first.

    Parameters
    ----------
    models   names of shipped models, folders, baselines ("random", "ngram").
    ways     "T=1", "top-p=.9", "T=.9,top-k=5", "beam=8", "own" (as the model's card has it); :data:`SAMPLING` unless
             given. Greedy, "T=0", is added where it is missing.
    outputs  ``.html``: the leaderboard as one file.
    against  the reference; each model's own corpus, its train split, unless given (a baseline has that of the first
             model that has one); "none": no distances.
    corpus, data  what likelihood is measured on (the valid split); what the model's card says of its own unless given.
    count    pieces of each row. Parallels are rare: below 256 pieces their figures are rough.
    bars     of each piece; 16 unless given.
    rules    of all rows, as in ``generate``: "none" shows what models do by themselves.
    sort     one of :data:`COLUMNS`.
    seed     of every row.

    Raises
    ------
    OptionError, UnknownNameError, BundleError, InputError
        For a model, a way or a reference that cannot be used.
    """
    paths = [Path(path) for path in outputs]
    check_report(paths, (".html",), force=force)
    check_amounts(bars or 1, count)
    if not models:
        raise InputError("expected a model to compare, got none.")
    if sort not in COLUMNS:
        raise OptionError(f"expected to sort by one of {', '.join(COLUMNS)}; got '{sort}'.")
    wanted = tuple(dict.fromkeys([*(ways or SAMPLING), GREEDY]))
    drawn = {way: sampling(way) for way in wanted}  # a wrong one is refused before anything is composed
    bundles = [one_sided(model, _music(corpus, data)) for model in models]
    usual = next((known for known in map(corpus_of, bundles) if known), "")  # baselines know of none
    rows, done, whole = [], 0, len(bundles) * len(drawn)
    known_by: dict[tuple[str, str], tuple[Pieces, Features]] = {}  # references, heard once
    grounds = []  # a corpus that cannot be had is told before anything is composed
    for bundle in bundles:
        held = _reference(bundle, against or _train(corpus_of(bundle) or usual), known_by)
        known, _ = training(Pieces(bundle.name, (), bundle, corpus_of(bundle)), held[0] if held else None)
        grounds.append((bundle, held, known, _likelihood(bundle, corpus, data)))
    for bundle, held, known, nats in grounds:
        for way, options in drawn.items():
            told = functools.partial(_share, advance, done, whole)
            if bars is not None:
                options = {**options, "bars": bars}
            made = composed(bundle, count, seed=seed, rules=rules, advance=told, **options)
            rows.append({"model": bundle.name, "sampling": way, **_row(made, held, known, seed), "nats_per_note": nats})
            done += 1
    advance(1.0)
    report = {
        "count": count,
        "seed": seed,
        "against": str(against) if against is not None else None,
        "rows": _sorted([{**_EMPTY, **row} for row in rows], sort),
    }
    for path in paths:
        from kantor.verbs._compare_page import page

        io.write_bytes(path, page(report, sort, kantor.__version__).encode())
    return {**report, "files": [str(path) for path in paths]}


_EMPTY: dict[str, Any] = {"model": "", "sampling": "", **dict.fromkeys(COLUMNS)}


def sampling(way: str) -> dict[str, Any]:
    """A way to draw as options of :func:`kantor.verbs.generate.generate`: "T=.9,top-p=.95".

    Raises
    ------
    OptionError
        If it is none.
    """
    if way == "own":
        return {}
    found: dict[str, Any] = {}
    for part in way.split(","):
        name, _, value = (piece.strip() for piece in part.partition("="))
        option = _NAMES.get(name.lower(), name.lower() if name.lower() in _WHOLE else "")
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        whole = option in ("top_k", *_WHOLE)
        if not option or not math.isfinite(number) or (whole and number != int(number)):
            raise OptionError(
                f"expected --sampling like T=1, top-p=.9, top-k=5, min-p=.05, beam=8 or own; got '{way}'."
            )
        found[option.replace("-", "_")] = int(number) if whole else number
    return found


def _share(advance: Callable[[float], None], done: int, whole: int, part: float) -> None:
    advance((done + part) / whole)


def _music(corpus: str | None, data: str | Path | None) -> Any:
    """What baselines count, where a corpus or a folder was named."""
    from kantor.verbs._sources import source

    return functools.cache(lambda: source(corpus, data, progress=False)) if corpus or data else None


def _train(corpus: str) -> str:
    return f"{corpus}:train" if corpus else "none"


def _reference(
    bundle: Bundle, against: str | Path, known: dict[tuple[str, str], tuple[Pieces, Features]]
) -> tuple[Pieces, Features] | None:
    """The reference of a model, heard once for all models that take the same tracks of the same pieces."""
    if str(against) == "none":
        return None
    name, tracks = str(against), str(bundle.card.get("tracks", ""))
    if (name, tracks) not in known:
        known[name, tracks] = heard(like(named(name), bundle))
    return known[name, tracks]


def _likelihood(bundle: Bundle, corpus: str | None, data: str | Path | None) -> float | None:
    """Nats a note on valid pieces: measured on what is named, else what the card says of the model's own."""
    if not corpus and not data:
        known = (bundle.card.get("metrics") or {}).get("whole", {}).get("nats_per_note")
        return float(known) if known is not None else None
    from kantor.verbs.evaluate import evaluate

    figures, _ = evaluate(bundle, corpus=corpus, data=data)
    return round(figures.nats_per_note, 4)


def _row(
    made: Pieces, held: tuple[Pieces, Features] | None, known: tuple[str, Memory] | None, seed: int
) -> dict[str, Any]:
    """What is known of one set of pieces."""
    heard = hear_set(made.pieces)
    figures = estimates(heard, seed=seed)
    notes = sum(len(score) for _, score in made.pieces)
    faults = [figures[name].value for rule in RULES if (name := f"faults-{rule}") in figures]
    told = [value for value in faults if math.isfinite(value)]
    row: dict[str, Any] = {
        "pieces": len(made.pieces),
        "nats_drawn": _round(made.nats),
        "parallel_fifths": _round(figures["parallel-fifths"].value),
        "parallel_octaves": _round(figures["parallel-octaves"].value),
        "faults": _round(sum(told)) if told else None,
        "distinct": _distinct(made),
        "seconds_per_piece": _round(made.seconds / len(made.pieces)),
        "notes_per_second": _round(notes / made.seconds) if made.seconds else None,
        "against": held[0].name if held else None,
    }
    if held:
        row |= _distance(heard, held[1], seed)
    if known:
        found = copies(known[1], made.pieces)
        row["copied_quarters"] = _round(sum(one["quarters"] for one in found) / len(found))
        row["copied_bars"] = _round(sum(one["bars"] for one in found) / len(found))
    return row


def _distinct(made: Pieces) -> float:
    """The share of pieces whose notes no other piece has."""
    times = Counter(score.notes.tobytes() for _, score in made.pieces)
    return sum(count == 1 for count in times.values()) / len(made.pieces)


def _distance(heard: Features, theirs: Features, seed: int) -> dict[str, Any]:
    """How far a set is from the reference: altogether, to a classifier, and on average over figures."""
    compared = against(heard, theirs, seed=seed)
    overlaps = [one.overlap for one in compared.figures.values() if math.isfinite(one.overlap)]
    return {
        "frechet": _round(compared.frechet),
        "accuracy": _round(compared.two_sample.accuracy) if compared.two_sample else None,
        "overlap": _round(sum(overlaps) / len(overlaps)) if overlaps else None,
    }


def _sorted(rows: list[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    """The best first; what has no figure there last."""
    sign = -1 if COLUMNS[column] is False else 1
    return sorted(rows, key=lambda row: math.inf if row[column] is None else sign * row[column])


def _round(value: float | None) -> float | None:
    return round(value, 6) if value is not None and math.isfinite(value) else None
