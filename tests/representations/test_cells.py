"""Frames of four voices, worked out by hand on a phrase of eight sixteenths."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.errors import OptionError
from kantor.representations import columns
from kantor.representations.cells import HELD, OPEN, Cells
from kantor.representations.chorale import Chorale
from kantor.score import VOICES, Key, Meter, Part, Score
from strategies import grids

EVERYTHING = ("phase", "meter", "beat", "key", "fermata", "remaining")
FRAME = 120  # ticks

#: C5 twice; G4 held; a quarter's rest, then C4; C3 and D3, then a rest. Class = MIDI pitch - 35, held 46 more.
PHRASE = Score.from_notes(
    [
        (0, 480, 72, 80, 0),
        (480, 480, 72, 80, 0),
        (0, 960, 67, 80, 1),
        (480, 480, 60, 80, 2),
        (0, 240, 48, 80, 3),
        (240, 240, 50, 80, 3),
    ],
    parts=tuple(Part(name) for name in VOICES),
)
FRAMES = [
    [37, 32, 0, 13],
    [83, 78, 0, 59],
    [83, 78, 0, 15],
    [83, 78, 0, 61],
    [37, 78, 25, 0],
    [83, 78, 71, 0],
    [83, 78, 71, 0],
    [83, 78, 71, 0],
]


def test_a_frame_says_what_sounds_and_what_is_struck():
    encoding = Cells().encode(PHRASE)
    assert encoding.values.tolist() == FRAMES
    assert encoding.notes == 32  # cells


def test_a_bare_grid_knows_no_repeated_note():
    bare = [list(row) for row in FRAMES]
    bare[4][0] = 83
    assert Cells().encode(PHRASE, bare=True).values.tolist() == bare


def test_notes_come_back_as_they_were():
    made = Cells().decode(np.array(FRAMES), Cells().plan(PHRASE))
    wanted = PHRASE.notes[["onset", "duration", "pitch", "part"]]
    assert made.notes[["onset", "duration", "pitch", "part"]].tolist() == wanted.tolist()


def test_a_hold_of_what_does_not_sound_is_an_attack():
    values = np.array([[83, 0, 0, 0], [84, 0, 0, 0], [84, 0, 0, 0]])
    made = Cells().decode(values, Cells().plan(PHRASE))
    assert made.notes[["onset", "duration", "pitch"]].tolist() == [(0, FRAME, 72), (FRAME, 2 * FRAME, 73)]


def test_a_voice_has_93_classes_and_one_more_that_is_open():
    fields = Cells().fields
    assert [field.name for field in fields] == ["soprano", "alto", "tenor", "bass"]
    for field in fields:
        assert field.size == OPEN == 93
        assert field.table[[0, 1, 46, 47, 92]].tolist() == [
            *((-1, False), (36, True), (81, True)),
            *((36, False), (81, False)),
        ]
    assert columns(Cells(EVERYTHING)).inputs == (93,) * 4 + (16, 5, 33, 25, 19, 34)


def test_conditions_are_those_of_the_chorales_frames():
    score = PHRASE.replace(meters=(Meter(0, 3, 4),), keys=(Key(0, -1, "minor"),), fermatas=(480,), anacrusis_ticks=480)
    for bare in (False, True):
        found = Cells(EVERYTHING).encode(score, bare=bare).conditions
        cells = Chorale(spelling="full", inputs=EVERYTHING).encode(score, bare=bare).conditions
        assert np.array_equal(np.repeat(found, 4, axis=0), cells)


def test_a_frame_changes_where_a_voice_moves():
    assert np.flatnonzero(Cells().changed(Cells().encode(PHRASE))).tolist() == [0, 2, 4]


def test_an_unknown_condition_is_refused():
    with pytest.raises(OptionError, match="inputs among phase, meter, beat, key, fermata, remaining; got 'voice'"):
        Cells(inputs=("voice",))


# -- grammar ---------------------------------------------------------------------------------------------------------


def held(deriver, voice):
    """The MIDI pitches that a voice may hold."""
    (row,) = deriver.allowed(voice, np.zeros((1, 4), dtype=int))
    return (np.flatnonzero(row[HELD + 1 :]) + 36).tolist()


def test_only_what_sounds_is_held():
    deriver = Cells().derive(Cells().plan(PHRASE))
    assert [held(deriver, voice) for voice in range(4)] == [[]] * 4
    for row in FRAMES[:5]:
        deriver.push(np.array([row]))
    assert [held(deriver, voice) for voice in range(4)] == [[72], [67], [60], []]
    assert deriver.allowed(3, np.zeros((1, 4), dtype=int))[0, : HELD + 1].all()


def test_nothing_holds_over_into_a_joint():
    deriver = Cells().derive(Cells().plan(PHRASE), joint=1)
    deriver.push(np.array([FRAMES[0]]))
    assert held(deriver, 0) == []
    deriver.push(np.array([FRAMES[0]]))
    assert held(deriver, 0) == [72]


def test_only_what_a_voice_may_sing_is_struck_and_silence_always_is():
    within = np.zeros((4, 128), dtype=bool)
    within[1, 60:62] = True
    deriver = Cells().derive(Cells().plan(PHRASE), within=within)
    struck = [deriver.allowed(voice, np.zeros((1, 4), dtype=int))[0] for voice in range(4)]
    assert [np.flatnonzero(row).tolist() for row in struck] == [[0], [0, 25, 26], [0], [0]]
    one_for_all = Cells().derive(Cells().plan(PHRASE), within=within[1:2])
    assert np.flatnonzero(one_for_all.allowed(3, np.zeros((1, 4), dtype=int))[0]).tolist() == [0, 25, 26]


# -- what is open ----------------------------------------------------------------------------------------------------


def hide(*cells):
    hidden = np.zeros((8, 4), dtype=bool)
    for frame, voice in cells:
        hidden[frame, voice] = True
    return hidden


def test_what_is_open_is_not_shown_and_the_rest_is():
    shown = Cells.shown(np.array(FRAMES), hide((2, 1), (7, 3)))
    wanted = [list(row) for row in FRAMES]
    wanted[2][1] = wanted[7][3] = OPEN
    assert shown.tolist() == wanted


def test_beside_an_open_cell_no_attack_is_told():
    shown = Cells.shown(np.array(FRAMES), hide((3, 0), (1, 3)))
    assert shown[3:6, 0].tolist() == [OPEN, 83, 83]  # struck, but shown as any other
    assert shown[:4, 3].tolist() == [13, OPEN, 61, 61]
    assert Cells.shown(np.array(FRAMES), hide((3, 1)))[4, 0] == 37  # another voice's is


def test_of_a_bare_grid_pitches_are_told_alone():
    shown = Cells.shown(np.array(FRAMES), hide((4, 2)), bare=True)
    assert shown[0].tolist() == [83, 78, 0, 59]
    assert shown[4].tolist() == [83, 78, OPEN, 0]


@given(data=st.data(), bare=st.booleans())
def test_what_is_shown_tells_nothing_of_what_is_open(data, bare):
    """Whatever sounds in the open cells, with all that follows from it for the others, the same is shown."""
    sounds, attacks = data.draw(grids(max_frames=16))
    values = np.where(sounds > 0, sounds - 35 + np.where(attacks, 0, HELD), 0)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    hidden = rng.random(values.shape) < rng.random()
    pitch, struck = Cells.pitches(values), (values > 0) & (values <= HELD)
    other = np.where(hidden, rng.integers(0, 47, size=pitch.shape), pitch)
    struck = np.where(hidden, rng.random(pitch.shape) < 0.5, struck)
    before = np.vstack([np.full((1, 4), -1), other[:-1]])
    struck = (struck | (other != before)) & (other > 0)
    changed = np.where(struck | (other == 0), other, other + HELD)
    assert np.array_equal(Cells.shown(changed, hidden, bare=bare), Cells.shown(values, hidden, bare=bare))


def test_several_pieces_are_shown_at_once():
    values = np.array([FRAMES, FRAMES])
    hidden = np.stack([hide((3, 0)), hide((0, 0))])
    together = Cells.shown(values, hidden)
    assert together.tolist() == [Cells.shown(values[n], hidden[n]).tolist() for n in range(2)]
