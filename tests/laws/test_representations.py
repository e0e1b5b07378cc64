"""What holds of every representation: nothing is lost but what ``canonical`` says, and one step at a time is enough."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kantor.errors import ScoreError
from kantor.representations import decided, inputs_of, start_of
from kantor.score import VOICES, Meter, Part, Score
from laws.tiny import each_representation
from strategies import scores

pytestmark = each_representation()

#: On the grid and off it, with a line a part or chords in one.
ANY = st.one_of(
    scores(),
    scores(max_parts=1, monophonic=False),
    st.builds(
        lambda score, resolution: score.replace(ticks_per_quarter=resolution),
        scores(max_frames=24),
        st.sampled_from([160, 320, 500, 960, 1001]),
    ),
)


def canonical(representation, score):
    """What the representation keeps of the score; scores that it refuses are not judged."""
    try:
        return representation.canonical(score)
    except ScoreError:
        assume(False)


def walk(representation, plan, seed, most=600):
    """Steps drawn at random from what the grammar admits; every other one repeats a recent one where it may."""
    rng = np.random.default_rng(seed)
    deriver = representation.derive(plan)
    steps = []
    while deriver.done() is None and len(steps) < most:
        again = steps[rng.integers(max(len(steps) - 4, 0), len(steps))] if steps and rng.random() < 0.5 else None
        row, column = np.zeros(decided(representation), dtype=np.int64), 0
        for k, field in enumerate(representation.fields):
            place = slice(column, column + field.width)
            allowed = deriver.allowed(k, row[None])
            row[place] = drawn(field, rng) if again is None else again[place]
            if allowed is not None and field.kind == "categorical" and not allowed[0, row[column]]:
                row[column] = rng.choice(np.flatnonzero(allowed[0]))
            column += field.width
        deriver.push(row[None])
        steps.append(row)
    return np.array(steps, dtype=np.int64).reshape(-1, decided(representation))


def drawn(field, rng):
    """Anything that a field can hold."""
    if field.kind == "categorical":
        return rng.integers(field.size)
    if field.kind == "real":
        return rng.integers(field.least, 3 * field.grid)
    return rng.random(field.size) < 0.05


@given(score=ANY)
def test_decoding_an_encoding_gives_the_canonical_score(representation, score):
    kept = canonical(representation, score)
    encoding = representation.encode(score)
    if encoding.unknown:  # what is nearest is something else
        return
    assert representation.decode(encoding.values, encoding.plan) == kept


@given(score=ANY)
def test_the_canonical_score_of_a_canonical_score_is_itself(representation, score):
    kept = canonical(representation, score)
    assert representation.canonical(kept) == kept


@given(score=ANY)
def test_a_score_and_its_canonical_score_have_one_encoding(representation, score):
    kept = canonical(representation, score)
    one, other = representation.encode(score), representation.encode(kept)
    assert np.array_equal(one.values, other.values)
    assert np.array_equal(one.conditions, other.conditions)
    assert one.plan == other.plan


@given(score=ANY)
def test_a_plan_knows_the_length_and_no_notes(representation, score):
    canonical(representation, score)
    plan = representation.plan(score)
    encoding = representation.encode(score)
    assert len(plan) == 0
    assert encoding.plan == plan == representation.plan(plan)


@given(score=ANY)
def test_the_steps_before_a_moment_are_those_that_begin_before_it(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    ticks = [0, 1, encoding.plan.length_ticks // 2, encoding.plan.length_ticks]
    counts = [representation.until(encoding.values, tick) for tick in ticks]
    assert counts[0] == 0
    assert counts == sorted(counts)
    assert counts[-1] == len(encoding) or encoding.unknown  # what is nearest may begin at the end
    frames = representation.frames(encoding)
    assert frames[0] == 0
    assert set(np.diff(frames).tolist()) <= {0, 1}


@given(score=ANY)
def test_a_derivers_end_is_that_of_the_piece(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    if encoding.unknown:  # what is nearest may begin sooner or later
        return
    deriver = representation.derive(encoding.plan)
    assert deriver.progress() == 0
    for values in encoding.values:
        assert deriver.done() is None
        deriver.push(values[None])
        assert 0 <= deriver.progress() <= 1
    if representation.unique:  # others end when their last note has begun
        assert deriver.done().all()
        assert deriver.progress() == 1


@given(score=ANY)
def test_every_class_is_within_its_column(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    sizes = [condition.size for condition in representation.conditions]
    assert encoding.values.shape == encoding.targets.shape == (len(encoding), decided(representation))
    assert encoding.conditions.shape == (len(encoding), len(sizes))
    assert (encoding.values >= 0).all()
    column = 0
    for field in representation.fields:
        top = {"categorical": field.size, "multi-hot": 2, "real": np.inf}[field.kind]
        assert (encoding.values[:, column : column + field.width] < top).all()
        assert (encoding.targets[:, column : column + field.width] < top).all()
        column += field.width
    assert (encoding.conditions >= 0).all()
    assert (encoding.conditions < sizes).all()


@given(score=scores())
def test_inputs_are_the_step_before_and_the_conditions_of_this_one(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    inputs = inputs_of(encoding, representation)
    fields = decided(representation)
    assert inputs[0, :fields].tolist() == start_of(representation).tolist()
    assert np.array_equal(inputs[1:, :fields], encoding.values[:-1])
    assert np.array_equal(inputs[:, fields:], encoding.conditions)


def follow(representation, encoding):
    """The conditions of an encoding derived one step at a time; the grammar admits each of its steps on the way."""
    deriver = representation.derive(encoding.plan)
    derived = []
    for step, values in enumerate(encoding.values):
        column = 0
        for k, field in enumerate(representation.fields):
            allowed = deriver.allowed(k, values[None])
            sounds = values[column] if field.kind == "categorical" else values[column : column + field.width] > 0
            assert allowed is None or allowed[0, sounds].all(), f"step {step} is not grammatical"
            column += field.width
        derived.append(deriver.conditions()[0].copy())
        deriver.push(values[None])
    return np.array(derived).reshape(encoding.conditions.shape)


@given(score=ANY)
def test_conditions_derived_one_at_a_time_are_those_derived_at_once(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    assert np.array_equal(follow(representation, encoding), encoding.conditions)


@pytest.mark.corpus
def test_the_laws_hold_for_chorales_of_the_corpus(representation, bach):
    for piece in bach.pieces()[::60]:
        encoding = representation.encode(piece.score)
        kept = representation.canonical(piece.score)
        assert kept == representation.canonical(kept)
        assert encoding.unknown or representation.decode(encoding.values, encoding.plan) == kept
        assert np.array_equal(follow(representation, encoding), encoding.conditions)


@given(score=scores(max_frames=24), seed=st.integers(0, 2**32))
def test_every_grammatical_walk_decodes_and_encodes_to_itself(representation, score, seed):
    plan = representation.plan(score)
    values = walk(representation, plan, seed)
    made = representation.decode(values, plan)
    assert representation.plan(made) == plan
    if not len(made):  # a walk that keeps silent throughout is no piece
        return
    again = representation.encode(made)
    if representation.unique:
        assert np.array_equal(again.values, values)
    elif not again.unknown:
        assert representation.decode(again.values, plan) == made


@given(score=scores(max_frames=12), seed=st.integers(0, 2**32))
def test_pieces_derived_together_are_those_derived_alone(representation, score, seed):
    plan = representation.plan(score)
    walks = [walk(representation, plan, seed + n) for n in range(3)]
    together = representation.derive(plan, plan, plan)
    alone = [representation.derive(plan) for _ in walks]
    for step in range(min(map(len, walks))):
        values = np.array([steps[step] for steps in walks])
        assert np.array_equal(together.conditions(), np.concatenate([one.conditions() for one in alone]))
        for k in range(len(representation.fields)):
            masks = [one.allowed(k, row[None]) for one, row in zip(alone, values, strict=True)]
            if together.allowed(k, values) is None:
                assert masks == [None] * 3
            else:
                assert np.array_equal(together.allowed(k, values), np.concatenate(masks))
        together.push(values)
        for one, row in zip(alone, values, strict=True):
            one.push(row[None])


@given(score=scores())
def test_a_bare_piece_has_no_planned_condition_and_the_same_plan(representation, score):
    canonical(representation, score)
    encoding, bare = representation.encode(score), representation.encode(score, bare=True)
    assert bare.plan == encoding.plan
    assert len(bare) == len(encoding)
    for column, condition in enumerate(representation.conditions):
        if condition.planned:
            assert (bare.conditions[:, column] == condition.unknown).all()


@given(score=scores())
def test_the_derived_conditions_of_a_bare_piece_are_those_of_what_it_shows(representation, score):
    canonical(representation, score)
    bare = representation.encode(score, bare=True)
    derived = follow(representation, bare)
    for column, condition in enumerate(representation.conditions):
        if not condition.planned:
            assert np.array_equal(derived[:, column], bare.conditions[:, column]), condition.name


@given(score=scores())
def test_what_does_not_change_is_what_copying_would_guess(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    changed = representation.changed(encoding)
    assert changed.shape in {(len(encoding),), (len(encoding), len(representation.fields))}
    assert changed[representation.frames(encoding) == 0].all()


def test_what_a_deriver_remembers_does_not_grow(representation):
    steps = 5_000
    plan = representation.plan(long_score())
    deriver = representation.derive(plan)
    values = walk(representation, plan, 1, steps)
    sizes = []
    for step, row in enumerate(values, start=1):
        deriver.conditions()
        deriver.push(row[None])
        if step in (100, len(values)):
            sizes.append(len(pickle.dumps(deriver)))
    assert len(values) > 150
    assert sizes[0] == pytest.approx(sizes[1], abs=64)  # counters take a few bytes more


def long_score():
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes([(0, 480, 60, 80, 0)], parts=parts, meters=(Meter(0, 4, 4),), length_ticks=400 * 1920)
