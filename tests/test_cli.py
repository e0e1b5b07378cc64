"""The command line: every command, as a user types it, in this process."""

import io as streams
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import kantor
from kantor import cli, io
from kantor.errors import OutputError
from kantor.score import Meter
from kantor.verbs.piece import Piece
from strategies import grid_score

CHORALE = "note0,note1,note2,note3\n" + "72,67,64,48\n" * 8 + "74,67,59,55\n" * 8 + "72,67,64,48\n" * 24


@pytest.fixture
def run(monkeypatch, capsys):
    """``run("generate", ...)`` -> exit code, stdout, stderr."""
    monkeypatch.setattr("warnings.showwarning", None)  # main puts its own there; this takes it away again
    monkeypatch.setenv("COLUMNS", "100")

    def kantor(*arguments):
        monkeypatch.setattr(sys, "argv", ["kantor", *map(str, arguments)])
        with pytest.raises(SystemExit) as left:
            cli.main()
        told = capsys.readouterr()
        return left.value.code or 0, told.out, told.err

    return kantor


@pytest.fixture
def chorale(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.csv").write_text(CHORALE)
    return tmp_path / "in" / "a.csv"


PROMISED = {
    "generate": "--model --bars --key --meter --pickup --temperature --top-k --top-p --min-p --seed -n -o --force "
    "--json",
    "continue": "--model --from-bar --bars --temperature --top-k --top-p --min-p --seed -n -o --force --json",
    "train": "--corpus --data --from --out --max-epochs --max-minutes --batch-size --window --accelerator "
    "--resume --set",
    "evaluate": "--corpus --data --split --protocol --json",
    "render": "-o --soundfont --instrument --sample-rate --force",
    "info": "--json",
    "presets": "--json",
    "models": "--json",
}


@pytest.mark.parametrize("command", PROMISED)
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_every_command_explains_itself_and_all_its_options(run, command, flag):
    code, out, err = run(command, flag)
    assert (code, err) == (0, "")
    shown = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", out))
    assert shown >= set(PROMISED[command].split())


def test_the_first_page_names_every_command(run):
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    assert all(re.search(rf"\b{command}\b", out) for command in PROMISED)


def test_nothing_asked_is_answered_with_the_first_page(run):
    code, out, err = run()
    assert (code, err) == (2, "")
    assert out.strip() == run("--help")[1].strip()


def test_the_version_is_told(run):
    assert run("--version") == (0, f"kantor {kantor.__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--bogus"], ["generate", "--bogus", "-o", "x.mid"], ["compose"], ["generate"]])
def test_what_is_not_an_option_is_answered_in_one_line_with_code_2(run, arguments):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


# -- generate --------------------------------------------------------------------------------------------------------

FORMATS = (".mid", ".musicxml", ".csv", ".svg", ".png", ".wav")


def test_equal_seeds_give_equal_bytes_in_every_format(run, tmp_path):
    outputs = [[tmp_path / f"{take}{suffix}" for suffix in FORMATS] for take in "abc"]
    for files, seed in zip(outputs, (1, 1, 2), strict=True):
        flags = [word for file in files for word in ("-o", file)]
        code, out, err = run("generate", "--bars", 2, "--seed", seed, "--key", "Gm", "--meter", "3/4", *flags)
        assert code == 0, err
        assert all(file.name in out for file in files)
    for suffix in FORMATS:
        first, again, other = ((tmp_path / f"{take}{suffix}").read_bytes() for take in "abc")
        assert first == again
        assert first != other
    made = io.load(tmp_path / "a.musicxml")
    assert (str(made.meters[0]), made.keys[0].fifths, made.keys[0].mode) == ("3/4", -2, "minor")


def test_bars_pickup_and_ranges_are_as_asked(run, tmp_path):
    asked = ["--bars", 3, "--pickup", 1, "--meter", "4/4", "--key", "D", "--seed", 4, "-o", tmp_path / "a.mid"]
    assert run("generate", *asked)[0] == 0
    made = io.load(tmp_path / "a.mid")
    assert made.anacrusis_ticks == 480
    assert made.length_ticks == 3 * 1920
    assert int((made.bars["offset"] == 0).sum()) == 3
    ranges = kantor.load("chorale").card["ranges"]
    assert all(ranges[part][0] <= pitch <= ranges[part][1] for _, _, pitch, _, part in made.notes.tolist())


def test_eight_at_once_are_eight_and_the_first_is_the_one_alone(run, tmp_path):
    asked = ["generate", "--bars", 1, "--seed", 3, "--json"]
    code, out, err = run(*asked, "-n", 8, "-o", tmp_path / "out" / "take-{n}.mid")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert [row["take"] for row in told] == list(range(1, 9))
    files = [tmp_path / "out" / f"take-{n}.mid" for n in range(1, 9)]
    assert [row["files"] for row in told] == [[str(file)] for file in files]
    assert len({file.read_bytes() for file in files}) == 8
    run(*asked, "-o", tmp_path / "alone.mid")
    assert (tmp_path / "alone.mid").read_bytes() == files[0].read_bytes()


def test_what_generate_prints_as_json_is_json_alone_with_these_names(run, tmp_path):
    code, out, err = run("generate", "--bars", 1, "--seed", 3, "--json", "-o", tmp_path / "a.mid")
    assert (code, err) == (0, "")
    (row,) = json.loads(out)
    names = "title key meter pickup_beats bars notes parts lowest highest fermatas seconds seed take model"
    names += " nats_per_note rules_cost dead_ends notes_decided copied files remarks"
    assert list(row) == names.split()
    assert (row["bars"], row["seed"], row["take"], row["model"]) == (1, 3, 1, "chorale")


class Terminal(streams.TextIOWrapper):
    """A terminal that keeps what it is told."""

    def __init__(self):
        super().__init__(streams.BytesIO(), encoding="utf-8")

    def isatty(self):
        return True


def test_json_stays_pure_while_a_bar_is_drawn(run, tmp_path, monkeypatch, chorale):
    for verbs in (["generate", "--bars", 1, "-o", tmp_path / "a.mid"], ["evaluate", "jsb", "--data", chorale.parent]):
        (chorale.parent / "test").mkdir(exist_ok=True)
        (chorale.parent / "test" / "b.csv").write_text(CHORALE)
        extra = ["--split", "test"] if verbs[0] == "evaluate" else []
        monkeypatch.setattr(sys, "stderr", Terminal())
        code, out, _ = run(*verbs, *extra, "--json")
        assert code == 0
        json.loads(out)


def test_a_seed_is_told_where_none_is_given_and_gives_the_piece_again(run, tmp_path):
    (row,) = json.loads(run("generate", "--bars", 1, "--json", "-o", tmp_path / "a.mid")[1])
    run("generate", "--bars", 1, "--seed", row["seed"], "-o", tmp_path / "b.mid")
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()


def test_a_name_with_signs_of_markup_or_blanks_is_shown_as_it_is_and_quoted_where_it_is_to_be_typed(
    run, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    code, out, err = run("generate", "--bars", 1, "--seed", 1, "-o", "[bold] ü[/x].mid")
    assert code == 0, err
    assert "kantor render '[bold] ü[/x].mid' -o '[bold] ü[/x].wav'" in out
    assert Path("[bold] ü[/x].mid").exists()


def test_a_piece_without_a_cadence_is_remarked_on(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kantor.verbs._compose.ends_well", lambda score, key: False)
    code, _, err = run("generate", "--bars", 1, "--seed", 1, "-o", tmp_path / "a.mid")
    assert code == 0
    assert err == "note: no ending on the tonic was found; another seed may find one\n"


# -- continue and render ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".csv"])
def test_continuing_keeps_what_was_given(run, tmp_path, chorale, suffix):
    given = io.load(chorale).replace(meters=(Meter(0, 4, 4),))
    io.save(given, tmp_path / f"given{suffix}")
    code, out, err = run("continue", tmp_path / f"given{suffix}", "--bars", 2, "--seed", 1, "-o", tmp_path / "b.mid")
    assert code == 0, err
    read, made = io.load(tmp_path / f"given{suffix}"), io.load(tmp_path / "b.mid")
    assert made.length_ticks == given.length_ticks + 2 * 1920
    fields = ["onset", "duration", "pitch", "velocity", "part"]
    begun = made.notes[made.notes["onset"] < given.length_ticks]
    assert begun[fields].tolist() == read.notes[fields].tolist()
    assert f"{len(made)}" in out


def test_continuing_from_a_bar_drops_what_stood_there(run, tmp_path, chorale):
    run("continue", chorale, "--from-bar", 2, "--bars", 1, "--seed", 1, "-o", tmp_path / "b.csv")
    rows = (tmp_path / "b.csv").read_text().splitlines()
    assert rows[:17] == CHORALE.splitlines()[:17]
    assert len(rows) == 1 + 32


def test_rendering_writes_every_file_and_names_it(run, tmp_path, chorale):
    files = [tmp_path / "x" / f"a{suffix}" for suffix in (".mid", ".WAV", ".svg", ".png", ".mxl")]
    flags = [word for file in files for word in ("-o", file)]
    code, out, err = run("render", chorale, *flags, "--instrument", "harpsichord", "--sample-rate", 8000)
    assert (code, err) == (0, "")
    assert out.split() == [str(file) for file in files]
    assert all(file.stat().st_size > 100 for file in files)


@pytest.mark.parametrize("command", ["generate", "continue", "render", "plot"])
def test_a_file_is_written_over_only_by_force(run, tmp_path, chorale, monkeypatch, command):
    (tmp_path / "a.png").write_text("precious")
    given = {"generate": ["--bars", 1], "continue": [chorale, "--bars", 1], "render": [chorale], "plot": [chorale]}
    asked = [command, *given[command], "-o", tmp_path / "new.png", "-o", tmp_path / "a.png"]
    with monkeypatch.context() as patch:
        patch.setattr("kantor.verbs._compose.compose", None)
        code, out, err = run(*asked)
    assert (code, out) == (2, "")
    assert err.startswith(f"error: expected new files to write, got '{tmp_path / 'a.png'}' that exist already; try")
    assert err.count("\n") == 1
    assert (tmp_path / "a.png").read_text() == "precious"
    assert not (tmp_path / "new.png").exists()
    assert run(*asked, "--force")[0] == 0
    assert {path.name for path in tmp_path.glob("*.png") if path.read_bytes().startswith(b"\x89PNG")} == {
        "new.png",
        "a.png",
    }


def test_no_take_is_written_where_one_of_them_is_there(run, tmp_path):
    (tmp_path / "take-3.mid").write_text("precious")
    asked = ["generate", "--bars", 1, "-n", 3, "--seed", 1, "-o", tmp_path / "take-{n}.mid"]
    code, _, err = run(*asked)
    assert code == 2
    assert "take-3.mid' that exist already" in err
    assert [path.name for path in tmp_path.iterdir()] == ["take-3.mid"]
    assert run(*asked, "--force")[0] == 0
    assert len(io.load(tmp_path / "take-3.mid")) > 0


# -- info, presets, models, evaluate ---------------------------------------------------------------------------------


def test_info_knows_files_and_models(run, chorale):
    code, out, _ = run("info", chorale, "--json")
    told = json.loads(out)
    assert (code, told["kind"], told["file"], told["key"]) == (0, "score", "a.csv", None)
    code, out, _ = run("info", "jsb", "--json")
    told = json.loads(out)
    assert (code, told["kind"], told["name"]) == (0, "model", "jsb")
    for target in (chorale, "jsb"):
        code, out, err = run("info", target)
        assert (code, err) == (0, "")
        assert "kind" in out
        assert not set("{}[]") & set(out)  # for people, not for programs
    assert "229 pieces" in out


@pytest.mark.parametrize(
    ("command", "names"),
    [
        ("presets", ["name", "seed", "representation", "network", "parameters", "about"]),
        ("models", ["name", "about", "preset", "parameters", "corpus", "unit", "metrics"]),
    ],
)
def test_lists_are_lists_of_objects(run, command, names):
    code, out, err = run(command, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    assert {tuple(row) for row in told} == {tuple(names)}
    code, table, err = run(command)
    assert (code, err) == (0, "")
    for row in told:
        assert row["name"] in table
        assert row["parameters"] is None or f"{row['parameters']:,}" in table


@pytest.mark.parametrize(("protocol", "notes"), [("whole", 3 * 160), ("frames", 3 * 156)])
def test_evaluate_tells_its_figures_by_these_names(run, tmp_path, protocol, notes):
    (tmp_path / "data" / "test").mkdir(parents=True)
    for piece in range(3):
        (tmp_path / "data" / "test" / f"{piece}.csv").write_text(CHORALE.replace("72", str(72 + piece)))
    asked = ["--data", tmp_path / "data", "--split", "test", "--protocol", protocol]
    code, out, err = run("evaluate", "chorale", *asked, "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    figures = "nats_per_note nats_by_field nats_per_note_interval nats_per_note_macro nats_per_frame bits_per_note"
    shares = "accuracy accuracy_changed copy_accuracy binary_accuracy note_density bce spelling"
    more = f"{shares} notes frames pieces unit protocol model corpus split left_out"
    assert list(told) == [*figures.split(), *more.split()]
    assert (told["notes"], told["pieces"], told["protocol"], told["model"]) == (notes, 3, protocol, "chorale")
    low, high = told["nats_per_note_interval"]
    assert low <= told["nats_per_note"] <= high
    code, out, _ = run("evaluate", "chorale", *asked)
    assert code == 0
    assert f"{told['nats_per_note']:.4f}" in out


def test_what_evaluate_leaves_out_is_told(run, tmp_path):
    (tmp_path / "test").mkdir()
    (tmp_path / "test" / "good.csv").write_text(CHORALE)
    (tmp_path / "test" / "high.csv").write_text(CHORALE.replace("72", "100"))
    code, _, err = run("evaluate", "jsb", "--data", tmp_path, "--split", "test")
    assert code == 0
    assert err.startswith("note: test/high.csv is left out: expected pitches from 36 (C2) to 81 (A5), got 100 at row 0")


# -- when something breaks -------------------------------------------------------------------------------------------


def breaking(error):
    def verb(*_, **__):
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (OutputError("it cannot be."), 2, "error: it cannot be.\n"),
        (MemoryError(), 2, "error: the memory does not suffice; try a lower --bars, --count or --batch-size.\n"),
        (OSError(28, "No space left on device", "/x/y"), 2, "error: /x/y cannot be used: no space left on device;"),
    ],
)
def test_what_goes_wrong_is_one_line_on_stderr(run, tmp_path, monkeypatch, error, code, said):
    monkeypatch.setattr("kantor.verbs.generate.generate", breaking(error))
    monkeypatch.setattr(cli, "_close_stdout", lambda: None)  # this process needs its own
    left, out, err = run("generate", "-o", tmp_path / "a.mid")
    assert (left, out) == (code, "")
    assert err.startswith(said)
    assert err.count("\n") == 1


def test_an_interrupt_leaves_with_code_130_and_no_traceback(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kantor.verbs.generate.generate", breaking(KeyboardInterrupt()))
    code, _, err = run("generate", "-o", tmp_path / "a.mid")
    assert code == 130
    assert "Traceback" not in err
    assert not any(tmp_path.iterdir())


def test_a_defect_of_our_own_is_not_hidden(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kantor.verbs.generate.generate", breaking(ZeroDivisionError()))
    monkeypatch.setattr(sys, "argv", ["kantor", "generate", "-o", str(tmp_path / "a.mid")])
    with pytest.raises(ZeroDivisionError):
        cli.main()


@pytest.mark.parametrize("suffix", [".mid", ".csv", ".png"])
def test_a_failure_while_writing_leaves_no_file(run, tmp_path, monkeypatch, suffix):
    real = Path.write_bytes

    def full(self, data):
        real(self, data[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    code, out, err = run("generate", "--bars", 1, "-o", tmp_path / f"a{suffix}")
    assert (code, out) == (2, "")
    assert (
        err == f"error: '{tmp_path / f'a{suffix}'}' cannot be written: no space left on device; try another folder.\n"
    )
    assert not any(tmp_path.iterdir())


def test_a_failure_while_composing_leaves_no_folder_either(run, tmp_path, monkeypatch):
    monkeypatch.setattr("kantor.verbs.generate.compose", breaking(OutputError("no.")))
    assert run("generate", "--bars", 1, "-o", tmp_path / "new" / "a.mid")[0] == 2
    assert not any(tmp_path.iterdir())


def test_a_warning_is_one_line_on_stderr(run, tmp_path, monkeypatch):
    import warnings

    def verb(*_, **__):
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("mind [this].", stacklevel=1)
        return [Piece(grid_score(*GRID), {"seed": 1, "take": 1, "model": "m"}, 0.5, 4)]

    monkeypatch.setattr("kantor.verbs.generate.generate", verb)
    code, _, err = run("generate", "-o", tmp_path / "a.mid")
    assert (code, err) == (0, "warning: mind [this].\n")


def _grid():
    import numpy as np

    return np.full((4, 4), 60), np.arange(4)[:, None] == np.zeros(4)


GRID = _grid()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
@pytest.mark.parametrize("arguments", [["presets", "--json"], ["presets"]])
def test_a_full_disk_behind_stdout_is_one_line(arguments):
    command = [sys.executable, "-m", "kantor.cli", *arguments]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: the output cannot be used: no space left on device; try another place.\n"


def test_a_terminal_that_lacks_a_letter_shows_the_rest(tmp_path):
    (tmp_path / "ü.csv").write_text(CHORALE)
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-m", "kantor.cli", "info", str(tmp_path / "ü.csv")],
        env={"PATH": "", "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\\xfc.csv" in done.stdout


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("last", ["about", "unit"])
def test_no_table_is_cut_however_narrow_the_terminal(monkeypatch, capsys, width, last):
    rows = [{"figure": f"name-{n}", "value": 1234.5 + n, "from": -0.001234, last: f"seven words {n}"} for n in range(3)]
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    cli._list(rows, tuple(rows[0]), False)
    words = capsys.readouterr().out.split()
    for row in rows:
        for value in row.values():
            assert set(cli._shown(value).split()) <= set(words)


def test_where_there_is_no_room_for_columns_the_table_is_turned(monkeypatch, capsys):
    rows = [{"model": "a", **{f"figure-{n}": float(n) for n in range(20)}}]
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    cli._list(rows, tuple(rows[0]), False)
    assert [line.split() for line in capsys.readouterr().out.splitlines()][:3] == [
        ["model", "a"],
        ["figure-0", "0"],
        ["figure-1", "1"],
    ]
