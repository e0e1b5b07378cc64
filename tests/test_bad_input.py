"""Whatever is wrong with what comes in: one line on stderr, exit code 2, no traceback, no file."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from kantor import bundle, cli, io
from kantor.score import Score

HEADER = "note0,note1,note2,note3\n"
GOOD = HEADER + "72,67,64,48\n" * 16


@pytest.fixture
def refused(tmp_path, monkeypatch, capsys):
    """``refused("generate", ...)``: the one line that came back; nothing has been written beside what was there."""
    monkeypatch.setattr("warnings.showwarning", None)
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        monkeypatch.setattr(sys, "argv", ["kantor", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        assert left.value.code == 2
        assert told.out == ""
        assert told.err.startswith("error: ")
        assert told.err.count("\n") == 1
        assert told.err.endswith("\n")
        assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
        return told.err[7:-1]

    return run


def midi():
    return io.encode(Score.from_notes([(i * 480, 480, 60 + i, 80, 0) for i in range(8)]), ".mid")


def music(suffix):
    return io.encode(io.grid_csv.read(GOOD.encode(), "x.csv"), suffix)


FILES = {
    "empty.mid": (lambda: b"", "'empty.mid' is empty"),
    "empty.csv": (lambda: b"", "'empty.csv' is empty"),
    "empty.musicxml": (lambda: b"", "'empty.musicxml' is empty"),
    "cut.mid": (lambda: midi()[:40], "'cut.mid' ends in the middle of a track; was it copied whole?"),
    "text.mid": (lambda: b"this is no music at all", "'text.mid' is not a MIDI file"),
    "picture.midi": (lambda: b"\x89PNG\r\n\x1a\n" * 9, "'picture.midi' is not a MIDI file"),
    "cut.musicxml": (lambda: music(".musicxml")[:700], "'cut.musicxml' is not well-formed XML"),
    "page.xml": (lambda: b"<html><body/></html>", "'page.xml' is not MusicXML: its root is <html>"),
    "cut.mxl": (lambda: music(".mxl")[:300], "'cut.mxl' is a damaged zip file"),
    "bomb.xml": (lambda: b'<!DOCTYPE a [<!ENTITY b "c">]><score-partwise>&b;</score-partwise>', "entities"),
    "gap.csv": (lambda: b"note0,note1,note3\n60,60,60\n", "header 'note0,note1,note3', expected 'note0,note1,note2'"),
    "nohead.csv": (lambda: b"60,60,60,60\n61,60,60,60\n", "header '60,60,60,60', expected 'note0,"),
    "word.csv": (lambda: (HEADER + "60,x,60,60\n").encode(), "line 2, note1: expected a whole MIDI number"),
    "half.csv": (lambda: (HEADER + "60,60,60.5,60\n").encode(), "line 2, note2: expected a whole MIDI number"),
    "nan.csv": (lambda: (HEADER + "60,60,60,60\nnan,60,60,60\n").encode(), "line 3, note0: .*got 'nan'"),
    "blank.csv": (lambda: (HEADER + "60,,60,60\n").encode(), "line 2, note1: .*got ''"),
    "ragged.csv": (lambda: (HEADER + "60,60,60,60\n60,60,60\n").encode(), "line 3: 3 cells, expected 4"),
    "wide.csv": (lambda: (HEADER + "60,60,60,60,60\n").encode(), "line 2: 5 cells, expected 4"),
    "low.csv": (lambda: (HEADER + "60,60,60,-1\n").encode(), "line 2, note3: expected a pitch within 0..127"),
    "rows.csv": (lambda: HEADER.encode(), "'rows.csv' has no rows"),
    "utf16.csv": (lambda: GOOD.encode("utf-16"), "'utf16.csv' is not a text"),
    "high.csv": (lambda: (GOOD + "100,67,64,48\n").encode(), r"36 \(C2\) to 81 \(A5\), got 100 at row 16 .*soprano"),
    "deep.csv": (lambda: (GOOD + "72,67,64,35\n").encode(), r"got 35 at row 16 .*bass; try transposing"),
    "silent.csv": (lambda: (HEADER + "0,0,0,0\n" * 9).encode(), "expected a prompt with notes, got none"),
    "five.csv": (lambda: b"note0,note1,note2,note3,note4\n72,70,65,60,50\n", "at most 4 notes at once, got 5"),
    "music.txt": (lambda: GOOD.encode(), "expected a file suffix among .mid, .*got '.txt'"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_continued_is_refused(refused, tmp_path, name):
    data, said = FILES[name]
    (tmp_path / name).write_bytes(data())
    assert_said(refused("continue", name, "--bars", 1, "-o", "out/new.mid"), said)


def assert_said(line, pattern):
    import re

    assert re.search(pattern, line), line


@pytest.mark.parametrize("command", ["continue", "render", "info"])
@pytest.mark.parametrize("name", ["none.mid", "none.csv", "folder.mid", "folder.csv"])
def test_a_file_that_is_not_there_or_is_a_folder_is_refused(refused, tmp_path, command, name):
    (tmp_path / "folder.csv").mkdir()
    output = [] if command == "info" else ["-o", "new.svg"]
    if name == "folder.mid":
        (tmp_path / name).mkdir()
    said = refused(command, name, *output)
    assert name in said


def test_check_says_that_a_folder_is_one(refused, tmp_path):
    (tmp_path / "songs").mkdir()
    assert_said(refused("check", "songs"), "expected the path of a file, got the folder 'songs'")


def test_the_column_of_row_numbers_that_tables_have_is_accepted(tmp_path, monkeypatch, capsys):
    rows = "".join(f"{i},72,67,64,48\n" for i in range(16))
    (tmp_path / "table.csv").write_text("," + HEADER + rows)
    monkeypatch.setattr(sys, "argv", ["kantor", "info", str(tmp_path / "table.csv"), "--json"])
    monkeypatch.setattr("warnings.showwarning", None)
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert left.value.code == 0
    assert json.loads(capsys.readouterr().out)["notes"] == 4


OPTIONS = [
    (["--bars", "0"], "expected from 1 to 100000 bars, got 0; try 16"),
    (["--bars", "-4"], "expected from 1 to 100000 bars, got -4"),
    (["--bars", "1000000"], "got 1000000"),
    (["-n", "0"], "expected from 1 to 10000 pieces, got 0"),
    (["-n", "2"], r"expected \{n\} in the name .*try 'new-\{n\}.mid'"),
    (["--seed", "-1"], "expected a seed of 0 or more, got -1"),
    (["--temperature", "-0.1"], "expected a temperature of 0 or more, got -0.1"),
    (["--temperature", "nan"], "got nan"),
    (["--top-k", "0"], "expected top-k to be at least 1, got 0"),
    (["--top-p", "1.01"], "expected top-p within 0..1, got 1.01"),
    (["--top-p", "nan"], "expected top-p within 0..1, got nan"),
    (["--min-p", "-1"], "expected min-p within 0..1, got -1.0"),
    (["--model", "corale"], "no model named 'corale'. Did you mean 'chorale'"),
    (["--model", "no/such/folder"], "expected a model folder at no/such/folder"),
    (["--model", "."], "expected a model folder with bundle.json in it"),
    (["-o", "new.xyz"], "new.xyz|'.xyz'"),
    (["-o", "new"], "'new'|none"),
    (["-o", "new.pdf"], "new"),
    (["-o", "new.wav", "--instrument", "kazoo"], "no instrument named 'kazoo'"),
    (["-o", "new.wav", "--instrument", "128"], "0..127, got 128"),
    (["-o", "new.wav", "--sample-rate", "1"], "sample rate"),
    (["-o", "new.wav", "--soundfont", "none.sf2"], "none.sf2"),
]
ONLY_GENERATE = [
    (["--key", "H"], "expected a key, got 'H'; try 'G', 'Gm'"),
    (["--key", "g"], "expected a key, got 'g'"),
    (["--meter", "waltz"], "expected a meter, .*got 'waltz'"),
    (["--meter", "4/5"], "power of two, got '4/5'"),
    (["--meter", "3/4", "--pickup", "3"], "shorter than a bar of 3/4"),
    (["--pickup", "-1"], "got -1"),
    (["--pickup", "nan"], "got nan"),
    (["--pickup", "inf"], "got inf"),
]


@pytest.mark.parametrize(
    ("flags", "said"), OPTIONS + ONLY_GENERATE, ids=lambda value: " ".join(value) if type(value) is list else ""
)
def test_generate_refuses_what_is_out_of_range(refused, flags, said):
    assert_said(refused("generate", "--bars", 1, "-o", "new.mid", *flags), said)


@pytest.mark.parametrize(
    ("flags", "said"),
    [*OPTIONS, (["--from-bar", "0"], "between 2 and 2, got 0"), (["--from-bar", "3"], "between 2 and 2, got 3")],
    ids=lambda value: " ".join(value) if type(value) is list else "",
)
def test_continue_refuses_what_is_out_of_range(refused, tmp_path, flags, said):
    (tmp_path / "a.csv").write_text(GOOD + "72,67,64,48\n" * 16)
    assert_said(refused("continue", "a.csv", "--bars", 1, "-o", "new.mid", *flags), said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "chorales"], "no preset named 'chorales'. Did you mean 'chorale'"),
        (["train", "jsb", "--data", "nowhere"], "expected a folder of music at 'nowhere', got nothing"),
        (["train", "jsb", "--corpus", "bahc"], "Did you mean 'bach'"),
        (["train", "jsb", "--corpus", "bach", "--data", "."], "got both; leave one out"),
        (["train", "jsb", "--data", "."], "expected music in '.', got nothing that can be read"),
        (["train", "jsb", "--max-epochs", "0"], "epochs to be at least 1, got 0"),
        (["train", "jsb", "--max-minutes", "0"], "expected max-minutes above 0, got 0"),
        (["train", "jsb", "--batch-size", "0"], "batch_size to be at least 1, got 0"),
        (["train", "jsb", "--window", "-1"], "expected window to be 0 or more, got -1"),
        (["train", "jsb", "--accelerator", "tpu"], "among auto, cpu, cuda, mps, got 'tpu'"),
        (["train", "jsb", "--set", "hidden"], "expected --set key=value, got 'hidden'"),
        (
            ["train", "jsb", "--set", "hiden=3"],
            "expected a setting of preset 'jsb', got 'hiden'; it has .*network.hidden",
        ),
        (["train", "jsb", "--set", "hidden=many"], "expected hidden to be of type int .*got 'many'"),
        (["train", "jsb", "--from", "nobody"], "no model named 'nobody'"),
        (["evaluate", "nobody"], "no model named 'nobody'. Available: .*jsb"),
        (["evaluate", "jsb", "--data", "nowhere"], "expected a folder of music at 'nowhere'"),
        (["evaluate", "jsb", "--split", "dev", "--data", "in"], "no split named 'dev'. Available: test, train, valid"),
        (["evaluate", "jsb", "--split", "train", "--data", "in"], r"got none \(test has 1\)"),
        (
            ["evaluate", "jsb", "--split", "test", "--data", "in", "--protocol", "all"],
            "Available: frames, whole, windows",
        ),
        (
            ["evaluate", "chorale", "--split", "test", "--data", "in", "--protocol", "windows"],
            "a protocol that a model of 'choir' has, whole, frames; got 'windows'",
        ),
        (["evaluate", "jsb", "--data", "in/test/a.csv"], "got a file"),
        (["render", "in/test/a.csv", "-o", "in/test/a.csv"], "other than the file that is read"),
        (["render", "in/test/a.csv", "-o", "a.doc"], ".doc"),
        (["info", "nobody"], "no model named 'nobody'"),
        (["info", "in"], "try `kantor inspect in`"),
    ],
    ids=lambda value: " ".join(value) if type(value) is list else "",
)
def test_the_other_commands_refuse_what_they_cannot_use(refused, tmp_path, arguments, said):
    (tmp_path / "in" / "test").mkdir(parents=True)
    (tmp_path / "in" / "test" / "a.csv").write_text(GOOD)
    if arguments[-1] == ".":
        shutil.rmtree(tmp_path / "in")
    assert_said(refused(*arguments), said)


# -- outputs that cannot be written ----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["generate", "continue", "render"])
@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("folder.mid", "'folder.mid' is a folder; add a file name"),
        ("file/x.mid", "'file' is a file, not a folder; try another folder"),
        (f"{'a' * 300}.mid", "file name too long"),
    ],
)
def test_a_place_that_cannot_be_written_is_refused(refused, tmp_path, command, output, said):
    (tmp_path / "folder.mid").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "a.csv").write_text(GOOD)
    given = [] if command == "generate" else ["a.csv"]
    assert_said(refused(command, *given, "-o", output), said)


def test_a_locked_folder_is_named_before_anything_is_composed(refused, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    monkeypatch.setattr("kantor.verbs.generate.compose", None)
    assert_said(refused("generate", "-o", "x.mid"), "the folder '.' is not writable; try another folder")


# -- models whose parts do not belong together -----------------------------------------------------------------------


@pytest.fixture
def model(tmp_path, tiny_bundle):
    """A copy of a model folder, to be spoilt."""
    shutil.copytree(tiny_bundle.path, tmp_path / "model")
    return tmp_path / "model"


def card(model, **changes):
    known = json.loads((model / bundle.CARD).read_text())
    (model / bundle.CARD).write_text(json.dumps({**known, **changes}))


SPOILT = {
    "no card": (lambda m: (m / bundle.CARD).unlink(), "expected a model folder with bundle.json in it"),
    "no weights": (lambda m: (m / bundle.WEIGHTS).unlink(), "weights.safetensors, which belongs to the model"),
    "no graph": (lambda m: (m / bundle.GRAPH).unlink(), "graph.onnx, which belongs to the model"),
    "card no json": (lambda m: (m / bundle.CARD).write_text("{"), "card in JSON, it cannot be read"),
    "card a list": (lambda m: (m / bundle.CARD).write_text("[]"), "states no format"),
    "other weights": (lambda m: append(m / bundle.WEIGHTS), "weights.safetensors is not the file that its card names"),
    "other graph": (lambda m: append(m / bundle.GRAPH), "graph.onnx is not the file that its card names"),
    "later format": (lambda m: card(m, format=99), "format 99, this version reads up to 3; try a newer Kantor"),
    "other network": (lambda m: card(m, network={"kind": "lstm", "hidden": 9}), "parameters"),
    "unknown network": (lambda m: card(m, network={"kind": "gru"}), "no network named 'gru'"),
    "unknown representation": (lambda m: card(m, representation={"name": "polka"}), "no representation named 'polka'"),
    "less": (lambda m: card(m, network=None), "network cannot be understood"),
}


def append(path):
    path.write_bytes(path.read_bytes() + b"\0")


@pytest.mark.parametrize(
    "odd", [{"metrics": None}, {"metrics": []}, {"metrics": {"whole": 3}}, {"corpus": "x"}, {"training": [[[{}]]]}]
)
def test_a_card_that_says_odd_things_is_shown(monkeypatch, capsys, model, odd):
    card(model, **odd)
    monkeypatch.setattr(sys, "argv", ["kantor", "info", str(model)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    assert (left.value.code or 0, capsys.readouterr().err) == (0, "")


@pytest.mark.parametrize("how", SPOILT)
def test_a_model_whose_parts_do_not_belong_together_is_refused(refused, model, how):
    spoil, said = SPOILT[how]
    spoil(model)
    assert_said(refused("generate", "--model", model, "--bars", 1, "-o", "x.mid"), said)
    refused("info", model)


# -- memory ----------------------------------------------------------------------------------------------------------


def test_memory_that_does_not_suffice_names_the_options_to_lower(refused, monkeypatch):
    class Session:
        def run(self, *_):
            raise RuntimeError(
                "[ONNXRuntimeError] : Failed to allocate memory for requested buffer of size 60790800384"
            )

    from kantor.runtime import Runtime

    opened = Runtime.__init__

    def opening(self, *arguments, **options):
        opened(self, *arguments, **options)
        self._session = Session()

    monkeypatch.setattr(Runtime, "__init__", opening)
    said = refused("generate", "--bars", 1, "-o", "x.mid")
    assert said == "the memory does not suffice; try a lower --bars, --count or --batch-size."


def test_a_network_of_no_numbers_is_a_warning_and_a_piece(tmp_path, monkeypatch, capsys):
    import warnings

    import numpy as np

    from kantor.runtime import Runtime

    real = Runtime.run
    monkeypatch.setattr(
        Runtime, "run", lambda self, i, s: ([x * np.nan for x in real(self, i, s)[0]], real(self, i, s)[1])
    )
    monkeypatch.setattr("warnings.showwarning", None)
    monkeypatch.setattr(
        sys, "argv", ["kantor", "generate", "--bars", "1", "--seed", "1", "-o", str(tmp_path / "x.mid")]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with pytest.raises(SystemExit) as left:
            cli.main()
    told = capsys.readouterr()
    assert left.value.code in (0, None)
    assert told.err.startswith("warning: the model gave probabilities that are not numbers; the likeliest class")
    assert told.err.count("warning") == 1
    assert Path(tmp_path / "x.mid").exists()
