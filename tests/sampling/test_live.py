"""A piece in the making: changed, halted, taken back and tried another way."""

import numpy as np
import pytest

from fakes import FakeModel, rambling
from kantor.errors import OptionError, RuleError
from kantor.representations.chorale import Chorale
from kantor.representations.notes import Notes
from kantor.sampling.filters import Filters
from kantor.sampling.guard import asked
from kantor.sampling.live import Live
from kantor.sampling.stream import stream
from kantor.score import Key, Meter, Part, Score

CHORALE = Chorale(spelling="full", inputs=("voice", "own", "now", "beat", "key"))
PLAN = CHORALE.plan(Score.from_notes([(0, 480 * 16, 60, 80, 0)], meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),)))
BAR = 64  # cells


def live(**options):
    return Live(FakeModel.of(CHORALE, rambling), CHORALE, PLAN, seed=1, **options)


def go(piece, steps):
    return [next(piece) for _ in range(steps)]


def test_it_is_the_stream_of_the_same_numbers():
    piece = live()
    random = np.random.default_rng([1, 0, 0])
    whole = [d.values[0] for d in stream(FakeModel.of(CHORALE, rambling), CHORALE, PLAN, [random])]
    assert len(list(piece)) == len(whole) == 4 * BAR
    assert np.array_equal(piece.values, np.stack(whole))
    assert piece.score == CHORALE.decode(np.stack(whole), PLAN)


def test_a_change_of_temperature_takes_effect_with_the_next_step():
    wild, tame = live(), live()
    go(wild, 10)
    go(tame, 10)
    tame.turn(filters=Filters(temperature=0))
    go(wild, 30)
    go(tame, 30)
    assert np.array_equal(wild.values[:10], tame.values[:10])
    logits = FakeModel.of(CHORALE, rambling)
    assert not np.array_equal(wild.values[10:], tame.values[10:])
    assert logits.classes == (48,)


def test_a_rule_holds_from_where_it_is_given():
    piece = live()
    go(piece, BAR)
    piece.turn(rules=asked(["in-key=C"]))
    list(piece)
    onsets = piece.score.notes
    later = onsets[onsets["onset"] >= 480 * 4]
    assert len(later)
    assert set((later["pitch"] % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}
    assert not set((onsets["pitch"] % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}


def test_another_key_is_seen_from_the_next_step_on():
    piece, model = live(), FakeModel.of(CHORALE, rambling)
    go(piece, BAR)
    before = piece.values
    piece.turn(plan=PLAN.replace(keys=(Key(0, 3, "major"),)))
    go(piece, BAR)
    assert np.array_equal(piece.values[:BAR], before)
    assert piece.plan.keys[0].fifths == 3
    assert model.classes == (48,)


def test_taken_back_by_bars_it_goes_on_differently_and_can_be_made_again():
    def played():
        piece = live()
        go(piece, 2 * BAR + 10)
        first = piece.values
        assert piece.back(1) == 2 * BAR  # the bar that has begun
        assert piece.back(1) == BAR
        go(piece, 2 * BAR)
        return first, piece

    first, piece = played()
    assert np.array_equal(piece.values[:BAR], first[:BAR])
    assert not np.array_equal(piece.values[BAR : 2 * BAR], first[BAR : 2 * BAR])
    assert piece.branch == 2
    assert np.array_equal(played()[1].values, piece.values)


def test_what_was_given_is_never_taken_back():
    prompt = np.zeros((70, 1), dtype=np.int64)
    piece = live(prompt=prompt)
    go(piece, 100)
    assert piece.back(9) == 70
    assert np.array_equal(piece.values, prompt)


def test_before_the_first_bar_there_is_nothing_to_take_back():
    piece = live()
    assert piece.back(3) == 0
    go(piece, 5)
    assert piece.back(1) == 0


def test_a_rule_that_cannot_be_kept_changes_nothing():
    piece = live(rules=asked(["no-crossing"]))
    with pytest.raises(RuleError):
        piece.turn(rules=asked(["fermata"]), plan=PLAN.replace(fermatas=()))
    go(piece, 8)
    assert piece.plan == PLAN


def test_a_plan_of_another_length_and_a_step_back_by_nothing_are_refused():
    piece = live()
    with pytest.raises(OptionError, match="as long as the piece"):
        piece.turn(plan=PLAN.replace(length_ticks=480))
    with pytest.raises(OptionError, match="a bar or more"):
        piece.back(0)


def test_music_without_voices_grows_so_too():
    notes = Notes(inputs=("beat", "above"))
    plan = notes.plan(Score.from_notes([(0, 480 * 8, 60, 80, 0)], parts=(Part("Piano"),), meters=(Meter(0, 4, 4),)))
    short = lambda *known: rambling(*known) - (np.arange(known[3]) / 8 if known[3] == 385 else 0)  # noqa: E731
    piece = Live(FakeModel.of(notes, short, chained=True), notes, plan, rules=asked(["in-key=G"]))
    go(piece, 12)
    left = piece.back(1)
    assert left < 12
    list(piece)
    assert set((piece.score.notes["pitch"] % 12).tolist()) <= {7, 9, 11, 0, 2, 4, 6}
