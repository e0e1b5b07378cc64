"""``kantor train`` on a folder of tiny pieces: what it leaves, what it refuses, and what Ctrl-C does to it."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from kantor import io
from kantor.bundle import load
from kantor.corpora import Selection
from kantor.errors import OptionError, TrainingError
from kantor.evaluation.likelihood import protocols_of
from kantor.networks import Lstm, PlainLstm
from kantor.presets import Preset
from kantor.representations import columns
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.representations.tokens import Tokens
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe
from kantor.verbs.evaluate import evaluate
from kantor.verbs.generate import generate
from kantor.verbs.train import train

PRESET = Preset(
    name="tiny",
    about="For these tests.",
    representation=Chorale(spelling="full"),
    network=Lstm(embedding=4, hidden=6, layers=1, head=0, dropout=0.0),
    recipe=Recipe(epochs=2, batch_size=2, learning_rate=1e-2),
)
CLI = "import sys; from kantor.cli import main; main()"
SMALL = ("--set", "hidden=6", "--set", "embedding=4", "--set", "layers=1", "--set", "head=4")


def piece(pitch, parts=4):
    rows = [(480 * n, 480, pitch - 4 * voice + n % 3, 80, voice) for n in range(9) for voice in range(parts)]
    names = tuple(Part(name) for name in (*VOICES, "fifth")[:parts])
    return Score.from_notes(rows, parts=names, meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for split, pitches in (("train", (64, 66, 67)), ("valid", (65,))):
        for pitch in pitches:
            io.save(piece(pitch), folder / split / f"{pitch}.mid")
    return folder


def go(music, out, preset=PRESET, say=lambda line: None, **options):
    return train(preset, data=music, out=out, accelerator="cpu", say=say, **options)


def shell(*arguments, **options):
    command = [sys.executable, "-c", CLI, "train", "chorale", *SMALL, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


class Stop:
    """Ctrl-C when an epoch's line comes."""

    def __init__(self, epoch):
        self.epoch = epoch

    def __call__(self, line):
        if line.startswith(f"epoch {self.epoch}/"):
            raise KeyboardInterrupt


@pytest.fixture
def unfinished(music, tmp_path):
    with pytest.raises(TrainingError, match="--resume"):
        go(music, tmp_path / "run", say=Stop(2))
    return tmp_path / "run"


def test_a_training_leaves_a_model_with_its_figures(music, tmp_path):
    said = []
    made = go(music, tmp_path / "run", say=said.append)
    card = load(tmp_path / "run").card
    assert card["seal"] == made.card["seal"]
    assert (card["name"], card["preset"], card["corpus"]["pieces"]) == ("run", "tiny", 3)
    assert card["metrics"]["whole"]["pieces"] == 1
    assert card["training"].keys() == {"epochs", "best_epoch", "valid_nats", "minutes"}
    assert 1 <= card["training"]["best_epoch"] <= card["training"]["epochs"] == 2
    assert said[0].endswith("to learn from: 3")
    assert said[-1].startswith(f"{tmp_path / 'run'}: valid ")


def test_a_model_is_younger_than_its_last_checkpoint_so_the_folder_is_free(music, tmp_path):
    out, said = tmp_path / "run", []
    first = go(music, out)
    again = go(music, out, say=said.append, seed=5)
    assert again.hash != first.hash
    assert load(tmp_path / "run-1").hash == first.hash
    assert load(out).hash == again.hash
    assert f"the model that was in {out} is now in {tmp_path / 'run-1'}" in said


def test_a_training_may_go_on_from_the_model_whose_folder_it_takes(music, tmp_path):
    first = go(music, tmp_path / "run")
    tuned = go(music, tmp_path / "run", start=tmp_path / "run", max_epochs=1)
    assert load(tmp_path / "run-1").hash == first.hash != tuned.hash


def test_an_unfinished_training_is_resumed_or_left_alone(music, unfinished):
    last = unfinished / "checkpoints" / "last.ckpt"
    before = last.read_bytes()
    with pytest.raises(TrainingError, match=r"expected --resume, or another --out: .* holds an unfinished training"):
        go(music, unfinished)
    assert last.read_bytes() == before
    assert go(music, unfinished, resume=True).card["metrics"]


def test_a_finished_training_that_was_taken_up_and_stopped_is_unfinished_again(music, tmp_path):
    go(music, tmp_path)
    card = (tmp_path / "bundle.json").stat().st_mtime
    with pytest.raises(TrainingError, match="--resume"):
        go(music, tmp_path, resume=True, max_epochs=4, say=Stop(4))
    os.utime(tmp_path / "checkpoints" / "last.ckpt", (card + 5, card + 5))  # file systems round
    with pytest.raises(TrainingError, match="unfinished"):
        go(music, tmp_path)


def test_more_epochs_may_be_asked_of_a_training_but_no_other_music(music, unfinished, tmp_path):
    for split, pitch in (("train", 70), ("valid", 65)):
        io.save(piece(pitch), tmp_path / "other" / split / "a.mid")
    with pytest.raises(TrainingError, match=r"got corpus \w{12}\.\.\. \(was \w{12}\.\.\.\)"):
        go(tmp_path / "other", unfinished, resume=True)
    with pytest.raises(TrainingError, match=r"recipe\.seed 3 \(was 0\)"):
        go(music, unfinished, resume=True, seed=3)
    assert go(music, unfinished, resume=True, max_epochs=3).card["recipe"]["epochs"] == 3


def test_nothing_is_exported_of_a_training_that_diverged(music, tmp_path):
    wild = {"learning_rate": "1e30", "schedule": "constant", "clip": "0"}
    with pytest.raises(TrainingError, match="diverged"):
        go(music, tmp_path, settings=wild)
    assert not (tmp_path / "bundle.json").exists()
    with pytest.raises(OptionError, match="finite"):
        go(music, tmp_path, settings={"learning_rate": "inf"})


def test_a_model_stays_in_its_place_where_the_training_cannot_start(music, tmp_path):
    first = go(music, tmp_path / "run")
    with pytest.raises(TrainingError, match="the memory does not suffice for a network"):
        go(music, tmp_path / "run", settings={"hidden": "10000000"})
    assert load(tmp_path / "run").hash == first.hash


# -- presets of every kind -------------------------------------------------------------------------------------------


def small(name, representation, network, **known):
    recipe = Recipe(epochs=1, batch_size=4, window=8, optimizer="adam", learning_rate=1e-2)
    return Preset(
        name=name,
        about="For these tests.",
        representation=representation,
        network=network,
        **{"recipe": recipe, **known},
    )


def test_a_preset_of_piano_rolls_becomes_a_model_that_composes(music, tmp_path):
    made = go(music, tmp_path / "run", small("frames", Frames(), PlainLstm(hidden=4)))
    assert set(made.card["metrics"]) == {"whole", "frames"}
    figures = made.card["metrics"]["whole"]
    assert figures["nats_per_frame"] == pytest.approx(88 * figures["bce"], rel=0.01)
    piece = generate(load(tmp_path / "run"), bars=1, meter="4/4", pickup=0, seed=1)[0]
    assert piece.score.length_ticks == 1920


def test_a_vocabulary_is_learned_from_the_training_pieces_and_kept_in_the_card(music, tmp_path):
    made = go(music, tmp_path / "run", small("events", Events(), PlainLstm(hidden=4)))
    train = [io.load(path) for path in sorted((music / "train").glob("*.mid"))]
    learned = Events().learn(train)
    assert learned != Events()
    assert made.representation == load(tmp_path / "run").representation == learned
    assert made.card["parameters"] == made.network.parameters(*columns(learned))
    assert set(made.card["metrics"]) == {"whole"}
    assert len(generate(load(tmp_path / "run"), bars=1, seed=1)[0].score)


def test_how_a_model_is_to_be_played_and_what_it_takes_of_a_piece_are_in_its_card(music, tmp_path):
    weights = {"loss_weights": "0.5,1,1"}
    preset = small("tune", Regression(), PlainLstm(hidden=4), sampling={"temperature": 0.7}, tracks="melody")
    with pytest.raises(OptionError, match="expected 3 loss_weights for preset tune, one a field, got 2"):
        go(music, tmp_path / "run", preset, settings={"loss_weights": "0.5,1"})
    made = go(music, tmp_path / "run", preset, settings=weights)
    assert made.card["recipe"]["loss_weights"] == (0.5, 1.0, 1.0)
    assert made.card["sampling"] == {"temperature": 0.7}
    assert made.card["tracks"] == "melody"
    assert generate(made, bars=1, seed=1)[0].recipe["options"]["temperature"] == 0.7
    # the highest voice alone was learned, and is what is judged unless another choice is made
    assert made.card["ranges"] == [[64, 69]]
    assert made.card["metrics"]["whole"]["notes"] == 9
    assert evaluate(made, data=music)[0].notes == 9
    assert evaluate(made, data=music, selection=Selection(tracks="all"))[0].notes == 4 * 9


@pytest.mark.parametrize("representation", [Chorale(), Frames(), Roll(), Events(), Regression()])
def test_a_card_says_what_evaluate_says_by_every_protocol_that_the_model_has(music, tmp_path, representation):
    made = go(music, tmp_path / "run", small("any", representation, PlainLstm(hidden=4)))
    known = set(protocols_of(made.representation))
    assert set(made.card["metrics"]) == known
    for protocol in known:
        told = evaluate(made, data=music, protocol=protocol)[0].to_dict()
        assert told.pop("protocol") == protocol
        kept = made.card["metrics"][protocol]
        assert kept.keys() == {name for name, value in told.items() if value is not None}
        for name, value in kept.items():
            if isinstance(value, float | dict):
                assert value == pytest.approx(told[name], abs=6e-5)
            else:
                assert value == told[name]
    assert json.loads((tmp_path / "run" / "bundle.json").read_text())["metrics"] == made.card["metrics"]


# -- from another model ----------------------------------------------------------------------------------------------

LEARNERS = {
    "events": small("events", Events(), PlainLstm(hidden=4)),
    "notes": small("notes", Notes(most=3), PlainLstm(hidden=4)),
    "tokens": small("tokens", Tokens(), PlainLstm(hidden=4)),
}


@pytest.fixture
def others(tmp_path):
    """Music of other chords and other lengths, whose own tables would be others."""
    for split, pitches in (("train", (50, 53)), ("valid", (51,))):
        for pitch in pitches:
            rows = [(360 * n, 360, pitch + 5 * voice + n % 2, 80, 0) for n in range(12) for voice in range(3)]
            io.save(Score.from_notes(rows, meters=(Meter(0, 3, 4),)), tmp_path / "others" / split / f"{pitch}.mid")
    return tmp_path / "others"


@pytest.mark.parametrize("preset", LEARNERS.values(), ids=LEARNERS)
def test_a_training_from_a_model_keeps_its_tables_on_other_music_and_says_so(music, others, tmp_path, preset):
    if preset.name == "tokens":
        pytest.importorskip("miditok")
    said = []
    first = go(music, tmp_path / "first", preset)
    fresh = go(others, tmp_path / "fresh", preset)
    assert fresh.representation != first.representation
    settings = {"recipe.learning_rate": "1e-12", "recipe.weight_decay": "0"}
    tuned = go(others, tmp_path / "tuned", preset, start=tmp_path / "first", settings=settings, say=said.append)
    assert tuned.representation == load(tmp_path / "tuned").representation == first.representation
    assert said[0].startswith("the tables are those of first, none is learned: ")
    # the weights went along: without learning it is as the first model on the same music
    before, after = (evaluate(model, data=others)[0].nats_per_note for model in (first, tuned))
    assert after == pytest.approx(before, rel=1e-4)


def test_where_a_preset_has_no_tables_nothing_is_said_of_any(music, tmp_path):
    said = []
    go(music, tmp_path / "first")
    go(music, tmp_path / "tuned", start=tmp_path / "first", say=said.append)
    assert not [line for line in said if "tables" in line]


def test_a_model_of_another_representation_or_network_is_not_gone_on_from(music, tmp_path):
    go(music, tmp_path / "first", LEARNERS["notes"])
    for preset, settings in (
        (LEARNERS["events"], {}),
        (LEARNERS["notes"], {"hidden": "5"}),
        (LEARNERS["notes"], {"most": "2"}),
        (PRESET, {}),
    ):
        with pytest.raises(OptionError, match=r"expected --from a model of preset .* got first, which differs"):
            go(music, tmp_path / "run", preset, start=tmp_path / "first", settings=settings)
    assert not (tmp_path / "run").exists()


def test_what_is_dropped_in_training_may_differ_from_the_first_models(music, tmp_path):
    go(music, tmp_path / "first", LEARNERS["notes"])
    tuned = go(music, tmp_path / "tuned", LEARNERS["notes"], start=tmp_path / "first", settings={"dropout": "0.5"})
    assert tuned.network.dropout == 0.5


def test_a_training_from_a_model_can_be_resumed(music, others, tmp_path):
    go(music, tmp_path / "first", LEARNERS["events"])
    more = {"start": tmp_path / "first", "settings": {"epochs": "3"}}
    with pytest.raises(TrainingError, match="--resume"):
        go(others, tmp_path / "run", LEARNERS["events"], say=Stop(2), **more)
    made = go(others, tmp_path / "run", LEARNERS["events"], resume=True, **more)
    assert made.representation == load(tmp_path / "first").representation


# -- what is refused -------------------------------------------------------------------------------------------------


def test_where_no_piece_fits_the_first_reason_is_given(music, tmp_path):
    for split, pitch in (("train", 70), ("valid", 65)):
        io.save(piece(pitch, parts=5), tmp_path / "five" / split / "a.mid")
    with pytest.raises(TrainingError, match=r"expected a train piece that fits preset tiny, got none \(train/a\.mid: "):
        go(tmp_path / "five", tmp_path / "run")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--seed", 2**63), "expected seed within 0..2147483647"),
        (("--resume",), "leave out --resume to start one"),
        (("--set", "hidden=10000000"), "the memory does not suffice for a network of"),
    ],
)
def test_what_is_refused_is_refused_in_a_sentence(music, tmp_path, option, said):
    run = shell("--data", music, "--out", tmp_path / "run", "--accelerator", "cpu", *option)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 2
    assert said in err.splitlines()[-1]
    assert err.splitlines()[-1].startswith("error: ")
    assert "Traceback" not in err


@pytest.mark.skipif(os.name == "nt", reason="there is no Ctrl-C to send")
def test_ctrl_c_in_the_first_epoch_leaves_a_training_to_resume(music, tmp_path):
    last = tmp_path / "checkpoints" / "last.ckpt"
    options = ("--data", music, "--out", tmp_path, "--accelerator", "cpu")
    run = shell(*options, "--max-epochs", 10**6, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while not last.exists() and run.poll() is None:
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=120)
    assert run.returncode == 2
    assert err.splitlines()[-1].startswith(f"error: stopped; {last} holds all finished epochs")
    assert "Traceback" not in err
    resumed = shell(*options, "--max-epochs", 1, "--resume")
    _, err = resumed.communicate(timeout=120)
    assert resumed.returncode == 0, err
    assert json.loads((tmp_path / "bundle.json").read_text())["preset"] == "chorale"


def test_ctrl_c_before_the_first_step_says_that_there_is_nothing_to_resume(music, tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "configure_optimizers", lambda self: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(TrainingError, match="the same command begins again"):
        go(music, tmp_path)
    monkeypatch.undo()
    assert go(music, tmp_path).path == tmp_path
