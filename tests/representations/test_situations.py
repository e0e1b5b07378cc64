"""What there is to decide next, in small pieces worked out by hand, and what rules are shown of it."""

from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
import pytest

from kantor.representations import Situation
from kantor.representations._past import NOTES, Past
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import REST, Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.rules import OPEN, SILENT
from kantor.sampling.fields import low_to_high
from kantor.sampling.guard import Asked, Guard
from kantor.score import VOICES, Meter, Part, Score

PIANO = (Part("Piano"),)
S, U = SILENT, OPEN  # U: undecided
C, E, G = 60 - 21, 64 - 21, 67 - 21  # keys


def played(*rows, step, length=0, parts=PIANO, **known):
    """Rows are (onset, duration, pitch) and, where there are several parts, the part; times in steps."""
    notes = [(step * at, step * lasting, pitch, 80, *(part or [0])) for at, lasting, pitch, *part in rows]
    return Score.from_notes(notes, parts=parts, length_ticks=step * length, **known)


def after(representation, score, steps, reach=0, columns=0):
    """The situation of the first field after so many steps; ``columns`` of the next step are known."""
    encoding = representation.encode(score)
    deriver = representation.derive(encoding.plan)
    for values in encoding.values[:steps]:
        deriver.push(values[None])
    row = encoding.values[steps].copy()
    row[columns:] = 0
    return deriver.situation(0, row[None], reach)


def lanes(situation):
    """What has sounded, a lane each in some order: the pitches of the frames, and whether they are struck."""
    pitch, struck = (part[0, :, : situation.voice].T.tolist() for part in (situation.pitch, situation.struck))
    return sorted(zip(pitch, struck, strict=True))


def choice(situation, chosen):
    return situation.choices[0, chosen].tolist(), bool(situation.strikes[0, chosen])


# -- note by note ----------------------------------------------------------------------------------------------------

#: A bass held under two chords; then, after a silence, a note of its own.
HELD = played((0, 48, 40), (0, 24, 60), (0, 24, 64), (24, 24, 62), (24, 36, 65), (72, 6, 67), step=20, length=96)


def test_notes_that_sound_have_a_lane_each_and_so_has_the_next():
    situation = after(Notes(), HELD, 5, reach=2)  # rest, 40, 60, 64, 62: next is 65
    assert situation.frames.tolist() == [[22, 23, 24]]
    assert lanes(situation) == [
        ([S, S, 62], [False, False, True]),
        ([40, 40, 40], [False, False, False]),
        ([60, 60, S], [False, False, False]),
        ([64, 64, S], [False, False, False]),
    ]
    assert (situation.at, situation.voice) == (-1, 4)
    assert situation.pitch[0, :, 4:].tolist() == [[S], [S], [U]]
    assert choice(situation, 65) == ([65], True)
    assert choice(situation, REST) == ([S], False)


def test_nothing_that_has_ended_is_in_view():
    assert lanes(after(Notes(), HELD, 6, reach=2)) == []
    assert lanes(after(Notes(), HELD, 6, reach=13)) == [([65] + [S] * 13, [False] * 14)]


def test_before_a_piece_nothing_is_decided():
    situation = after(Notes(), HELD, 2, reach=3)
    assert situation.frames.tolist() == [[-3, -2, -1, 0]]
    assert situation.pitch[0].tolist() == [[U, U]] * 3 + [[40, U]]
    assert situation.struck[0].tolist() == [[False, False]] * 3 + [[True, False]]


def test_a_chord_fills_as_many_columns_as_it_has_notes():
    chords = Notes(chords=((48, 60), (60, 64, 67)))
    situation = after(chords, HELD, 1)
    assert situation.choices.shape == (1, REST + 3, 3)
    assert choice(situation, REST + 1) == ([48, 60, S], True)
    assert choice(situation, REST + 2) == ([60, 64, 67], True)
    assert choice(situation, 60) == ([60, S, S], True)
    assert choice(situation, REST) == ([S, S, S], False)


def test_the_notes_of_a_chord_have_lanes_of_their_own():
    above = played((0, 24, 60), (0, 24, 64), (0, 36, 72), step=20, length=48)
    assert lanes(after(Notes(chords=((60, 64),)), above, 2)) == [([60], [True]), ([64], [True])]


def test_a_key_that_is_struck_again_while_it_sounds_sounds_twice():
    again = played((0, 48, 60), (24, 24, 60), (24, 24, 67), step=20, length=48)
    assert lanes(after(Notes(), again, 3)) == [([60], [False]), ([60], [True])]


def test_only_what_sounds_is_in_a_situation():
    deriver = Notes().derive(Notes().plan(HELD))
    assert [deriver.situation(k, np.zeros((1, 3), dtype=int), 0) is None for k in range(3)] == [False, True, True]


def test_a_past_keeps_its_last_notes_and_no_more():
    past = Past(1, np.arange(128)[:, None])
    one = np.ones(1, dtype=np.int64)
    for time in range(NOTES + 40):
        past.add(time * one, 1000 * one, time % 128 * one)
    pitch, struck = past.within(np.array([[NOTES + 39, NOTES + 40]]))
    assert pitch.shape == (1, 2, NOTES)
    assert sorted(pitch[0, 0].tolist()) == sorted(time % 128 for time in range(40, NOTES + 40))
    assert struck.sum() == 1


def test_pieces_that_are_kept_keep_their_past():
    past = Past(3, np.arange(128)[:, None])
    past.add(np.zeros(3, dtype=np.int64), np.array([9, 9, 9]), np.array([60, 61, 62]))
    past.keep(np.array([2, 0]))
    past.add(np.zeros(2, dtype=np.int64), np.array([9, 9]), np.array([70, 71]))
    pitch, _ = past.within(np.array([[1], [1]]))
    assert pitch[:, 0].tolist() == [[62, 70], [60, 71]]


@pytest.mark.parametrize(
    ("representation", "middle_c"),
    [(Events(sounds=((59, 62, 65), (60,))), 1), (Regression(), 60)],
    ids=["events", "regression"],
)
def test_where_the_time_is_not_known_a_sound_is_judged_alone(representation, middle_c):
    assert not representation.timed
    score = played((0, 12, 60), (12, 12, 60), (24, 12, 60), step=20, length=36)
    situation = after(representation, score, 2, reach=4)
    assert situation.frames.tolist() == [[8, 9, 10, 11, 12]]  # not before the last note
    assert (situation.pitch == OPEN).all()
    assert situation.pitch.shape[2] == situation.choices.shape[2]
    sounds, struck = choice(situation, middle_c)
    assert ([pitch for pitch in sounds if pitch >= 0], struck) == ([60], True)
    deriver = representation.derive(representation.plan(score))
    assert [deriver.situation(k, np.zeros((1, 3), dtype=int), 0) for k in (1, 2)] == [None, None]


def test_events_show_the_notes_of_their_chords():
    chords = Events(sounds=((59, 62, 65), (60,)))
    situation = after(chords, played((0, 12, 60), (12, 12, 60), step=20, length=36), 1)
    assert [choice(situation, k) for k in range(3)] == [([59, 62, 65], True), ([60, S, S], True), ([S, S, S], False)]


# -- rolls -----------------------------------------------------------------------------------------------------------

#: C and E, of which C holds and is struck again, under G in the end.
SMALL = played((0, 2, 60), (0, 1, 64), (2, 1, 60), (2, 1, 67), step=120, length=4)


def test_of_a_frame_that_is_written_the_keys_above_are_open():
    situation = after(Roll(), SMALL, 3, reach=1)  # C, E, end
    assert situation.frames.tolist() == [[0, 1]]
    assert lanes(situation) == [([60, U], [True, False]), ([64, U], [True, False])]
    situation = after(Roll(), SMALL, 4, reach=1)  # C is held
    assert lanes(situation) == [([60, 60], [True, False]), ([64, U], [True, False])]


def test_a_key_that_is_held_strikes_nothing_nor_does_the_end():
    situation = after(Roll(), SMALL, 3)
    assert choice(situation, C) == ([60], True)
    assert choice(situation, 88 + C) == ([60], False)
    assert choice(situation, 176) == ([S], False)


def test_a_binary_roll_strikes_what_did_not_sound():
    situation = after(Roll("binary"), SMALL, 3)
    assert choice(situation, C) == ([60], False)
    assert choice(situation, G) == ([67], True)
    assert choice(situation, 88) == ([S], False)


def test_each_piece_has_its_own_frame():
    deriver = Roll().derive(*[Roll().plan(SMALL)] * 2)
    for step in ([C, 176], [176, C], [C, 176], [176, E]):  # two frames each; the second is in its third
        deriver.push(np.array(step)[:, None])
    situation = deriver.situation(0, np.zeros((2, 1), dtype=int), 2)
    assert situation.frames.tolist() == [[0, 1, 2], [0, 1, 2]]
    first, second = (sorted(row.T.tolist()) for row in situation.pitch)
    assert first == [[S, S, U], [S, S, S], [60, 60, U]]
    assert second == [[S, S, U], [S, S, 64], [S, 60, S]]


def test_keys_of_a_frame_are_each_alone_beside_those_that_are_decided():
    situation = after(Frames(), SMALL, 2, reach=2, columns=0)
    assert lanes(situation) == [([60, 60, U], [True, False, False]), ([64, S, U], [True, False, False])]
    assert choice(situation, C) == ([60], False)
    assert choice(situation, E) == ([64], True)
    situation = after(Frames(), SMALL, 2, columns=C + 1)  # C is decided, and sounds on
    assert lanes(situation) == [([60], [False])]


def test_a_ring_has_no_more_frames_than_it_has():
    for representation, most in ((Roll(), 128), (Frames(), 127), (Chorale(), 128)):
        assert after(representation, CHORALE, 1, reach=500).pitch.shape[1] == most


# -- chorales --------------------------------------------------------------------------------------------------------

SATB = tuple(Part(name) for name in VOICES)
#: The soprano strikes C twice; the bass holds; the others are silent.
CHORALE = played((0, 1, 60, 0), (1, 2, 60, 0), (0, 3, 48, 3), step=120, length=3, parts=SATB)


def test_a_chorale_knows_what_was_struck_though_no_pitch_changed():
    full = after(Chorale("full"), CHORALE, 8, reach=2)  # two frames
    assert full.pitch[0, :, 0].tolist() == [60, 60, U]
    assert full.struck[0, :, 0].tolist() == [True, True, False]
    assert full.struck[0, :, 3].tolist() == [True, False, False]
    plain = after(Chorale("plain"), CHORALE, 8, reach=2)
    assert plain.struck[0, :, 0].tolist() == [True, False, False]


def test_a_hold_sounds_what_is_held_and_strikes_nothing():
    situation = after(Chorale("full"), CHORALE, 7)  # the bass of the second frame
    assert situation.voice == 3
    assert choice(situation, 47) == ([48], False)
    assert choice(situation, 48 - 35) == ([48], True)
    assert choice(situation, 0) == ([S], False)
    assert situation.pitch[0].tolist() == [[60, S, S, U]]
    assert situation.struck[0].tolist() == [[True, False, False, False]]


# -- tokens ----------------------------------------------------------------------------------------------------------


def test_tokens_say_what_sounds_where_a_pitch_comes_next():
    pytest.importorskip("miditok")
    from kantor.representations.tokens import Tokens

    tokens = Tokens()
    band = (Part("Piano"), Part("Bass", 32), Part("Drums", 0, is_drum=True))
    score = played((0, 24, 60, 0), (12, 6, 36, 2), (12, 6, 40, 1), (12, 6, 64, 0), step=40, length=48, parts=band)
    score = score.replace(meters=(Meter(0, 4, 4),))
    words = tokens.fields[0].table.tolist()
    spelt = [words[token] for token in tokens.encode(score).values[:, 0]]
    situations = [after(tokens, score, step, reach=1) for step in range(len(spelt))]
    assert [word.split("_")[0] for word, one in zip(spelt, situations, strict=True) if one is not None] == [
        "Pitch",
        "PitchDrum",
        "Pitch",
        "Pitch",
    ]
    bass = situations[spelt.index("Pitch_40")]
    assert bass.frames.tolist() == [[11, 12]]
    assert lanes(bass) == sorted([([60, 60], [False, False]), ([S, 64], [False, True])])
    assert choice(bass, words.index("Pitch_40")) == ([40], True)
    for silent in ("PitchDrum_40", "Velocity_79", "Bar_None"):
        assert choice(bass, words.index(silent)) == ([S], False)


# -- what rules are shown --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watching:
    """A rule that finds no fault, and remembers what it has seen."""

    seen: list = field(default_factory=list)

    reach: ClassVar[int] = 0
    needs: ClassVar[frozenset[str]] = frozenset()

    def bound(self, plan, step):
        return self

    def faults(self, view):
        self.seen.append(view)
        return np.zeros(view.pitch.shape, dtype=bool)


def shown(situation):
    """The view of every class of the only piece, and last of none."""
    rule = Watching()
    admitted, _ = Guard([Asked("watching", rule)], [CHORALE], 120, voiced=True).judge(situation)
    assert admitted.all()
    return rule.seen[0]


def test_every_class_is_shown_in_its_place_and_last_none():
    view = shown(after(Chorale("full"), CHORALE, 7))
    assert view.pitch.shape == (1, 49, 1, 4)
    assert view.pitch[0, :, 0, 3].tolist() == [S, *range(36, 82), 48, U]
    assert view.struck[0, :, 0, 3].tolist() == [False, *[True] * 46, False, False]
    assert view.struck[0, :, 0, 0].all()  # what is decided beside it
    assert view.voiced
    assert not shown(after(Notes(), HELD, 5)).voiced


def test_where_a_chord_has_no_note_nothing_is_struck():
    view = shown(after(Notes(chords=((48, 60, 64),)), HELD, 1))
    own = view.struck[0, :, -1]
    assert own[60].tolist() == [True, False, False]
    assert own[REST].tolist() == [False] * 3
    assert own[REST + 1].tolist() == [True] * 3


def test_what_follows_is_struck_where_its_pitch_is_another():
    pitch, struck = np.array([[[60], [U], [62]]]), np.array([[[True], [False], [False]]])
    choices, strikes = np.array([[[60], [62], [S]]]), np.array([[False, True, False]])
    view = shown(Situation(pitch, np.array([[0, 1, 2]]), 1, 0, choices, strikes, struck))
    assert view.pitch[0, :, :, 0].tolist() == [[60, 60, 62], [60, 62, 62], [60, S, 62], [60, U, 62]]
    assert view.struck[0, :, :, 0].tolist() == [
        [True, False, True],
        [True, True, False],
        [True, False, True],
        [True, False, False],
    ]


def test_keys_that_were_drawn_are_kept_from_the_lowest_up():
    drawn = np.array([[1, 1, 0, 1], [0, 1, 1, 1]])
    asked = []

    def at_most_two(kept):
        asked.append(kept.copy())
        return np.repeat(kept.sum(1, keepdims=True) < 2, 4, axis=1)

    assert low_to_high(drawn, at_most_two).tolist() == [[1, 1, 0, 0], [0, 1, 1, 0]]
    assert asked[0].sum() == 0
    assert low_to_high(drawn, lambda kept: None).tolist() == drawn.tolist()
