"""A choir that says its chords: they are those that a musician would name, and they are charged beside its cells."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from music21.chord import Chord
from music21.pitch import Pitch

from fakes import FakeModel, rambling
from kantor.errors import OptionError, ScoreError
from kantor.evaluation.likelihood import likelihood
from kantor.representations import cells_in, inputs_of
from kantor.representations.choir import Choir
from kantor.representations.chorded import QUALITIES, Chorded, chords_of
from kantor.sampling.fields import surprise
from kantor.sampling.stream import stream
from kantor.score import VOICES, Meter, Part, Score
from kantor.training.blame import Blame
from kantor.verbs._attacks import attacks
from strategies import scores

SHARED = {"order": "SBAT", "inputs": ("phase", "now", "held", "lag-2", "beat", "key")}
each_spelling = pytest.mark.parametrize("spelling", ["plain", "full"])
NAMES = list(QUALITIES)


def both(spelling, score):
    """The same music with its chords and without; scores that neither takes are not judged."""
    known = {"spelling": spelling, **SHARED}
    try:
        Choir(**known).encode(score)
    except ScoreError:
        assume(False)
    return Chorded(**known), Choir(**known)


def name(*pitches):
    """Root and quality of the chord of these MIDI pitches, 0 for silence; "silence" or "other"."""
    chord = int(chords_of(np.array([pitch - 35 if pitch else 0 for pitch in pitches])))
    if chord >= 12 * len(NAMES):
        return "silence" if chord == 12 * len(NAMES) else "other"
    return chord % 12, NAMES[chord // 12]


def choral(*frames):
    """Four voices, a quarter each chord."""
    rows = [
        (480 * at, 480, pitch, 80, voice)
        for at, chord in enumerate(frames)
        for voice, pitch in enumerate(chord)
        if pitch
    ]
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), meters=(Meter(0, 4, 4),))


# -- what a chord is -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pitches", "expected"),
    [
        ((72, 67, 64, 48), (0, "major")),
        ((76, 72, 67, 52), (0, "major")),  # in first inversion
        ((72, 64, 60, 48), (0, "major")),  # without its fifth
        ((69, 64, 60, 45), (9, "minor")),
        ((74, 71, 65, 47), (11, "diminished")),
        ((65, 62, 59, 43), (7, "dominant seventh")),
        ((65, 59, 55, 43), (7, "dominant seventh")),  # without its fifth
        ((64, 60, 55, 45), (9, "minor seventh")),
        ((69, 65, 62, 47), (11, "half-diminished seventh")),
        ((71, 67, 64, 48), (0, "major seventh")),
        ((72, 68, 64, 48), (0, "augmented")),
        ((72, 68, 60, 52), (4, "augmented")),  # the same notes over another bass
        ((74, 71, 68, 53), (5, "diminished seventh")),
        ((74, 71, 65, 44), (8, "diminished seventh")),
        ((64, 0, 60, 0), (0, "major")),
        ((72, 67, 60, 48), "other"),  # a bare fifth
        ((72, 67, 65, 48), "other"),  # a suspension
        ((72, 60, 60, 48), "other"),
        ((0, 0, 0, 48), "other"),
        ((0, 0, 0, 0), "silence"),
    ],
)
def test_a_chord_has_the_name_that_a_musician_gives_it(pitches, expected):
    assert name(*pitches) == expected


#: What music21 asks of a chord, by our name of its quality, and how the intervals above its root are spelt.
ASKED = {
    "major": ("isMajorTriad", ("M3", "P5")),
    "minor": ("isMinorTriad", ("m3", "P5")),
    "diminished": ("isDiminishedTriad", ("m3", "d5")),
    "augmented": ("isAugmentedTriad", ("M3", "a5")),
    "dominant seventh": ("isDominantSeventh", ("M3", "P5", "m7")),
    "half-diminished seventh": ("isHalfDiminishedSeventh", ("m3", "d5", "m7")),
    "diminished seventh": ("isDiminishedSeventh", ("m3", "d5", "d7")),
}


@pytest.mark.parametrize("quality", ASKED)
@given(root=st.sampled_from(["C", "D", "E", "F", "G", "A", "B-"]), data=st.data())
def test_music21_calls_it_the_same(quality, root, data):
    ask, above = ASKED[quality]
    lowest = Pitch(f"{root}3")
    chord = Chord([lowest, *(lowest.transpose(interval) for interval in above)])
    assert getattr(chord, ask)()
    notes = [pitch.midi for pitch in chord.pitches]
    four = data.draw(st.permutations([*notes, data.draw(st.sampled_from(notes))][:4]))
    pitches = [pitch + 12 * data.draw(st.integers(-1, 1)) for pitch in four]
    symmetric = quality in ("augmented", "diminished seventh")
    assert name(*pitches) == ((min(pitches) if symmetric else notes[0]) % 12, quality)


@given(cells=st.lists(st.one_of(st.just(0), st.integers(1, 35)), min_size=4, max_size=4), by=st.integers(1, 11))
def test_a_chord_moves_with_its_notes(cells, by):
    before, after = (name(*(cell and cell + 35 + up for cell in cells)) for up in (0, by))
    assert after == (before if isinstance(before, str) else ((before[0] + by) % 12, before[1]))


# -- beside the choir ------------------------------------------------------------------------------------------------


@each_spelling
@given(score=scores(max_parts=4), bare=st.booleans())
def test_it_is_the_choir_with_the_chord_that_sounds_before_each_frame(spelling, score, bare):
    chorded, choir = both(spelling, score)
    ours, theirs = chorded.encode(score, bare=bare), choir.encode(score, bare=bare)
    assert np.array_equal(ours.values[:, 1:], theirs.values)
    assert np.array_equal(ours.conditions, theirs.conditions)
    assert ours.notes == theirs.notes
    grid, _ = choir.turns.grid(score)
    assert ours.values[:, 0].tolist() == [int(chords_of(frame)) for frame in grid]


@each_spelling
def test_a_held_chord_is_the_chord_that_is_held(spelling):
    score = choral((72, 67, 64, 48), (0, 0, 0, 0), (71, 67, 62, 43))
    values = Chorded(spelling=spelling).encode(score).values[:, 0]
    major = NAMES.index("major")
    assert values.tolist() == [12 * major] * 4 + [12 * len(NAMES)] * 4 + [12 * major + 7] * 4


@each_spelling
@given(score=scores(max_parts=4), seed=st.integers(0, 1000))
def test_what_may_come_and_what_would_sound_hears_nothing_of_the_chord(spelling, score, seed):
    chorded, choir = both(spelling, score)
    encoding, rng = choir.encode(score), np.random.default_rng(seed)
    within = rng.random((4, 128)) < 0.8
    ours = chorded.derive(encoding.plan, within=within, joint=1)
    theirs = choir.derive(encoding.plan, within=within, joint=1)
    for frame in encoding.values[:12]:
        said = np.concatenate([[rng.integers(chorded.fields[0].size)], frame])[None]
        assert ours.allowed(0, said) is None
        assert ours.situation(0, said, 3) is None
        for turn in range(4):
            assert np.array_equal(ours.allowed(turn + 1, said), theirs.allowed(turn, frame[None]))
            one, other = ours.situation(turn + 1, said, 3), theirs.situation(turn, frame[None], 3)
            assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))
        ours.push(said)
        theirs.push(frame[None])
        assert np.array_equal(ours.conditions(), theirs.conditions())


@given(score=scores(max_parts=4))
def test_its_notes_are_struck_by_the_fields_behind_the_chord(score):
    chorded, choir = both("full", score)
    ours = attacks(chorded, chorded.encode(score).values)
    theirs = attacks(choir, choir.encode(score).values)
    assert np.array_equal(ours.field, theirs.field + 1)
    for one in ("step", "tick", "pitch", "voice"):
        assert np.array_equal(getattr(ours, one), getattr(theirs, one))


# -- what it costs ---------------------------------------------------------------------------------------------------


@each_spelling
@given(score=scores(max_parts=4))
def test_all_fields_are_charged_and_four_are_cells(spelling, score):
    chorded, _ = both(spelling, score)
    encoding = chorded.encode(score)
    figures = likelihood(FakeModel.of(chorded, rambling, chained=True), chorded, [score])
    assert figures.notes == encoding.notes == 4 * len(encoding) == cells_in(chorded, len(encoding))
    assert list(figures.nats_by_field) == ["chord", "soprano", "bass", "alto", "tenor"]
    assert figures.nats_per_note == pytest.approx(sum(figures.nats_by_field.values()))
    assert figures.nats_per_frame == pytest.approx(4 * figures.nats_per_note)


def test_chance_pays_for_the_chord_too():
    chorded = Chorded(**SHARED)
    figures = likelihood(FakeModel.of(chorded), chorded, [choral((72, 67, 64, 48), (71, 67, 62, 43))])
    assert figures.nats_per_note == pytest.approx((np.log(110) + 4 * np.log(47)) / 4)


@given(score=scores(max_parts=4))
def test_right_cells_are_the_voices_alone(score):
    chorded, choir = both("full", score)
    ours, theirs = (likelihood(FakeModel.of(known), known, [score]) for known in (chorded, choir))
    for figure in ("accuracy", "accuracy_changed", "copy_accuracy", "notes", "frames"):
        assert getattr(ours, figure) == pytest.approx(getattr(theirs, figure))


# -- composing -------------------------------------------------------------------------------------------------------


@each_spelling
def test_what_is_drawn_is_what_goes_on_and_what_is_decoded_is_what_is_sung(spelling):
    chorded = Chorded(spelling=spelling, **SHARED)
    plan = chorded.plan(choral((72, 67, 64, 48), (71, 67, 62, 43), (72, 67, 64, 48)))
    model = FakeModel.of(chorded, rambling, chained=True)
    drawn = list(stream(model, chorded, plan, [np.random.default_rng(3)]))
    values = np.concatenate([decision.values for decision in drawn])
    made = chorded.encode(chorded.decode(values, plan))
    assert np.array_equal(made.values[:, 1:], values[:, 1:])
    assert (made.values[:, 0] != values[:, 0]).any()  # it said one thing and sang another
    shown = inputs_of(replace(made, values=values), chorded)  # what was said is what the next step is shown
    features, _ = model.run(shown[None], model.initial(1))
    for k, field in enumerate(chorded.fields):
        whole = surprise(field, model.field(features, values[None], k)[0], values[:, k : k + 1])
        stepwise = np.concatenate([decision.by_field[:, k] for decision in drawn])
        np.testing.assert_allclose(whole, stepwise, rtol=1e-5)


def test_rules_blame_its_voices_as_they_blame_a_choirs_and_never_its_chord():
    score = choral((72, 67, 64, 48), (74, 69, 65, 50), (72, 67, 64, 48))
    known = {"spelling": "full", "order": "SBAT"}
    ours, theirs = (Blame(kind(**known), ["no-parallels"])(score) for kind in (Chorded, Choir))
    assert theirs.any()
    assert not ours[:, 0].any()
    assert np.array_equal(ours[:, 1:, : theirs.shape[2]], theirs)


@pytest.mark.parametrize("name", ["voice", "own"])
def test_what_is_one_voices_own_is_no_input_of_a_frame(name):
    with pytest.raises(OptionError, match=f"expected inputs of a whole frame, got '{name}'"):
        Chorded(inputs=(name,))
