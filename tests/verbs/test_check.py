"""``kantor check``: every format of four voices says the same, files are written, and what is wrong is one sentence."""

import json
import re

import numpy as np
import pytest

from kantor import io
from kantor.cli import app
from kantor.errors import FileFormatError, OptionError, ScoreError
from kantor.score import NOTE, VOICES, Key, Meter, Part, Score
from kantor.verbs.check import check

#: Parallel fifths of soprano and tenor, and of soprano and bass, into beat 2 of bar 1; octaves of tenor and bass.
LINES = ([67, 69, 71, 72], [64, 64, 62, 64], [60, 62, 62, 60], [48, 50, 43, 48])
WANTED = [
    ("parallel fifths", 1, 2, ["soprano", "tenor"], [69, 62], [67, 60]),
    ("parallel fifths", 1, 2, ["soprano", "bass"], [69, 50], [67, 48]),
    ("parallel octaves", 1, 2, ["tenor", "bass"], [62, 50], [60, 48]),
]
ABC = """X:1
T:Four voices
M:4/4
L:1/4
K:C
V:S name="Soprano"
V:A name="Alto"
V:T name="Tenor"
V:B name="Bass"
[V:S] G A B c |
[V:A] E E D E |
[V:T] C D D C |
[V:B] C, D, G,, C, |
w: lyr-ics are left out
"""
KERN = """**kern\t**kern\t**kern\t**kern
*clefF4\t*clefGv2\t*clefG2\t*clefG2
*k[]\t*k[]\t*k[]\t*k[]
*C:\t*C:\t*C:\t*C:
*M4/4\t*M4/4\t*M4/4\t*M4/4
=1\t=1\t=1\t=1
4C\t4c\t4e\t4g
4D\t4d\t4e\t4a
4GG\t4d\t4d\t4b
4C\t4c\t4e\t4cc
==\t==\t==\t==
*-\t*-\t*-\t*-
"""


def hymn(**known):
    rows = [(480 * at, 480, pitch, 80, voice) for voice, line in enumerate(LINES) for at, pitch in enumerate(line)]
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, 0, "major"),), **known}
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), **known)


def parallels(report):
    names = ("kind", "bar", "beat", "voices", "pitches", "before")
    return [tuple(one[name] for name in names) for one in report["faults"] if one["rule"] == "no-parallels"]


@pytest.fixture(params=["hymn.mid", "hymn.musicxml", "hymn.mxl", "hymn.csv", "hymn.abc", "hymn.krn", "reduction.mid"])
def file(request, tmp_path):
    """Four voices in each format; a reduction has two staves of two voices."""
    path = tmp_path / request.param
    score = hymn()
    if path.suffix == ".abc":
        path.write_text(ABC)
    elif path.suffix == ".krn":
        path.write_text(KERN)
    elif path.stem == "reduction":
        notes = score.notes.copy()
        notes["part"] //= 2
        io.save(score.replace(notes=notes, parts=(Part("Right"), Part("Left"))), path)
    else:
        io.save(score, path)
    return path


def test_every_format_of_four_voices_says_the_same(file):
    report = check(file)
    assert parallels(report) == WANTED
    assert [voice.lower() for voice in report["voices"]] == ["soprano", "alto", "tenor", "bass"]
    assert report["counts"]["parallel fifths"] == 2
    assert report["metrics"]["pitch-range"] == 72 - 43


def test_the_marked_page_has_a_ring_for_each_note_at_fault_and_a_line_of_legend_for_each_fault(tmp_path):
    report = check(hymn(), [tmp_path / "marked.svg"])
    page = (tmp_path / "marked.svg").read_text()
    told = {(voice, one["bar"], one["beat"]) for one in report["faults"] for voice in one["voices"]}
    assert page.count("<circle ") == len(told)
    assert page.count("bar 1, beat 2: parallel fifths, soprano and tenor (G4 C4 → A4 D4)") == 1
    assert len(re.findall(r">\d+ · bar ", page)) == len(report["faults"])
    assert report["files"] == [str(tmp_path / "marked.svg")]


def test_the_report_is_one_file_that_asks_no_address(tmp_path):
    check(hymn(title="<script>alert(1)</script>"), [tmp_path / "all.html"])
    page = (tmp_path / "all.html").read_text()
    assert "<script>alert" not in page
    outside = re.sub(r'(xmlns(:\w+)?|xlink:href|href)="http[^"]*"', "", page)
    assert not re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?:https?:)?//""", outside)
    assert "data:audio/mpeg;base64," in page
    assert "data:image/svg+xml;base64," in page


def test_the_command_prints_what_python_gives(file, capsys):
    app(["check", str(file), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(check(file)))
    app(["check", str(file)], standalone_mode=False)
    printed = capsys.readouterr().out
    assert "parallel octaves" in printed
    assert "tenor, bass" in printed


def test_where_voices_cannot_be_told_rules_are_left_out_and_metrics_are_not(tmp_path):
    thick = Score.from_notes([(0, 960, pitch, 80, 0) for pitch in (40, 44, 47, 52, 56, 59)])
    report = check(thick, [tmp_path / "thick.html", tmp_path / "thick.svg"])
    assert report["faults"] == []
    assert report["voices"] == []
    assert any("voices cannot be told" in remark for remark in report["remarks"])
    assert len(report["left_out"]) == 10
    assert report["metrics"]["pitch-range"] == 19
    assert (tmp_path / "thick.svg").read_text().startswith("<svg")


def test_what_cannot_be_done_is_one_sentence(tmp_path):
    with pytest.raises(ScoreError, match="without a note"):
        check(Score(np.zeros(0, NOTE)))
    with pytest.raises(OptionError, match=r"ending in \.svg or \.html, got 'a\.png'"):
        check(hymn(), [tmp_path / "a.png"])
    (tmp_path / "there.svg").write_text("mine")
    with pytest.raises(OptionError, match="exist already"):
        check(hymn(), [tmp_path / "there.svg"])
    assert (tmp_path / "there.svg").read_text() == "mine"


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.krn", "no music", "has no '**kern' in it"),
        ("a.abc", "no music", "has no 'X:' in it"),
        ("a.krn", "**kern\n4q\x00\n==\n", "a.krn"),
    ],
)
def test_a_text_that_is_no_score_is_refused_in_one_sentence(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises((FileFormatError, ScoreError)) as caught:
        check(tmp_path / name)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_kern_or_abc_file_is_read_and_never_written():
    with pytest.raises(OptionError, match="suffix"):
        io.encode(hymn(), ".krn")


def test_further_pages_are_not_written_over_other_peoples(tmp_path):
    (tmp_path / "marked-2.svg").write_text("mine")
    with pytest.raises(OptionError, match=r"marked-2\.svg' that exist already"):
        check(hymn(), [tmp_path / "marked.svg"])
    with pytest.raises(OptionError, match="every output once"):
        check(hymn(), [tmp_path / "a.svg", tmp_path / "a.svg"])
    assert [file.name for file in tmp_path.iterdir()] == ["marked-2.svg"]
