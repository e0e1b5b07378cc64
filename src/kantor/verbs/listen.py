"""``kantor listen``: a blind listening test, built, served in a browser, and read out.

What is heard is made alike in all but the notes: one instrument, one tempo, one velocity, no fermatas held, one
loudness, whole pieces of about the same number of bars. Pieces of a corpus come from its valid split.
"""

from __future__ import annotations

import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import kantor
from kantor import corpora, io, registry
from kantor.bundle import Bundle, shipped
from kantor.errors import InputError, OptionError
from kantor.listening import answers as kept
from kantor.listening import results as read_out
from kantor.listening import sounds
from kantor.listening.design import FILE, QUESTIONS, TITLE, Item, Test
from kantor.listening.folder import AUDIO, SCORES, replacing
from kantor.listening.server import HOST, PORT, Server
from kantor.render import audio
from kantor.render.instruments import program_of
from kantor.score import Part, Score, Tempo
from kantor.verbs.outputs import check_folder, check_report

__all__ = ["FOLDER", "SOURCES", "build", "prepared", "results", "serve"]

FOLDER = Path("out/listening-test")
#: Seed system 002's test: 20 pieces of 16 bars. The plain chorale model ``jsb`` stands for seed system 000, of which no
#: trained model is shipped.
SOURCES = ("bach", "chorale", "jsb", "random")
REAL = "bach"
PIECES, BARS, TEMPO, VELOCITY, INSTRUMENT = 20, 16, 80.0, 80, "piano"
TRAINING = 2
NEAR = 2  # bars that a whole piece may be longer or shorter
TRIALS = 3  # of the headphones check
LEAST_SECONDS = 5.0

Named = tuple[str, Score]


def build(
    output: str | Path = FOLDER,
    sources: Sequence[str] = SOURCES,
    *,
    pieces: int = PIECES,
    bars: int = BARS,
    instrument: str | int = INSTRUMENT,
    soundfont: str | Path | None = None,
    title: str = "",
    seed: int = 0,
    force: bool = False,
    advance: Callable[[float], None] = lambda _: None,
) -> dict[str, Any]:
    """Make a listening test: draw pieces, play them, write a folder that :func:`serve` serves.

    Parameters
    ----------
    output      the folder; made if need be.
    sources     whose pieces: a model by name or folder (``random`` is a baseline), a corpus by name, or a folder of
                music. Each gives as many pieces as the others. What is a model and a corpus is taken for the model.
    pieces      in all, without the two that raters begin with.
    bars        of each piece; what is composed already is taken whole if it is about that long, else cut.
    instrument, soundfont  of all pieces; see :func:`kantor.render.audio.sound`.
    seed        equal seeds, equal tests.
    force       build anew over a test that is there, and throw its answers away; they are kept until the new one is
                whole.
    advance     told what share (0..1) of the work is done.

    Raises
    ------
    OptionError
        For fewer pieces than sources, a name that nothing bears, or a test that is there already.
    InputError
        If a source has too few pieces.
    OutputError
        If the folder cannot be written.
    """
    folder = Path(output)
    program = _check(folder, sources, pieces, bars, instrument, soundfont, seed, force)
    drawn = _draw(sources, pieces, bars, seed, lambda share: advance(0.5 * share))
    played = _render(drawn, program, soundfont, lambda share: advance(0.5 + 0.4 * share))
    facts = {"bars": bars, "tempo": TEMPO, "instrument": str(instrument), "sources": list(sources)}
    test = _designed(drawn, played, title or TITLE, seed, facts)
    with replacing(folder) as made:
        _write(made, test, drawn, played)
    advance(1.0)
    return {
        "folder": str(folder),
        "pieces": len(test.counted),
        "training": len(test.training),
        "sources": {source: sum(item.source == source for item in test.counted) for source in test.sources},
        "minutes": test.shown()["minutes"],
        "seed": seed,
    }


def prepared(folder: str | Path | None = None, *, advance: Callable[[float], None] = lambda _: None) -> Path:
    """The folder of a test; without one, :data:`FOLDER`, where seed system 002's test is built if it is not there."""
    place = Path(folder) if folder is not None else FOLDER
    if folder is None and not (place / FILE).is_file():
        build(place, advance=advance)
    return place


def serve(
    folder: str | Path | None = None,
    *,
    host: str = HOST,
    port: int = PORT,
    browser: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Serve a test until interrupted; without a folder the one that :func:`prepared` gives.

    Parameters
    ----------
    host     an address of this machine; 0.0.0.0 lets raters on the same network in.
    browser  open the page here.
    say      told where the page is.

    Raises
    ------
    InputError, OptionError
        If there is no test in the folder, or the port cannot be used.
    """
    with Server(prepared(folder), host, port) as server:
        say(server.url)
        if browser:
            webbrowser.open(server.url)
        server.serve_forever(poll_interval=0.2)


def results(
    folder: str | Path | None = None, outputs: Sequence[str | Path] = (), *, seed: int = 0, force: bool = False
) -> dict[str, Any]:
    """What raters have answered so far, as JSON has it (``docs/json.md``).

    Parameters
    ----------
    outputs  ``.csv``: every answer as a row; ``.html``: a report.
    seed     of the bootstrap and of permutations.

    Raises
    ------
    InputError
        If there is no test in the folder.
    OptionError, OutputError
        If an output cannot be written, is there already, or is given twice.
    """
    place = Path(folder) if folder is not None else FOLDER
    paths = [Path(path) for path in outputs]
    _check_seed(seed)
    check_report(paths, (".csv", ".html"), force=force)
    test = Test.load(place)
    file = place / kept.FILE
    store = kept.Answers(file, test, reading=True) if file.exists() else None
    raters, said = (store.raters(), store.answers()) if store else ([], [])
    found = read_out.results(test, raters, said, seed)
    remarks = [] if found["raters"] else [f"nobody has answered yet; to ask people: kantor listen serve {place}"]
    for path in paths:
        if path.suffix.lower() == ".csv":
            text = read_out.as_csv(test, raters, said)
        else:
            from kantor.verbs._listen_report import page

            text = page(found, kantor.__version__)
        io.write_bytes(path, text.encode())
    return {"folder": str(place), **found, "files": [str(path) for path in paths], "remarks": remarks}


# -- building --------------------------------------------------------------------------------------------------------


class _Drawn(NamedTuple):
    """A piece of the test: whose, whether it is a training item, what it is, and its notes."""

    source: str
    training: bool
    name: str
    score: Score


def _check(
    folder: Path,
    sources: Sequence[str],
    pieces: int,
    bars: int,
    instrument: str | int,
    soundfont: str | Path | None,
    seed: int,
    force: bool,
) -> int:
    """Refuse what no test can be built of, or where none may be; the program of the instrument."""
    if len(set(sources)) != len(sources) or not sources:
        raise OptionError(f"expected sources that differ, one at least, got: {', '.join(sources) or 'none'}.")
    if not len(sources) <= pieces <= 1000 or not 1 <= bars <= 200:
        raise OptionError(f"expected {len(sources)} to 1000 pieces of 1 to 200 bars, got {pieces} of {bars}.")
    _check_seed(seed)
    _check_place(folder, force=force)
    program = program_of(instrument)
    audio.check(soundfont, instrument, sounds.RATE)
    return program


def _check_seed(seed: int) -> None:
    if seed < 0:
        raise OptionError(f"expected a seed of 0 or more, got {seed}.")


def _check_place(folder: Path, *, force: bool) -> None:
    """Refuse to write over other things, and over a test without ``force``; nothing is removed yet."""
    check_folder(folder / FILE)
    check_folder(folder.resolve().with_name(".part"))  # the test is written beside it first
    if (folder / FILE).is_file() and not force:
        text = f"expected a folder without a test, '{folder}' has one, perhaps with answers"
        raise OptionError(f"{text}; try another, or --force (in Python force=True) to throw it away.")
    if folder.is_dir() and not (folder / FILE).is_file() and any(folder.iterdir()):
        raise OptionError(f"expected a new folder or an empty one, '{folder}' has other things in it; try another.")


def _draw(sources: Sequence[str], pieces: int, bars: int, seed: int, advance: Callable[[float], None]) -> list[_Drawn]:
    """The pieces of all sources; what a name means, and whether there are enough, is asked before any is composed."""
    counts = {source: pieces // len(sources) + (at < pieces % len(sources)) for at, source in enumerate(sources)}
    ends = (sources[0], sources[-1])  # whose pieces raters begin with
    wanted = {source: count + TRAINING // 2 * ends.count(source) for source, count in counts.items()}
    opened = {source: _opened(source) for source in sources}
    found = {
        source: _real(source, music, wanted[source], bars, seed)
        for source, music in opened.items()
        if isinstance(music, list)
    }
    drawn: list[_Drawn] = []
    for at, (source, model) in enumerate(opened.items()):
        own = _composed(source, model, wanted[source], bars, seed) if isinstance(model, Bundle) else found[source]
        drawn += [_Drawn(source, place >= counts[source], *piece) for place, piece in enumerate(own)]
        advance((at + 1) / len(sources))
    return drawn


def _render(
    drawn: Sequence[_Drawn], program: int, soundfont: str | Path | None, advance: Callable[[float], None]
) -> list[sounds.Samples]:
    """How each piece sounds, (samples, 1), not yet equally loud."""
    played = []
    for at, piece in enumerate(drawn):
        sound = audio.sound(_alike(piece.score, program), soundfont=soundfont, sample_rate=sounds.RATE)
        played.append(sound.mean(axis=1, keepdims=True))
        advance((at + 1) / len(drawn))
    return played


def _designed(
    drawn: Sequence[_Drawn], played: Sequence[sounds.Samples], title: str, seed: int, facts: dict[str, Any]
) -> Test:
    """The test of these pieces, under names that tell nothing."""
    random = np.random.default_rng(seed)
    names = [f"{number:08x}" for number in random.choice(2**32, size=len(drawn), replace=False)]
    items = tuple(
        Item(name, piece.source, piece.name, round(len(sound) / sounds.RATE, 2), piece.training)
        for name, piece, sound in zip(names, drawn, played, strict=True)
    )
    real = any(piece.source == REAL for piece in drawn)
    return Test(
        items,
        title,
        questions=QUESTIONS if real else tuple(one for one in QUESTIONS if one.name != REAL),
        real=REAL,
        seed=seed,
        least_seconds=LEAST_SECONDS,
        headphones=tuple(int(one) for one in random.integers(1, sounds.TONES + 1, size=TRIALS)),
        facts=facts,
    )


def _write(folder: Path, test: Test, drawn: Sequence[_Drawn], played: Sequence[sounds.Samples]) -> None:
    """The sound of all pieces, equally loud, the tones of the headphones check, the scores, and ``test.json``."""
    for item, sound in zip(test.items, sounds.alike(played), strict=True):
        io.write_bytes(folder / AUDIO / f"{item.name}.mp3", audio.encode(sound, sounds.RATE, ".mp3"))
    for trial, softest in enumerate(test.headphones, start=1):
        opposite = softest % sounds.TONES + 1  # over loudspeakers this one seems the softest
        tone = audio.encode(sounds.tones(softest, opposite), sounds.RATE, ".wav")
        io.write_bytes(folder / AUDIO / f"tones{trial}.wav", tone)
    for item, piece in zip(test.items, drawn, strict=True):
        io.save(piece.score, folder / SCORES / f"{item.name}.mid")
    test.save(folder)


# -- pieces ----------------------------------------------------------------------------------------------------------


def _opened(source: str) -> list[Named] | Bundle:
    """What a source is: the pieces of a corpus or a folder, or a model."""
    if source in registry.names("corpora") and source not in shipped():
        music = corpora.load(source, progress=False)
        split = music.split("valid") if music.counts["valid"] else music.pieces()
        return [(piece.name, piece.score) for piece in split]
    if _is_music(Path(source)):
        return [(piece.name, piece.score) for piece in corpora.folder(source, progress=False).pieces()]
    from kantor.verbs._models import one_sided

    return one_sided(source)


def _composed(source: str, model: Bundle, count: int, bars: int, seed: int) -> list[Named]:
    """So many new pieces of a model."""
    from kantor.verbs.generate import generate

    made = generate(model, bars=bars, tempo=TEMPO, velocity=VELOCITY, seed=seed, count=count)
    return [(f"{source}, seed {seed}, take {piece.recipe['take']}", piece.score) for piece in made]


def _is_music(path: Path) -> bool:
    """Whether it is a folder of music, not of a model."""
    return path.is_dir() and not (path / "bundle.json").is_file()


def _real(source: str, pieces: list[Named], count: int, bars: int, seed: int) -> list[Named]:
    """Pieces of about so many bars, whole; where these are too few, the beginnings of longer ones."""
    lengths = [score.bar_count for _, score in pieces]
    order = np.random.default_rng([seed, len(pieces)]).permutation(len(pieces)).tolist()
    whole = [at for at in order if abs(lengths[at] - bars) <= NEAR]
    longer = [at for at in order if lengths[at] > bars + NEAR]
    chosen = (whole + longer)[:count]
    if len(chosen) < count:
        raise InputError(f"expected {count} pieces of about {bars} bars in {source}, got {len(chosen)}; try fewer.")
    cut = set(longer)
    return [(pieces[at][0], _beginning(pieces[at][1], bars) if at in cut else pieces[at][1]) for at in chosen]


def _beginning(score: Score, bars: int) -> Score:
    """The first so many full bars, a pickup beside them."""
    full = np.flatnonzero(score.bars["offset"] == 0)
    last = score.bars[full[bars - 1]]
    return score.cut(0, int(last["start"] + last["length"]))


def _alike(score: Score, program: int) -> Score:
    """The notes alone: one instrument, one tempo, one velocity."""
    notes = score.notes.copy()
    notes["velocity"] = VELOCITY
    parts = tuple(Part(part.name, program, part.is_drum) for part in score.parts)
    return score.replace(notes=notes, parts=parts, tempi=(Tempo(0, TEMPO),), fermatas=())
