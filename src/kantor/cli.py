"""The command line: arguments -> one verb -> printed result. No logic of its own."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from io import TextIOWrapper
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

import kantor
from kantor.errors import KantorError, OptionError
from kantor.wording import counted, spelt

__all__ = ["app", "main"]

app = typer.Typer(
    name="kantor",
    help="Learns from scores, then composes: chorales and more, on a laptop.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
#: What typer raises for a wrong option or argument; it does not name this class itself in every version.
UsageError: Any = typer.BadParameter.__bases__[0]
PROSE = ("about", "forbids")  # columns that hold sentences
SENTENCE = 48  # characters of room that one wants
INTERRUPTED = 130  # what shells call a program that Ctrl-C has ended
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

Model = Annotated[str, typer.Option("--model", "-m", help="A model in the package by name, or a model folder.")]
Output = Annotated[
    list[Path], typer.Option("--output", "-o", help="A file to write; its suffix says what. Repeatable.")
]
Force = Annotated[bool, typer.Option("--force", help="Write over files that are there; refused without it.")]
Temperature = Annotated[
    float | None, typer.Option(help="Below 1 safer, above 1 bolder, 0 always the likeliest; the model's own, or 1.")
]
TopK = Annotated[int | None, typer.Option(help="Draw from the K likeliest classes only.")]
TopP = Annotated[float | None, typer.Option(help="Draw from the likeliest classes that together reach P (0..1).")]
MinP = Annotated[float | None, typer.Option(help="Drop classes less than P times as likely as the likeliest (0..1).")]
Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", help="A rule that always holds, 'in-key=Gm'; 'none': no default ones. Repeatable."),
]
Soft = Annotated[
    list[str] | None, typer.Option("--soft", help="A rule whose faults cost nats: 'stepwise=0.5'. Repeatable.")
]
Chords = Annotated[
    str | None, typer.Option(help="Chords to keep to, one a bar from the first: 'I V vi IV' or 'C G/B Am F'.")
]
Filler = Annotated[str, typer.Option("--model", "-m", help="A model that sees what follows, by name or folder.")]
Sweeps = Annotated[int | None, typer.Option(help="How often the notes are drawn again; 24 unless told.")]
Beam = Annotated[int, typer.Option(help="Search for the likeliest piece with so many beginnings; 0 draws notes.")]
Novelty = Annotated[
    bool, typer.Option("--novelty", help="Say what the piece shares with those that the model learned from.")
]
BestOf = Annotated[int, typer.Option(help="Make so many of each piece, and keep the best.")]
Notes = Annotated[int | None, typer.Option(help="How many notes, in place of bars.")]
Seconds = Annotated[float | None, typer.Option(help="How many seconds, in place of bars.")]
PromptNotes = Annotated[
    int | None, typer.Option(help="Take so many notes of the prompt: a file's first, 100 of a random one.")
]
Tempo = Annotated[float | None, typer.Option(help="Quarter notes a minute.")]
Velocity = Annotated[int | None, typer.Option(help="How hard every composed note is struck, 1..127.")]
Seed = Annotated[int | None, typer.Option(help="Give it again for the same piece; drawn and printed unless given.")]
Count = Annotated[
    int, typer.Option("--count", "-n", help="How many pieces; put {n} into the output's name for the number.")
]
CorpusName = Annotated[str | None, typer.Option("--corpus", help="A corpus by name ('bach' unless --data is given).")]
Data = Annotated[Path | None, typer.Option("--data", help="A folder of MIDI, MusicXML or grid CSV files.")]
Tracks = Annotated[
    str, typer.Option(help="Of each piece: 'all' but drums, 'piano', or 'melody' (the highest line), as one part.")
]
OnlyKey = Annotated[str, typer.Option(help="Only pieces in this key: 'C major', 'Am'.")]
OnlyMeter = Annotated[str, typer.Option(help="Only pieces in this meter throughout: '4/4'.")]
Limit = Annotated[int | None, typer.Option(help="Only so many pieces.")]
MinNotes = Annotated[int, typer.Option(help="Only pieces of so many notes at least.")]
Quantise = Annotated[
    int | None, typer.Option("--quantise", help="Move onsets and ends to a grid of so many a quarter first.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value and nothing else.")]
SoundFont = Annotated[Path | None, typer.Option(help="A SoundFont (.sf2); else KANTOR_SOUNDFONT, else one found here.")]
Instrument = Annotated[
    str | None, typer.Option(help="A General MIDI instrument for all parts: 'choir', 'harpsichord', 19 ...")
]
SampleRate = Annotated[int, typer.Option(help="Of the sound, in Hz.")]


def _version(wanted: bool) -> None:
    if wanted:
        out.print(f"kantor {kantor.__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learns from scores, then composes."""


@app.command()
def generate(
    output: Output,
    model: Model = "chorale",
    bars: Annotated[int | None, typer.Option(help="How many bars, beside a pickup; 16 unless told.")] = None,
    notes: Notes = None,
    seconds: Seconds = None,
    prompt: Annotated[
        str | None, typer.Option(help="A file to begin with, or random:FOLDER for a fragment of one of its files.")
    ] = None,
    prompt_notes: PromptNotes = None,
    key: Annotated[
        str | None, typer.Option(help="'Gm', 'D major' ...; drawn as training pieces begin, unless given.")
    ] = None,
    in_key: Annotated[bool, typer.Option("--in-key", help="Hold the piece to the notes of its key.")] = False,
    meter: Annotated[str | None, typer.Option(help="'4/4', '3/4' ...; drawn likewise, unless given.")] = None,
    pickup: Annotated[
        float | None, typer.Option(help="Beats before the first full bar; drawn likewise, unless given.")
    ] = None,
    tempo: Tempo = None,
    velocity: Velocity = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    rules: Rules = None,
    soft: Soft = None,
    chords: Chords = None,
    beam: Beam = 0,
    best_of: BestOf = 1,
    novelty: Novelty = False,
    seed: Seed = None,
    count: Count = 1,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Compose a piece from nothing, and write it as music, sound, pages or pictures."""
    from kantor.verbs.generate import generate as verb

    def compose(advance: Callable[[int], None]) -> Any:
        return verb(
            model,
            bars=bars,
            notes=notes,
            seconds=seconds,
            prompt=prompt,
            prompt_notes=prompt_notes,
            key=key,
            in_key=in_key,
            meter=meter,
            pickup=pickup,
            tempo=tempo,
            velocity=velocity,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            rules=rules or (),
            soft=soft or (),
            chords=chords,
            beam=beam,
            best_of=best_of,
            novelty=novelty,
            seed=seed,
            count=count,
            advance=advance,
        )

    playing = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
    source = Path(prompt) if prompt else None
    _compose(compose, output, count, playing, force=force, as_json=as_json, source=source)


@app.command("continue")
def continue_(
    file: Annotated[str, typer.Argument(help="MIDI, MusicXML or grid CSV; or random:FOLDER.")],
    output: Output,
    model: Model = "chorale",
    from_bar: Annotated[
        int | None, typer.Option(help="First bar to compose; the end of the music unless given.")
    ] = None,
    prompt_notes: PromptNotes = None,
    bars: Annotated[int | None, typer.Option(help="How many bars to add; 8 unless told.")] = None,
    notes: Notes = None,
    seconds: Seconds = None,
    tempo: Tempo = None,
    velocity: Velocity = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    rules: Rules = None,
    soft: Soft = None,
    chords: Chords = None,
    beam: Beam = 0,
    best_of: BestOf = 1,
    novelty: Novelty = False,
    seed: Seed = None,
    count: Count = 1,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Go on from a piece; the given music stays as it was."""
    from kantor.verbs.continue_ import continue_ as verb

    def compose(advance: Callable[[int], None]) -> Any:
        return verb(
            file,
            model,
            from_bar=from_bar,
            prompt_notes=prompt_notes,
            bars=bars,
            notes=notes,
            seconds=seconds,
            tempo=tempo,
            velocity=velocity,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            rules=rules or (),
            soft=soft or (),
            chords=chords,
            beam=beam,
            best_of=best_of,
            novelty=novelty,
            seed=seed,
            count=count,
            advance=advance,
        )

    playing = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
    _compose(compose, output, count, playing, force=force, as_json=as_json, source=Path(file))


@app.command()
def harmonize(
    melody: Annotated[Path, typer.Argument(help="One line: MIDI, MusicXML, or a grid CSV of one column.")],
    output: Output,
    model: Filler = "chorale-infill",
    voice: Annotated[str, typer.Option(help="Who sings it: soprano, alto, tenor or bass.")] = "soprano",
    key: Annotated[str | None, typer.Option(help="'Gm', 'D major' ...; the melody's own, unless given.")] = None,
    rules: Rules = None,
    soft: Soft = None,
    chords: Chords = None,
    sweeps: Sweeps = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    seed: Seed = None,
    count: Count = 1,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Set a melody for four voices; the melody stays as it is."""
    from kantor.verbs.harmonize import harmonize as verb

    def compose(advance: Callable[[int], None]) -> Any:
        return verb(
            melody,
            model,
            voice=voice,
            key=key,
            rules=rules or (),
            soft=soft or (),
            chords=chords,
            sweeps=sweeps,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            seed=seed,
            count=count,
            advance=advance,
        )

    playing = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
    _compose(compose, output, count, playing, force=force, as_json=as_json, source=melody)


@app.command()
def infill(
    file: Annotated[Path, typer.Argument(help="MIDI, MusicXML or grid CSV of at most four notes at a time.")],
    output: Output,
    model: Filler = "chorale-infill",
    voices: Annotated[
        str | None,
        typer.Option(help="Who is composed anew: 'alto' or 'alto,tenor'; all that the music has unless given."),
    ] = None,
    bars: Annotated[str | None, typer.Option(help="Which bars: '3' or '3-4'; all unless given.")] = None,
    select: Annotated[list[str] | None, typer.Option(help="One more selection: 'alto,tenor:3-4'. Repeatable.")] = None,
    rules: Rules = None,
    soft: Soft = None,
    sweeps: Sweeps = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    seed: Seed = None,
    count: Count = 1,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Compose some voices of some bars anew; all else stays to the tick."""
    from kantor.verbs.infill import infill as verb

    def compose(advance: Callable[[int], None]) -> Any:
        return verb(
            file,
            model,
            voices=voices,
            bars=bars,
            select=select or (),
            rules=rules or (),
            soft=soft or (),
            sweeps=sweeps,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            seed=seed,
            count=count,
            advance=advance,
        )

    playing = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
    _compose(compose, output, count, playing, force=force, as_json=as_json, source=file)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="A file that Kantor has made: MIDI, MusicXML, or a CSV.")],
    output: Output,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model's folder, where it is not one of the package.")
    ] = None,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Make a piece again from the recipe in its file: the same notes."""
    from kantor.verbs.replay import replay as verb

    playing = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
    _compose(
        lambda advance: [verb(file, model, advance=advance)],
        output,
        1,
        playing,
        force=force,
        as_json=as_json,
        source=file,
    )


def _compose(
    compose: Callable[[Callable[[int], None]], Any],
    outputs: list[Path],
    count: int,
    playing: dict[str, Any],
    *,
    force: bool,
    as_json: bool,
    source: Path | None,
) -> None:
    """Check the outputs, compose under a progress bar, write, and say what came of it."""
    from kantor.verbs.describe import describe_score
    from kantor.verbs.outputs import check, numbered

    check(outputs, count, source=source, force=force, **playing)
    with _bar("composing", 1000, shown=not as_json) as advance:
        pieces = compose(advance)
    report = []
    with _bar("writing", len(pieces) * len(outputs), shown=not as_json) as advance:
        for take, piece in enumerate(pieces, start=1):
            files: list[Path] = []
            for path in numbered(outputs, take):
                files += piece.save(path, force=force, **playing)
                advance((take - 1) * len(outputs) + len(files))
            facts = describe_score(piece.score)
            del facts["recipe"]
            made = {"seed": piece.recipe["seed"], "take": piece.recipe["take"], "model": piece.recipe["model"]}
            likely = {
                "nats_per_note": piece.nats_per_note,
                "rules_cost": piece.rules_cost,
                "dead_ends": piece.dead_ends,
                "notes_decided": piece.notes_decided,
                "copied": asdict(piece.copied) if piece.copied else None,
            }
            report.append({**facts, **made, **likely, "files": [str(f) for f in files], "remarks": list(piece.remarks)})
    if as_json:
        _print_json(report)
        return
    for made_piece in report:
        _print_piece(made_piece)
    _print_hint([file for made_piece in report for file in made_piece["files"]])


def _print_piece(made: dict[str, Any]) -> None:
    pickup = f", pickup of {made['pickup_beats']:g}" if made["pickup_beats"] else ""
    rows = {
        "key": made["key"] or "not known",
        "meter": f"{made['meter'] or 'not known, taken as 4/4'}{pickup}",
        "bars": made["bars"],
        "length": f"{int(made['seconds']) // 60}:{int(made['seconds']) % 60:02d}",
        "notes": made["notes"],
        "seed": f"{made['seed']} (take {made['take']}, model {made['model']})",
        "nats a note": f"{made['nats_per_note']:.3f} over {made['notes_decided']:,}{_cost(made)}",
        "files": "\n".join(made["files"]),
    }
    if made["copied"]:
        rows["shared"] = _shared(made["copied"])
    _print_facts(rows)
    for remark in made["remarks"]:
        err.print(f"note: {remark}", markup=False)


def _shared(copied: dict[str, Any]) -> str:
    """What a piece has in common with a training piece."""
    if not copied["run"]:
        return "nothing with any training piece"
    quarters = "1 quarter" if copied["quarters"] == 1 else f"{copied['quarters']:g} quarters"
    return f"at most {quarters} in a row, with {copied['piece']}; {copied['bars']:.0%} of its bars"


def _cost(made: dict[str, Any]) -> str:
    """What the rules cost, where they cost anything."""
    ends = made["dead_ends"]
    again = f", {counted(ends, 'dead end')} stepped back from" if ends else ""
    return f"; the rules cost {made['rules_cost']:.3f}{again}" if made["rules_cost"] or ends else ""


def _print_hint(files: list[str]) -> None:
    sound = next((file for file in files if file.lower().endswith((".wav", ".mp3", ".ogg"))), None)
    if sound:
        out.print(f"to hear it: open {sound} in any player (aplay, afplay, a browser)", markup=False)
        return
    music = next((file for file in files if Path(file).suffix.lower() in kantor.io.SUFFIXES), None)
    if music:
        sounding = shlex.quote(str(Path(music).with_suffix(".wav")))
        out.print(f"to hear it: kantor render {shlex.quote(music)} -o {sounding}, then open that", markup=False)


@app.command()
def train(
    preset: Annotated[str, typer.Argument(help="A preset; `kantor presets` lists them.")],
    corpus: CorpusName = None,
    data: Data = None,
    start: Annotated[
        str | None, typer.Option("--from", help="A model whose weights (and learned tables) to go on from.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder of the run; runs/PRESET unless given.")
    ] = None,
    max_epochs: Annotated[int | None, typer.Option(help="Passes over the training pieces.")] = None,
    max_minutes: Annotated[
        float | None,
        typer.Option(help="End the training by then, within an epoch if need be; the learning rate falls to its end."),
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pieces a step; lower it where memory is short.")] = None,
    window: Annotated[int | None, typer.Option(help="Train on windows of so many frames; 0: whole pieces.")] = None,
    accelerator: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in the folder of --out.")] = False,
    seed: Annotated[int | None, typer.Option(help="Fixes weights, order, transpositions and dropout.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="Override a setting: key=value; key=a,b,c trains one model each. Repeatable."),
    ] = None,
    augment: Annotated[
        str, typer.Option(help="How training pieces vary: transpose=2,tempo=.1,velocity=.1 (semitones, shares).")
    ] = "",
    tracks: Tracks = "",
    only_key: OnlyKey = "",
    only_meter: OnlyMeter = "",
    limit: Limit = None,
    min_notes: MinNotes = 0,
    quantise: Quantise = None,
    as_json: Json = False,
) -> None:
    """Train a preset on a corpus or a folder, and leave a model folder."""
    from kantor.corpora import Selection
    from kantor.verbs.train import train as verb
    from kantor.verbs.variants import split_settings, variants

    single, several = split_settings(preset, {**_settings(settings or []), **_augmentation(augment)})
    options: dict[str, Any] = {
        "corpus": corpus,
        "data": data,
        "start": start,
        "max_epochs": max_epochs,
        "max_minutes": max_minutes,
        "batch_size": batch_size,
        "window": window,
        "accelerator": accelerator,
        "resume": resume,
        "seed": seed,
        "selection": Selection(tracks, only_key, only_meter, limit, min_notes, quantise),
        "say": lambda line: err.print(line, markup=False),
        "bar": err.is_terminal,
    }
    if several:
        rows = variants(preset, single, several, out=output, **options)
        _list(rows, tuple(rows[0]), as_json)
        return
    made = verb(preset, settings=single, out=output, **options)
    if as_json:
        _print_json({"kind": "model", "folder": str(made.path), **made.card})
        return
    fills = made.card["network"]["kind"] == "two-sided"
    verb_line = f"harmonize MELODY --model {made.path}" if fills else f"generate --model {made.path}"
    out.print(f"model: {made.path}\ntry: kantor {verb_line} -o out/piece.mid", markup=False)


def _settings(pairs: list[str]) -> dict[str, str]:
    for pair in pairs:
        if "=" not in pair:
            raise OptionError(f"expected --set key=value, got '{pair}'.")
    return dict(pair.split("=", 1) for pair in pairs)


def _augmentation(text: str) -> dict[str, str]:
    """``transpose=2,tempo=.1`` as settings of the recipe."""
    pairs = dict(pair.split("=", 1) for pair in text.split(",") if "=" in pair)
    settings = {"transpose": "transpose", "tempo": "vary_tempo", "velocity": "vary_velocity"}
    wrong = [name for name in pairs if name not in settings]
    if wrong or len(pairs) != len([part for part in text.split(",") if part]):
        raise OptionError(f"expected --augment like transpose=2,tempo=.1,velocity=.1, got '{text}'.")
    return {f"recipe.{settings[name]}": value for name, value in pairs.items()}


@app.command()
def evaluate(
    model: Annotated[str, typer.Argument(help="A model in the package by name, or a model folder.")],
    corpus: CorpusName = None,
    data: Data = None,
    split: Annotated[str, typer.Option(help="train, valid or test.")] = "valid",
    protocol: Annotated[
        str,
        typer.Option(
            help="'whole' pieces; 'windows' of 131 targets (chorales); 'frames' but the first (chorales, rolls)."
        ),
    ] = "whole",
    tracks: Tracks = "",
    only_key: OnlyKey = "",
    only_meter: OnlyMeter = "",
    limit: Limit = None,
    min_notes: MinNotes = 0,
    quantise: Quantise = None,
    as_json: Json = False,
) -> None:
    """Say how likely a model finds music it has not seen: nats per note, accuracies, baselines."""
    from kantor.corpora import Selection
    from kantor.verbs.evaluate import evaluate as verb

    with _bar("judging", 1, shown=not as_json) as advance:
        figures, refused = verb(
            model,
            corpus=corpus,
            data=data,
            split=split,
            protocol=protocol,
            selection=Selection(tracks, only_key, only_meter, limit, min_notes, quantise),
            progress=not as_json,
            advance=lambda done, total: advance(done / total),
        )
    named = {"model": model, "corpus": corpus or (str(data) if data else "bach"), "split": split}
    if as_json:
        _print_json({**figures.to_dict(), **named, "left_out": list(refused)})
        return
    for line in refused:
        err.print(f"note: {line}", markup=False)
    rows: dict[str, Any] = {}
    for name, value in {**figures.to_dict(), **named}.items():
        if value is None:  # what this kind of model does not have
            continue
        rows[name] = f"{value:.4f}" if isinstance(value, float) else value
        if isinstance(value, dict):
            rows[name] = ", ".join(f"{field} {nats:.4f}" for field, nats in value.items())
        if isinstance(value, tuple):
            rows[name] = " .. ".join(f"{bound:.4f}" for bound in value) + "  (95 %, over pieces)"
    _print_facts(rows)


@app.command()
def render(
    file: Annotated[Path, typer.Argument(help="MIDI, MusicXML or grid CSV.")],
    output: Output,
    soundfont: SoundFont = None,
    instrument: Instrument = None,
    sample_rate: SampleRate = 44100,
    force: Force = False,
) -> None:
    """Turn a file into sound (.wav .mp3 .ogg), pages (.svg), a piano roll (.png), or another format."""
    from kantor.verbs._prompts import passed_over
    from kantor.verbs.render import render as verb

    with _bar("rendering", 1) as advance:
        playing: dict[str, Any] = {"soundfont": soundfont, "instrument": instrument, "sample_rate": sample_rate}
        written = verb(file, output, force=force, **playing)
        advance(1)
    for path in written:
        out.print(str(path), markup=False)
    for remark in passed_over(file):
        err.print(f"note: {remark}", markup=False)


@app.command()
def inspect(
    target: Annotated[Path, typer.Argument(help="A folder of music, or a file.")],
    notes: Annotated[int | None, typer.Option(help="List the first so many notes of each file.")] = None,
    tracks: Tracks = "",
    only_key: OnlyKey = "",
    only_meter: OnlyMeter = "",
    limit: Limit = None,
    min_notes: MinNotes = 0,
    quantise: Quantise = None,
    as_json: Json = False,
) -> None:
    """Say what training would make of a folder: which files are used, which are not, and why."""
    from kantor.corpora import Selection
    from kantor.verbs.inspect import inspect as verb

    with _bar("inspecting", 1, shown=not as_json) as advance:
        report = verb(
            target,
            notes=notes,
            selection=Selection(tracks, only_key, only_meter, limit, min_notes, quantise),
            progress=not as_json,
            advance=lambda done, total: advance(done / total),
        )
    if as_json:
        _print_json(report)
        return
    for file in report["files"]:
        _print_file(file)
    for other in report["others"]:
        err.print(f"no music: {other['path']}: {other['reason']}", markup=False)
    _print_facts({n: json.dumps(v) if isinstance(v, dict | list) else v for n, v in report["totals"].items()})


def _print_file(file: dict[str, Any]) -> None:
    """One line of the ingest report, the remarks and the listed notes below it."""
    if file["status"] != "kept":
        out.print(f"{file['status']}: {file['path']}: {file['reason']}", markup=False)
        return
    split = f", {file['split']}" if file["split"] else ""
    facts = (file["meter"] or "no meter", file["key"] or "no key", f"{file['seconds']:.0f} s")
    out.print(f"kept{split}: {file['path']}: {counted(file['notes'], 'note')}, {', '.join(facts)}", markup=False)
    for remark in file["remarks"]:
        out.print(f"    {remark}", markup=False)
    for note in file.get("first_notes", ()):
        times = "  ".join(f"{name} {note[name]:8.3f}" for name in ("start", "end", "step", "duration"))
        out.print(f"    {note['name']:>4}  {times}  velocity {note['velocity']}", markup=False)


@app.command()
def plot(
    target: Annotated[
        str, typer.Argument(help="A file or folder of music, a corpus by name, or the folder of a training or several.")
    ],
    output: Annotated[
        list[Path] | None,
        typer.Option("--output", "-o", help="A .png, .svg or .pdf; plot.png unless told. Repeatable."),
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="A second corpus, folder or file, whose distributions are drawn over it.")
    ] = None,
    first: Annotated[int | None, typer.Option(help="Only the first so many notes of a file's piano roll.")] = None,
    distributions: Annotated[
        bool, typer.Option("--distributions", help="A file's pitches, steps and durations, not its piano roll.")
    ] = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Draw a piece's piano roll, the distributions of a corpus's notes, or the curves of one training or several."""
    from kantor.verbs.plot import plot as verb

    files = output if output or as_json else [_free("plot.png")]
    with _bar("drawing", 1, shown=not as_json) as advance:
        facts = verb(
            target,
            files or (),
            against=against,
            first=first,
            distributions=distributions,
            force=force,
            progress=not as_json,
        )
        advance(1)
    if as_json:
        _print_json(facts)
        return
    out.print(facts["title"], markup=False)
    for file in facts["files"]:
        out.print(file, markup=False)


def _free(name: str) -> Path:
    """The first of NAME, NAME-2, NAME-3 ... that is no file yet."""
    path = Path(name)
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(free for free in itertools.chain([path], numbered) if not free.exists())


@app.command()
def check(
    file: Annotated[Path, typer.Argument(help="MIDI with a voice a track, MusicXML, kern, ABC or grid CSV.")],
    output: Annotated[
        list[Path] | None,
        typer.Option(
            "--output", "-o", help="The engraved page, faults marked (.svg), or a report (.html). Repeatable."
        ),
    ] = None,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say what is wrong in a score, bar by bar, and what it is like in numbers."""
    from kantor.verbs.check import check as verb

    with _bar("checking", 1, shown=not as_json) as advance:
        report = verb(file, output or (), force=force)
        advance(1)
    if as_json:
        _print_json(report)
        return
    for remark in report["remarks"]:
        err.print(f"note: {remark}", markup=False)
    for reason, several in _together(report["left_out"]).items():
        err.print(f"note: not asked: {', '.join(several)} ({reason})", markup=False)
    count = len(report["faults"])
    voices = ", ".join(report["voices"]) or "no voices"
    about = f"{counted(report['bars'], 'bar')}, {counted(report['notes'], 'note')}, {report['key'] or 'no key'}"
    found = counted(count, "fault") if report["voices"] else "voice leading not checked"
    out.print(f"{report['file']}: {about}; {voices}; {found}", markup=False)
    rows = [{**one, "voices": ", ".join(one["voices"]), "beat": f"{one['beat']:g}"} for one in report["faults"]]
    if rows:
        _list(rows, ("bar", "beat", "kind", "voices", "rule"), False)
    if not report["files"]:
        out.print(f"{len(report['metrics'])} metrics more: -o report.html shows them, --json prints them.")
    for path in report["files"]:
        out.print(path, markup=False)


@app.command()
def judge(
    pieces: Annotated[
        list[str],
        typer.Argument(help="Files, a folder, a corpus ('bach', 'bach:valid'), or a model's pieces ('chorale:256')."),
    ],
    against: Annotated[
        str | None,
        typer.Option(help="What to hold it against, likewise; a model's corpus unless given, 'none' for nothing."),
    ] = None,
    output: Annotated[list[Path] | None, typer.Option("--output", "-o", help="A report (.html). Repeatable.")] = None,
    bars: Annotated[int | None, typer.Option(help="Of a model's pieces: how many bars; 16 unless told.")] = None,
    key: Annotated[str | None, typer.Option(help="Of a model's pieces: 'Gm', 'D major'.")] = None,
    meter: Annotated[str | None, typer.Option(help="Of a model's pieces: '4/4'.")] = None,
    temperature: Temperature = None,
    top_k: TopK = None,
    top_p: TopP = None,
    min_p: MinP = None,
    rules: Rules = None,
    soft: Soft = None,
    beam: Beam = 0,
    best_of: BestOf = 1,
    seed: Annotated[int, typer.Option(help="Of pieces that are composed, and of intervals.")] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say how good a set of pieces is: every metric, by itself or against another set; and what is copied."""
    from kantor.verbs.judge import judge as verb

    asked: dict[str, Any] = {"bars": bars, "key": key, "meter": meter, "temperature": temperature, "top_k": top_k}
    asked |= {"top_p": top_p, "min_p": min_p, "rules": rules, "soft": soft, "beam": beam or None}
    asked |= {"best_of": best_of if best_of != 1 else None}
    drawing = {name: value for name, value in asked.items() if value is not None}
    with _bar("judging", 1, shown=not as_json) as advance:
        report = verb(pieces, against, output or (), seed=seed, force=force, advance=advance, **drawing)
    if as_json:
        _print_json(report)
        return
    for one in report["left_out"]:
        err.print(f"left out: {one['name']}: {one['reason']}", markup=False)
    for remark in report["remarks"]:
        err.print(f"note: {remark}", markup=False)
    _print_judged(report)


def _print_judged(report: dict[str, Any]) -> None:
    """The figures as a table, the verdicts below it."""
    held = report["against"] is not None
    rows = []
    for name, one in report["figures"].items():
        if one["value"] is None:
            continue
        low, high = one["interval"] or (None, None)
        row = {"figure": name, "value": one["value"], "from": low, "to": high, "unit": one["unit"] or ""}
        if held:
            other = one["against"] or {"value": None, "overlap": None}
            row |= {"reference": other["value"], "overlap": other["overlap"]}
        rows.append(row)
    _list(rows, ("figure", "value", "from", "to", *(("reference", "overlap") if held else ()), "unit"), False)
    facts: dict[str, Any] = {"set": f"{report['set']}, {counted(report['pieces'], 'piece')}"}
    if held:
        facts["against"] = f"{report['against']}, {counted(report['pieces_against'], 'piece')}"
        if report["frechet"] is not None:
            within = _shown(report["frechet_within"])
            facts["Fréchet distance"] = f"{_shown(report['frechet'])}; as many pieces of the reference have {within}"
    if report["two_sample"]:
        low, high = report["two_sample"]["interval"]
        told = ", ".join(one["figure"] for one in report["two_sample"]["telltales"][:5])
        accuracy = report["two_sample"]["accuracy"]
        facts["told apart"] = f"{accuracy:.1%} ({low:.1%} .. {high:.1%}; guessing: 50 %), by {told}"
    if report["copied"]:
        copied = report["copied"]
        mean, most = copied["mean_quarters"], copied["most_quarters"]
        facts["copied"] = f"{mean:.1f} quarters on average, {most:g} at most; {copied['bars']:.1%} of bars"
    facts["files"] = "\n".join(report["files"]) or None
    _print_facts({name: value for name, value in facts.items() if value is not None})


@app.command()
def compare(
    models: Annotated[list[str], typer.Argument(help="Models by name or folder; 'random' and 'ngram' are baselines.")],
    ways: Annotated[
        list[str] | None,
        typer.Option("--sampling", help="T=1, top-p=.9, top-k=5, min-p=.05, beam=8, own. Repeatable; T=0 comes along."),
    ] = None,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", help="The leaderboard (.html). Repeatable.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="What to hold pieces against; each model's corpus unless given, or 'none'.")
    ] = None,
    corpus: Annotated[str | None, typer.Option("--corpus", help="Measure likelihood on this corpus.")] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Measure likelihood on this folder.")] = None,
    count: Annotated[int, typer.Option("--count", "-n", help="Pieces of each row; 256 for rare faults.")] = 64,
    bars: Annotated[int | None, typer.Option(help="Of each piece; 16 unless told.")] = None,
    rules: Rules = None,
    sort: Annotated[str, typer.Option(help="The column that sorts.")] = "frechet",
    seed: Annotated[int, typer.Option(help="Of all rows.")] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Set models, and ways to draw from them, beside each other: likelihood, faults, distance, copies, speed."""
    from kantor.verbs.compare import compare as verb

    named: dict[str, Any] = {"against": against, "corpus": corpus, "data": data}
    with _bar("comparing", 1, shown=not as_json) as advance:
        report = verb(
            models,
            ways or (),
            output or (),
            **named,
            count=count,
            bars=bars,
            rules=rules or (),
            sort=sort,
            seed=seed,
            force=force,
            advance=advance,
        )
    if as_json:
        _print_json(report)
        return
    short = {"nats_per_note": "nats", "parallel_fifths": "fifths", "parallel_octaves": "octaves", "frechet": "Fréchet"}
    short |= {"accuracy": "apart", "overlap": "overlap", "copied_quarters": "copied", "seconds_per_piece": "s each"}
    rows = [{"model": row["model"], "sampling": row["sampling"]} for row in report["rows"]]
    for row, figures in zip(rows, report["rows"], strict=True):
        row |= {name: None if figures[key] is None else f"{figures[key]:.3g}" for key, name in short.items()}
    _list(rows, ("model", "sampling", *short.values()), False)
    for path in report["files"]:
        out.print(path, markup=False)


listening = typer.Typer(
    help="A blind listening test in the browser: build it, serve it, read it out.", no_args_is_help=True
)
app.add_typer(listening, name="listen")
TestFolder = Annotated[Path | None, typer.Argument(help="The test's folder; out/listening-test unless given.")]


@listening.command("build")
def listen_build(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")] = Path("out/listening-test"),
    sources: Annotated[
        list[str] | None,
        typer.Option("--source", help="Whose pieces: a model, a corpus, a folder. Repeatable; four unless told."),
    ] = None,
    pieces: Annotated[int, typer.Option(help="How many in all; two more come first, to try it out.")] = 20,
    bars: Annotated[int, typer.Option(help="Of each piece.")] = 16,
    title: Annotated[str, typer.Option(help="Of the page.")] = "",
    instrument: Annotated[str, typer.Option(help="A General MIDI instrument for all pieces.")] = "piano",
    soundfont: SoundFont = None,
    seed: Annotated[int, typer.Option(help="Give it again for the same test.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Build over a test, and throw its answers away.")] = False,
    as_json: Json = False,
) -> None:
    """Draw pieces, play them equally loud, and write a listening test."""
    from kantor.verbs.listen import SOURCES, build

    with _bar("building", 1, shown=not as_json) as advance:
        made = build(
            output,
            sources or SOURCES,
            pieces=pieces,
            bars=bars,
            title=title,
            instrument=instrument,
            soundfont=soundfont,
            seed=seed,
            force=force,
            advance=advance,
        )
    if as_json:
        _print_json(made)
        return
    counts = ", ".join(f"{count} of {source}" for source, count in made["sources"].items())
    out.print(
        f"{made['folder']}: {counted(made['pieces'], 'piece')} ({counts}), about {made['minutes']} minutes",
        markup=False,
    )
    out.print(f"to serve it: kantor listen serve {shlex.quote(made['folder'])}", markup=False)


@listening.command("serve")
def listen_serve(
    folder: TestFolder = None,
    host: Annotated[str | None, typer.Option(help="0.0.0.0 lets others in; this machine alone unless given.")] = None,
    port: Annotated[int, typer.Option(help="0 takes any that is free.")] = 8402,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
) -> None:
    """Serve a listening test; without a folder the one of 20 pieces, built the first time."""
    from kantor.listening.server import HOST
    from kantor.verbs.listen import prepared, serve

    with _bar("building", 1) as advance:
        place = prepared(folder, advance=advance)
    serve(
        place,
        host=host or HOST,
        port=port,
        browser=browser,
        say=lambda url: out.print(f"listening test: {url}  (Ctrl-C ends it; answers are kept)", markup=False),
    )


@listening.command("results")
def listen_results(
    folder: TestFolder = None,
    output: Annotated[
        list[Path] | None, typer.Option("--output", "-o", help="All answers (.csv), or a report (.html). Repeatable.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of intervals and permutations.")] = 0,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Say what raters have answered: means, intervals, agreement, who was told from Bach."""
    from kantor.verbs.listen import results

    found = results(folder, output or (), seed=seed, force=force)
    if as_json:
        _print_json(found)
        return
    for remark in found["remarks"]:
        err.print(f"note: {remark}", markup=False)
    rows = []
    for one in found["sources"]:
        low, high = one["overall"]["interval"] or (None, None)
        row = {
            "source": one["source"],
            "pieces": one["pieces"],
            "mean": one["overall"]["mean"],
            "from": low,
            "to": high,
        }
        rows.append({**row, **{name: each["mean"] for name, each in one["questions"].items()}})
    _list(rows, tuple(rows[0]), False)
    facts: dict[str, Any] = {"raters": f"{found['raters']}, {found['complete']} to the end"}
    facts["agreement"] = ", ".join(f"{name} {_shown(alpha)}" for name, alpha in found["agreement"].items())
    for one in found["told"]:
        low, high = one["interval"]
        told = f"{one['accuracy']:.1%} ({low:.1%} .. {high:.1%}; guessing: 50 %), p = {one['p']:.3g}"
        facts["which is Bach"] = f"{told}; both kinds of piece count alike"
    facts["files"] = "\n".join(found["files"]) or None
    _print_facts({name: value for name, value in facts.items() if value is not None})


@app.command()
def info(
    target: Annotated[
        str, typer.Argument(help="A model by name or folder, a file of music, or a folder of trainings.")
    ],
    as_json: Json = False,
) -> None:
    """Say what a model or a file of music holds, or how the trainings of a folder went, a row each."""
    from kantor.verbs.describe import info as verb
    from kantor.verbs.describe import recipe_of

    facts = verb(target)
    if as_json:
        _print_json(facts)
        return
    if facts["kind"] == "trainings":
        _list(facts["runs"], tuple(facts["runs"][0]), False)
        return
    if facts["kind"] == "score" and facts["recipe"]:
        facts["recipe"] = recipe_of(facts["recipe"])
    long = ("plans", "files", "format", "seal", "recipe" if facts["kind"] == "model" else "")
    first = ("kind", "name", "about", "folder", "parameters", "preset")
    shown: dict[str, Any] = {}
    for name in sorted(facts, key=lambda name: first.index(name) if name in first else len(first)):
        value = facts[name]
        if name == "metrics":  # a row for each protocol
            shown |= {f"by {protocol}": spelt(figures) for protocol, figures in (value or {}).items()}
        elif name == "corpus" and isinstance(value, dict):
            shown["corpus"] = f"{spelt(value.get('name'))}, {spelt(value.get('pieces'))} pieces"
            shown["licence"] = spelt(value.get("licence"))
        elif name not in long and value not in ({}, [], ""):
            shown[name] = spelt(value)
    _print_facts(shown)


@app.command()
def studio(
    host: Annotated[
        str, typer.Option(help="An address of this machine; any but the default opens the studio to others.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="0 takes any that is free.")] = 7420,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    soundfont: SoundFont = None,
) -> None:
    """Compose in a browser, and hear it while it is composed."""
    from kantor.studio.serve import serve

    serve(host, port, browser=browser, soundfont=str(soundfont) if soundfont else None, say=out.print)


@app.command()
def rules(as_json: Json = False) -> None:
    """List the rules that music can be held to."""
    from kantor.verbs.rules import rules as verb

    rows = verb()
    if not as_json:
        for row in rows:
            row["as it is"] = "hard" if row["hard"] else f"soft, {row['weight']:.2g} nats"
            row["needs"] = ", ".join(row["needs"])
            row["option"] = f"{row['option']}={row['default']}" if row["option"] else ""
    _list(rows, ("name", "as it is", "needs", "option", "forbids"), as_json)


@app.command()
def presets(as_json: Json = False) -> None:
    """List what can be trained by name."""
    from kantor.verbs.describe import presets as verb

    _list(verb(), ("name", "seed", "representation", "network", "parameters", "about"), as_json)


@app.command()
def models(as_json: Json = False) -> None:
    """List the models in the package."""
    from kantor.verbs.describe import models as verb

    rows = verb()
    if not as_json:
        for row in rows:
            row["nats (valid, whole)"] = _nats((row["metrics"] or {}).get("whole", {}), row["unit"])
    _list(rows, ("name", "parameters", "nats (valid, whole)", "about"), as_json)


def _nats(figures: dict[str, Any], unit: str) -> str | None:
    """A card's figure with what it is counted by: cells of a chorale, else notes; of a roll frames as well."""
    counted = {f"{'cell' if unit == 'cell' else 'note'}": figures.get("nats_per_note")}
    if unit == "frame":
        counted["frame"] = figures.get("nats_per_frame")
    return ", ".join(f"{_shown(nats)} a {what}" for what, nats in counted.items() if nats is not None) or None


def _list(rows: list[dict[str, Any]], columns: tuple[str, ...], as_json: bool) -> None:
    """Print a table: nothing in it is cut, however narrow the terminal; a pipe gets it as wide as it is."""
    if as_json:
        _print_json(rows)
        return
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 120
    cells = [list(columns), *([_shown(row[column]) for column in columns] for row in rows)]
    prose = columns[-1] in PROSE
    sentences = [line.pop() for line in cells] if prose else []
    if not prose and sum(_widths(cells)) > width >= sum(_widths([*zip(*cells, strict=True)])):
        cells = [list(line) for line in zip(*cells, strict=True)]
    widths = _widths(cells)
    beside = width - sum(widths) >= SENTENCE
    indent = sum(widths) if beside else 4
    if prose and not beside:
        sentences[0] = ""  # what stands beneath each row needs no head
    for line, sentence in itertools.zip_longest(cells, sentences, fillvalue=""):
        text = "".join(cell.ljust(size) for cell, size in zip(line, widths, strict=True))
        first, *more = wrap(sentence, width - indent) or [""]
        typer.echo((text + first if beside else text).rstrip())
        for part in more if beside or not first else (first, *more):
            typer.echo(" " * indent + part)


def _together(left_out: list[dict[str, str]]) -> dict[str, list[str]]:
    """What was left out, by its reason."""
    found: dict[str, list[str]] = {}
    for one in left_out:
        found.setdefault(one["reason"], []).append(one["rule"])
    return found


def _widths(cells: Sequence[Sequence[str]]) -> list[int]:
    """Of the columns of a table, with the space behind each."""
    return [max(map(len, column)) + 2 for column in zip(*cells, strict=True)]


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else str(value)


def _print_facts(facts: dict[str, Any]) -> None:
    """Names and values, a row each; long values are folded, never cut."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), Text("-" if value is None else str(value)))
    out.print(table)


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def _bar(what: str, total: float, *, shown: bool = True) -> Iterator[Callable[[float], None]]:
    """A progress bar on stderr, for people only; it leaves no trace when done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not (shown and err.is_terminal)) as progress:
        task = progress.add_task(what, total=total)
        yield lambda done: progress.update(task, completed=done)


def _one_line(message: Warning | str, *_: Any, **__: Any) -> None:
    err.print(f"warning: {message}", markup=False)


def _close_stdout() -> None:
    """Let what is still to be written go nowhere, so that leaving does not fail once more."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def main() -> None:
    """Run the command line; what Kantor says of its input goes to stderr, with exit code 2."""
    warnings.showwarning = _one_line
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that lacks a letter of a name still shows the rest
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
        finally:
            sys.stdout.flush()
        if status == INTERRUPTED:
            err.print("stopped.")
        if not sys.argv[1:]:  # nothing was asked: the page that has been shown is all the help there is
            status = 2
        sys.exit(status if isinstance(status, int) else 0)
    except UsageError as error:
        said = error.format_message().strip().rstrip(".")
        command = error.ctx.command_path if error.ctx else "kantor"
        err.print(f"error: {said}; try: {command} --help", markup=False)
        sys.exit(2)
    except KantorError as error:
        err.print(f"error: {error}", markup=False)
        sys.exit(2)
    except MemoryError:
        err.print("error: the memory does not suffice; try a lower --bars, --count or --batch-size.", markup=False)
        sys.exit(2)
    except (KeyboardInterrupt, typer.Abort):
        err.print("stopped.")
        sys.exit(INTERRUPTED)
    except BrokenPipeError:  # the reader of our output has left, as `head` does
        _close_stdout()
        sys.exit(0)
    except OSError as error:
        _close_stdout()
        reason, where = (error.strerror or str(error)).lower(), error.filename or "the output"
        err.print(f"error: {where} cannot be used: {reason}; try another place.", markup=False)
        sys.exit(2)


if __name__ == "__main__":
    main()
