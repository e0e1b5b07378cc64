"""``kantor train``: a preset learns from a corpus and becomes a bundle."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kantor import bundle as bundles
from kantor import registry
from kantor.bundle import Bundle
from kantor.corpora import Corpus, Selection
from kantor.errors import InputError, MissingExtraError, OptionError, TrainingError
from kantor.evaluation.infilling import infilling
from kantor.evaluation.likelihood import likelihood, protocols_of
from kantor.networks import alike
from kantor.presets import LEARNED, Preset
from kantor.representations.cells import Cells
from kantor.runtime import Runtime
from kantor.score import Score
from kantor.verbs._models import openings
from kantor.verbs._sources import fitting, source

if TYPE_CHECKING:
    from kantor.training.fit import Fitted

__all__ = ["train"]

#: How a two-sided model is judged: which voices are given (0 soprano .. 3 bass) while the others are filled in.
GIVEN: dict[str, tuple[int, ...]] = {"infilling": (), "harmonising": (0,)}
ACCELERATORS = ("auto", "cpu", "cuda", "mps")


def train(
    preset: str | Preset,
    *,
    corpus: str | None = None,
    data: str | Path | None = None,
    start: str | Path | None = None,
    out: str | Path | None = None,
    max_epochs: int | None = None,
    max_minutes: float | None = None,
    batch_size: int | None = None,
    window: int | None = None,
    accelerator: str = "auto",
    resume: bool = False,
    seed: int | None = None,
    settings: Mapping[str, str] | None = None,
    selection: Selection | None = None,
    say: Callable[[str], None] = print,
    bar: bool = False,
) -> Bundle:
    """Train a preset and leave a bundle in ``out``.

    A model that lies in ``out`` already is kept, its folder moved aside; an unfinished training there must be resumed.

    Parameters
    ----------
    preset        a preset's name, or one made in Python.
    corpus, data  a corpus by name, or a folder of music; ``bach`` where neither is given.
    start         a model to go on from: its weights are the first ones, and its tables (vocabularies) are those of the
                  preset, which learns none then. All else of representation and network has to be the same, but that
                  it may know no counterpoint where the preset does: it learns it then.
    out           folder of the run, ``runs/<preset>`` unless given; the model bears its name.
    max_minutes   the training ends by then, within an epoch if need be, its last validation included; encoding the
                  music counts, reading it beforehand and judging the model afterwards do not. The rate of "one-cycle"
                  falls to its end by then. It follows the clock, so that one seed no longer is one curve; give
                  max_epochs where a training is to be repeated.
    resume        go on with the run in ``out``; of its settings only max_epochs and max_minutes may change.
    settings      overrides by name, see :meth:`kantor.presets.Preset.override`.
    selection     which pieces, and what of them; the preset's own choice of tracks where none is made.
    say, bar      where progress lines go, and whether a bar is drawn.

    Raises
    ------
    MissingExtraError
        Without torch and Lightning.
    TrainingError
        If there is nothing to train on or to resume.
    """
    _check(accelerator, max_minutes)
    chosen = _chosen(preset, max_epochs, batch_size, window, seed, settings or {})
    folder, name = _place(out, chosen)
    first = bundles.load(start) if start else None
    chosen = _with_tables(chosen, first, say) if first else chosen
    _check_extra()
    from kantor.training.export import add_metrics, export, restore
    from kantor.training.fit import check_free, fit
    from kantor.training.inspection import inspector

    if not resume:
        check_free(folder)
    chosen_of = _selected(selection, chosen)
    music = source(corpus, data, chosen_of, default=chosen.corpus, progress=bar)
    pieces, valid = (_readable(music, split, chosen, say) for split in ("train", "valid"))
    if first is None:
        chosen = replace(chosen, representation=chosen.representation.learn(pieces))
    say(f"{chosen.name}: {chosen.parameters:,} parameters, pieces of {music.name} to learn from: {len(pieces)}")
    fitted = fit(
        chosen.representation,
        chosen.network,
        chosen.recipe,
        pieces,
        valid,
        folder,
        start=restore(first, chosen.network, chosen.representation) if first else None,
        max_minutes=max_minutes,
        accelerator=accelerator,
        resume=resume,
        identity={"corpus": music.hash},
        bar=bar,
        say=say,
        inspect=None if chosen.network.two_sided else inspector(chosen.representation, pieces),
    )
    card = _card(chosen, music, pieces, name, chosen_of) | {"training": _history(fitted)}
    half = chosen.recipe.store == "float16"
    made = export(fitted.network, chosen.network, chosen.representation, folder, card, half=half)
    made = add_metrics(made, _metrics(made, valid))
    say(f"{folder}: valid {fitted.valid_nats:.4f} nats after {fitted.seconds / 60:.1f} minutes")
    return made


def _history(fitted: Fitted) -> dict[str, Any]:
    """How it went, for the card."""
    figures = {"valid_nats": round(fitted.valid_nats, 4), "minutes": round(fitted.seconds / 60, 2)}
    return {"epochs": fitted.epochs, "best_epoch": fitted.best_epoch, **figures}


def _check_extra() -> None:
    """Name the extra, should the rooms that train miss what they need."""
    # Threads that wait for each other shall sleep, not spin, for other programs want the cores too: on two busy ones a
    # step of seed 000's network took 6.5 s spinning, .23 s sleeping. OpenMP reads this when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        import kantor.training.export
        import kantor.training.fit  # noqa: F401
    except ImportError as error:
        if error.name and error.name.split(".")[0] in ("torch", "lightning", "onnx", "onnxscript", "tensorboard"):
            raise MissingExtraError("training", "train") from error
        raise


def _metrics(made: Bundle, valid: Sequence[Score]) -> dict[str, Any]:
    """What ``kantor evaluate`` says of the validation pieces, by every protocol that the model has, for the card.

    Of a model that fills in it is how likely it finds them when cells are filled in at random.
    """
    model, found = Runtime(made, threads=0), {}
    if made.network.two_sided and isinstance(made.representation, Cells):
        judged = model, made.representation, valid
        filled = {name: infilling(*judged, given=given, orders=2) for name, given in GIVEN.items()}
        return {name: _rounded(figures.to_dict()) for name, figures in filled.items()}
    for protocol in protocols_of(made.representation):
        try:
            figures = likelihood(model, made.representation, valid, protocol).to_dict()
        except InputError:  # no piece is as long as a window
            continue
        found[protocol] = {
            name: _rounded(value) for name, value in figures.items() if value is not None and name != "protocol"
        }
    return found


def _rounded(value: Any) -> Any:
    """Four digits of each number, as a card has it; the figures of fields and the two ends of an interval too."""
    if isinstance(value, dict):
        return {name: _rounded(part) for name, part in value.items()}
    if isinstance(value, tuple):
        return [_rounded(part) for part in value]
    return round(value, 4) if isinstance(value, float) else value


def _check(accelerator: str, max_minutes: float | None) -> None:
    if accelerator not in ACCELERATORS:
        raise OptionError(f"expected an accelerator among {', '.join(ACCELERATORS)}, got '{accelerator}'.")
    if max_minutes is not None and not max_minutes > 0:
        raise OptionError(f"expected max-minutes above 0, got {max_minutes}.")


def _place(out: str | Path | None, chosen: Preset) -> tuple[Path, str]:
    """The run's folder, and what the model will be called."""
    return (Path(out), Path(out).name) if out else (Path("runs") / chosen.name, chosen.name)


def _chosen(
    preset: str | Preset,
    max_epochs: int | None,
    batch_size: int | None,
    window: int | None,
    seed: int | None,
    settings: Mapping[str, str],
) -> Preset:
    chosen: Preset = registry.part("presets", preset) if isinstance(preset, str) else preset
    chosen = chosen.override(dict(settings))
    chosen.check()
    weights, parts = len(chosen.recipe.loss_weights), len(chosen.representation.fields)
    if weights not in (0, parts):
        raise OptionError(f"expected {parts} loss_weights for preset {chosen.name}, one a field, got {weights}.")
    given: dict[str, Any] = {"epochs": max_epochs, "batch_size": batch_size, "window": window, "seed": seed}
    return replace(chosen, recipe=replace(chosen.recipe, **{k: v for k, v in given.items() if v is not None}))


def _with_tables(chosen: Preset, first: Bundle, say: Callable[[str], None]) -> Preset:
    """The preset with the tables of ``first``: weights belong to the classes that they were learned for.

    Raises
    ------
    OptionError
        If anything else of representation or network differs; dropout may.
    """
    mine, theirs = chosen.representation, first.representation
    tables = [option.name for option in fields(mine) if option.name in LEARNED]  # type: ignore[arg-type]
    if type(mine) is type(theirs):
        mine = replace(mine, **{name: getattr(theirs, name) for name in tables})  # type: ignore[type-var]
    network = first.network
    if getattr(chosen.network, "counterpoint", False) and getattr(network, "counterpoint", None) is False:
        network = replace(network, counterpoint=True)  # type: ignore[type-var]
        theirs = replace(theirs, inputs=("last", *getattr(theirs, "inputs", ())))  # type: ignore[type-var]
    if mine != theirs or not alike(network, chosen.network):
        raise OptionError(
            f"expected --from a model of preset {chosen.name}'s representation and network, "
            f"got {first.name}, which differs; use the preset it was trained by, or the same --set."
        )
    kept = [f"{name} ({len(getattr(mine, name))})" for name in tables if getattr(mine, name)]
    if kept:
        say(f"the tables are those of {first.name}, none is learned: {', '.join(kept)}")
    return replace(chosen, representation=mine)


def _readable(music: Corpus, split: str, preset: Preset, say: Callable[[str], None]) -> list[Score]:
    """The split's scores that the representation can encode; the others are counted and the first is named."""
    kept, others = fitting(music.split(split), preset.representation)
    refused = [f"{name}: {reason}" for name, reason in others]
    if not kept:
        raise TrainingError(
            f"expected a {split} piece that fits preset {preset.name}, got none ({refused[0].rstrip('.')}); "
            "try subfolders train and valid, with pieces that fit in both."
        )
    if refused:
        say(
            f"warning: {len(refused)} of {len(kept) + len(refused)} {split} pieces do not fit and are left out; "
            f"{refused[0]}"
        )
    return kept


def _selected(selection: Selection | None, chosen: Preset) -> Selection:
    """The selection asked for, with the preset's own choice of tracks where it makes none."""
    made = selection or Selection()
    return made if made.tracks else replace(made, tracks=chosen.tracks)


def _card(preset: Preset, music: Corpus, pieces: Sequence[Score], name: str, selection: Selection) -> dict[str, Any]:
    from kantor.data.augmentation import part_ranges

    ranges = part_ranges(pieces, max(len(score.parts) for score in pieces))
    return {
        "name": name,
        "about": preset.about,
        "preset": preset.name,
        "recipe": asdict(preset.recipe),
        "corpus": {"name": music.name, "hash": music.hash, "licence": music.licence, "pieces": len(pieces)},
        "ranges": ranges.tolist(),
        "sampling": dict(preset.sampling),
        "tracks": selection.tracks,
        "plans": openings(pieces),
    }
