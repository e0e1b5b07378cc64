"""The README is run: its commands, in their order and in one folder, its Python, its picture.

A training is run on a small network for one epoch. What would read the whole corpus, train a large network or needs
files that a user brings is only parsed: its options exist and have values of their type.
"""

import re
import shlex
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest
import typer

import kantor
from kantor.cli import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Enough for a network that learns nothing in a second.
SMALL = ["--max-epochs", "1", "--set", "embedding=8", "--set", "hidden=8", "--set", "layers=1", "--set", "head=4"]


def fenced(*languages):
    """The fenced blocks of the README in one of these languages."""
    return re.findall(rf"^```(?:{'|'.join(languages)})\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands():
    """The arguments of each line that begins with ``kantor``."""
    lines = "\n".join(fenced("sh", "bash", "console")).replace("\\\n", " ").splitlines()
    found = [shlex.split(line.removeprefix("$ "), comments=True) for line in lines]
    return [arguments[1:] for arguments in found if arguments[:1] == ["kantor"]]


def only_parsed(arguments):
    """Whether a command reads the corpus, trains a large network, serves, or wants a folder that is not made here."""
    reads_corpus = arguments[0] in ("train", "evaluate") and "--data" not in arguments
    reads_corpus = reads_corpus or arguments[0] in ("judge", "compare", "listen")
    return reads_corpus or arguments[0] == "studio" or "--from" in arguments or "grids" in arguments


def shortened(arguments):
    """A command as it is run here: a training learns little, soon."""
    return [*arguments, *SMALL] if arguments[0] == "train" else arguments


def parse(arguments):
    """Read the options of a command without running it; what does not exist or fit raises."""
    group = typer.main.get_command(app)
    group.commands[arguments[0]].make_context(arguments[0], arguments[1:])


def run(arguments):
    app(shortened(arguments), standalone_mode=False)


def test_there_are_commands_to_run():
    assert len(commands()) > 10
    assert len([arguments for arguments in commands() if not only_parsed(arguments)]) > 10


@pytest.mark.parametrize("arguments", commands(), ids=lambda arguments: " ".join(arguments)[:60])
def test_every_command_has_the_options_that_it_uses(arguments):
    parse(arguments)


@pytest.mark.parametrize(
    "arguments", [["generate", "--bras", "8", "-o", "a.mid"], ["train", "chorale", "--window", "x"]]
)
def test_a_command_with_a_wrong_option_would_be_noticed(arguments):
    with pytest.raises(Exception, match=r"(?i)no such option|valid integer"):
        parse(arguments)


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize("target", ["demo", "seeds", "reproduce-jsb JSB=grids SEED=1"])
def test_what_the_makefile_runs_has_the_options_that_it_uses(target):
    make = ["make", "--dry-run", *target.split()]
    lines = subprocess.run(make, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = [shlex.split(line) for line in re.findall(r"bin/kantor ([^;|\n]*)", lines)]
    assert found
    for arguments in found:
        parse([text.replace("$seed", "seed-000") for text in arguments])


def test_the_tour_can_be_taken(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments in commands():
        if not only_parsed(arguments):
            run(arguments)
            for flag, value in pairwise(arguments):
                if flag == "-o":
                    made = tmp_path / value.replace("{n}", "1")
                    assert made.stat().st_size > 0, f"{' '.join(arguments)} left no {value}"
    assert capsys.readouterr().out


def test_what_is_written_can_be_written_again():
    writing = [arguments for arguments in commands() if arguments[0] != "train" and "-o" in arguments]
    assert len(writing) > 10
    assert not [" ".join(arguments) for arguments in writing if "--force" not in arguments]
    assert " generate --force " in (ROOT / "Makefile").read_text(encoding="utf-8")
    saved = re.findall(r"\.save\(.*\)", "".join(fenced("python")))
    assert saved
    assert all("force=True" in call for call in saved)


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in fenced("python"):
        exec(compile(block, "README.md", "exec"), names)
    assert isinstance(names["piece"], kantor.Piece)
    assert "<audio" in names["piece"]._repr_html_()
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".mid", ".wav", ".svg"}
    assert len(names["several"]) == 3
    assert len(names["high"]) == sum(names["piece"].notes["pitch"] >= 60)


def test_the_picture_shows_music():
    (link,) = re.findall(r"!\[[^\]]+\]\(([^)]+\.svg)\)", README)
    page = ElementTree.parse(ROOT / link).getroot()
    assert page.tag == "{http://www.w3.org/2000/svg}svg"
    kinds = [element.get("class") for element in page.iter()]
    assert kinds.count("note") > 50
    assert kinds.count("measure") > 4


def test_the_first_screen_names_the_two_commands():
    first = README.split("## ")[0]
    assert "make demo" in first
    assert "make test" in first


def test_the_makefile_makes_what_the_readme_promises():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    demo = re.search(r"^demo:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)[1]
    promised = set(re.findall(r"`(chorale\.\w+)`", README))
    assert promised == {Path(name).name for name in re.findall(r"-o (\S+)", demo)}


def test_every_shipped_model_and_every_preset_is_named():
    from kantor import registry
    from kantor.bundle import shipped

    assert not [name for name in (*shipped(), *registry.names("presets")) if f"`{name}`" not in README]
