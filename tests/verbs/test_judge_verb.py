"""``kantor judge``: sets by every name, figures that are those of the metrics, verdicts that follow from the music."""

import json
import re

import numpy as np
import pytest

from kantor import io, metrics
from kantor.cli import app
from kantor.corpora import Corpus, CorpusPiece
from kantor.errors import InputError, OptionError, UnknownNameError
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs._sets import named
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
    assert alike["two_sample"]["interval"][0] < 0.5 < alike["two_sample"]["interval"][1]
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


def test_one_piece_is_said_to_be_one_and_has_no_distance(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    [(_, score)] = tunes(1, 2, 3)
    io.save(score, "one/tune.mid")
    app(["judge", "one", "--against", "one/tune.mid"], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "one, 1 piece\n" in re.sub(" +\n", "\n", printed)
    assert "Fréchet" not in printed


def test_a_set_is_not_told_from_itself_and_versions_of_a_piece_are_one(tmp_path, monkeypatch):
    pieces = tunes(12, 3, 7)
    assert judge(pieces, pieces)["two_sample"]["accuracy"] == 0.5
    often = [(f"{name}, {again}", score) for name, score in pieces[:4] for again in range(5)]
    assert judge(often, pieces)["two_sample"] is None  # four pieces, whatever they are called
    members = [CorpusPiece(name, score, "train", f"group {number // 3}") for number, (name, score) in enumerate(pieces)]
    known = Corpus("bach", "", tuple(members))
    monkeypatch.setattr("kantor.corpora.load", lambda name, progress: known)
    assert named("bach:train").groups == tuple(f"bach: group {number // 3}" for number in range(12))
    assert judge("bach:train", tunes(12, 3, 8))["two_sample"] is None  # four groups of three versions
    both = named(["bach:train", *pieces[:1]])
    assert both.groups == (*named("bach:train").groups, "")


def test_what_cannot_be_heard_is_left_out_and_said(tmp_path):
    pieces = tunes(6, 2, 9)
    endless = Score.from_notes([(0, 480 * 2_000_000, 60, 80, 0)])
    drums = Score.from_notes([(0, 480, 36, 80, 0)], parts=(Part("Drums", is_drum=True),))
    report = judge([*pieces, ("endless", endless), ("drums", drums)], [("too long", endless), *tunes(6, 2, 10)])
    assert (report["pieces"], report["pieces_against"]) == (7, 6)
    assert [one["name"] for one in report["left_out"]] == ["endless", "too long"]
    assert "quarters of music" in report["left_out"][0]["reason"]
    kept = judge([*pieces, ("drums", drums)], tunes(6, 2, 10))
    assert kept["figures"] == report["figures"]
    with pytest.raises(InputError, match="got none; endless: expected at most"):
        judge([("endless", endless)])
    odd = judge([("drums", drums), *pieces], "bach:valid")["copied"]["each"]
    assert {"name": "drums", "quarters": 0.0, "piece": None, "bars": 0.0} in odd


def test_a_baselines_pieces_are_drawn_with_one_seed():
    first, second = (judge("random:2", "none", bars=2, seed=4) for _ in range(2))
    assert first == second
    assert first["set"] == "random:2"
    assert judge("random:2", "none", bars=2, seed=5)["figures"] != first["figures"]


def test_how_to_draw_is_for_what_is_drawn_and_asked_before_anything_is_read(tmp_path, monkeypatch):
    both = judge(["random:2", "random:1"], bars=2, temperature=0.9)
    assert both["pieces"] == 3
    assert named(["random:2", "random:1"], bars=2).bundle.name == "random"
    assert named(["random:2", tune(np.random.default_rng(0), 2)], bars=2).bundle is None
    io.save(tune(np.random.default_rng(0), 2), tmp_path / "a.mid")
    assert judge(tmp_path, "random:2", bars=2)["pieces_against"] == 2

    def unread(*_, **__):
        raise AssertionError

    monkeypatch.setattr("kantor.verbs.judge.named", unread)
    for there in (tmp_path, [tmp_path / "a.mid"], "bach:valid", ["bach", tmp_path], tunes(2, 2, 0)):
        with pytest.raises(OptionError, match=r"expected --bars with pieces of a model to draw, .* there already"):
            judge(there, bars=8)
    with pytest.raises(AssertionError):
        judge("bach:valid", "random:2", bars=8)


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


def test_pieces_of_which_no_rule_was_asked_have_neither_fewest_faults_nor_most(tmp_path):
    rng = np.random.default_rng(0)
    clusters = [
        Score.from_notes([(480 * at, 480, int(p), 80, 0) for at in range(8) for p in rng.permutation(30)[:7] + 50])
        for _ in range(3)
    ]
    judge([(f"cluster {n}", one) for n, one in enumerate(clusters)], None, [tmp_path / "clusters.html"])
    page = (tmp_path / "clusters.html").read_text()
    assert "faults</h3>" not in page
    assert "no rule of voice leading was asked" in page
    assert "<h3>cluster 0</h3>" in page
    judge([("cluster", clusters[0]), *tunes(3, 6, 1)], None, [tmp_path / "mixed.html"])
    mixed = (tmp_path / "mixed.html").read_text()
    assert "fewest faults</h3>" in mixed
    assert "<h3>cluster" not in mixed


def test_what_is_no_set_is_one_sentence(tmp_path):
    with pytest.raises(UnknownNameError, match="no set of pieces named 'bahc'"):
        judge("bahc")
    with pytest.raises(OptionError, match="try random:256"):
        judge("random")
    with pytest.raises(OptionError, match="try random:256"):
        judge("random", bars=4)
    with pytest.raises(UnknownNameError, match="no set of pieces named 'bahc'"):
        judge("bahc", bars=4)
    with pytest.raises(OptionError, match="expected 1 to 10000 pieces"):
        judge("random:0")
    with pytest.raises(OptionError, match="expected --bars with pieces of a model"):
        judge(tunes(1, 2, 0), bars=4)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected music in"):
        judge(tmp_path / "empty")
    with pytest.raises(OptionError, match=r"ending in \.html"):
        judge(tunes(1, 2, 0), None, [tmp_path / "a.pdf"])
