"""Sets of pieces, as they are named on a command line: files, a folder, a corpus, or a model that composes them.

- ``chorale:256``: 256 pieces of a model, drawn with one seed; ``random:64`` of a baseline;
- ``bach:valid``: a split of a corpus; ``bach`` alone is train and valid, for the test split is looked at last, and when
  somebody asks for it by name;
- ``my/music``: every file of a folder and of those in it;
- ``one.mid two.krn``: these files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from kantor import corpora, io, registry
from kantor.bundle import Bundle
from kantor.corpora import SPLITS, Corpus, tracks_of
from kantor.errors import InputError, KantorError, OptionError, UnknownNameError
from kantor.evaluation.features import Features, hear_set
from kantor.evaluation.novelty import Memory
from kantor.score import Score
from kantor.verbs._models import one_sided
from kantor.verbs._steering import memory_of

__all__ = ["Named", "Pieces", "composed", "corpus_of", "heard", "like", "named", "there", "training"]

Named = tuple[str, Score]
MOST = 10_000  # pieces of a set


@dataclass(frozen=True)
class Pieces:
    """A set of pieces.

    Attributes
    ----------
    name      as it was asked for.
    pieces    (name, score) of each.
    groups    of each piece what its versions bear, too, "" where nobody knows; empty where nobody knows of any.
    bundle    the model that made them, if one did; of several that have learned from the same, one of them.
    corpus    the name of the corpus they are of, or that their model has learned from; "" where there is none.
    left_out  (name, reason) of files that could not be read, and of pieces that could not be heard.
    seconds   that composing took; 0 of what was there.
    nats      mean nats a note of what a model made, by its own account.
    """

    name: str
    pieces: tuple[Named, ...]
    bundle: Bundle | None = None
    corpus: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    seconds: float = 0.0
    nats: float | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


def named(
    wanted: str | Path | Sequence[Any],
    *,
    advance: Callable[[float], None] = lambda _: None,
    **drawing: Any,
) -> Pieces:
    """The set of that name, or of these files or scores; ``drawing`` is for :func:`composed`.

    Raises
    ------
    OptionError, InputError
        If nothing answers to it, or no piece can be read.
    """
    if not isinstance(wanted, str | Path):
        return _several(list(wanted), advance, drawing)
    text = str(wanted)
    path = Path(text)
    kind = _kind(text)
    base, _, of = text.rpartition(":")
    if kind == "drawing":
        return composed(base, int(of), advance=advance, **drawing)
    if kind == "corpus":
        split = of if base and of in SPLITS else ""
        return _of_corpus(text, corpora.load(base if split else text, progress=False), split)
    if kind == "model":
        raise OptionError(f"expected how many pieces of the model '{text}' to draw; try {text}:256.")
    if path.is_dir():
        return _of_folder(path, advance)
    if kind == "nothing" and path.suffix.lower() not in io.READABLE:
        raise UnknownNameError("set of pieces", text, [*registry.names("corpora"), *(f"{m}:256" for m in _shipped())])
    return Pieces(text, ((path.name, io.load(path)),))


def there(wanted: Any) -> bool:
    """Whether all that is asked for, as :func:`named` takes it, is there already, so that no model draws any of it."""
    named_ones = [wanted] if isinstance(wanted, str | Path) else [one for one in wanted if isinstance(one, str | Path)]
    return all(_kind(str(one)) in ("corpus", "files") for one in named_ones)


def _kind(text: str) -> Literal["drawing", "corpus", "model", "files", "nothing"]:
    """What a name means: pieces to be drawn, a corpus or a split of it, a model without a count, what lies on disk."""
    base, colon, of = text.rpartition(":")
    if colon and of.isdecimal() and not Path(text).exists():
        return "drawing"
    base = base if colon and of in SPLITS else text
    if base in registry.names("corpora"):
        return "corpus"
    if (Path(text) / "bundle.json").is_file() or base in registry.names("baselines") or base in _shipped():
        return "model"
    return "files" if Path(text).exists() else "nothing"


def heard(pieces: Pieces, advance: Callable[[], None] = lambda: None) -> tuple[Pieces, Features]:
    """The pieces that can be heard, and what metrics say of them; the others are among those left out.

    ``advance`` is told of each piece.
    """

    def told() -> Iterator[Named]:
        for one in pieces.pieces:
            yield one
            advance()

    found = hear_set(told(), groups=pieces.groups)
    if not found.left_out:
        return pieces, found
    kept = [place for place in range(len(pieces.pieces)) if place not in found.left_out]
    left = tuple((pieces.pieces[place][0], reason) for place, reason in found.left_out.items())
    groups = tuple(pieces.groups[place] for place in kept) if pieces.groups else ()
    some = tuple(pieces.pieces[place] for place in kept)
    return replace(pieces, pieces=some, groups=groups, left_out=(*pieces.left_out, *left)), found


def composed(
    model: str | Path | Bundle,
    count: int,
    *,
    seed: int = 0,
    advance: Callable[[float], None] = lambda _: None,
    **options: Any,
) -> Pieces:
    """``count`` pieces of a model; ``options`` are those of :func:`kantor.verbs.generate.generate`."""
    from kantor.verbs.generate import generate

    if not 1 <= count <= MOST:
        raise OptionError(f"expected 1 to {MOST} pieces of '{getattr(model, 'name', model)}', got {count}.")
    bundle = one_sided(model)
    start = time.perf_counter()
    made = generate(bundle, count=count, seed=seed, advance=lambda done: advance(done / 1000), **options)
    seconds = time.perf_counter() - start
    pieces = tuple((f"take {piece.recipe['take']}", piece.score) for piece in made)
    decided = sum(piece.notes_decided for piece in made)
    nats = sum(piece.nats_per_note * piece.notes_decided for piece in made) / decided if decided else None
    more = {"dead_ends": sum(piece.dead_ends for piece in made)}
    return Pieces(f"{bundle.name}:{count}", pieces, bundle, corpus_of(bundle), (), seconds, nats, more)


def corpus_of(bundle: Bundle) -> str:
    """The name of the corpus that a model has learned from, if it is one that can be read anywhere; else ""."""
    name = str(bundle.card.get("corpus", {}).get("name", ""))
    return name if name in registry.names("corpora") else ""


def training(pieces: Pieces, against: Pieces | None) -> tuple[tuple[str, Memory] | None, str]:
    """What copies are looked for in, under its name: the pieces that the model has learned from, or the train split of
    the reference's corpus. Where it cannot be had, None and a sentence that says why; where there is none, None.
    """
    try:
        if pieces.bundle is not None:
            return ((pieces.corpus, memory_of(pieces.bundle)) if pieces.corpus else None), ""
        if against is None or not against.corpus or against.corpus == pieces.corpus:
            return None, ""
        known = corpora.load(against.corpus, progress=False).split("train")
    except InputError as error:
        return None, f"nothing was looked for copies: {error}"
    return (against.corpus, Memory([(piece.name, piece.score) for piece in known])), ""


def like(pieces: Pieces, bundle: Bundle | None) -> Pieces:
    """The set as a model would take it: of each piece the tracks that it learns from."""
    tracks = bundle.card.get("tracks", "") if bundle is not None else ""
    if not tracks:
        return pieces
    return replace(pieces, pieces=tuple((name, tracks_of(score, tracks)) for name, score in pieces.pieces))


def _shipped() -> tuple[str, ...]:
    from kantor.bundle import shipped

    return tuple(shipped())


def _of_corpus(text: str, corpus: Corpus, split: str) -> Pieces:
    kept = corpus.pieces(split) if split else [piece for piece in corpus.members if piece.split != "test"]
    groups = tuple(f"{corpus.name}: {piece.group}" if piece.group else "" for piece in kept)
    return Pieces(text, tuple((piece.name, piece.score) for piece in kept), corpus=corpus.name, groups=groups)


def _of_folder(folder: Path, advance: Callable[[float], None]) -> Pieces:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in io.READABLE and path.is_file())
    pieces, left = _read(files, advance, folder)
    if not pieces:
        reason = f"; {left[0][0]}: {left[0][1]}" if left else f" that ends in {', '.join(io.READABLE)}"
        raise InputError(f"expected music in '{folder}', got no file{reason}")
    return Pieces(str(folder), tuple(pieces), left_out=tuple(left))


def _read(
    files: Sequence[Path], advance: Callable[[float], None], folder: Path | None = None
) -> tuple[list[Named], list[tuple[str, str]]]:
    pieces: list[Named] = []
    left: list[tuple[str, str]] = []
    for number, file in enumerate(files, start=1):
        name = str(file.relative_to(folder)) if folder else file.name
        try:
            pieces.append((name, io.load(file)))
        except KantorError as error:
            left.append((name, str(error)))
        advance(number / len(files))
    return pieces, left


def _several(wanted: list[Any], advance: Callable[[float], None], drawing: dict[str, Any]) -> Pieces:
    """Files, names of sets, scores, (name, score) pairs or pieces, all in one."""
    if not wanted:
        raise InputError("expected a set of at least one piece, got none.")
    if len(wanted) == 1 and isinstance(wanted[0], str | Path):
        return named(wanted[0], advance=advance, **drawing)
    parts = [_part(one, number, drawing) for number, one in enumerate(wanted, start=1)]
    corpus = {part.corpus for part in parts}
    joined = tuple(piece for part in parts for piece in part.pieces)
    left = tuple(one for part in parts for one in part.left_out)
    groups = tuple(group for part in parts for group in part.groups or [""] * len(part.pieces))
    whole = parts[0].name if len(parts) == 1 else f"{parts[0].name} and {len(parts) - 1} more"
    same = len(corpus) == 1
    bundles = [part.bundle for part in parts if part.bundle is not None]
    alike = same and len(bundles) == len(parts) and len({one.card.get("tracks", "") for one in bundles}) == 1
    return Pieces(
        whole,
        joined,
        bundles[0] if alike else None,
        corpus.pop() if same else "",
        left,
        sum(part.seconds for part in parts),
        groups=groups,
    )


def _part(one: Any, number: int, drawing: dict[str, Any]) -> Pieces:
    if isinstance(one, str | Path):
        return named(one, **drawing)
    name, score = one if isinstance(one, tuple) else (f"piece {number}", getattr(one, "score", one))
    if not isinstance(score, Score):
        raise InputError(f"expected scores, files or names of sets, got {type(score).__name__}.")
    return Pieces(str(name), ((str(name), score),))
