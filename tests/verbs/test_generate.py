"""Generating, with networks of a few lines."""

import json

import numpy as np
import pytest

import kantor
from fakes import RANGES, bundle, rambling
from kantor.errors import OptionError, UnknownNameError
from kantor.representations.chorale import Chorale
from kantor.score import Key
from kantor.theory import is_tonic_triad
from kantor.verbs import _compose
from kantor.verbs._compose import ends_well
from kantor.verbs.generate import NO_CADENCE, generate
from strategies import grid_score

FAKE = bundle()
pytestmark = pytest.mark.usefixtures("network")


def notes(piece):
    return piece.score.notes.tolist()


def test_equal_seeds_give_equal_pieces_and_others_others():
    first, again, other = (generate(FAKE, bars=2, seed=seed)[0] for seed in (3, 3, 4))
    assert first.score == again.score
    assert first.recipe == again.recipe
    assert first.score != other.score


def test_a_seed_is_drawn_and_told_where_none_is_given():
    first = generate(FAKE, bars=1)[0]
    again = generate(FAKE, bars=1, seed=first.recipe["seed"])[0]
    assert first.score == again.score


def test_many_pieces_are_all_different_and_the_first_of_many_is_the_one_alone():
    many = generate(FAKE, bars=2, seed=7, count=8, key="C", meter="4/4", pickup=0)
    assert len({str(notes(piece)) for piece in many}) == 8
    alone = generate(FAKE, bars=2, seed=7, key="C", meter="4/4", pickup=0)[0]
    assert notes(many[0]) == notes(alone)
    fewer = generate(FAKE, bars=2, seed=7, count=3, key="C", meter="4/4", pickup=0)
    assert [notes(piece) for piece in many[:3]] == [notes(piece) for piece in fewer]
    assert [piece.recipe["take"] for piece in many] == list(range(1, 9))


def test_that_holds_where_key_and_meter_are_drawn_for_each():
    many = generate(FAKE, bars=2, seed=7, count=6)
    assert len({(p.score.keys, p.score.meters) for p in many}) > 1
    assert [notes(p) for p in generate(FAKE, bars=2, seed=7, count=2)] == [notes(p) for p in many[:2]]


def test_eight_pieces_of_one_length_are_one_batched_pass(network):
    made = network()
    generate(FAKE, bars=2, seed=1, count=8, key="C", meter="4/4", pickup=0, temperature=0)
    assert [model.shapes for model in made] == [[(8, 1)] * 2 * 16 * 4]


@pytest.mark.parametrize(("bars", "meter", "pickup"), [(1, "4/4", 0), (5, "3/4", 1), (3, "6/8", 1), (2, "3/2", 0)])
def test_a_piece_is_as_long_as_asked_and_sounds_to_its_end(network, bars, meter, pickup):
    network(chord(72, 67, 64, 48))
    score = generate(FAKE, bars=bars, meter=meter, pickup=pickup, seed=1)[0].score
    numerator, denominator = map(int, meter.split("/"))
    assert score.length_ticks == bars * numerator * 1920 // denominator
    assert int((score.bars["offset"] == 0).sum()) == bars
    assert int((score.notes["onset"] + score.notes["duration"]).max()) == score.length_ticks


def chord(*pitches, surely=40.0):
    """A rule: soprano to bass attack these and then hold them; of the order SBAT, spelling full."""
    wanted = np.array([pitches[0], pitches[3], pitches[1], pitches[2]]) - 35

    def rule(inputs, steps, memory, classes):
        first = steps < 4
        target = np.where(first, wanted[steps % 4], classes - 1)
        return rambling(inputs, steps, memory, classes) + surely * (np.arange(classes) == target[..., None])

    return rule


def test_every_voice_stays_in_its_range_however_much_the_network_wants_out(network):
    network(lambda inputs, steps, memory, n: rambling(inputs, steps, memory, n) + 30 * (np.arange(n) == 46)[None, None])
    pieces = generate(FAKE, bars=2, seed=1, count=4)
    for piece in pieces:
        low, high = np.array(RANGES)[piece.score.notes["part"]].T
        assert (low <= piece.score.notes["pitch"]).all()
        assert (piece.score.notes["pitch"] <= high).all()


def test_a_piece_that_ends_on_its_tonic_has_nothing_to_remark(network):
    made = network(chord(72, 67, 64, 48))
    piece = generate(FAKE, bars=2, key="C", meter="4/4", pickup=0, seed=1)[0]
    assert piece.remarks == ()
    assert len(made[0].shapes) == 128
    assert sorted(piece.score.notes["pitch"].tolist()) == [48, 64, 67, 72]


def test_a_piece_that_cannot_end_on_its_tonic_says_so(network):
    network(chord(72, 67, 64, 48))
    piece = generate(FAKE, bars=2, key="D", meter="4/4", pickup=0, seed=1)[0]
    assert piece.remarks == (NO_CADENCE,)


def test_endings_are_tried_until_one_is_good_and_what_stood_before_them_stays(network, monkeypatch):
    def mostly(inputs, steps, memory, n):  # anything at first, in the last bar C major, mostly
        near = chord(72, 67, 64, 48, surely=8.5)(inputs, steps % 64, memory, n)
        return np.where(steps[..., None] < 192, rambling(inputs, steps, memory, n), near)

    made = network(mostly)
    monkeypatch.setattr(_compose, "BACK", (2, 2, 2, 2))
    asked = {"bars": 4, "key": "C", "meter": "4/4", "pickup": 0}
    tried, good = [generate(FAKE, seed=seed, **asked)[0] for seed in range(6)], []
    for piece in tried:
        end = piece.score.notes["onset"] + piece.score.notes["duration"] == piece.score.length_ticks
        last = piece.score.notes[end]
        good.append(
            len(last) == 4 and last["duration"].min() >= 480 and is_tonic_triad(last["pitch"], Key(0, 0, "major"))
        )
        assert piece.remarks == (() if good[-1] else (NO_CADENCE,))
        assert piece.notes_decided == 256
    again = [len({pieces for pieces, _ in model.shapes}) > 1 for model in made]
    assert any(retried and well for retried, well in zip(again, good, strict=True))
    monkeypatch.setattr(_compose, "BACK", ())
    for seed, piece in enumerate(tried):  # two bars back is where a new ending begins
        first = generate(FAKE, seed=seed, **asked)[0]
        heads = [[(at, pitch, part) for at, _, pitch, _, part in notes(p) if at < 3840] for p in (first, piece)]
        assert heads[0] == heads[1]


@pytest.mark.parametrize(
    ("pitches", "quarter", "key", "good"),
    [
        ((72, 67, 64, 48), 4, Key(0, 0, "major"), True),
        ((72, 67, 64, 48), 3, Key(0, 0, "major"), False),
        ((72, 67, 64, 52), 4, Key(0, 0, "major"), False),
        ((72, 67, 64, 48), 4, Key(0, 1, "major"), False),
        ((72, 67, 63, 48), 4, Key(0, -3, "minor"), True),
        ((72, 67, 64, 48), 4, Key(0, -3, "minor"), True),
        ((72, 67, 64, 48), 4, None, True),
        ((72, 67, 64, 52), 4, None, False),
        ((72, 0, 64, 48), 4, Key(0, 0, "major"), False),
    ],
)
def test_an_ending_is_a_rested_tonic_triad_in_root_position(pitches, quarter, key, good):
    grid = np.tile(np.array(pitches), (8, 1))
    attacks = np.zeros(grid.shape, dtype=bool)
    attacks[[0, 8 - quarter]] = True
    assert ends_well(grid_score(grid, attacks & (grid > 0)), key) is good


def test_the_recipe_tells_all_that_made_the_piece():
    piece = generate(FAKE, bars=2, key="Gm", seed=5, temperature=0.9, top_k=12)[0]
    assert json.loads(piece.score.recipe) == piece.recipe
    assert piece.recipe == {
        "kantor": kantor.__version__,
        "model": "fake",
        "hash": "0" * 64,
        "verb": "generate",
        "seed": 5,
        "take": 1,
        "options": {
            **{"bars": 2, "key": "Gm", "meter": None, "pickup": None},
            **{"temperature": 0.9, "top_k": 12, "top_p": 1.0, "min_p": 0.0},
        },
    }


def test_nats_are_the_mean_over_the_cells_decided(network):
    network(lambda inputs, steps, memory, n: np.zeros((*steps.shape, n)))
    piece = generate(FAKE, bars=1, meter="3/4", pickup=0, seed=1)[0]
    assert piece.nats_per_note == pytest.approx(np.log(48))
    assert piece.notes_decided == 48


def test_progress_goes_from_nothing_to_a_thousand():
    told = []
    generate(FAKE, bars=2, meter="4/4", pickup=0, seed=1, temperature=0, advance=told.append)
    assert told == sorted(told)
    assert told[0] < 10
    assert told[-1] == 1000


def test_a_plain_model_composes_too():
    piece = generate(bundle(Chorale("plain", "SATB", ("voice",)), ranges=None), bars=2, seed=1)[0]
    assert piece.score.keys == ()
    assert len(piece.score)


@pytest.mark.parametrize("options", [{"bars": 0}, {"count": 0}, {"seed": -1}, {"temperature": -1}, {"key": "X"}])
def test_bad_options_are_refused_before_a_network_is_opened(network, options):
    made = network()
    with pytest.raises(OptionError):
        generate(FAKE, **{"bars": 1, **options})
    assert made == []


def test_a_model_that_does_not_exist_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="no model named 'corale'"):
        generate("corale")
