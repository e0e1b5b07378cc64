"""What holds of every representation: nothing is lost but what ``canonical`` says, and one step at a time is enough."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kantor.errors import ScoreError
from kantor.representations import columns, inputs_of
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


def walk(representation, plan, seed):
    """Steps drawn at random from what the grammar admits; every other one repeats a recent one where it may."""
    rng = np.random.default_rng(seed)
    deriver = representation.derive(plan)
    values = np.zeros((representation.length(plan), len(representation.fields)), dtype=np.int64)
    for step, row in enumerate(values):
        row[:] = [rng.integers(field.size) for field in representation.fields]
        if step and rng.random() < 0.5:
            row[:] = values[rng.integers(max(step - 4, 0), step)]
        allowed = deriver.allowed()
        if allowed is not None and not allowed[0, row[0]]:
            row[0] = rng.choice(np.flatnonzero(allowed[0]))
        deriver.push(row[None])
    return values


@given(score=ANY)
def test_decoding_an_encoding_gives_the_canonical_score(representation, score):
    kept = canonical(representation, score)
    encoding = representation.encode(score)
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
    assert len(encoding) == representation.length(plan)


@given(score=ANY)
def test_every_class_is_within_its_column(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    sizes, outputs = columns(representation)
    assert encoding.values.shape == (len(encoding), len(outputs))
    assert encoding.conditions.shape == (len(encoding), len(sizes) - len(outputs))
    assert (encoding.values >= 0).all()
    assert (encoding.values < outputs).all()
    assert (encoding.conditions >= 0).all()
    assert (encoding.conditions < sizes[len(outputs) :]).all()


@given(score=scores())
def test_inputs_are_the_step_before_and_the_conditions_of_this_one(representation, score):
    canonical(representation, score)
    encoding = representation.encode(score)
    inputs = inputs_of(encoding, representation)
    fields = len(representation.fields)
    assert inputs[0, :fields].tolist() == [field.size for field in representation.fields]
    assert np.array_equal(inputs[1:, :fields], encoding.values[:-1])
    assert np.array_equal(inputs[:, fields:], encoding.conditions)


def follow(representation, encoding):
    """The conditions of an encoding derived one step at a time; the grammar admits each of its steps on the way."""
    deriver = representation.derive(encoding.plan)
    derived = []
    for step, values in enumerate(encoding.values):
        allowed = deriver.allowed()
        assert allowed is None or allowed[0, values[0]], f"step {step} is not grammatical"
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
        assert representation.decode(encoding.values, encoding.plan) == kept == representation.canonical(kept)
        assert np.array_equal(follow(representation, encoding), encoding.conditions)


@given(score=scores(max_frames=24), seed=st.integers(0, 2**32))
def test_every_grammatical_walk_decodes_and_encodes_to_itself(representation, score, seed):
    plan = representation.plan(score)
    values = walk(representation, plan, seed)
    made = representation.decode(values, plan)
    assert representation.plan(made) == plan
    assume(len(made))  # a walk that keeps silent throughout is no piece
    assert np.array_equal(representation.encode(made).values, values)


@given(score=scores(max_frames=12), seed=st.integers(0, 2**32))
def test_pieces_derived_together_are_those_derived_alone(representation, score, seed):
    plan = representation.plan(score)
    walks = [walk(representation, plan, seed + n) for n in range(3)]
    together = representation.derive(plan, plan, plan)
    alone = [representation.derive(plan) for _ in walks]
    for step in range(representation.length(plan)):
        values = np.array([steps[step] for steps in walks])
        assert np.array_equal(together.conditions(), np.concatenate([one.conditions() for one in alone]))
        masks = [one.allowed() for one in alone]
        if together.allowed() is None:
            assert masks == [None] * 3
        else:
            assert np.array_equal(together.allowed(), np.concatenate(masks))
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
    assert changed.shape == (len(encoding),)
    assert changed[: representation.steps_per_frame].all()


def test_what_a_deriver_remembers_does_not_grow(representation):
    steps = 5_000
    plan = representation.plan(long_score())
    deriver = representation.derive(plan)
    values = walk(representation, plan, 1)[:steps]
    sizes = {}
    for step, row in enumerate(values, start=1):
        deriver.conditions()
        deriver.push(row[None])
        if step in (200, steps):
            sizes[step] = len(pickle.dumps(deriver))
    assert sizes[steps] == pytest.approx(sizes[200], abs=64)  # counters take a few bytes more


def long_score():
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes([(0, 480, 60, 80, 0)], parts=parts, meters=(Meter(0, 4, 4),), length_ticks=400 * 1920)
