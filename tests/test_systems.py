"""Every preset, from a small folder of real music to new music: an epoch, then pieces from nothing and from prompts."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import kantor
from kantor import io, registry
from kantor.score import Score

PROMPTS = (0, 1, 7, 400)
#: The networks of the seeds are as large as they are; ours are made small, for what they learn in an epoch is nothing.
SMALL = {"network.hidden": "24", "network.embedding": "12", "network.head": "12"}
ATTENTIVE = {**SMALL, "network.attention": "12"}
BLOCKS = {"network.hidden": "24", "network.inner": "24", "network.layers": "2"}
SMALLER = {"lstm": SMALL, "two-sided": SMALL, "attentive-lstm": ATTENTIVE, "transformer": BLOCKS}
#: Presets whose models fill in what is missing; all others compose from left to right.
FILLING = [name for name in registry.names("presets") if registry.part("presets", name).network.two_sided]


@pytest.fixture(scope="session")
def folder(bach, tmp_path_factory):
    """Eight bars each of six chorales as MIDI files, split for learning and judging."""
    root = tmp_path_factory.mktemp("music")
    for number, piece in enumerate(bach.pieces("train")[:6]):
        place = root / ("valid" if number < 2 else "train") / "deeper"
        place.mkdir(parents=True, exist_ok=True)
        io.save(piece.score.cut(0, min(8 * 1920, piece.score.length_ticks)), place / f"{number}.mid")
    return root


@pytest.fixture(scope="session", params=[name for name in registry.names("presets") if name not in FILLING])
def trained(request, folder, tmp_path_factory):
    """The preset's bundle after one epoch."""
    preset = registry.part("presets", request.param)
    out = tmp_path_factory.mktemp("runs") / preset.name
    settings = SMALLER.get(preset.network.kind, {})
    said: list[str] = []
    return kantor.train(preset.name, data=folder, max_epochs=1, out=out, settings=settings, say=said.append)


@pytest.mark.corpus
@pytest.mark.parametrize("name", FILLING)
def test_a_preset_that_fills_in_trains_and_is_judged(name, folder, tmp_path):
    preset = registry.part("presets", name)
    settings = SMALLER[preset.network.kind]
    made = kantor.train(name, data=folder, max_epochs=1, out=tmp_path / name, settings=settings, say=lambda _: None)
    figures = made.card["metrics"]
    assert set(figures) == {"infilling", "harmonising"}
    assert figures["infilling"]["notes"] == 4 * 2 * 128  # eight bars each of two pieces
    assert figures["harmonising"]["notes"] == 3 * 2 * 128
    assert all(0 < own["nats_per_note"] < 5 for own in figures.values())


@pytest.fixture(scope="session")
def long_piece(bach):
    """At least 400 notes of a chorale, from its beginning."""
    return max((piece.score for piece in bach.pieces("valid")), key=len)


def prompt_of(score: Score, count: int) -> Score:
    """Its first ``count`` notes, and nothing after the last of them ends."""
    notes = score.notes[:count]
    return score.replace(notes=notes, fermatas=(), barlines=()).cut(0, int((notes["onset"] + notes["duration"]).max()))


@pytest.mark.corpus
@pytest.mark.parametrize("count", PROMPTS)
def test_a_preset_trains_and_plays(trained, long_piece, count, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a model of one epoch may end a piece early, and says so
        if not count:
            (piece,) = kantor.generate(trained, bars=2, seed=1)
        else:
            given = prompt_of(long_piece, count)
            (piece,) = kantor.continue_(given, trained, bars=2, seed=1)
            assert heard(piece.score) >= heard(given), "the prompt comes first, as it was"
            new = piece.score.notes[~np.isin(keys_of(piece.score), keys_of(given))]
            assert (new["onset"] >= given.length_ticks - 20).all(), "nothing is written into the prompt"
    (again,) = kantor.generate(trained, bars=2, seed=1) if not count else (piece,)
    assert again.score == piece.score
    piece.save(tmp_path / "piece.mid")
    if len(piece.score):
        assert len(io.load(tmp_path / "piece.mid")) == len(piece.score)


def heard(score: Score) -> set[tuple[int, int, int]]:
    """(onset, duration, pitch) of every note."""
    return {(int(note["onset"]), int(note["duration"]), int(note["pitch"])) for note in score.notes}


def keys_of(score: Score) -> np.ndarray:
    return score.notes["onset"].astype(np.int64) * 128 + score.notes["pitch"]


@pytest.mark.corpus
def test_how_much_is_composed_is_what_was_asked_for(trained):
    if trained.representation.closes:
        with pytest.raises(kantor.KantorError, match="--bars or --seconds"):
            kantor.generate(trained, notes=5)
        (piece,) = kantor.generate(trained, seconds=7, tempo=80, meter="4/4", pickup=0, seed=1)
        assert piece.score.seconds == pytest.approx(9)  # three bars, for an ending takes whole ones
        return
    (piece,) = kantor.generate(trained, notes=40, seed=1)
    # A chord may be struck at once, and of notes struck twice at once one is kept.
    assert len(piece.score) <= 60
    (timed,) = kantor.generate(trained, seconds=6, tempo=80, meter="4/4", pickup=0, seed=1)
    assert timed.score.seconds == pytest.approx(6, abs=0.2)


@pytest.mark.corpus
def test_a_key_holds_a_model_that_knows_none(trained):
    if "key" in {condition.name for condition in trained.representation.conditions}:
        pytest.skip("it knows keys")
    (piece,) = kantor.generate(trained, bars=2, key="D major", seed=2)
    assert set((piece.score.notes["pitch"] % 12).tolist()) <= {2, 4, 6, 7, 9, 11, 1}
