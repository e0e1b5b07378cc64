"""Music flows one way, and torch stays where it is."""

import ast
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

import kantor

SOURCE = Path(kantor.__file__).parent
TORCH_ROOMS = {"data", "models", "training"}


def test_the_contracts_are_kept(monkeypatch):
    monkeypatch.chdir(SOURCE.parents[1])
    assert lint_imports(cache_dir=None) == 0


def imports(path):
    """Top-level packages that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]


def test_torch_is_imported_in_three_rooms_only():
    found = {
        path.relative_to(SOURCE).parts[0]
        for path in SOURCE.rglob("*.py")
        if {"torch", "lightning", "onnx", "onnxscript", "tensorboard"} & set(imports(path))
    }
    assert found == TORCH_ROOMS


@pytest.mark.parametrize("test_library", ["pytest", "hypothesis", "scipy", "keras", "tensorflow"])
def test_the_package_imports_nothing_of_its_tests(test_library):
    assert not [path for path in SOURCE.rglob("*.py") if test_library in set(imports(path))]


def test_every_room_is_named_in_the_contract():
    layers = (SOURCE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    rooms = {p.stem for p in SOURCE.iterdir() if (p.suffix == ".py" or (p / "__init__.py").exists())} - {"__init__"}
    assert {room for room in rooms if f'  "{room}",' not in layers} == set()
