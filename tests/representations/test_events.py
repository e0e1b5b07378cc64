"""Three streams of classes from small vocabularies, worked out by hand; times in steps of 24 a quarter."""

import math

import numpy as np
import pytest

from kantor.errors import OptionError
from kantor.representations.events import Events
from kantor.score import Part, Score

STEP = 20  # ticks


def played(*rows, **known):
    """A piano; rows are (onset, duration, pitches) in grid steps."""
    notes = [(STEP * at, STEP * lasting, pitch, 80, 0) for at, lasting, chord in rows for pitch in chord]
    return Score.from_notes(notes, parts=(Part("Piano"),), **known)


SMALL = Events(sounds=((60,), (60, 64, 67), (72,)), offsets=(0, 12), durations=(12, 24))
UNKNOWN = [3, 2, 2]  # the last class of each stream
KNOWN = played((0, 24, (60,)), (12, 12, (60, 64, 67)), (12, 24, (72,)), (24, 12, (60,)))


def test_an_event_is_what_begins_and_ends_together():
    encoding = SMALL.encode(KNOWN)
    assert encoding.values.tolist() == [[0, 0, 1], [1, 1, 0], [2, 0, 1], [0, 1, 0]]
    assert encoding.targets.tolist() == encoding.values.tolist()
    assert (encoding.notes, encoding.unknown, sum(encoding.spelling)) == (6, 0, 0)


def test_what_is_known_comes_back():
    assert SMALL.decode(SMALL.encode(KNOWN).values, SMALL.plan(KNOWN)) == SMALL.canonical(KNOWN)


def test_shorter_events_of_one_moment_come_first():
    score = played((0, 24, (60,)), (0, 12, (72,)))
    assert SMALL.encode(score).values.tolist() == [[2, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("chord", "nearest"),
    [
        ((62,), 0),  # one note exchanged either way; 60 is nearer in height
        ((71,), 2),
        ((60, 64), 1),  # one note exchanged either way; of their means, 60, 62 and 63.7, the triad's is nearer
        ((60, 64, 68), 1),
        ((60, 64, 67, 72), 1),
        ((40, 72), 2),
    ],
)
def test_an_unknown_chord_is_read_as_the_one_with_the_fewest_notes_to_exchange(chord, nearest):
    encoding = SMALL.encode(played((0, 12, chord)))
    assert encoding.values.tolist() == [[nearest, 0, 0]]
    assert encoding.targets.tolist() == [[UNKNOWN[0], 0, 0]]
    assert (encoding.notes, encoding.unknown) == (len(chord), 1)


@pytest.mark.parametrize(
    ("time", "offset", "duration"), [(5, 0, 0), (6, 0, 0), (7, 1, 0), (17, 1, 0), (18, 1, 0), (19, 1, 1), (300, 1, 1)]
)
def test_an_unknown_time_is_read_as_the_nearest_and_of_two_as_the_shorter(time, offset, duration):
    encoding = SMALL.encode(played((time, time, (60,))))
    assert encoding.values.tolist() == [[0, offset, duration]]
    assert encoding.targets.tolist() == [[0, UNKNOWN[1], UNKNOWN[2]]]


def test_a_vocabulary_of_one_time_is_the_nearest_of_all():
    one = Events(sounds=((60,),), offsets=(0,), durations=(12,))
    encoding = one.encode(played((7, 40, (60,))))
    assert encoding.values.tolist() == [[0, 0, 0]]
    assert encoding.targets.tolist() == [[0, 1, 1]]


def test_spelling_names_the_notes_and_their_number_or_a_place_on_the_grid():
    strange = played((0, 12, (62,)), (12, 12, (50, 57, 62)), (17, 50, (60,)))
    what, offset, duration = SMALL.encode(strange).spelling
    # a number of notes up to 128, then which of all pitches
    assert what == pytest.approx(2 * math.log(128) + math.log(128 * 127 * 126 / 6) + math.log(128))
    assert offset == pytest.approx(math.log(385))  # 5 steps: of 0..384
    assert duration == pytest.approx(math.log(384))  # 50 steps: of 1..384
    assert SMALL.encode(strange).unknown == 3


def test_a_time_beyond_the_grid_is_spelt_in_several_places():
    late = SMALL.encode(played((1000, 12, (60,))))
    assert late.spelling[1] == pytest.approx(3 * math.log(385))  # 384 twice, and 232


def test_what_one_offset_is_too_long_or_too_short_the_next_makes_up_for():
    drifting = played(*((8 * n, 12, (60,)) for n in range(7)))  # every 8 steps, where 0 and 12 are known
    encoding = SMALL.encode(drifting)
    onsets = np.array(SMALL.offsets)[encoding.values[:, 1]].cumsum()
    assert np.abs(onsets - 8 * np.arange(7)).max() <= 6  # half of what is between the two
    assert encoding.targets[1:, 1].tolist() == [2] * 6


def test_a_vocabulary_is_what_comes_twice_in_all_pieces_together():
    first = played((0, 12, (60,)), (12, 12, (60, 64)), (24, 6, (72,)))
    second = played((0, 12, (60, 64)), (48, 12, (60,)), (60, 3, (48,)))
    learned = Events().learn([first, second])
    assert learned.sounds == ((60,), (60, 64))
    assert learned.offsets == (0, 12)  # 12 twice in the first and once in the second; 48 once
    assert learned.durations == (12,)
    assert [field.size for field in learned.fields] == [3, 3, 2]


def test_where_nothing_comes_twice_the_vocabulary_stays():
    learned = Events().learn([played((0, 5, (60,)))])
    assert learned == Events()


def test_an_unlearned_vocabulary_has_every_key_of_a_piano():
    what, offset, duration = Events().fields
    assert [what.table[0], what.table[87], what.table[88]] == [(21,), (108,), ()]
    assert (what.size, offset.size, duration.size) == (89, 11, 10)


def test_vocabularies_may_come_as_json_has_them():
    assert Events(sounds=[[60], [60, 64]], offsets=[0], durations=[12]) == Events(((60,), (60, 64)), (0,), (12,))


@pytest.mark.parametrize("empty", ["sounds", "offsets", "durations"])
def test_an_empty_vocabulary_is_refused(empty):
    with pytest.raises(OptionError, match="one class or more, got an empty one; try more music"):
        Events(**{empty: ()})


def test_unknown_is_never_admitted_and_what_is_not_within_neither():
    deriver = SMALL.derive(SMALL.plan(KNOWN))
    row = np.zeros((1, 3), dtype=int)
    assert [deriver.allowed(k, row)[0].tolist() for k in range(3)] == [
        [True, True, True, False],
        [True, True, False],
        [True, True, False],
    ]
    within = np.isin(np.arange(128), [60, 64, 72])[None]
    assert SMALL.derive(SMALL.plan(KNOWN), within=within).allowed(0, row)[0].tolist() == [True, False, True, False]


def test_a_piece_ends_when_an_event_begins_at_its_end_or_when_it_has_its_notes():
    plan = SMALL.plan(KNOWN.replace(length_ticks=48 * STEP))
    by_time, by_notes = SMALL.derive(plan), SMALL.derive(plan, notes=4)
    for n, values in enumerate([[0, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 0], [0, 1, 0]]):
        assert by_time.progress() == pytest.approx(max(n - 1, 0) * 12 / 48)
        assert (by_notes.done() is None) == (n < 2)
        assert by_time.done() is None
        for deriver in (by_time, by_notes):
            deriver.push(np.array([values]))
    assert by_time.done().tolist() == by_notes.done().tolist() == [True]


def test_events_before_a_moment_are_those_that_begin_before_it():
    values = SMALL.encode(KNOWN).values
    assert [SMALL.until(values, tick) for tick in (0, 1, 240, 241, 480, 481)] == [0, 1, 1, 3, 3, 4]
