"""The base install: what is to train with is blocked, and everything but training works."""

import subprocess
import sys
import textwrap

import pytest

from kantor import registry

BLOCK = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "lightning", "onnx", "onnxscript", "tensorboard"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Blocked())
"""


def run(code, *arguments):
    """Code where nothing to train with can be imported."""
    program = BLOCK + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True)


def test_the_block_blocks():
    done = run("import torch")
    assert done.returncode == 1
    assert "No module named 'torch'" in done.stderr


@pytest.mark.parametrize("model", ["chorale", "jsb"])
def test_a_model_of_the_package_composes_continues_and_is_judged(tmp_path, model):
    (tmp_path / "data" / "test").mkdir(parents=True)
    (tmp_path / "data" / "test" / "a.csv").write_text("note0,note1,note2,note3\n" + "72,67,64,48\n" * 8)
    code = """
        import sys, kantor
        folder, model = sys.argv[1:]
        piece = kantor.generate(model, bars=2, seed=1)[0]
        print(*map(len, [piece.save(f"{folder}/piece.mid", f"{folder}/piece.musicxml", f"{folder}/piece.csv")]))
        longer = kantor.continue_(f"{folder}/piece.mid", model, bars=1, seed=1)[0]
        print(longer.score.length_ticks > piece.score.length_ticks)
        figures, refused = kantor.evaluate(model, data=f"{folder}/data", split="test")
        print(figures.notes, refused)
        """
    done = run(code, tmp_path, model)
    assert done.stderr == ""
    assert done.stdout.split("\n") == ["3", "True", "32 ()", ""]


def test_training_says_in_one_sentence_what_to_install(tmp_path):
    code = "from kantor.cli import main\nsys.argv = ['kantor', 'train', 'jsb', '--out', sys.argv[1]]\nmain()"
    done = run(code, tmp_path / "run")
    said = 'error: training needs the extra "train", which is not installed; try: pip install "kantor[train]"\n'
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
    assert not (tmp_path / "run").exists()


def test_the_lists_and_the_help_need_nothing_more():
    code = """
        from kantor.verbs.describe import models, presets
        print(len(presets()))
        print(all(row["parameters"] for row in models()))
        """
    done = run(code)
    assert done.stdout == f"{len(registry.names('presets'))}\nTrue\n"
