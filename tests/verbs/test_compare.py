"""``kantor compare``: a row a model and way, the best first, greedy among them."""

import json
from collections import Counter

import numpy as np
import pytest

from kantor import io
from kantor.bundle import Bundle
from kantor.cli import app
from kantor.errors import KantorError, OptionError, UnknownNameError
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs._sets import Pieces
from kantor.verbs.compare import _distinct, compare, sampling


def hymn(shift):
    lines = ([72, 74, 76, 74], [67, 67, 67, 67], [64, 62, 60, 62], [48, 55, 48, 43])
    rows = [
        (480 * place, 480, pitch + shift, 80, voice)
        for voice, line in enumerate(lines)
        for place, pitch in enumerate(line * 2)
    ]
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, 0, "major"),)}
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), **known)


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compare")
    for shift in range(6):
        io.save(hymn(shift), folder / ("valid" if shift > 3 else "train") / f"{shift}.mid")
    return folder


@pytest.fixture(scope="module")
def board(music, tiny_bundle):
    page = music.parent / "board.html"
    page.unlink(missing_ok=True)
    ways = ("T=1", "T=.5,top-k=3")
    return compare([tiny_bundle, "random"], ways, [page], against=music, count=6, bars=2, rules=("none",), seed=2)


def test_every_model_has_a_row_for_each_way_and_one_for_greedy(board):
    rows = Counter((row["model"], row["sampling"]) for row in board["rows"])
    assert rows == Counter((model, way) for model in ("tiny", "random") for way in ("T=1", "T=.5,top-k=3", "T=0"))
    greedy = [row for row in board["rows"] if row["model"] == "tiny" and row["sampling"] == "T=0"]
    drawn = [row for row in board["rows"] if row["model"] == "tiny" and row["sampling"] == "T=1"]
    assert drawn[0]["distinct"] == 1
    assert greedy[0]["nats_drawn"] < drawn[0]["nats_drawn"]  # what is likeliest is likelier than what is drawn
    assert json.dumps(board, allow_nan=False)


def test_the_nearest_to_the_reference_comes_first(board):
    distances = [row["frechet"] for row in board["rows"]]
    assert distances == sorted(distances)
    assert np.isfinite(distances).all()


def test_likelihood_is_measured_on_what_is_named(music, tiny_bundle):
    (row,) = compare([tiny_bundle], ("T=0",), against="none", data=music, count=1, bars=1)["rows"]
    assert row["nats_per_note"] > 0
    assert row["frechet"] is None
    (unknown,) = compare([tiny_bundle], ("T=0",), against="none", count=1, bars=1)["rows"]
    assert unknown["nats_per_note"] is None


def test_the_leaderboard_is_printed_and_one_file(board, music, capsys):
    page = (music.parent / "board.html").read_text()
    assert "Leaderboard" in page
    assert "T=.5,top-k=3" in page
    app(
        ["compare", "random", "-n", "1", "--bars", "1", "--against", "none", "--sampling", "T=1"], standalone_mode=False
    )
    printed = capsys.readouterr().out
    assert "T=0" in printed
    assert "random" in printed


def test_a_reference_is_read_anew_each_time(music, tmp_path):
    """And heard once for all models that take the same of it."""
    folder = tmp_path / "music"
    wanted = {"against": folder, "count": 5, "bars": 1, "seed": 1}
    for shift in range(6):
        io.save(hymn(shift), folder / f"{shift}.mid")
    first = compare(["random"], ("T=0",), **wanted)["rows"][0]["frechet"]
    for place in range(6):
        io.save(hymn(-place), folder / f"{6 + place}.mid")
    assert compare(["random"], ("T=0",), **wanted)["rows"][0]["frechet"] != first


def test_a_corpus_that_cannot_be_had_is_told_before_anything_is_composed(tiny_bundle, tmp_path, monkeypatch):
    card = {**tiny_bundle.card, "corpus": {"name": "jsb"}}
    other = Bundle(tiny_bundle.path, card)
    monkeypatch.setenv("KANTOR_MIRROR", (tmp_path / "nowhere").as_uri())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("kantor.verbs.compare.composed", lambda *_, **__: pytest.fail("it has been composed"))
    with pytest.raises(KantorError, match=r"(?i)jsb"):
        compare(["random", other], ("T=1",), count=1)


def test_distinct_are_pieces_that_no_other_is_like():
    scores = [hymn(0), hymn(0), hymn(1), hymn(2)]
    assert _distinct(Pieces("four", tuple((str(n), score) for n, score in enumerate(scores)))) == 0.5
    assert _distinct(Pieces("two", (("a", hymn(0)), ("b", hymn(0))))) == 0


def test_a_way_to_draw_is_read_as_options():
    assert sampling("own") == {}
    assert sampling("T=.9, top-p=.95") == {"temperature": 0.9, "top_p": 0.95}
    assert sampling("beam=8") == {"beam": 8}
    assert sampling("best-of=4") == {"best_of": 4}


@pytest.mark.parametrize("wrong", ["", "T", "T=hot", "beam=1.5", "magic=3", "T=nan", "beam=inf"])
def test_a_way_that_is_none_is_one_sentence(wrong):
    with pytest.raises(OptionError, match="expected --sampling like"):
        sampling(wrong)


def test_what_cannot_be_compared_is_one_sentence():
    with pytest.raises(OptionError, match="expected to sort by one of"):
        compare(["random"], sort="beauty")
    with pytest.raises(UnknownNameError, match="no model named 'nobody'"):
        compare(["nobody"])
