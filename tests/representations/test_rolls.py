"""Small piano rolls, worked out by hand: as frames of 88 keys, and written out key by key."""

import numpy as np
import pytest

from kantor.errors import OptionError, ScoreError
from kantor.representations.frames import Frames
from kantor.representations.roll import Roll
from kantor.score import Key, Meter, Part, Score

SIXTEENTH = 120
C, E, G = 60 - 21, 64 - 21, 67 - 21  # keys of middle C and its triad
NONE = 88
END, BINARY_END = 176, 88


def held(key):
    return 88 + key


def played(*rows, frames=0, **known):
    """A piano; rows are (frame, frames, pitch) in sixteenths."""
    notes = [(SIXTEENTH * at, SIXTEENTH * lasting, pitch, 80, 0) for at, lasting, pitch in rows]
    return Score.from_notes(notes, **{"length_ticks": SIXTEENTH * frames, "parts": (Part("Piano"),), **known})


#: C and E, of which C holds and is struck again; a frame of silence.
SMALL = played((0, 2, 60), (0, 1, 64), (2, 1, 60), frames=4)


def steps(score, **options):
    return Roll(**options).encode(score).values[:, 0].tolist()


def sounding(score, **options):
    """The keys of each frame."""
    return [np.flatnonzero(row).tolist() for row in Frames(**options).encode(score).values]


def column(score, name, **options):
    representation = Roll(inputs=(name.rpartition("@")[0] or name,), **options)
    names = [condition.name for condition in representation.conditions]
    return representation.encode(score).conditions[:, names.index(name.replace("@", "-"))].tolist()


# -- steps -----------------------------------------------------------------------------------------------------------


def test_a_struck_roll_tells_what_is_struck_from_what_is_held():
    assert steps(SMALL) == [C, E, END, held(C), END, C, END, END]
    assert Roll().encode(SMALL).notes == 3


def test_a_binary_roll_tells_what_sounds():
    assert steps(SMALL, spelling="binary") == [C, E, BINARY_END, C, BINARY_END, C, BINARY_END, BINARY_END]
    assert sounding(SMALL) == [[C, E], [C], [C], []]
    assert Roll("binary").encode(SMALL).notes == Frames().encode(SMALL).notes == 2


def test_frames_are_columns_of_noughts_and_ones():
    values = Frames().encode(SMALL).values
    assert values.shape == (4, 88)
    assert set(np.unique(values)) == {0, 1}


def test_what_a_binary_roll_cannot_tell_is_merged():
    kept = Frames().canonical(SMALL)
    assert kept.notes[["onset", "duration", "pitch"]].tolist() == [(0, 360, 60), (0, 120, 64)]
    assert Roll("binary").canonical(SMALL) == kept
    assert len(Roll().canonical(SMALL)) == 3


def test_the_lowest_and_the_highest_key_are_a0_and_c8():
    assert steps(played((0, 1, 21), (0, 1, 108))) == [0, 87, END]
    assert sounding(played((0, 1, 21), (0, 1, 108))) == [[0, 87]]


@pytest.mark.parametrize("pitch", [20, 109])
@pytest.mark.parametrize("representation", [Roll(), Frames()], ids=["roll", "frames"])
def test_what_no_piano_has_is_refused(representation, pitch):
    with pytest.raises(ScoreError, match=r"notes of a piano, A0 to C8, got .*; try transposing"):
        representation.encode(played((0, 1, pitch)))


def test_a_table_says_what_every_class_means():
    (struck,), (binary,), (keys,) = Roll().fields, Roll("binary").fields, Frames().fields
    assert (struck.size, binary.size, keys.size, keys.width) == (177, 89, 88, 88)
    assert struck.table[[0, 87, 88, 176]].tolist() == [(21, True), (108, True), (21, False), (-1, False)]
    assert binary.table[[0, 88]].tolist() == [(21, True), (-1, False)]
    assert keys.table.tolist() == list(range(21, 109))


def test_other_resolutions_have_other_frames():
    assert sounding(SMALL, steps_per_quarter=1) == [[C, E]]
    assert sounding(SMALL, steps_per_quarter=2) == [[C, E], [C]]
    assert steps(SMALL, steps_per_quarter=2) == [C, E, END, C, END]
    assert len(sounding(SMALL, steps_per_quarter=24)) == 24


def test_onsets_and_ends_are_rounded_half_up_and_every_note_lasts_a_frame():
    raw = Score.from_notes([(59, 10, 60, 80, 0), (60, 10, 64, 80, 0), (100, 200, 67, 80, 0)])
    assert sounding(raw) == [[C], [E, G], [G]]  # 100 -> 1, 300 -> 2.5 -> 3


def test_a_note_struck_while_it_sounds_is_struck_again():
    over = played((0, 3, 60), (1, 1, 60), frames=4)
    assert steps(over) == [C, END, C, END, held(C), END, END]


# -- and back --------------------------------------------------------------------------------------------------------


def test_what_is_held_from_silence_is_struck():
    values = np.array([held(C), END, held(C), held(E), END])[:, None]
    made = Roll().decode(values, Roll().plan(played((0, 2, 60))))
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, 240, 60), (120, 120, 64)]


def test_a_frame_without_its_end_is_left_out_and_so_is_what_lies_beyond_the_plan():
    plan = Roll().plan(played((0, 2, 60)))
    assert Roll().decode(np.array([[C], [END], [E]]), plan).notes["pitch"].tolist() == [60]
    longer = np.array([C, END, held(C), END, held(C), E, END])[:, None]
    assert Roll().decode(longer, plan).notes[["duration", "pitch"]].tolist() == [(240, 60)]
    assert Frames().decode(np.ones((5, 88), dtype=int), plan).notes["duration"].tolist() == [240] * 88


def test_no_steps_are_no_notes():
    plan = Roll().plan(SMALL)
    assert len(Roll().decode(np.empty((0, 1), dtype=int), plan)) == 0
    assert len(Frames().decode(np.empty((0, 88), dtype=int), plan)) == 0


# -- conditions ------------------------------------------------------------------------------------------------------

#              C  E  end | C  end | C  end | end
FRAME_OF_STEP = [0, 0, 0, 1, 1, 2, 2, 3]


def test_every_step_knows_its_frame_and_its_place_in_it():
    assert Roll().frames(Roll().encode(SMALL)).tolist() == FRAME_OF_STEP
    assert column(SMALL, "rank") == [0, 1, 2, 0, 1, 0, 1, 0]
    assert column(SMALL, "phase") == FRAME_OF_STEP


def test_a_rank_is_counted_to_nine_and_a_phase_to_sixteen_quarters():
    cluster = played(*((0, 1, 40 + n) for n in range(12)))
    assert column(cluster, "rank") == [*range(10), 9, 9, 9]
    long = played((0, 70, 60), frames=70)
    assert column(long, "phase")[::2] == [*range(64), *range(6)]
    assert column(long, "phase", steps_per_quarter=1)[::2] == [*range(16), 0, 1]


def test_the_last_frame_is_shown_by_its_lowest_keys():
    assert column(SMALL, "last@0") == [NONE, NONE, NONE, C, C, C, C, C]
    assert column(SMALL, "last@1") == [NONE, NONE, NONE, E, E, NONE, NONE, NONE]
    cluster = played(*((0, 2, 40 + n) for n in range(12)))
    assert [column(cluster, f"last@{rank}")[-1] for rank in range(6)] == [19, 20, 21, 22, 23, 24]


def test_an_earlier_frame_is_shown_too():
    assert column(SMALL, "lag-2@0") == [NONE] * 5 + [C, C, C]
    assert column(SMALL, "lag-2@1") == [NONE] * 5 + [E, E, NONE]
    assert column(SMALL, "lag-1@1") == column(SMALL, "last@1")
    assert column(SMALL, "lag-3@0") == [NONE] * 7 + [C]


def test_above_are_the_next_keys_of_the_last_frame():
    triad = played((0, 2, 60), (0, 2, 64), (0, 2, 67), (2, 1, 64))
    # C E G end | C E G end | E end
    assert column(triad, "above@0") == [NONE] * 4 + [C, E, G, NONE] + [C, G]
    assert column(triad, "above@1") == [NONE] * 4 + [E, G, NONE, NONE] + [E, NONE]


def test_an_age_is_how_long_a_key_has_sounded_since_it_was_struck():
    over = played((0, 2, 60), (0, 4, 64), (2, 1, 60), frames=4)
    # C E end | C E end | C E end | E end
    assert column(over, "age@0") == [0, 0, 0, 1, 1, 0, 2, 2, 0, 1, 0]
    assert column(over, "age@1") == [0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0]
    # A binary roll cannot tell that C was struck again.
    assert column(over, "age@0", spelling="binary") == [0, 0, 0, 1, 1, 0, 2, 2, 0, 3, 0]
    assert max(column(played((0, 50, 60)), "age@0")) == 32


def test_planned_conditions_are_those_of_the_frame():
    waltz = SMALL.replace(meters=(Meter(0, 3, 4),), keys=(Key(240, 1, "major"),), anacrusis_ticks=240)
    assert column(waltz, "beat") == [(60, 66, 0, 6)[frame] for frame in FRAME_OF_STEP]
    assert set(column(waltz, "meter")) == {1}
    assert column(waltz, "key") == [(24, 24, 7, 7)[frame] for frame in FRAME_OF_STEP]
    assert column(waltz, "remaining") == [(1, 0, 0, 0)[frame] for frame in FRAME_OF_STEP]
    assert set(column(SMALL, "beat")) == {144}


# -- grammar ---------------------------------------------------------------------------------------------------------


class Writing:
    """A roll in the making: which steps may come, and which come."""

    def __init__(self, representation, frames=4, **options):
        self.deriver = representation.derive(representation.plan(played((0, 1, 60), frames=frames)), **options)

    def allowed(self):
        return np.flatnonzero(self.deriver.allowed(0, np.zeros((1, 1), dtype=int))[0]).tolist()

    def push(self, *steps):
        for step in steps:
            self.deriver.push(np.array([[step]]))


def test_keys_ascend_and_only_what_sounded_can_be_held():
    roll = Writing(Roll())
    assert roll.allowed() == [*range(88), END]
    roll.push(C, E)
    assert roll.allowed() == [*range(E + 1, 88), END]
    roll.push(END)
    assert roll.allowed() == [*range(88), held(C), held(E), END]
    roll.push(held(C))
    assert roll.allowed() == [*range(C + 1, 88), held(E), END]
    roll.push(END)
    assert roll.allowed() == [*range(88), held(C), END]


def test_a_binary_roll_is_free_to_sound_anything_higher():
    roll = Writing(Roll("binary"))
    roll.push(C)
    assert roll.allowed() == [*range(C + 1, 88), BINARY_END]


def test_what_is_not_within_is_not_struck_but_what_sounds_may_be_held():
    within = np.isin(np.arange(128), [64, 67])[None]
    roll = Writing(Roll(), within=within)
    assert roll.allowed() == [E, G, END]
    roll.push(C, END)  # given
    assert roll.allowed() == [E, G, held(C), END]
    frames = Frames().derive(Frames().plan(SMALL), within=within)
    assert np.flatnonzero(frames.allowed(0, np.zeros((1, 88), dtype=int))[0]).tolist() == [E, G]
    assert Frames().derive(Frames().plan(SMALL)).allowed(0, np.zeros((1, 88), dtype=int)) is None


@pytest.mark.parametrize(
    ("spelling", "written"),
    [("struck", [C, E, END, held(C), G, END]), ("binary", [C, E, BINARY_END, C, G, BINARY_END])],
)
def test_a_number_of_notes_ends_a_roll_with_its_frame(spelling, written):
    roll = Writing(Roll(spelling), frames=100, notes=3)
    for step in written:
        assert roll.deriver.done() is None
        roll.push(step)
    assert roll.deriver.done().tolist() == [True]
    roll.push(C)  # and what is decided after its end does not begin it anew
    assert roll.deriver.done().tolist() == [True]


def test_a_number_of_notes_ends_frames_when_they_have_been_struck():
    frames = Frames().derive(Frames().plan(played((0, 1, 60), frames=100)), notes=3)
    for row in Frames().encode(played((0, 2, 60), (1, 1, 64), (2, 1, 67))).values:
        assert frames.done() is None
        frames.push(row[None])
    assert frames.done().tolist() == [True]


def test_progress_is_by_frames_or_by_notes_whichever_is_further():
    roll = Writing(Roll(), frames=4, notes=100)
    roll.push(C, END)
    assert roll.deriver.progress() == 0.25
    roll = Writing(Roll(), frames=100, notes=4)
    roll.push(C, E, END)
    assert roll.deriver.progress() == 0.5


# -- the rest --------------------------------------------------------------------------------------------------------


def test_steps_before_a_moment_are_those_of_the_frames_that_begin_before_it():
    values = Roll().encode(SMALL).values
    wanted = [(0, 0), (1, 3), (120, 3), (121, 5), (240, 5), (360, 7), (480, 8), (9999, 8)]
    assert [Roll().until(values, tick) for tick, _ in wanted] == [count for _, count in wanted]
    frames = Frames().encode(SMALL).values
    assert [Frames().until(frames, tick) for tick, _ in wanted] == [0, 1, 1, 2, 2, 3, 4, 4]


def test_what_changed_is_a_frame_with_other_keys_or_with_one_struck():
    rolls = played((0, 2, 60), (2, 2, 60), frames=5)
    assert Roll().changed(Roll().encode(rolls)).tolist() == [
        *(True, True),  # C struck
        *(False, False),  # C held
        *(True, True),  # C struck again
        *(False, False),
        True,  # silence
    ]
    assert Roll("binary").changed(Roll("binary").encode(rolls)).tolist() == [True] * 2 + [False] * 6 + [True]
    assert Frames().changed(Frames().encode(rolls)).tolist() == [True, False, False, False, True]


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: Roll("long"), "'long'"),
        (
            lambda: Roll(steps_per_quarter=5),
            "steps_per_quarter among 1, 2, 3, 4, 6, 8, 12, 24, got 5; 4 are sixteenths",
        ),
        (lambda: Frames(steps_per_quarter=0), "got 0; 4 are sixteenths"),
        (lambda: Roll(inputs=("lag-0",)), "got 'lag-0'"),
        (lambda: Roll(inputs=("lag-65",)), "got 'lag-65'"),
        (
            lambda: Roll(inputs=("tempo",)),
            r"inputs among rank, phase, above, age, last, lag-1\.\.lag-64, .*; got 'tempo'",
        ),
    ],
)
def test_an_unknown_option_is_refused(make, complaint):
    with pytest.raises(OptionError, match=complaint):
        make()
