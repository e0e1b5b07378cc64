"""``kantor judge``: sets by every name, figures that are those of the metrics, verdicts that follow from the music."""

import json

import numpy as np
import pytest

from kantor import io, metrics
from kantor.cli import app
from kantor.errors import InputError, OptionError, UnknownNameError
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs.judge import judge


def tune(rng, leap):
    """Four voices that go by steps, or by leaps."""
    lines = []
    for low in (64, 58, 52, 44):
        pitch, line = low + 4, []
        for _ in range(24):
            pitch = int(np.clip(pitch + rng.integers(-leap, leap + 1), low, low + 12))
            line.append(pitch)
        lines.append(line)
    rows = [(480 * at, 480, pitch, 80, voice) for voice, line in enumerate(lines) for at, pitch in enumerate(line)]
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, 0, "major"),)}
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), **known)


def tunes(count, leap, seed):
    rng = np.random.default_rng(seed)
    return [(f"tune {number}", tune(rng, leap)) for number in range(count)]


def test_figures_are_those_of_the_metrics():
    pieces = tunes(6, 2, 0)
    report = judge(pieces)
    assert (report["pieces"], report["against"], report["two_sample"], report["copied"]) == (6, None, None, None)
    values = [metrics.measure(score)["pitch-range"].number for _, score in pieces]
    assert report["figures"]["pitch-range"]["value"] == pytest.approx(np.mean(values), abs=1e-6)
    rates = [metrics.measure(score)["parallel-fifths"] for _, score in pieces]
    pooled = 1000 * sum(rate.count for rate in rates) / sum(rate.out_of for rate in rates)
    assert report["figures"]["parallel-fifths"]["value"] == pytest.approx(pooled, abs=1e-6)
    low, high = report["figures"]["pitch-range"]["interval"]
    assert low <= np.mean(values) <= high
    assert json.loads(json.dumps(report, allow_nan=False))["figures"]


def test_sets_that_leap_are_told_from_those_that_step_and_others_are_not():
    apart = judge(tunes(20, 6, 1), tunes(20, 2, 2))
    assert apart["two_sample"]["interval"][0] > 0.5
    alike = judge(tunes(20, 2, 1), tunes(20, 2, 2))
    assert alike["two_sample"]["interval"][0] <= 0.65
    assert alike["two_sample"]["accuracy"] < apart["two_sample"]["accuracy"]
    assert alike["frechet"] < apart["frechet"]
    step = apart["figures"]["step-share"]["against"]
    assert step["difference_interval"][1] < 0


def test_a_folder_files_and_scores_are_the_same_set(tmp_path, capsys):
    pieces = tunes(3, 2, 3)
    for name, score in pieces:
        io.save(score, tmp_path / "music" / f"{name}.mid")
    (tmp_path / "music" / "broken.mid").write_bytes(b"MThd")
    (tmp_path / "music" / "notes.txt").write_text("no music")
    folder = judge(tmp_path / "music")
    assert [one["name"] for one in folder["left_out"]] == ["broken.mid"]
    files = judge([tmp_path / "music" / f"{name}.mid" for name, _ in pieces])
    scores = judge([score for _, score in pieces])
    assert folder["figures"] == files["figures"] == scores["figures"]
    app(["judge", str(tmp_path / "music"), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(folder))
    app(["judge", str(tmp_path / "music")], standalone_mode=False)
    assert "parallel-fifths" in capsys.readouterr().out


def test_a_baselines_pieces_are_drawn_with_one_seed():
    first, second = (judge("random:2", "none", bars=2, seed=4) for _ in range(2))
    assert first == second
    assert first["set"] == "random:2"
    assert judge("random:2", "none", bars=2, seed=5)["figures"] != first["figures"]


@pytest.mark.corpus
def test_pieces_that_are_training_pieces_are_found_to_be_copied(bach):
    known = bach.split("train")[:2]
    report = judge([(piece.name, piece.score) for piece in known], "bach:valid")
    assert {one["piece"] for one in report["copied"]["each"]} == {piece.name for piece in known}
    assert report["copied"]["bars"] == 1
    fresh = judge(tunes(2, 5, 0), "bach:valid")
    assert fresh["copied"]["most_quarters"] < report["copied"]["mean_quarters"]


def test_the_report_is_one_file(tmp_path):
    report = judge(tunes(6, 4, 1), tunes(6, 2, 2), [tmp_path / "judged.html"])
    page = (tmp_path / "judged.html").read_text()
    for words in ("Can it be told apart?", "Every figure", "Distributions", "Listen, and look", "data:audio/mpeg"):
        assert words in page
    assert report["files"] == [str(tmp_path / "judged.html")]
    with pytest.raises(OptionError, match="exist already"):
        judge(tunes(6, 4, 1), None, [tmp_path / "judged.html"])


def test_what_is_no_set_is_one_sentence(tmp_path):
    with pytest.raises(UnknownNameError, match="no set of pieces named 'bahc'"):
        judge("bahc")
    with pytest.raises(OptionError, match="try random:256"):
        judge("random")
    with pytest.raises(OptionError, match="expected 1 to 10000 pieces"):
        judge("random:0")
    with pytest.raises(OptionError, match="expected --bars with pieces of a model"):
        judge(tunes(1, 2, 0), bars=4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected music in"):
        judge(tmp_path / "empty")
    with pytest.raises(OptionError, match=r"ending in \.html"):
        judge(tunes(1, 2, 0), None, [tmp_path / "a.pdf"])
