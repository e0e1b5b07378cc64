"""A training of several values: the rows it gives, the same rows again from its folder, and its curves."""

import json

import pytest

from kantor import io
from kantor.cli import app
from kantor.errors import BundleError, InputError, OptionError
from kantor.networks import PlainLstm
from kantor.presets import Preset
from kantor.representations.notes import Notes
from kantor.score import Meter, Score
from kantor.training.recipe import Recipe
from kantor.verbs.describe import info
from kantor.verbs.plot import plot
from kantor.verbs.variants import variants

PRESET = Preset(
    name="tiny",
    about="For these tests.",
    representation=Notes(),
    network=PlainLstm(hidden=4),
    recipe=Recipe(epochs=2, batch_size=2, learning_rate=1e-2),
)
SEVERAL = {"hidden": ["10", "2"], "recipe.optimizer": ["adam", "adamw"]}


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for split, pitch in (("train", 60), ("train", 64), ("valid", 62)):
        rows = [(480 * n, 480, pitch + n % 5, 80, 0) for n in range(9)]
        io.save(Score.from_notes(rows, meters=(Meter(0, 4, 4),)), folder / split / f"{pitch}.mid")
    return folder


@pytest.fixture(scope="module")
def swept(music, tmp_path_factory):
    """The folder and the rows of a training of four."""
    out = tmp_path_factory.mktemp("runs") / "sweep"
    options = {"data": music, "accelerator": "cpu", "say": lambda line: None}
    return out, variants(PRESET, {}, SEVERAL, out=out, **options)


def test_a_row_says_what_log_and_card_say(swept):
    out, rows = swept
    assert [(row["hidden"], row["recipe.optimizer"]) for row in rows] == [
        ("10", "adam"),
        ("10", "adamw"),
        ("2", "adam"),
        ("2", "adamw"),
    ]
    for row in rows:
        card = json.loads((out / row["model"] / "bundle.json").read_text())
        assert row["parameters"] == card["parameters"]
        assert (row["valid_nats"], row["best_epoch"]) == tuple(
            card["training"][n] for n in ("valid_nats", "best_epoch")
        )
        assert (row["epochs"], row["minutes"]) == (2, card["training"]["minutes"])
        assert row["nats_per_note"] == card["metrics"]["whole"]["nats_per_note"]
        assert row["valid_nats"] == pytest.approx(plot(row["model"])["best_valid_nats"], abs=6e-5)


def test_the_rows_are_read_again_from_the_folder_in_order_of_their_numbers(swept):
    out, rows = swept
    told = info(out)
    assert (told["kind"], told["folder"]) == ("trainings", str(out))
    assert [row["hidden"] for row in told["runs"]] == ["2", "2", "10", "10"]
    assert sorted(map(json.dumps, told["runs"])) == sorted(map(json.dumps, rows))


def test_info_prints_a_table_with_a_line_for_each_training_and_the_same_as_json(swept, capsys, monkeypatch):
    out, rows = swept
    monkeypatch.setenv("COLUMNS", "300")
    app(["info", str(out)], standalone_mode=False)
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == list(rows[0])
    assert len(lines) == 4
    for row in rows:
        (line,) = [line for line in lines if line.rstrip().endswith(row["model"])]
        assert line.split()[:3] == [row["hidden"], row["recipe.optimizer"], f"{row['parameters']:,}"]
    app(["info", str(out), "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out) == info(out)


def test_the_validation_curves_are_drawn_together(swept, tmp_path):
    out, rows = swept
    told = plot(out, [tmp_path / "x.png"])
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    assert told["kind"] == "trainings"
    names = [f"hidden={h}, optimizer={o}" for h in ("2", "10") for o in ("adam", "adamw")]
    assert [run["name"] for run in told["runs"]] == names
    best = min(rows, key=lambda row: row["valid_nats"])
    assert told["best"] == f"hidden={best['hidden']}, optimizer={best['recipe.optimizer']}"
    assert told["title"].startswith("sweep: 4 trainings, ")
    for run, row in zip(told["runs"], info(out)["runs"], strict=True):
        alone = plot(row["model"])
        assert run["curves"] == alone["curves"]
        assert (run["epochs"], run["best_epoch"]) == (alone["epochs"], alone["best_epoch"])
        assert run["best_valid_nats"] == alone["best_valid_nats"]


# -- folders that are written by hand --------------------------------------------------------------------------------


def run(folder, *nats, **card):
    """A training that has logged these figures, and its card if it has ended."""
    (folder / "logs").mkdir(parents=True)
    rows = "".join(f"{epoch},{value}\n" for epoch, value in enumerate(nats))
    (folder / "logs" / "metrics.csv").write_text(f"epoch,valid_nats\n{rows}")
    if card:
        (folder / "bundle.json").write_text(json.dumps(card))


def test_a_training_that_goes_on_has_a_row_and_what_is_not_known_yet_is_null(tmp_path):
    run(tmp_path / "hidden=8", 3.0, 2.0, 2.5, parameters=12, metrics={"whole": {"nats_per_note": 2.0}})
    run(tmp_path / "hidden=16", 4.0)
    run(tmp_path / "hidden=32")
    first, second, third = info(tmp_path)["runs"]
    known = {"hidden": "8", "parameters": 12, "valid_nats": 2.0, "best_epoch": 2, "epochs": 3, "nats_per_note": 2.0}
    assert {name: value for name, value in first.items() if value is not None} == known | {
        "model": str(tmp_path / "hidden=8")
    }
    assert (second["valid_nats"], second["epochs"], second["parameters"]) == (4.0, 1, None)
    assert (third["valid_nats"], third["epochs"]) == (None, None)
    assert [told["name"] for told in plot(tmp_path)["runs"]] == ["hidden=8", "hidden=16"]


def test_a_model_that_was_moved_aside_has_no_row_of_its_own(tmp_path):
    for name in ("lr=1e-3", "lr=1e-2", "lr=1e-2-1"):
        run(tmp_path / name, 2.0)
    assert [row["lr"] for row in info(tmp_path)["runs"]] == ["1e-3", "1e-2"]


def test_trainings_of_several_kinds_are_called_by_their_folders_and_none_is_best(tmp_path):
    run(tmp_path / "roll", 0.5)
    run(tmp_path / "notes", 3.0)
    assert [row["run"] for row in info(tmp_path)["runs"]] == ["notes", "roll"]
    told = plot(tmp_path)
    assert told["best"] is None
    assert told["title"].endswith(": 2 trainings")


def test_a_training_itself_music_and_an_empty_folder_are_no_folders_of_trainings(tmp_path):
    run(tmp_path / "run", 2.0)
    run(tmp_path / "run" / "checkpoints", 2.0)
    assert plot(tmp_path / "run")["kind"] == "training"
    io.save(Score.from_notes([(0, 480, 60, 80, 0)]), tmp_path / "music" / "a.mid")
    (tmp_path / "music" / "model").mkdir()
    (tmp_path / "music" / "model" / "bundle.json").write_text("{}")
    assert plot(tmp_path / "music")["kind"] == "distributions"
    (tmp_path / "empty").mkdir()
    with pytest.raises(OptionError, match=r"got the folder of music .* try `kantor inspect"):
        info(tmp_path / "music")
    with pytest.raises(BundleError, match=r"bundle\.json in it"):
        info(tmp_path / "empty")


def test_what_cannot_be_drawn_of_trainings_is_refused(tmp_path):
    run(tmp_path / "a=1")
    with pytest.raises(InputError, match="none has ended yet"):
        plot(tmp_path)
    for options in ({"distributions": True}, {"against": "bach"}):
        with pytest.raises(OptionError, match="got the folder of a training"):
            plot(tmp_path, **options)
    with pytest.raises(OptionError, match="--first with the piano roll"):
        plot(tmp_path, first=3)
