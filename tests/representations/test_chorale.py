"""The cells of small pieces, worked out by hand."""

import numpy as np
import pytest
from hypothesis import assume, given

from kantor.errors import OptionError, ScoreError
from kantor.representations.chorale import CELL, Chorale
from kantor.score import VOICES, Key, Meter, Part, Score
from strategies import scores

SIXTEENTH = 120
CHOIR = tuple(Part(name) for name in VOICES)


def sung(*rows, frames=4, **known):
    """A choir; rows are (frame, frames, pitch, voice)."""
    notes = [(SIXTEENTH * at, SIXTEENTH * length, pitch, 80, voice) for at, length, pitch, voice in rows]
    return Score.from_notes(notes, **{"parts": CHOIR, "length_ticks": frames * SIXTEENTH, **known})


#: Soprano repeats a note; alto holds and rests; tenor begins late; bass is silent.
SMALL = sung((0, 2, 72, 0), (2, 2, 72, 0), (0, 3, 64, 1), (1, 3, 60, 2))


def cells(representation, score, **options):
    """Values by frame and turn."""
    return representation.encode(score, **options).values.reshape(-1, 4).tolist()


def column(score, name, **options):
    """One condition by frame and voice, in the order SATB."""
    representation = Chorale(inputs=(name.split("@")[0],), **options)
    names = [condition.name for condition in representation.conditions]
    return representation.encode(score).conditions[:, names.index(name.replace("@", "-"))].reshape(-1, 4).tolist()


def framed(score, name, **options):
    """A condition that is the same for all voices, by frame."""
    rows = column(score, name, **options)
    assert all(len(set(row)) == 1 for row in rows)
    return [row[0] for row in rows]


# -- cells -----------------------------------------------------------------------------------------------------------


def test_plain_cells_are_silence_and_the_pitches_from_c2():
    assert cells(Chorale(), SMALL) == [[37, 29, 0, 0], [37, 29, 25, 0], [37, 29, 25, 0], [37, 0, 25, 0]]


def test_full_cells_tell_an_attack_from_a_hold():
    hold = Chorale(spelling="full").hold
    wanted = [[37, 29, 0, 0], [hold, hold, 25, 0], [37, hold, hold, 0], [hold, 0, hold, 0]]
    assert cells(Chorale(spelling="full"), SMALL) == wanted


def test_bare_cells_merge_what_is_repeated():
    hold = Chorale(spelling="full").hold
    wanted = [[37, 29, 0, 0], [hold, hold, 25, 0], [hold, hold, hold, 0], [hold, 0, hold, 0]]
    assert cells(Chorale(spelling="full"), SMALL, bare=True) == wanted


def test_voices_take_their_turns_in_the_order_asked_for():
    assert cells(Chorale(order="SBAT"), SMALL)[1] == [37, 0, 29, 25]
    assert column(SMALL, "voice", order="SBAT")[0] == [0, 3, 1, 2]


def test_a_table_says_what_every_class_means():
    (plain,), (full,) = Chorale().fields, Chorale(spelling="full").fields
    assert (plain.size, full.size) == (47, 48)
    assert plain.table.dtype == CELL
    assert plain.table[0].tolist() == (-1, False)
    assert plain.table[[1, 46]].tolist() == [(36, True), (81, True)]
    assert full.table[47].tolist() == (-1, False)


def test_plain_merges_repeated_notes_and_full_keeps_them():
    assert len(Chorale().canonical(SMALL)) == 3
    assert len(Chorale(spelling="full").canonical(SMALL)) == 4


def test_a_bare_encoding_equals_that_of_the_merged_score():
    full = Chorale(spelling="full", inputs=("held", "now", "own", "lag-2"))
    merged = full.canonical(Chorale().canonical(SMALL))
    one, other = full.encode(SMALL, bare=True), full.encode(merged)
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.conditions, other.conditions)


@given(score=scores())
def test_what_changed_is_what_copying_the_frame_before_would_miss(score):
    assume(len(score))
    representation = Chorale(spelling="full")
    try:
        grid, attacks = representation.grid(score)
    except ScoreError:
        assume(False)
    changed = representation.changed(representation.encode(score)).reshape(-1, 4)
    for frame in range(1, len(grid)):
        for voice in range(4):
            fresh = grid[frame, voice] != grid[frame - 1, voice] or (attacks[frame, voice] and grid[frame, voice] > 0)
            assert changed[frame, voice] == fresh


# -- derived conditions ----------------------------------------------------------------------------------------------

BEFORE = 47


def test_own_is_what_the_voice_sang_in_the_last_frame():
    assert column(SMALL, "own") == [[BEFORE] * 4, [37, 29, 0, 0], [37, 29, 25, 0], [37, 29, 25, 0]]


def test_now_is_what_every_voice_sings_as_far_as_it_is_decided():
    assert column(SMALL, "now@T")[:2] == [[BEFORE, BEFORE, BEFORE, 0], [0, 0, 0, 25]]
    assert column(SMALL, "now@A")[3] == [29, 29, 0, 0]


def test_held_counts_frames_since_the_attack_of_every_voice():
    assert column(SMALL, "held@S", spelling="full") == [[0, 0, 0, 0], [0, 1, 1, 1], [1, 0, 0, 0], [0, 1, 1, 1]]
    assert column(SMALL, "held@S") == [[0, 0, 0, 0], [0, 1, 1, 1], [1, 2, 2, 2], [2, 3, 3, 3]]
    assert column(SMALL, "held@B")[3] == [2, 2, 2, 2]


def test_held_is_capped():
    long = sung((0, 40, 60, 0), frames=40)
    assert column(long, "held@S")[39] == [32, 32, 32, 32]


def test_a_lag_is_a_frame_of_the_past():
    assert column(SMALL, "lag-2@T")[:4] == [[BEFORE] * 4, [BEFORE] * 4, [0] * 4, [25] * 4]


def test_phase_counts_sixteen_frames():
    assert framed(sung((0, 20, 60, 0), frames=20), "phase") == [*range(16), 0, 1, 2, 3]


# -- planned conditions ----------------------------------------------------------------------------------------------


def test_beats_count_from_the_bar_line_and_a_pickup_from_within_its_bar():
    waltz = sung((0, 18, 60, 0), frames=18, meters=(Meter(0, 3, 4),), anacrusis_ticks=480)
    assert framed(waltz, "beat") == [8, 9, 10, 11, *range(12), 0, 1]
    assert framed(waltz, "meter") == [1] * 18


def test_without_a_meter_neither_meter_nor_beat_is_known():
    assert set(framed(SMALL, "meter")) == {4}
    assert set(framed(SMALL, "beat")) == {32}


def test_a_meter_without_a_class_is_unknown_but_its_beats_are_not():
    odd = sung((0, 10, 60, 0), frames=10, meters=(Meter(0, 5, 8),))
    assert set(framed(odd, "meter")) == {4}
    assert framed(odd, "beat") == list(range(10))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Key(0, 0, "major"), 0),
        (Key(0, 1, "major"), 7),
        (Key(0, -3, "major"), 3),
        (Key(0, 0, "minor"), 12 + 9),
        (Key(0, -3, "minor"), 12 + 0),
        (Key(0, 3, "minor"), 12 + 6),
        (Key(0, 2, ""), 24),
    ],
)
def test_a_key_is_its_tonic_and_mode(key, expected):
    assert framed(SMALL.replace(keys=(key,)), "key") == [expected] * 4


def test_a_key_holds_until_the_next_and_is_unknown_before_the_first():
    keys = (Key(120, 0, "major"), Key(360, 1, "major"))
    assert framed(SMALL.replace(keys=keys), "key") == [24, 0, 0, 7]


def test_a_fermata_is_counted_down_to_and_lasts_a_quarter():
    long = sung((0, 30, 60, 0), frames=30, fermatas=(19 * SIXTEENTH,))
    assert framed(long, "fermata") == [17, 17, 17, *range(16, 0, -1), 0, 0, 0, 0, *[17] * 7]


def test_without_fermatas_none_is_known():
    assert set(framed(SMALL, "fermata")) == {18}


def test_remaining_counts_the_frames_to_come_and_is_capped():
    assert framed(SMALL, "remaining") == [3, 2, 1, 0]
    assert framed(sung((0, 40, 60, 0), frames=40), "remaining")[:9] == [32] * 8 + [31]


# -- grammar ---------------------------------------------------------------------------------------------------------


def test_a_hold_is_legal_only_after_a_sounding_note_of_the_same_voice():
    representation = Chorale(spelling="full")
    deriver = representation.derive(representation.plan(SMALL))
    legal = []
    for values in representation.encode(SMALL).values:
        legal.append(bool(deriver.allowed(0, values[None])[0, representation.hold]))
        deriver.push(values[None])
    wanted = [[False] * 4, [True, True, False, False], [True, True, True, False], [True, True, True, False]]
    assert np.array(legal).reshape(-1, 4).tolist() == wanted


def test_plain_cells_know_no_grammar():
    representation = Chorale()
    assert representation.derive(representation.plan(SMALL)).allowed(0, np.zeros((1, 1), dtype=np.int64)) is None


@pytest.mark.parametrize("spelling", ["plain", "full"])
def test_ranges_narrow_the_grammar_voice_by_voice_and_leave_silence(spelling):
    representation = Chorale(spelling=spelling, order="SBAT")
    ranges = np.array([[60, 62], [55, 56], [50, 50], [40, 41]])
    within = (ranges[:, :1] <= np.arange(128)) & (np.arange(128) <= ranges[:, 1:])
    assert attacks(representation, within) == [[60, 61, 62], [40, 41], [55, 56], [50]]
    scale = np.isin(np.arange(128), [40, 60, 81, 100])[None]  # one row for all voices
    assert attacks(representation, scale) == [[40, 60, 81]] * 4


def attacks(representation, within):
    """The pitches that each turn of a first frame admits, silence always among them."""
    deriver = representation.derive(representation.plan(SMALL), within=within)
    pitch = representation.fields[0].table["pitch"]
    admitted, silence = [], np.zeros((1, 1), dtype=np.int64)
    for _ in range(4):
        mask = deriver.allowed(0, silence)[0]
        assert mask[0]
        admitted.append([int(p) for p in pitch[mask] if p >= 0])
        deriver.push(silence)
    return admitted


def test_a_joint_lets_nothing_hold_over_into_its_frame():
    representation = Chorale(spelling="full")
    deriver = representation.derive(representation.plan(SMALL), joint=2 * 4 + 1)
    legal = []
    for values in representation.encode(SMALL).values:
        legal.append(bool(deriver.allowed(0, values[None])[0, representation.hold]))
        deriver.push(values[None])
    assert np.array(legal).reshape(-1, 4)[2].tolist() == [False] * 4
    assert np.array(legal).reshape(-1, 4)[3].tolist() == [True, True, True, False]


def test_a_plan_says_how_many_steps_a_piece_has_and_how_many_lie_before_a_moment():
    representation = Chorale()
    values = representation.encode(SMALL).values
    assert representation.length(representation.plan(SMALL)) == len(values) == 16
    assert [representation.until(values, tick) for tick in (0, 119, 120, 300, 480, 9999)] == [0, 0, 4, 8, 16, 16]
    assert representation.frames(representation.encode(SMALL)).tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_an_unfinished_last_frame_is_left_out():
    representation = Chorale()
    values = np.array([[37], [29], [0], [0], [38]])
    made = representation.decode(values, representation.plan(sung((0, 1, 60, 0), frames=1)))
    assert made.notes["pitch"].tolist() == [72, 64]


# -- what comes in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"spelling": "short"}, "'plain' or 'full', got 'short'"),
        ({"order": "SAT"}, "letters S, A, T, B, got 'SAT'; try SBAT"),
        ({"order": "SSTB"}, "letters S, A, T, B"),
        ({"inputs": ("tempo",)}, r"inputs among voice, .*lag-1\.\.lag-64; got 'tempo'"),
        ({"inputs": ("lag-0",)}, "got 'lag-0'"),
        ({"inputs": ("lag-65",)}, "got 'lag-65'"),
        ({"inputs": ("lag-x",)}, "got 'lag-x'"),
    ],
)
def test_an_unknown_option_is_refused(options, complaint):
    with pytest.raises(OptionError, match=complaint):
        Chorale(**options)


@pytest.mark.parametrize(
    ("pitch", "complaint"), [(35, r"36 \(C2\) to 81 \(A5\), got 35 at row 2.*voice tenor"), (82, "got 82")]
)
def test_a_pitch_out_of_range_is_named_with_its_place(pitch, complaint):
    with pytest.raises(ScoreError, match=complaint):
        Chorale().encode(sung((0, 1, 60, 0), (2, 1, pitch, 2)))


def test_a_score_without_notes_is_refused():
    with pytest.raises(ScoreError, match="one without notes"):
        Chorale().encode(sung())


def test_a_score_that_the_grid_is_too_coarse_for_is_refused():
    with pytest.raises(ScoreError, match="grid of sixteenths"):
        Chorale().encode(Score.from_notes([(100, 20, 60, 80, 0)], length_ticks=130))


def test_a_score_shorter_than_a_sixteenth_is_refused():
    with pytest.raises(ScoreError, match="at least a sixteenth long"):
        Chorale().plan(Score.from_notes([(0, 5, 60, 80, 0)]))


def test_five_notes_at_once_are_refused_with_their_place():
    chord = Score.from_notes([(960, 480, 60 + n, 80, 0) for n in range(5)])
    with pytest.raises(ScoreError, match=r"at most 4 notes at once, got 5, 2 quarters in"):
        Chorale().encode(chord)


def test_a_closed_score_is_dealt_out_from_the_top_down():
    chords = [
        (480 * n, 480, pitch, 80, 0) for n, chord in enumerate([(72, 64, 60, 48), (71, 67, 62, 43)]) for pitch in chord
    ]
    kept = Chorale().canonical(Score.from_notes(chords))
    lines = [kept.notes["pitch"][kept.notes["part"] == voice].tolist() for voice in range(4)]
    assert lines == [[72, 71], [64, 67], [60, 62], [48, 43]]
    assert kept.parts == tuple(Part(name, 19) for name in VOICES)


def test_a_voice_that_holds_keeps_its_note_while_others_move():
    rows = [(0, 960, 72, 80, 0), (0, 480, 64, 80, 0), (480, 480, 65, 80, 0), (0, 960, 48, 80, 0)]
    kept = Chorale().canonical(Score.from_notes(rows))
    assert sorted(kept.notes["duration"].tolist()) == [480, 480, 960, 960]
    moving = kept.notes[np.isin(kept.notes["pitch"], [64, 65])]
    assert len(set(moving["part"].tolist())) == 1


def test_a_score_whose_bass_comes_first_is_turned_round():
    rows = [(0, 4, 48, 0), (0, 4, 55, 1), (0, 4, 64, 2), (0, 4, 72, 3)]
    kept = Chorale().canonical(sung(*rows, parts=(Part(),) * 4))
    assert kept.notes["pitch"].tolist() == [72, 64, 55, 48]


def test_voices_that_say_their_names_are_never_turned_round():
    kept = Chorale().canonical(sung((0, 4, 48, 0), (0, 4, 55, 1), (0, 4, 64, 2), (0, 4, 72, 3)))
    assert kept.notes["pitch"].tolist() == [48, 55, 64, 72]


def test_four_lines_among_more_parts_are_the_four_voices():
    rows = [(0, 480, pitch, 80, part) for part, pitch in ((0, 72), (2, 64), (3, 60), (6, 48))]
    kept = Chorale().canonical(Score.from_notes(rows))
    assert kept.notes["pitch"].tolist() == [72, 64, 60, 48]
    assert kept.notes["part"].tolist() == [0, 1, 2, 3]


def test_a_melody_alone_is_the_soprano_s():
    tune = Score.from_notes([(0, 480, 69, 80, 0), (480, 480, 65, 80, 0), (960, 480, 60, 80, 0)])
    assert Chorale().canonical(tune).notes["part"].tolist() == [0, 0, 0]
