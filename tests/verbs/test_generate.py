"""Generating, with networks of a few lines."""

import json

import numpy as np
import pytest

import kantor
from fakes import RANGES, bundle, playing, rambling
from kantor.errors import OptionError, UnknownNameError
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import Key, Meter, Score, Tempo
from kantor.theory import diatonic, is_tonic_triad
from kantor.verbs import _compose
from kantor.verbs._compose import ends_well
from kantor.verbs._steering import steering
from kantor.verbs.continue_ import continue_
from kantor.verbs.generate import NO_CADENCE, SILENT, _may_close, generate
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
            **{"bars": 2, "notes": None, "seconds": None, "key": "Gm", "in_key": False, "meter": None},
            **{"pickup": None, "tempo": None, "velocity": None},
            **{"temperature": 0.9, "top_k": 12, "top_p": 1.0, "min_p": 0.0},
            **{"rules": [], "soft": [], "chords": None, "beam": 0, "best_of": 1, "novelty": False},
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


def test_progress_over_passes_of_several_lengths_is_one(network):
    told = []
    generate(FAKE, bars=2, count=6, seed=7, temperature=0, advance=told.append)  # in three meters
    assert told == sorted(told)
    assert told[-1] == 1000


def test_a_plain_model_composes_too():
    piece = generate(bundle(Chorale("plain", "SATB", ("voice",)), ranges=None), bars=2, seed=1)[0]
    assert piece.score.keys == ()
    assert len(piece.score)


# -- models of every kind --------------------------------------------------------------------------------------------

KINDS = {
    "notes": Notes(inputs=("beat", "meter", "remaining", "stacked"), velocity=True),
    "events": Events(offsets=(0, 6, 12, 24)),
    "frames": Frames(),
    "regression": Regression(),
    "roll": Roll(inputs=("rank", "last", "beat")),
}
EACH = pytest.mark.parametrize("representation", KINDS.values(), ids=KINDS)


@EACH
def test_a_piece_of_any_kind_is_as_many_bars_as_asked(network, representation):
    network(playing)
    model = bundle(representation)
    (piece,) = generate(model, bars=3, meter="3/4", pickup=0, seed=1)
    assert piece.score.length_ticks == 3 * 1440
    assert piece.score.meters == (Meter(0, 3, 4),)
    assert len(piece.score)
    assert piece.remarks == ()  # none has to end on a cadence
    assert piece.notes_decided > 0
    assert piece.nats_per_note > 0
    again = generate(model, bars=3, meter="3/4", pickup=0, seed=1)[0]
    assert again.score == piece.score
    assert generate(model, bars=3, meter="3/4", pickup=0, seed=2)[0].score != piece.score


@EACH
def test_pieces_of_any_kind_are_one_batched_pass_and_the_first_of_many_is_the_one_alone(network, representation):
    made = network(playing)
    asked = {"bars": 2, "meter": "4/4", "pickup": 0, "seed": 7}
    many = generate(bundle(representation), count=4, **asked)
    assert {pieces for model in made for pieces, _ in model.shapes} == {4}
    assert len({str(notes(piece)) for piece in many}) == 4
    for n, piece in enumerate(generate(bundle(representation), count=2, **asked)):
        assert notes(piece) == notes(many[n])
        assert piece.nats_per_note == many[n].nats_per_note


@EACH
def test_seconds_are_seconds_at_the_tempo_asked_for(network, representation):
    network(playing)
    piece = generate(bundle(representation), seconds=7.5, tempo=60, meter="4/4", pickup=0, seed=1)[0]
    assert piece.score.seconds == 7.5
    assert piece.score.tempi == (Tempo(0, 60.0),)


def test_a_chorale_takes_whole_bars_for_its_seconds():
    score = generate(FAKE, seconds=7.5, tempo=60, meter="4/4", pickup=0, seed=1)[0].score
    assert score.length_ticks == 2 * 1920
    assert score.seconds == 8
    assert generate(FAKE, seconds=4.5, meter="4/4", pickup=0, seed=1)[0].score.length_ticks == 2 * 1920  # at 80


@pytest.mark.parametrize("count", [1, 12])
def test_notes_are_counted_and_the_piece_ends_with_the_bar_of_the_last(network, count):
    network(playing)
    model = bundle(Notes(inputs=("beat", "meter")))
    piece = generate(model, notes=count, meter="3/4", pickup=0, seed=1)[0]
    assert len(piece.score) == count
    last = int((piece.score.notes["onset"] + piece.score.notes["duration"]).max())
    assert last <= piece.score.length_ticks < last + 1440
    assert piece.score.length_ticks % 1440 == 0
    assert piece.recipe["options"]["notes"] == count


def test_a_chord_or_a_frame_may_bring_a_few_more_notes_than_were_asked_for(network):
    network(playing)
    piece = generate(bundle(KINDS["roll"]), notes=20, meter="4/4", pickup=0, seed=1)[0]
    assert 20 <= len(piece.score) < 20 + 88


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bars": 2, "notes": 9}, "expected one of --bars, --notes and --seconds, got --bars and --notes; leave out"),
        ({"notes": 2, "seconds": 9}, "got --notes and --seconds"),
        ({"notes": 0}, "expected from 1 to 1000000 notes, got 0; try 200"),
        ({"notes": 1_000_001}, "got 1000001; try 200"),
        ({"seconds": 0}, "expected more than 0, at most 100000 seconds, got 0; try 30"),
        ({"seconds": 100_001}, "at most 100000 seconds, got 100001; try 30"),
        ({"seconds": -1.0}, r"got -1\.0; try 30"),
        ({"seconds": float("nan")}, "got nan; try 30"),
        ({"seconds": float("inf")}, "got inf; try 30"),
        ({"tempo": 0.0}, "expected a tempo of 5 to 1000 quarters a minute, got 0; try 80"),
        ({"tempo": 1001.0}, "got 1001; try 80"),
        ({"velocity": 0}, r"expected a velocity within 1\.\.127, got 0; try 80"),
        ({"velocity": 128}, "got 128; try 80"),
    ],
)
def test_amounts_and_ways_of_playing_that_nobody_means_are_refused(network, options, said):
    made = network(playing)
    with pytest.raises(OptionError, match=said):
        generate(bundle(Regression()), seed=1, **options)
    assert made == []  # before anything is composed


def test_a_chorale_is_not_counted_in_notes():
    with pytest.raises(OptionError, match="--bars or --seconds for 'fake', got --notes: a piece with an ending"):
        generate(FAKE, notes=30)


def test_velocities_are_the_models_own_or_what_is_asked_for(network):
    network(playing)
    own = generate(bundle(KINDS["notes"]), bars=2, seed=1)[0].score.notes["velocity"]
    assert len(set(own.tolist())) > 1
    assert set(generate(bundle(KINDS["notes"]), bars=2, seed=1, velocity=33)[0].score.notes["velocity"].tolist()) == {
        33
    }
    assert set(generate(FAKE, bars=2, seed=1)[0].score.notes["velocity"].tolist()) == {80}
    assert set(generate(FAKE, bars=2, seed=1, velocity=99)[0].score.notes["velocity"].tolist()) == {99}


def test_a_tempo_changes_how_fast_it_is_played_and_nothing_else():
    slow, fast = (generate(FAKE, bars=2, meter="4/4", pickup=0, seed=1, tempo=tempo)[0] for tempo in (50, 100))
    assert notes(slow) == notes(fast)
    assert slow.score.seconds == 2 * fast.score.seconds


def test_a_model_is_played_as_its_card_says_unless_told_otherwise():
    calm = bundle(sampling={"temperature": 0.5, "top_k": 3})
    drawn = generate(calm, bars=1, seed=1)[0].recipe["options"]
    assert {name: drawn[name] for name in ("temperature", "top_k", "top_p", "min_p")} == {
        **{"temperature": 0.5, "top_k": 3, "top_p": 1.0, "min_p": 0.0}
    }
    bolder = generate(calm, bars=1, seed=1, temperature=1.5, min_p=0.1)[0].recipe["options"]
    assert (bolder["temperature"], bolder["top_k"], bolder["min_p"]) == (1.5, 3, 0.1)
    same = generate(bundle(), bars=1, seed=1, temperature=0.5, top_k=3)[0]
    assert notes(same) == notes(generate(calm, bars=1, seed=1)[0])


def test_a_piece_in_which_nothing_sounds_says_so(network):
    network(lambda inputs, steps, memory, size: np.full((*steps.shape, size), -30.0))
    assert generate(bundle(Frames()), bars=1, seed=1)[0].remarks == (
        f"{SILENT}; another seed, or a higher temperature, may help",
    )


# -- keys ------------------------------------------------------------------------------------------------------------


def classes_of(piece):
    return set((piece.score.notes["pitch"] % 12).tolist())


@pytest.mark.parametrize("name", ["notes", "regression", "roll", "frames"])
def test_a_model_that_knows_no_keys_is_held_to_the_notes_of_the_one_asked_for(network, name):
    network(playing)
    free = generate(bundle(KINDS[name]), bars=8, seed=1)[0]
    assert len(classes_of(free)) > 8
    held = generate(bundle(KINDS[name]), bars=8, seed=1, key="Eb")[0]
    assert classes_of(held) <= {3, 5, 7, 8, 10, 0, 2}
    minor = generate(bundle(KINDS[name]), bars=8, seed=1, key="Am")[0]
    assert classes_of(minor) <= {9, 11, 0, 2, 4, 5, 7, 8}  # with both sevenths


def test_a_model_that_knows_keys_is_held_to_its_own_where_that_is_asked_for():
    free = generate(FAKE, bars=4, seed=1, key="D")[0]
    assert not classes_of(free) <= {2, 4, 6, 7, 9, 11, 1}
    assert classes_of(generate(FAKE, bars=4, seed=1, key="D", in_key=True)[0]) <= {2, 4, 6, 7, 9, 11, 1}
    drawn = generate(FAKE, bars=4, seed=1, in_key=True, count=4)
    for piece in drawn:
        assert classes_of(piece) <= diatonic(piece.score.keys[0])
        assert piece.recipe["options"]["in_key"] is True


def test_without_any_key_there_is_none_to_be_held_to():
    with pytest.raises(OptionError, match="expected --key beside --in-key for 'fake', which knows no keys of its own"):
        generate(bundle(Roll()), bars=1, in_key=True)


# -- prompts ---------------------------------------------------------------------------------------------------------


def test_with_a_prompt_generating_is_continuing():
    given = generate(FAKE, bars=2, seed=5)[0].score
    options = {"bars": 1, "seed": 2, "temperature": 0.8, "tempo": 60.0, "velocity": 50}
    one, other = generate(FAKE, prompt=given, **options)[0], continue_(given, FAKE, **options)[0]
    assert one.score == other.score
    assert one.recipe == other.recipe
    shorter = generate(FAKE, prompt=given, prompt_notes=4, bars=1, seed=2)[0]
    assert shorter.score.length_ticks < one.score.length_ticks


@pytest.mark.parametrize("options", [{"key": "C"}, {"meter": "4/4"}, {"pickup": 1.0}, {"in_key": True}])
def test_what_a_prompt_has_of_its_own_is_not_asked_for(options):
    given = generate(FAKE, bars=2, seed=5)[0].score
    with pytest.raises(OptionError, match=f"no --{next(iter(options))} beside a prompt, which has its own"):
        generate(FAKE, prompt=given, **options)


# -- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"bars": 0}, {"count": 0}, {"seed": -1}, {"temperature": -1}, {"key": "X"}])
def test_bad_options_are_refused_before_a_network_is_opened(network, options):
    made = network()
    with pytest.raises(OptionError):
        generate(FAKE, **{"bars": 1, **options})
    assert made == []


def test_a_model_that_does_not_exist_is_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="no model named 'corale'"):
        generate("corale")


# -- what Python lets anybody give -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bars": 2.5}, "expected a whole number, as 8, for bars, got 2.5"),
        ({"bars": "4"}, "for bars, got '4'"),
        ({"seed": "x"}, "for seed, got 'x'"),
        ({"count": None}, "for count, got None"),
        ({"tempo": "fast"}, "expected a number, as 1.5, for tempo, got 'fast'"),
        ({"key": 3}, "expected text, for key, got 3"),
        ({"prompt_notes": 7}, "expected a --prompt beside --prompt-notes"),
    ],
)
def test_options_of_another_type_are_refused_in_a_sentence(options, said):
    with pytest.raises(OptionError, match=said):
        generate(bundle(), **options)


def test_numbers_of_numpy_are_numbers():
    options = {"bars": np.int64(2), "seed": np.int16(1), "tempo": np.float32(90)}
    assert generate(bundle(), **options)[0].score == generate(bundle(), bars=2, seed=1, tempo=90.0)[0].score


# -- endings that nobody can find --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("chords", "remarked"), [("C G", False), ("G C", True), ("C/E", False)])
def test_chords_that_end_elsewhere_need_no_remark_on_the_ending(chords, remarked):
    held = steering(bundle(), ["none"], chords=chords).rules
    plan = Score.from_notes([(0, 3840, 60, 80, 0)], meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),))
    assert _may_close(bundle(), plan, held) == remarked


def test_chance_finds_no_ending_and_does_not_say_so():
    assert NO_CADENCE not in generate("random", bars=2, seed=1)[0].remarks
