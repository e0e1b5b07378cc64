"""The front door: what it names, and what it does not drag in."""

import importlib
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import kantor

HEAVY = ("torch", "lightning", "matplotlib", "music21", "onnxruntime", "symusic", "verovio", "scipy", "pandas")


def test_the_names_are_sorted_and_there():
    assert sorted(kantor.__all__) == kantor.__all__
    assert len(set(kantor.__all__)) == len(kantor.__all__)
    for name in kantor.__all__:
        assert getattr(kantor, name) is not None
    assert dir(kantor) == sorted([*kantor.__all__, "__version__"])


def test_a_star_import_gives_exactly_these_names():
    space = {}
    exec("from kantor import *", space)
    assert {name for name in space if name != "__builtins__"} == set(kantor.__all__)


@pytest.mark.parametrize("name", [n for n in kantor.__all__ if not inspect.ismodule(getattr(kantor, n))])
def test_every_name_has_a_docstring_and_lives_in_one_place(name):
    part = getattr(kantor, name)
    home = importlib.import_module(part.__module__)
    assert part.__doc__
    assert getattr(home, name) is part
    assert name in home.__all__


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'kantor' has no attribute 'compose'"):
        kantor.compose  # noqa: B018
    assert not hasattr(kantor, "torch")


@pytest.mark.parametrize(
    "statement",
    [
        "import kantor",
        "import kantor.cli",
        "import sys; sys.argv = ['kantor', '--help']\nfrom kantor.cli import app\napp(standalone_mode=False)",
        "import sys; sys.argv = ['kantor', 'generate', '-h']\nfrom kantor.cli import app\napp(standalone_mode=False)",
        "import sys; sys.argv = ['kantor', '--version']\nfrom kantor.cli import app\napp(standalone_mode=False)",
    ],
    ids=["import", "cli", "help", "generate help", "version"],
)
def test_the_door_opens_without_anything_heavy(statement):
    code = f"{statement}\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == []


def test_presets_are_listed_without_anything_heavy():
    code = "from kantor.verbs.describe import presets; import sys; presets(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "onnxruntime", "matplotlib", "verovio"} & set(done.stdout.split())


def test_the_version_is_that_of_the_package():
    from importlib.metadata import version

    assert kantor.__version__ == version("kantor")


def test_no_source_names_a_place_on_somebodys_machine():
    for path in Path(kantor.__file__).parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "/home/" not in text, path
        assert "/work/" not in text, path
