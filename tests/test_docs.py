"""Documents say what is so: JSON shapes, commands and options, parts, verbs, versions, links."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
import typer

import kantor
from kantor import registry
from kantor.bundle import shipped
from kantor.cli import app
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs.variants import split_settings

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "experiments/LOG.md")]
    + list((ROOT / "docs").rglob("*.md"))
    + list((ROOT / "samples").rglob("*.md"))
)
FORBIDDEN = ("/work/", "/tmp/", "/home/", "/root/", "../shared", "site-packages", "localhost:", "127.0.0.1:")
ROOMS = ("rules", "metrics", "representations", "presets", "corpora", "models", "baselines")
#: Models that compose from left to right, and are judged so; the others fill in what is missing.
COMPOSING = [name for name in shipped() if not kantor.load(name).network.two_sided]
FILLING = sorted(set(shipped()) - set(COMPOSING))

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


# -- docs/json.md ----------------------------------------------------------------------------------------------------

TYPES = {
    **{"string": str, "boolean": bool, "integer": int, "number": int | float},
    **{"list": list, "object": dict, "null": type(None)},
}
#: Enough for a network that learns nothing in a second.
SMALL = ["--max-epochs", "1", "--set", "embedding=8", "--set", "layers=1", "--set", "head=0"]


def documented(heading):
    """Key -> (kinds, whether it may be absent), from the table under ``heading`` of docs/json.md."""
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    section = page.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([a-z ]+) \| (.*) \|$", section, re.MULTILINE)
    return {key: (kinds.split(" or "), "may be absent" in meaning) for key, kinds, meaning in rows}


def assert_as_documented(value, heading):
    promised = documented(heading)
    assert promised, f"docs/json.md has no table under '{heading}'"
    always = {key for key, (_, optional) in promised.items() if not optional}
    assert always <= value.keys() <= promised.keys()
    for key, found in value.items():
        assert any(isinstance(found, TYPES[kind]) for kind in promised[key][0]), f"{key}: {found!r}"


@pytest.fixture
def printed(capsys, tmp_path, monkeypatch):
    """Run a command in an empty folder and give what it printed, parsed."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        app([str(argument) for argument in arguments], standalone_mode=False)
        return json.loads(capsys.readouterr().out)

    return run


def hymn(transposed=0):
    """Four voices in half notes, four bars: a tune short enough to be judged at once."""
    lines = [[72, 74, 76, 74] * 2, [67, 67, 67, 67] * 2, [64, 62, 60, 62] * 2, [48, 55, 48, 43] * 2]
    rows = [
        (960 * place, 960, pitch + transposed, 80, voice)
        for voice, line in enumerate(lines)
        for place, pitch in enumerate(line)
    ]
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))


@pytest.fixture
def prompt(tmp_path):
    kantor.io.save(hymn(), tmp_path / "hymn.mid")
    return tmp_path / "hymn.mid"


@pytest.fixture
def music(tmp_path):
    """A folder of three pieces, two to learn from and one of valid."""
    for name, transposed in (("train/a", 0), ("train/b", 2), ("valid/c", -1)):
        kantor.io.save(hymn(transposed), tmp_path / "music" / f"{name}.mid")
    return tmp_path / "music"


@pytest.mark.parametrize("model", COMPOSING)
def test_generate_prints_what_is_documented(printed, model):
    pieces = printed("generate", "--model", model, "--bars", 2, "--count", 2, "--seed", 1, "-o", "{n}.mid", "--json")
    assert len(pieces) == 2
    for piece in pieces:
        assert_as_documented(piece, "generate")
        assert all(Path(file).exists() for file in piece["files"])


def test_continue_prints_what_is_documented(printed, prompt):
    (piece,) = printed("continue", prompt, "--bars", 1, "--seed", 1, "-o", "more.mid", "--json")
    assert_as_documented(piece, "generate")
    (again,) = printed("replay", "more.mid", "-o", "again.mid", "--json")
    assert_as_documented(again, "generate")
    assert Path("again.mid").read_bytes() == Path("more.mid").read_bytes()


@pytest.mark.parametrize("model", FILLING)
@pytest.mark.parametrize(("command", "options"), [("harmonize", ()), ("infill", ("--bars", "2"))])
def test_filling_in_prints_what_is_documented(printed, model, command, options):
    tune = hymn()
    notes = tune.notes[tune.notes["part"] == 0]
    kantor.io.save(tune.replace(notes=notes, parts=tune.parts[:1]) if command == "harmonize" else tune, "given.mid")
    options = (*options, "--model", model, "--sweeps", 2, "--seed", 1)
    (piece,) = printed(command, "given.mid", *options, "-o", "made.mid", "--json")
    assert_as_documented(piece, "generate")
    assert piece["notes_decided"] > 0


def test_train_prints_what_is_documented(printed, music):
    made = printed("train", "notes", "--data", music, *SMALL, "--set", "hidden=8", "--json")
    assert_as_documented(made, "info of a model")


def test_train_prints_what_is_documented_of_a_model_that_fills_in(printed, music):
    made = printed("train", "chorale-infill", "--data", music, *SMALL, "--set", "hidden=8", "--json")
    assert_as_documented(made, "info of a model")
    assert made["metrics"].keys() == {"infilling", "harmonising"}
    for figures in made["metrics"].values():
        assert_as_documented(figures, "info of a model that fills in")


def test_train_prints_what_is_documented_of_several_values(printed, music):
    rows = printed("train", "notes", "--data", music, *SMALL, "--set", "hidden=8,12", "--json")
    assert [row.pop("hidden") for row in rows] == ["8", "12"]
    for row in rows:
        assert_as_documented(row, "train of several values")
    told = printed("info", "runs/notes", "--json")
    assert_as_documented(told, "info of trainings")
    assert [{name: value for name, value in row.items() if name != "hidden"} for row in told["runs"]] == rows
    told = printed("plot", "runs/notes", "--json")
    assert_as_documented(told, "plot of trainings")
    for run in told["runs"]:
        assert_as_documented(run, "plot of each training")


@pytest.mark.parametrize("model", COMPOSING)
def test_evaluate_prints_what_is_documented(printed, music, model):
    figures = printed("evaluate", model, "--data", music, "--split", "train", "--json")
    assert_as_documented(figures, "evaluate")
    assert figures["pieces"] == 2


def test_inspect_prints_what_is_documented(printed, music):
    (music / "train" / "broken.mid").write_bytes(b"MThd")
    (music / "readme.txt").write_text("no music", encoding="utf-8")
    report = printed("inspect", music, "--notes", 3, "--json")
    assert_as_documented(report, "inspect")
    assert_as_documented(report["totals"], "inspect in total")
    assert {file["status"] for file in report["files"]} == {"kept", "unreadable"}
    for file in report["files"]:
        assert_as_documented(file, "inspect of each file")
        for note in file["first_notes"]:
            assert_as_documented(note, "inspect of each note")
    assert [other.keys() for other in report["others"]] == [{"path", "reason"}]


def test_plot_prints_what_is_documented(printed, prompt, music):
    assert_as_documented(printed("plot", prompt, "-o", "roll.png", "--json"), "plot of a file")
    assert_as_documented(printed("plot", music, "--against", prompt, "--json"), "plot of distributions")
    logs = music.parent / "run" / "logs"
    logs.mkdir(parents=True)
    (logs / "metrics.csv").write_text("epoch,valid_nats\n0,1.5\n1,1.25\n", encoding="utf-8")
    assert_as_documented(printed("plot", "run", "--json"), "plot of a training")


def test_check_prints_what_is_documented(printed, prompt):
    report = printed("check", prompt, "-o", "marked.svg", "--json")
    assert_as_documented(report, "check")
    assert report["faults"]
    for fault in report["faults"]:
        assert_as_documented(fault, "check of each fault")


def test_judge_and_compare_print_what_is_documented(printed, music, prompt):
    report = printed("judge", music, "--against", prompt, "--json")
    assert_as_documented(report, "judge")
    for figure in report["figures"].values():
        assert_as_documented(figure, "judge of each figure")
    board = printed("compare", "random", "-n", 2, "--bars", 2, "--against", music, "--sampling", "T=1", "--json")
    assert_as_documented(board, "compare")
    assert [row["sampling"] for row in board["rows"]].count("T=0") == 1
    for row in board["rows"]:
        assert_as_documented(row, "compare of each row")


def test_listen_prints_what_is_documented(printed, music):
    made = printed("listen", "build", "-o", "test", "--source", music, "--pieces", 1, "--bars", 4, "--json")
    assert_as_documented(made, "listen build")
    assert_as_documented(printed("listen", "results", "test", "--json"), "listen results")


@pytest.mark.parametrize("model", shipped())
def test_info_of_a_model_prints_what_is_documented(printed, model):
    assert_as_documented(printed("info", model, "--json"), "info of a model")


def test_info_of_a_score_prints_what_is_documented(printed, prompt):
    assert_as_documented(printed("info", prompt, "--json"), "info of a score")


@pytest.mark.parametrize("command", ["rules", "presets", "models"])
def test_lists_print_what_is_documented(printed, command):
    rows = printed(command, "--json")
    assert rows
    for row in rows:
        assert_as_documented(row, command)


def test_every_command_that_prints_json_is_documented():
    page = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    headings = {heading.split()[0] for heading in re.findall(r"^## (.*)$", page, re.MULTILINE)}
    assert headings == {command.split()[0] for command, section in sections_of_help().items() if "`--json`" in section}


# -- docs/help.md ----------------------------------------------------------------------------------------------------


def help_page():
    """What docs/regenerate.py would write."""
    spec = importlib.util.spec_from_file_location("regenerate", ROOT / "docs" / "regenerate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.help_page()


def sections_of_help():
    """Command -> its section."""
    return {section.split("\n")[0]: section for section in help_page().split("\n## ")[1:]}


def test_the_page_of_options_is_the_options():
    written = (ROOT / "docs" / "help.md").read_text(encoding="utf-8")
    assert written == help_page(), "run: .venv/bin/python docs/regenerate.py"


def test_every_command_is_in_the_tour_of_the_readme():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [command for command in sections_of_help() if f"\nkantor {command}" not in readme]


# -- commands on other pages -----------------------------------------------------------------------------------------

ELSEWHERE = ("corpora.md", "judge.md", "protocols.md", "rules.md", "seeds.md")
NEED_OUTPUT = ("generate", "continue", "harmonize", "infill", "render", "replay")


def commands(name):
    """The arguments of each ``kantor ...`` with an option, in blocks or within a line; missing figures are 1."""
    page = re.sub(r"\{\{\w+\}\}", "1", (ROOT / "docs" / name).read_text(encoding="utf-8")).replace("\\\n", " ")
    blocks = re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`(kantor [^`]+)`", page)
    lines = [line for line in [*"".join(blocks).splitlines(), *inline] if line.startswith("kantor ")]
    return [shlex.split(line)[1:] for line in lines if " --" in line]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_command_of_a_page_exists_with_its_options(name):
    group = typer.main.get_command(app)
    found = commands(name)
    assert len(found) > 2
    for command, *arguments in found:
        output = ["-o", "x.mid"] if command in NEED_OUTPUT and "-o" not in arguments else []
        group.commands[command].make_context(command, [*arguments, *output])


@pytest.mark.parametrize("name", ELSEWHERE)
def test_every_training_of_a_page_has_a_preset_and_settings_of_it(name):
    for command, *arguments in commands(name):
        if command == "train":
            preset = registry.part("presets", arguments[0])
            places = [place for place, argument in enumerate(arguments) if argument == "--set"]
            settings = dict(arguments[place + 1].split("=", 1) for place in places)
            single, several = split_settings(preset, settings)
            for values in ({}, *({name: value} for name, options in several.items() for value in options)):
                preset.override({**single, **values})


# -- names -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", ROOMS)
def test_every_part_of_a_room_is_named_in_the_design(room):
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{room}` \|(.*)\|$", design, re.MULTILINE)
    assert row, f"docs/design.md has no row for the room {room}"
    assert sorted(re.findall(r"`([^`]+)`", row[1])) == list(registry.names(room))


def test_every_seed_stands_in_the_page_of_seeds_with_its_size():
    first = (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8").split("\n## ")[0]
    written = dict(re.findall(r"^\| `(seed-\d+)` \|.*\| ([\d,]+)[^|]*\|$", first, re.MULTILINE))
    found = [registry.part("presets", name) for name in registry.names("presets")]
    assert written == {preset.name: f"{preset.parameters:,}" for preset in found if preset.seed}


def test_every_corpus_stands_in_the_table_of_corpora():
    page = (ROOT / "docs" / "corpora.md").read_text(encoding="utf-8")
    table = page.split("\n## Corpora by name\n")[1].split("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == list(registry.names("corpora"))


def test_every_room_stands_in_the_design():
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    rooms = re.search(r"^`(errors · .*)`$", design, re.MULTILINE)[1].split(" · ")
    source = ROOT / "src" / "kantor"
    there = {path.stem for path in source.glob("*.py")} | {path.parent.name for path in source.glob("*/__init__.py")}
    assert set(rooms) == there - {"__init__"}


def test_every_verb_of_the_makefile_is_named_in_contributing():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[1].split()
    contributing = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert not [verb for verb in verbs if f"`make {verb}`" not in contributing]


def test_the_newest_version_of_the_changelog_is_the_packages():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## \[([\d.]+)\]", changelog, re.MULTILINE)[0] == kantor.__version__


# -- all pages -------------------------------------------------------------------------------------------------------


@each_page
def test_a_page_names_no_place_of_one_machine(page):
    text = page.read_text(encoding="utf-8")
    assert not [word for word in FORBIDDEN if word in text]


@each_page
def test_every_relative_link_of_a_page_leads_somewhere(page):
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    relative = [link.split("#")[0] for link in links if not re.match(r"https?:|#", link)]
    assert not [link for link in relative if not (page.parent / link).exists()]


@each_page
def test_every_link_within_a_page_has_its_heading(page):
    text = page.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert not [link for link in re.findall(r"\]\(#([^)]+)\)", text) if link not in anchors]


@each_page
def test_no_figure_of_a_page_is_missing(page):
    assert not re.findall(r"\{\{\w+\}\}", page.read_text(encoding="utf-8"))


def test_an_entry_of_the_log_has_a_date_and_a_verdict():
    entries = (ROOT / "experiments" / "LOG.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert entries
    for entry in entries:
        assert re.match(r"\d{4}-\d\d-\d\d ", entry)
        assert "**Verdict.**" in entry
