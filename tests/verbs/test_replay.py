"""What a file's recipe makes is what is in the file."""

import json

import pytest

from fakes import bundle
from kantor import io
from kantor.errors import BundleError, FileFormatError
from kantor.representations.notes import Notes
from kantor.representations.roll import Roll
from kantor.verbs import replay as room
from kantor.verbs.continue_ import continue_
from kantor.verbs.generate import generate
from kantor.verbs.replay import replay

FAKE, NOTES, ROLL = bundle(), bundle(Notes(inputs=("beat",), velocity=True)), bundle(Roll(inputs=("rank",)))
pytestmark = pytest.mark.usefixtures("network")


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".csv"])
def test_a_file_is_made_again_byte_by_byte(tmp_path, suffix):
    one, other = tmp_path / f"one{suffix}", tmp_path / f"other{suffix}"
    pieces = generate(FAKE, bars=2, seed=5, count=3, temperature=0.9, rules=["no-direct"], soft=["stepwise=0.5"])
    pieces[2].save(one)
    replay(one, FAKE).save(other)
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("model", [FAKE, NOTES, ROLL], ids=["chorale", "notes", "roll"])
@pytest.mark.parametrize(
    "options",
    [{"bars": 2}, {"bars": 2, "key": "Gm", "tempo": 90, "velocity": 70}, {"bars": 1, "best_of": 3, "top_p": 0.9}],
)
def test_every_option_is_in_the_recipe(tmp_path, model, options):
    one, other = tmp_path / "one.mid", tmp_path / "other.mid"
    generate(model, seed=8, **options)[0].save(one)
    replay(one, model).save(other)
    assert one.read_bytes() == other.read_bytes()


def test_a_continuation_carries_what_it_went_on_from(tmp_path):
    given = generate(FAKE, bars=3, seed=1)[0]
    given.save(tmp_path / "given.musicxml")
    added = continue_(tmp_path / "given.musicxml", FAKE, from_bar=2, bars=2, seed=4, count=2)[1]
    added.save(tmp_path / "one.mid")
    (tmp_path / "given.musicxml").unlink()
    replay(tmp_path / "one.mid", FAKE).save(tmp_path / "other.mid")
    assert (tmp_path / "one.mid").read_bytes() == (tmp_path / "other.mid").read_bytes()


def test_music_without_a_recipe_cannot_be_made_again(tmp_path):
    score = generate(FAKE, bars=1, seed=1)[0].score
    for recipe, said in [("", "found no recipe"), ("{", "got something else"), ('{"verb": "dance"}', "something else")]:
        io.save(score.replace(recipe=recipe), tmp_path / "x.mid")
        with pytest.raises(FileFormatError, match=said):
            replay(tmp_path / "x.mid", FAKE)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "x"},
        {"take": None},
        {"options": {"bars": []}},
        {"options": {"password": 1}},
        {"options": [1]},
        {"seed": []},
    ],
)
def test_a_recipe_that_was_tampered_with_is_refused(change):
    piece = generate(FAKE, bars=1, seed=1)[0]
    recipe = json.dumps({**piece.recipe, **change})
    with pytest.raises(FileFormatError, match="one that it cannot follow"):
        replay(piece.score.replace(recipe=recipe), FAKE)


def test_a_damaged_prompt_is_refused():
    piece = continue_(generate(FAKE, bars=1, seed=1)[0].score, FAKE, bars=1, seed=1)[0]
    recipe = json.dumps({**piece.recipe, "prompt": "not base 85 \x00"})
    with pytest.raises(FileFormatError, match="music in a recipe"):
        replay(piece.score.replace(recipe=recipe), FAKE)


def test_other_weights_are_not_taken_for_the_same_model():
    piece = generate(FAKE, bars=1, seed=1)[0]
    recipe = json.dumps({**piece.recipe, "hash": "f" * 64})
    with pytest.raises(BundleError, match="other weights"):
        replay(piece.score.replace(recipe=recipe), FAKE)


def test_a_model_that_is_not_in_the_package_has_to_be_shown():
    piece = generate(FAKE, bars=1, seed=1)[0]
    with pytest.raises(BundleError, match="expected --model with the folder of 'fake'"):
        replay(piece.score)


def test_another_version_is_remarked_upon():
    piece = generate(FAKE, bars=1, seed=1)[0]
    again = replay(piece.score.replace(recipe=json.dumps({**piece.recipe, "kantor": "0.0.1"})), FAKE)
    assert any("kantor 0.0.1" in remark for remark in again.remarks)
    assert again.score.notes.tolist() == piece.score.notes.tolist()


def test_every_verb_that_makes_pieces_is_known():
    assert set(room.MODULES) == {"generate", "continue", "harmonize", "infill", "live"}


def test_an_instrument_that_was_chosen_for_the_file_is_chosen_again(tmp_path):
    generate(FAKE, bars=2, seed=5)[0].save(tmp_path / "one.mid", instrument="violin")
    assert {part.program for part in io.load(tmp_path / "one.mid").parts} == {40}
    replay(tmp_path / "one.mid", FAKE).save(tmp_path / "other.mid")
    assert (tmp_path / "one.mid").read_bytes() == (tmp_path / "other.mid").read_bytes()
