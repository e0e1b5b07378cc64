"""A preset trained with another network than its own: ``kantor train jsb --set network=KIND``."""

import numpy as np
import pytest
from safetensors.numpy import load_file

from kantor import io
from kantor.errors import OptionError, UnknownNameError
from kantor.networks import TwoLevel, VoiceLstms
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.verbs.generate import generate
from kantor.verbs.train import train
from kantor.verbs.variants import split_settings, variants

SMALL = {"hidden": "8", "embedding": "6", "head": "8", "recipe.precision": "32-true"}


def piece(pitch):
    rows = [(480 * n, 480, pitch - 4 * voice + n % 3, 80, voice) for n in range(16) for voice in range(4)]
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes(rows, parts=parts, meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    folder = tmp_path_factory.mktemp("music")
    for split, pitches in (("train", (64, 66, 67)), ("valid", (65,))):
        for pitch in pitches:
            io.save(piece(pitch), folder / split / f"{pitch}.mid")
    return folder


def quiet(line):
    pass


def test_a_preset_is_trained_with_each_of_two_networks_and_each_composes(music, tmp_path):
    single, several = split_settings("jsb", {"network": "two-level,voice-lstms", **SMALL})
    assert several == {"network": ["two-level", "voice-lstms"]}
    options = {"data": music, "accelerator": "cpu", "max_epochs": 1, "say": quiet}
    rows = variants("jsb", single, several, out=tmp_path, **options)
    assert [row["network"] for row in rows] == ["two-level", "voice-lstms"]
    for row, config in zip(rows, (TwoLevel, VoiceLstms), strict=True):
        (made,) = generate(row["model"], bars=2, seed=1)
        assert made.score.bar_count == 2
        assert row["valid_nats"] < 4 * 4  # finite, and about a guess among 47 classes for each of four voices
        assert f'"kind": "{config.kind}"' in (tmp_path / f"network={config.kind}" / "bundle.json").read_text()


def test_an_unknown_network_is_refused_before_anything_is_trained(music, tmp_path):
    with pytest.raises(UnknownNameError, match="no network named 'gru'"):
        train("jsb", data=music, out=tmp_path / "run", settings={"network": "gru"}, say=quiet)
    assert not (tmp_path / "run").exists()


def test_a_model_without_counterpoint_is_gone_on_from_with_it(tmp_path, music):
    """What it knew stays; the tables begin at nothing, and are of the new model alone."""
    small = {"embedding": "4", "hidden": "6", "layers": "1", "head": "4", "attention": "4", "memory": "4"}
    options = {"data": music, "accelerator": "cpu", "max_epochs": 1, "say": quiet}
    plain = {**small, "inputs": "phase", "counterpoint": "false"}
    train("jsb", settings=plain, out=tmp_path / "plain", **options)
    going = {**small, "inputs": "last,phase", "learning_rate": "1e-12", "tables_rate": "1e-12"}
    made = train("jsb", start=str(tmp_path / "plain"), settings=going, out=tmp_path / "told", **options)
    before, after = (load_file(tmp_path / name / "weights.safetensors") for name in ("plain", "told"))
    assert set(after) - set(before) == {"heads.motions"}
    assert all(np.allclose(after[name], before[name], atol=1e-3) for name in before)
    assert made.representation.inputs == ("last", "phase")
    with pytest.raises(OptionError, match="representation and network"):
        train("jsb", start=str(tmp_path / "told"), settings=plain, out=tmp_path / "back", **options)
