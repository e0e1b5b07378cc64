"""The stream, with networks of a few lines: what it yields, when, and what it passes on."""

import itertools
import math

import numpy as np
import pytest

from fakes import FakeModel, playing, rambling
from kantor.representations import decided, inputs_of
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import REST, Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.sampling import stream as module
from kantor.sampling.filters import Filters
from kantor.sampling.stream import stream
from kantor.score import NOTE, Key, Meter, Score

INPUTS = ("voice", "phase", "own", "now", "held", "lag-4", "key", "beat", "remaining")
PLAIN = Chorale("plain", "SATB", INPUTS)
FULL = Chorale("full", "SBAT", INPUTS)
BOTH = pytest.mark.parametrize("representation", [PLAIN, FULL], ids=["plain", "full"])


def empty(frames=12, fifths=0):
    """The plan of a piece: so many sixteenths in some major key."""
    keys, meters = (Key(0, fifths, "major"),), (Meter(0, 3, 4),)
    return PLAIN.plan(Score(np.empty(0, dtype=NOTE), keys=keys, meters=meters, length_ticks=frames * 120))


def rngs(*seeds):
    return [np.random.default_rng(seed) for seed in seeds]


def model(representation, rule=rambling):
    return FakeModel(representation.fields[0].size, rule)


def collect(representation, plan, seeds, rule=rambling, **options):
    """(pieces, steps) values and nats of a whole stream."""
    decisions = list(stream(model(representation, rule), representation, plan, rngs(*seeds), **options))
    return np.stack([d.values[:, 0] for d in decisions], axis=1), np.stack([d.nats for d in decisions], axis=1)


@BOTH
def test_equal_seeds_give_equal_notes_and_others_others(representation):
    first, again, other = (collect(representation, empty(), [seed])[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@BOTH
def test_a_piece_comes_out_the_same_whatever_stands_beside_it(representation):
    plans = [empty(fifths=fifths) for fifths in (0, 3, -2)]
    values, nats = collect(representation, plans, [5, 6, 7])
    for row, seed in enumerate((5, 6, 7)):
        alone, costs = collect(representation, plans[row], [seed])
        assert np.array_equal(values[row], alone[0])
        assert nats[row].tolist() == costs[0].tolist()


def test_every_step_is_yielded_once_in_order():
    decisions = list(stream(model(FULL), FULL, empty(6), rngs(1, 2)))
    assert [d.step for d in decisions] == list(range(24))
    assert {d.values.shape for d in decisions} == {(2, 1)}
    assert {d.nats.shape for d in decisions} == {(2,)}


def test_a_step_is_yielded_before_the_next_is_thought_of():
    fake = model(FULL)
    running = stream(fake, FULL, empty(10_000), rngs(1))
    for step, decision in enumerate(itertools.islice(running, 9)):
        assert decision.step == step
        assert fake.shapes == [(1, 1)] * (step + 1)


def test_every_step_is_one_run_of_one_step_however_long_the_piece():
    fake = model(FULL)
    for _ in stream(fake, FULL, empty(300), rngs(1, 2, 3)):
        pass
    assert fake.shapes == [(3, 1)] * 1200


@BOTH
def test_the_network_is_shown_what_teacher_forcing_would_show_it(representation):
    shown = []

    def watching(inputs, steps, memory, classes):
        shown.append(inputs[:, 0].copy())
        return rambling(inputs, steps, memory, classes)

    plan = empty(24)
    values, _ = collect(representation, plan, [3], watching)
    decoded = representation.decode(values[0][:, None], plan)
    encoding = representation.encode(decoded)
    assert np.array_equal(encoding.values[:, 0], values[0])
    assert np.array_equal(np.concatenate(shown), inputs_of(encoding, representation))


def test_the_state_is_handed_on():
    seen = []

    def counting(inputs, steps, memory, classes):
        seen.append((int(steps[0, 0]), float(memory[0, 0])))
        return np.zeros((*steps.shape, classes))

    collect(PLAIN, empty(4), [1], counting)
    assert [step for step, _ in seen] == list(range(16))
    assert len({memory for _, memory in seen}) > 8


def test_equal_chances_cost_the_logarithm_of_their_number():
    _, nats = collect(PLAIN, empty(), [1], rule=lambda inputs, steps, memory, n: np.zeros((*steps.shape, n)))
    assert nats == pytest.approx(math.log(47))


# -- prompts ---------------------------------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("given", [1, 16, 21])
def test_a_piece_goes_on_from_its_prompt_as_it_would_have_gone(representation, given):
    whole, nats = collect(representation, empty(), [4], filters=Filters(temperature=0))
    rest, costs = collect(representation, empty(), [9], filters=Filters(temperature=0), prompt=whole[0, :given, None])
    assert np.array_equal(rest[0], whole[0, given:])
    assert costs[0].tolist() == nats[0, given:].tolist()


def test_a_prompt_is_neither_yielded_nor_changed():
    prompt = np.full((20, 1), 25, dtype=np.int64)
    prompt.flags.writeable = False
    decisions = list(stream(model(PLAIN), PLAIN, empty(), rngs(1, 2), prompt=prompt))
    assert [d.step for d in decisions] == list(range(20, 48))
    assert (prompt == 25).all()


def test_each_piece_may_have_its_own_prompt():
    prompts = np.stack([np.full((12, 1), pitch) for pitch in (20, 30)])
    values, _ = collect(PLAIN, empty(), [1, 2], prompt=prompts)
    for row in range(2):
        assert np.array_equal(collect(PLAIN, empty(), [1 + row], prompt=prompts[row])[0][0], values[row])


def test_a_long_prompt_is_shown_in_stretches_that_do_not_grow(monkeypatch):
    prompt = np.tile([[30], [22], [15], [8], [0]], (20, 1))
    at_once, nats = collect(PLAIN, empty(30), [1], prompt=prompt)
    monkeypatch.setattr(module, "AHEAD", 16)
    fake = model(PLAIN)
    decisions = list(stream(fake, PLAIN, empty(30), rngs(1), prompt=prompt))
    assert max(time for _, time in fake.shapes) == 16
    assert [int(d.values[0, 0]) for d in decisions] == at_once[0].tolist()
    assert [float(d.nats[0]) for d in decisions] == nats[0].tolist()


def test_a_prompt_that_fills_the_plan_leaves_nothing_to_decide():
    assert list(stream(model(PLAIN), PLAIN, empty(3), rngs(1), prompt=np.full((12, 1), 9))) == []


def test_random_numbers_drawn_ahead_do_not_change_the_piece(monkeypatch):
    whole = collect(FULL, empty(), [1, 2])[0]
    monkeypatch.setattr(module, "AHEAD", 7)
    assert np.array_equal(collect(FULL, empty(), [1, 2])[0], whole)


# -- grammar and ranges ----------------------------------------------------------------------------------------------


def eager(*classes):
    """A rule that wants these classes and hardly anything else."""

    def rule(inputs, steps, memory, n):
        logits = rambling(inputs, steps, memory, n)
        logits[..., list(classes)] += 30
        return logits

    return rule


def test_a_hold_follows_a_sounding_note_only():
    hold, silence = FULL.hold, 0
    values, _ = collect(FULL, empty(24), [1, 2, 3, 4], eager(hold, silence, 20))
    cells = values.reshape(4, 24, 4)
    held = cells == hold
    assert held.any()
    assert not held[:, 0].any()
    for before, now in itertools.pairwise(range(24)):
        assert not (held[:, now] & (cells[:, before] == silence)).any()


def between(*ranges):
    """(parts, 128): the pitches from low to high of each part."""
    low, high = np.array(ranges).T[..., None]
    return (low <= np.arange(128)) & (np.arange(128) <= high)


def test_nothing_is_attacked_outside_the_ranges_however_much_the_network_wants_it():
    ranges = np.array([[60, 61], [55, 57], [50, 50], [40, 45]])
    rule = eager(*range(30, 47))  # everything from F4 up
    for representation in (PLAIN, FULL):
        values, _ = collect(representation, empty(24), [1, 2, 3], rule, within=between(*ranges))
        for row in values:
            notes = representation.decode(row[:, None], empty(24)).notes
            assert len(notes)
            low, high = ranges[notes["part"]].T
            assert (low <= notes["pitch"]).all()
            assert (notes["pitch"] <= high).all()


def test_the_likeliest_is_taken_at_temperature_0():
    values, _ = collect(PLAIN, empty(), [1], eager(17), filters=Filters(temperature=0))
    assert (values == 17).all()


def test_a_network_of_no_numbers_is_answered_with_a_warning_and_a_piece():
    with pytest.warns(UserWarning, match="not numbers"):
        values, _ = collect(FULL, empty(2), [1], lambda inputs, steps, memory, n: np.full((*steps.shape, n), np.nan))
    assert FULL.decode(values[0][:, None], empty(2)).length_ticks == 240


def test_nothing_holds_over_into_the_frame_of_the_joint():
    first, hold = eager(25), FULL.hold

    def rule(inputs, steps, memory, n):  # a note at first, and then to hold it for ever
        return np.where(steps[..., None] < 4, first(inputs, steps, memory, n), eager(hold)(inputs, steps, memory, n))

    cells = collect(FULL, empty(12), [1], rule, joint=5 * 4)[0].reshape(12, 4)
    assert (cells[1:5] == hold).all()
    assert (cells[5] != hold).all()


# -- representations of every kind -----------------------------------------------------------------------------------

KINDS = {
    "chorale": Chorale("full", "SBAT", ("voice", "phase", "own", "now", "held", "lag-4")),
    "events": Events(sounds=[(60,), (62,), (60, 64), (48, 55, 64)], offsets=[0, 6, 12, 24], durations=[6, 12]),
    "frames": Frames(),
    "notes": Notes(inputs=("beat", "remaining", "phase", "stacked"), chords=((60, 64), (60, 64, 67))),
    "loud-notes": Notes(velocity=True),
    "regression": Regression(),
    "roll": Roll(inputs=("rank", "above", "last", "lag-4", "beat", "remaining")),
    "binary-roll": Roll(spelling="binary", steps_per_quarter=2),
}
EACH = pytest.mark.parametrize("representation", KINDS.values(), ids=KINDS)


def pieces_of(representation, plans, seeds, rule=playing, **options):
    """The steps (steps, columns) and nats of each piece up to its own end, and the model that made them."""
    fake = FakeModel.of(representation, rule, chained=len(representation.fields) > 1)
    found = [([], []) for _ in seeds]
    for decision in stream(fake, representation, plans, rngs(*seeds), **options):
        for row, (steps, nats) in enumerate(found):
            if decision.over is None or not decision.over[row]:
                steps.append(decision.values[row])
                nats.append(float(decision.nats[row]))
    made = [np.array(steps, dtype=np.int64).reshape(-1, decided(representation)) for steps, _ in found]
    return made, [nats for _, nats in found], fake


def planned(representation, frames):
    return representation.plan(empty(frames))


@EACH
def test_pieces_of_any_kind_come_out_the_same_whatever_stands_beside_them(representation):
    plan = planned(representation, 16)
    together, nats, fake = pieces_of(representation, plan, [5, 6, 7], notes=40)
    assert {batch for batch, _ in fake.shapes} == {3}
    for row, seed in enumerate((5, 6, 7)):
        alone, costs, _ = pieces_of(representation, plan, [seed], notes=40)
        assert np.array_equal(together[row], alone[0])
        assert nats[row] == costs[0]
    assert not np.array_equal(together[0], together[1])


@EACH
@pytest.mark.parametrize("notes", [12, 200])
def test_pieces_of_different_lengths_end_each_at_its_own(representation, notes):
    plans = [planned(representation, frames) for frames in (20, 4, 12)]
    together, _, _ = pieces_of(representation, plans, [5, 6, 7], notes=notes)
    for row, seed in enumerate((5, 6, 7)):
        alone, _, _ = pieces_of(representation, plans[row], [seed], notes=notes)
        assert np.array_equal(together[row], alone[0])
        deriver = representation.derive(plans[row], notes=notes)
        for values in alone[0]:
            assert deriver.done() is None
            deriver.push(values[None])
        assert deriver.done().all()


@EACH
@pytest.mark.parametrize("notes", [12, 300])
def test_what_is_yielded_says_how_far_it_is_and_who_is_through(representation, notes):
    plans = [planned(representation, frames) for frames in (12, 4)]
    fake = FakeModel.of(representation, playing)
    decisions, progress = [], []
    for decision in stream(fake, representation, plans, rngs(1, 2), notes=notes):
        decisions.append(decision)
        progress.append(decision.progress())
    assert progress == sorted(progress)
    assert 0 <= progress[0] < 1 == progress[-1]
    over = [[False] * 2 if decision.over is None else decision.over.tolist() for decision in decisions]
    assert over[0] == [False, False]
    assert over[-1] != [True, True]  # the last step is somebody's
    for before, after in itertools.pairwise(over):
        assert not any(was and not now for was, now in zip(before, after, strict=True))  # nobody comes back


@EACH
def test_the_network_is_shown_what_teacher_forcing_would_show_it_in_any_kind(representation):
    shown = []

    def watching(inputs, steps, memory, size):
        shown.append(inputs[:, 0].copy())
        return playing(inputs, steps, memory, size)

    plan = planned(representation, 12)
    (values,), (nats,), _ = pieces_of(representation, plan, [3], watching, notes=60)
    row = representation.derive(plan)
    conditions = []
    for step in values:
        conditions.append(row.conditions()[0].copy())
        row.push(step[None])
    fields = len(representation.fields)  # of which each asks the rule once a step
    seen = np.concatenate(shown[::fields])
    assert np.array_equal(seen[1:, : values.shape[1]], values[:-1])
    assert np.array_equal(seen[:, values.shape[1] :], np.array(conditions).reshape(len(values), -1))
    assert np.isfinite(nats).all()


@EACH
@pytest.mark.parametrize("given", [1, 5])
def test_a_piece_of_any_kind_goes_on_from_its_prompt_as_it_would_have_gone(representation, given):
    plan, coldly = planned(representation, 12), {"filters": Filters(temperature=0)}
    (whole,), (nats,), _ = pieces_of(representation, plan, [4], **coldly)
    (rest,), (costs,), _ = pieces_of(representation, plan, [9], **coldly, prompt=whole[:given])
    assert np.array_equal(rest, whole[given:])
    assert costs == nats[given:]


@pytest.mark.parametrize("name", ["events", "frames", "notes", "regression", "roll", "binary-roll"])
def test_notes_are_counted_from_the_end_of_the_prompt(name):
    representation = KINDS[name]
    plan = planned(representation, 4_000)
    (whole,), _, _ = pieces_of(representation, plan, [1], notes=30)
    ends = [
        n
        for n in range(1, len(whole) + 1)
        if name not in ("roll", "binary-roll") or is_end(representation, whole[n - 1])
    ]
    given = ends[len(ends) // 2]
    (rest,), _, _ = pieces_of(representation, plan, [2], notes=12, prompt=whole[:given])
    deriver = representation.derive(plan, notes=12)
    for values in whole[:given]:
        deriver.push(values[None])
    deriver.begin()
    for values in rest:
        assert deriver.done() is None
        deriver.push(values[None])
    assert deriver.done().all()
    assert len(rest) > 1


def is_end(roll, step):
    return step[0] == roll.end


@pytest.mark.parametrize("name", ["events", "frames", "notes", "regression", "roll", "binary-roll"])
@pytest.mark.parametrize("count", [1, 7])
def test_a_piece_ends_with_the_note_that_fills_the_number_or_the_step_that_holds_it(name, count):
    representation = KINDS[name]
    plan = planned(representation, 4_000)
    (values,), _, _ = pieces_of(representation, plan, [1], notes=count)

    def sounded(steps):
        return len(representation.decode(steps, plan)) if name != "regression" else len(steps)

    assert len(values) < 4_000
    if name != "events":  # they may strike a key twice at one moment: two notes of the count, and one of the score
        assert count <= sounded(values)
    if "roll" not in name:  # a roll goes on to the end of its frame
        assert sounded(values[:-1]) < count


@pytest.mark.parametrize("name", ["events", "frames", "notes", "regression", "roll", "binary-roll"])
def test_only_pitches_within_are_attacked_in_any_kind(name):
    representation = KINDS[name]
    within = np.isin(np.arange(128), [48, 55, 60, 62, 64])[None]
    if name == "events":
        within[0, 55] = False
    plan = planned(representation, 40)
    made, _, _ = pieces_of(representation, plan, [1, 2, 3], within=within, notes=60)
    pitches = set(np.concatenate([representation.decode(values, plan).notes["pitch"] for values in made]).tolist())
    wanted = {60, 62, 64} if name == "events" else {48, 55, 60, 62, 64}
    assert pitches == wanted
    if name == "notes":  # of chords too: that of 67 is never chosen
        chosen = np.concatenate(made)[:, 0].tolist()
        assert REST + 1 in chosen
        assert REST + 2 not in chosen


def test_fields_hear_those_that_are_decided_before_them_and_no_others():
    asked = []

    class Watching(FakeModel):
        def field(self, features, values, k):
            asked.append((k, values.copy()))
            return super().field(features, values, k)

    notes = KINDS["loud-notes"]
    fake = Watching.of(notes, playing)
    decisions = list(stream(fake, notes, planned(notes, 8), rngs(1, 2), notes=10))
    assert len(asked) == 4 * len(decisions)
    for n, decision in enumerate(decisions):
        for k, (field, values) in enumerate(asked[4 * n : 4 * n + 4]):
            assert field == k
            assert np.array_equal(values[:, 0, :k], decision.values[:, :k])
            assert not values[:, 0, k:].any()
