"""``kantor replay``: a piece made again from the recipe in its file, note for note."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import kantor
from kantor import io
from kantor.bundle import Bundle
from kantor.errors import BundleError, FileFormatError, KantorError, UnknownNameError
from kantor.io.packing import unpack_score
from kantor.render.audio import played_on
from kantor.score import Score
from kantor.verbs._models import opened
from kantor.verbs.piece import Piece

__all__ = ["replay"]

MODULES = {
    "generate": "generate",
    "continue": "continue_",
    "harmonize": "harmonize",
    "infill": "infill",
    "live": "live",
}


def replay(
    source: str | Path | Score,
    model: str | Path | Bundle | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> Piece:
    """The piece that a file's recipe makes: the same notes, and so the same bytes in a file of the same kind.

    That holds for one version of Kantor and one family of processors; another version is remarked upon.

    Parameters
    ----------
    source   a file that Kantor has made (MIDI, MusicXML, or a CSV with its ``.json`` beside it), or a score.
    model    where the model lies; the one in the package that the recipe names unless given.
    advance  told how many thousandths of the work are done.

    Raises
    ------
    FileFormatError
        If there is no recipe in it, or one that is damaged.
    BundleError
        If the model is not the one that made it.
    """
    score = source if isinstance(source, Score) else io.load(source)
    recipe = _recipe(score, "the score" if isinstance(source, Score) else str(source))
    bundle = _model(recipe, model)
    try:
        piece = _made(recipe, bundle, advance)
    except (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError) as error:
        if isinstance(error, KantorError):
            raise
        raise FileFormatError(f"expected a recipe of Kantor's in {source}, got one that it cannot follow.") from error
    remarks = piece.remarks
    if recipe["kantor"] != kantor.__version__:
        remarks += (f"made by kantor {recipe['kantor']}, played again by {kantor.__version__}: notes may differ",)
    again = piece.score.replace(recipe=score.recipe)
    if "instrument" in recipe:
        again = played_on(again, recipe["instrument"])
    return Piece(again, recipe, piece.nats_per_note, piece.notes_decided, remarks, piece.rules_cost, piece.dead_ends)


def _made(recipe: dict[str, Any], bundle: Bundle, advance: Callable[[int], None]) -> Piece:
    """The one take that the recipe speaks of, by the verb that made it."""
    import importlib

    name = MODULES[recipe["verb"]]
    verb = getattr(importlib.import_module(f"kantor.verbs.{name}"), name)
    verb = getattr(verb, "__wrapped__", verb)  # its own checks speak of options, where the recipe is at fault
    options = dict(recipe["options"])
    given = [unpack_score(recipe["prompt"])] if "prompt" in recipe else []
    for cut in ("from_bar", "prompt_notes") if given else ():
        options.pop(cut, None)  # the music in the recipe has been cut already
    seed, take = int(recipe["seed"]), int(recipe["take"])
    pieces: list[Piece] = verb(*given, model=bundle, seed=seed, take=take, advance=advance, **options)
    return pieces[0]


def _recipe(score: Score, where: str) -> dict[str, Any]:
    if not score.recipe:
        raise FileFormatError(
            f"expected a file that Kantor has made, found no recipe in {where}; a CSV has its own in FILE.csv.json."
        )
    try:
        recipe = json.loads(score.recipe)
        known = isinstance(recipe, dict) and recipe.get("verb") in MODULES
    except (ValueError, RecursionError):
        known = False
    if not known or not {"kantor", "model", "hash", "seed", "take", "options"} <= recipe.keys():
        raise FileFormatError(f"expected a recipe of Kantor's in {where}, got something else.")
    return recipe  # type: ignore[no-any-return]


def _model(recipe: dict[str, Any], model: str | Path | Bundle | None) -> Bundle:
    name = str(recipe["model"])
    try:
        bundle = opened(name if model is None else model)
    except (UnknownNameError, BundleError) as error:
        if model is not None:
            raise
        raise BundleError(f"expected --model with the folder of '{name}', which is not in the package.") from error
    if bundle.hash != recipe["hash"]:
        raise BundleError(
            f"expected the model '{name}' that made this ({str(recipe['hash'])[:12]}), got one with other weights "
            f"({bundle.hash[:12]}); try --model with the folder of the one it was."
        )
    return bundle
