"""The tutorials are run: every cell of code in its order, in one namespace and an empty folder, as a notebook would.

What a cell ends with is shown as Jupyter shows it. Trainings are tiny (``QUICK``); what a tutorial claims of any
network has to hold of these, too.
"""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest

import kantor
from kantor import registry

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "tutorials"
TUTORIALS = sorted(FOLDER.glob("*.ipynb"))
SHOWN_AS = ("_repr_html_", "_repr_svg_", "_repr_png_")

each_tutorial = pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)


def notebook(path):
    return json.loads(path.read_text(encoding="utf-8"))


def sources(path, kind):
    """The texts of the cells of one kind."""
    return ["".join(cell["source"]) for cell in notebook(path)["cells"] if cell["cell_type"] == kind]


def run(source, place, names):
    """Run a cell in ``names``; the value of its last expression, None where it ends otherwise."""
    tree = ast.parse(source, place)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, place, "exec"), names)
    return last and eval(compile(ast.Expression(last.value), place, "eval"), names)


def shown(value):
    """What Jupyter would show of it."""
    forms = [getattr(value, form) for form in SHOWN_AS if hasattr(value, form)]
    return [form() for form in forms] or [repr(value)]


# -- what tutorials say of any network, however little it has learnt; of the names that they leave behind --------------


def what_was_given_stands(names):
    given, score = names["given"].notes, names["by_seed"]
    return len(score) > len(given) > 0 and np.array_equal(score.notes[: len(given)], given)


def every_fragment_is_kept(names):
    return [row["notes given"] for row in names["checks"] if row["kept as they were"]] == [1, 20, 100]


def all_is_in_g_major(names):
    pitches = names["in_key"].notes["pitch"]
    return len(pitches) > 0 and {int(pitch) % 12 for pitch in pitches} <= {7, 9, 11, 0, 2, 4, 6}


def both_ways_to_feed_begin_alike(names):
    right, wrong = names["right"], names["wrong"]
    return np.array_equal(right[:26], wrong[:26]) and not np.array_equal(right, wrong)


def both_models_are_judged_by_the_same_notes(names):
    judged = [
        kantor.evaluate(f"runs/{name}", corpus="bach", selection=names["PIECES"])[0] for name in ("seed-004", "notes")
    ]
    return judged[0].notes == judged[1].notes > 0


CLAIMS = {
    "000-chorales": what_was_given_stands,
    "001-events": every_fragment_is_kept,
    "002-piano-roll": all_is_in_g_major,
    "003-notes": both_ways_to_feed_begin_alike,
    "004-bach-notes": both_models_are_judged_by_the_same_notes,
}


# -- the tests -------------------------------------------------------------------------------------------------------


@each_tutorial
def test_a_tutorial_runs_from_its_first_cell_to_its_last(path, bach, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {"__name__": "tutorial"}
    quick = 0
    for number, source in enumerate(sources(path, "code"), 1):
        quick += source.count("QUICK = False")
        value = run(source.replace("QUICK = False", "QUICK = True"), f"{path.name}, code cell {number}", names)
        assert all(shown(value))
    assert quick == 1, "a tutorial has one switch for its trainings, off as it is stored"
    assert CLAIMS[path.stem](names)


@each_tutorial
def test_what_a_tutorial_saves_it_can_save_again(path):
    saved = [line for source in sources(path, "code") for line in source.splitlines() if ".save(" in line]
    assert not [line for line in saved if "kantor.io.save(" not in line and "force=True" not in line]


def test_there_is_a_tutorial_for_every_seed():
    seeds = {preset.seed: preset.name for preset in (registry.part("presets", n) for n in registry.names("presets"))}
    numbers = {path.stem[:3]: path for path in TUTORIALS}
    assert numbers.keys() == seeds.keys() - {""}
    assert not [seed for seed, path in numbers.items() if f'"{seeds[seed]}"' not in "".join(sources(path, "code"))]


@each_tutorial
def test_a_tutorial_is_stored_as_a_notebook_that_nobody_has_run(path):
    found = notebook(path)
    assert found.keys() == {"cells", "metadata", "nbformat", "nbformat_minor"}
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert found["metadata"]["kernelspec"] == {"display_name": "Python 3", "language": "python", "name": "python3"}
    ids = [cell["id"] for cell in found["cells"]]
    assert len(set(ids)) == len(ids)
    for cell in found["cells"]:
        common = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            assert cell.keys() == common | {"execution_count", "outputs"}
            assert (cell["execution_count"], cell["outputs"]) == (None, [])
        else:
            assert cell["cell_type"] == "markdown"
            assert cell.keys() == common
    assert found["cells"][0]["source"][0].startswith("# ")
    assert path.stat().st_size < 40_000


def test_the_index_leads_to_every_tutorial():
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {link for link in re.findall(r"\]\(([^)]+)\)", index) if link.endswith(".ipynb")} == {
        path.name for path in TUTORIALS
    }


@each_tutorial
def test_the_parts_that_a_tutorial_names_exist(path):
    text = "".join(sources(path, "markdown"))
    calls = re.findall(r"`(kantor\.\w+)", text)
    assert not [call for call in calls if not hasattr(kantor, call.split(".")[1])]
    trained = re.findall(r'kantor\.train\("([^"]+)"', text)
    assert set(trained) <= set(registry.names("presets"))
