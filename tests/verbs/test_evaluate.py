"""Judging a model on a folder of music."""

import numpy as np
import pytest

from fakes import FakeModel, bundle
from kantor import io
from kantor.errors import InputError, OptionError, UnknownNameError
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.roll import Roll
from kantor.score import Score
from kantor.verbs import evaluate as module
from kantor.verbs.evaluate import evaluate
from strategies import grid_score

FAKE = bundle()


@pytest.fixture(autouse=True)
def network(monkeypatch):
    monkeypatch.setattr(module, "model_of", lambda bundle, threads: FakeModel.of(bundle.representation))


def fill(folder, count=3, frames=40):
    folder.mkdir(parents=True)
    for i in range(count):
        grid = np.tile([60 + i, 60, 55, 48], (frames, 1))
        io.save(grid_score(grid, np.arange(frames)[:, None] % 4 == np.zeros(4)), folder / f"{i}.csv")
    return folder


def test_a_folder_with_nothing_but_a_test_folder_is_all_tested(tmp_path):
    fill(tmp_path / "data" / "test", 12)
    figures, refused = evaluate(FAKE, data=tmp_path / "data", split="test")
    assert (figures.pieces, figures.notes, refused) == (12, 12 * 160, ())
    assert figures.nats_per_note == pytest.approx(np.log(48))


def test_folders_named_after_two_splits_are_these_splits(tmp_path):
    fill(tmp_path / "data" / "train", 6)
    fill(tmp_path / "data" / "test", 5)
    assert evaluate(FAKE, data=tmp_path / "data", split="test")[0].pieces == 5
    with pytest.raises(InputError, match=r"split 'valid' of data, got none \(train has 6, test has 5\)"):
        evaluate(FAKE, data=tmp_path / "data")


def test_pieces_that_do_not_fit_are_named_and_the_others_judged(tmp_path):
    fill(tmp_path / "data" / "test", 2)
    io.save(Score.from_notes([(0, 480, 50 + 5 * i, 80, i) for i in range(5)]), tmp_path / "data" / "test" / "five.mid")
    figures, refused = evaluate(FAKE, data=tmp_path / "data", split="test", protocol="windows")
    assert (figures.pieces, figures.notes, figures.protocol) == (2, 262, "windows")
    assert refused == (
        "test/five.mid is left out: expected at most 4 notes at once, got 5, 0 quarters in. "
        "Try a score with one line a voice, or drop the doubling parts.",
    )


def test_where_no_piece_fits_the_first_reason_is_told(tmp_path):
    (tmp_path / "test").mkdir()
    io.save(Score.from_notes([(0, 480, 100, 80, 0)]), tmp_path / "test" / "high.mid")
    with pytest.raises(
        InputError, match=r"fits the model 'fake', none of 1 does; test/high.mid is left out: .*got 100"
    ):
        evaluate(FAKE, data=tmp_path, split="test")


def test_progress_is_told_up_to_the_last_piece(tmp_path):
    told = []
    evaluate(FAKE, data=fill(tmp_path / "test").parent, split="test", advance=lambda done, of: told.append((done, of)))
    assert told[-1] == (3, 3)


def test_rolls_are_judged_by_frames_and_notes_as_a_whole(tmp_path):
    for name, pitch in (("a", 60), ("b", 65)):  # a bass of quarters under a third that is struck twice
        rows = [(480 * n, 480, pitch - 12 + n, 80, 0) for n in range(10)]
        rows += [(2400 * n, 2400, pitch + third, 80, 0) for n in range(2) for third in (0, 4)]
        io.save(Score.from_notes(rows), tmp_path / "data" / "test" / f"{name}.mid")
    rolls, _ = evaluate(bundle(Frames()), data=tmp_path / "data", split="test", protocol="frames")
    assert (rolls.unit, rolls.frames, rolls.pieces) == ("frame", 2 * 39, 2)
    assert rolls.nats_per_frame == pytest.approx(88 * np.log(2))
    assert rolls.notes == 2 * 9  # the first bass note is given, and a binary roll merges the thirds
    notes, _ = evaluate(bundle(Notes()), data=tmp_path / "data", split="test")
    assert (notes.unit, notes.notes, notes.protocol) == ("note", 2 * 14, "whole")
    with pytest.raises(OptionError, match="a protocol that a model of 'notes' has, whole; got 'frames'"):
        evaluate(bundle(Notes()), data=tmp_path / "data", split="test", protocol="frames")


def test_what_no_piano_has_does_not_fit_a_roll(tmp_path):
    fill(tmp_path / "data" / "test", 1)
    io.save(Score.from_notes([(0, 480, 10, 80, 0)]), tmp_path / "data" / "test" / "low.mid")
    figures, refused = evaluate(bundle(Roll()), data=tmp_path / "data", split="test")
    assert figures.pieces == 1
    assert refused == (
        "test/low.mid is left out: expected the notes of a piano, A0 to C8, got Bb-1; try transposing the piece.",
    )


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"split": "dev"}, UnknownNameError, "no split named 'dev'"),
        ({"protocol": "window"}, UnknownNameError, "Did you mean 'windows'"),
        ({"corpus": "bach"}, OptionError, "got both; leave one out"),
        ({"data": "/nowhere/at/all"}, InputError, "expected a folder of music"),
        ({"data": None, "corpus": "bahc"}, UnknownNameError, "Did you mean 'bach'"),
    ],
)
def test_what_does_not_exist_is_refused(tmp_path, options, error, said):
    fill(tmp_path / "data" / "test", 1)
    with pytest.raises(error, match=said):
        evaluate(FAKE, **{"data": tmp_path / "data", "split": "test", **options})
