"""What info, presets and models tell, and in which shape."""

import json

import numpy as np
import pytest

from kantor import io, registry
from kantor.errors import BundleError, FileFormatError, OptionError, UnknownNameError
from kantor.io.packing import pack_score
from kantor.score import Key, Meter, Score, Tempo
from kantor.verbs.describe import describe_score, info, models, presets, recipe_of
from strategies import grid_score

PIECE = grid_score(np.tile([72, 67, 64, 48], (20, 1)), np.arange(20)[:, None] % 4 == np.zeros(4)).replace(
    meters=(Meter(0, 4, 4),),
    keys=(Key(0, -2, "minor"),),
    anacrusis_ticks=480,
    tempi=(Tempo(0, 60.0),),
    title="Ein Lied",
)


def test_a_score_is_described_by_what_people_ask_first():
    assert describe_score(PIECE.replace(fermatas=(960,))) == {
        "title": "Ein Lied",
        "key": "G minor",
        "meter": "4/4",
        "pickup_beats": 1.0,
        "bars": 1,
        "notes": 20,
        "parts": ["Soprano", "Alto", "Tenor", "Bass"],
        "lowest": 48,
        "highest": 72,
        "fermatas": 1,
        "seconds": 5.0,
        "recipe": None,
    }


def test_what_is_not_known_is_null():
    told = describe_score(Score.from_notes([]))
    assert {name for name, value in told.items() if value is None} == {"key", "meter", "lowest", "highest", "recipe"}


def test_a_pickup_is_told_in_beats_of_the_meter():
    assert describe_score(PIECE.replace(meters=(Meter(0, 6, 8),), anacrusis_ticks=240))["pickup_beats"] == 1.0


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".csv"])
def test_a_file_of_music_is_known_by_its_suffix(tmp_path, suffix):
    io.save(PIECE, tmp_path / f"x{suffix}")
    told = info(tmp_path / f"x{suffix}")
    assert (told["kind"], told["file"], told["notes"] > 3) == ("score", f"x{suffix}", True)
    json.dumps(told, allow_nan=False)


def test_a_model_folder_tells_its_card(tiny_bundle):
    told = info(tiny_bundle.path)
    assert (told["kind"], told["folder"], told["name"]) == ("model", str(tiny_bundle.path), "tiny")
    assert told["network"]["kind"] == "lstm"
    json.dumps(told, allow_nan=False)


def test_what_is_neither_is_refused(tmp_path):
    (tmp_path / "x.txt").write_text("hello")
    with pytest.raises(OptionError, match=r"got 'x.txt'"):
        info(tmp_path / "x.txt")
    with pytest.raises(FileFormatError, match="no file"):
        info(tmp_path / "none.mid")
    with pytest.raises(BundleError, match=r"bundle.json in it"):
        info(tmp_path)
    with pytest.raises(UnknownNameError, match="no model named"):
        info("nobody")


def test_presets_are_objects_of_name_seed_representation_network_and_parameters():
    told = presets()
    assert [row["name"] for row in told] == list(registry.names("presets"))
    for row in told:
        assert list(row) == ["name", "seed", "representation", "network", "parameters", "about"]
        assert {type(row[name]) for name in ("name", "seed", "representation", "network", "about")} == {str}
        assert row["parameters"] is None or row["parameters"] > 0
    row = next(row for row in told if row["name"] == "seed-000")
    assert (row["seed"], row["representation"], row["network"]) == ("000", "chorale, plain", "conv-lstm")


def test_models_are_those_of_the_package_with_what_their_cards_say():
    from kantor import bundle

    told = models()
    assert [row["name"] for row in told] == list(bundle.shipped())
    for row in told:
        assert set(row) == {"name", "about", "preset", "parameters", "corpus", "unit", "metrics"}
        assert row["unit"] == bundle.load(row["name"]).representation.unit
    json.dumps(told, allow_nan=False)


def test_a_preset_without_a_model_is_to_be_trained():
    with pytest.raises(OptionError, match=r"the preset 'seed-000', .*: kantor train seed-000"):
        info("seed-000")


def test_a_folder_of_music_is_to_be_inspected(tmp_path):
    io.save(Score.from_notes([(0, 480, 60, 80, 0)]), tmp_path / "deep" / "a.mid")
    with pytest.raises(OptionError, match=r"got the folder of music .*; try `kantor inspect"):
        info(tmp_path)


def test_a_recipe_is_shown_without_the_music_that_it_packs():
    packed = pack_score(Score.from_notes([(i, 480, 60, 80, 0) for i in range(1200)]))
    shown = recipe_of(json.dumps({"verb": "continue", "prompt": packed}))
    assert shown == {"verb": "continue", "prompt": "1,200 notes"}
    assert recipe_of('{"verb": "generate"}') == {"verb": "generate"}
    for text in ("", "no JSON", '{"prompt": "no music"}'):
        assert recipe_of(text) == text
