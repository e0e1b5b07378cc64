"""Filling in: what is given stays, holds hold what sounds, rules are kept, lines are as likely as the network says."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kantor.errors import DeadEndError
from kantor.representations.cells import HELD, OPEN, Cells
from kantor.sampling import gibbs
from kantor.sampling._lines import Lines, pick
from kantor.sampling.filters import Filters
from kantor.sampling.gibbs import fill
from kantor.sampling.guard import Asked, Guard, asked
from kantor.score import NOTE, Key, Meter, Score
from two_sided import CLASSES, TwoSided, alike, broken_holds, crossings, parallels, pitch, rambling

CELLS = Cells(inputs=("phase", "meter", "beat", "key", "fermata", "remaining"))
DEFAULT = ("no-parallels", "no-crossing")


def plan_of(frames, **known):
    return CELLS.plan(Score(np.empty(0, NOTE), length_ticks=frames * 120, **known))


def guard_of(plan, *rules, soft=()):
    return Guard(asked(rules, soft), [plan], 120, voiced=True)


def filled(cells, free, model=None, *, seeds=(1,), rules=DEFAULT, plan=None, **options):
    plan = plan_of(len(cells), meters=(Meter(0, 4, 4),)) if plan is None else plan
    options.setdefault("guard", guard_of(plan, *rules))
    options.setdefault("sweeps", 4)
    return fill(
        model or TwoSided(), CELLS, plan, cells, free, [np.random.default_rng(seed) for seed in seeds], **options
    )


@st.composite
def grids(draw, max_frames=24):
    """(cells, free): any grammatical grid, its voices mostly in their own registers, and any of its cells free."""
    frames = draw(st.integers(1, max_frames))
    cells = np.zeros((frames, 4), dtype=np.int64)
    for voice, low in enumerate((27, 20, 12, 3)):
        at = 0
        while at < frames:
            length, sounding = draw(st.integers(1, 8)), draw(st.integers(0, 12))
            cells[at : at + length, voice] = low + sounding + HELD if sounding else 0
            if sounding:
                cells[at, voice] = low + sounding
            at += length
    kind = draw(st.sampled_from(["cells", "voices", "span", "all"]))
    free = np.ones((frames, 4), dtype=bool)
    if kind == "cells":
        free = np.random.default_rng(draw(st.integers(0, 999))).random((frames, 4)) < draw(st.sampled_from([0.2, 0.7]))
    elif kind == "voices":
        free[:, draw(st.lists(st.integers(0, 3), min_size=1, max_size=3))] = False
    elif kind == "span":
        begin = draw(st.integers(0, frames - 1))
        free[:begin] = free[begin + draw(st.integers(1, frames)) :] = False
    return cells, free


# -- a line ----------------------------------------------------------------------------------------------------------


def lines(steps=4, pitches=3, seed=0, rests=False):
    """A distribution of lines of so many pitches, all that the grammar admits: {classes: probability}.

    New attacks are independent of what they leave, so the lines of a Markov chain. There is silence at the beginning
    alone, or wherever it likes.
    """
    rng = np.random.default_rng(seed)
    new = rng.dirichlet(np.ones(pitches + 1), steps)  # silence, then the pitches
    if not rests:
        new[1:, 0] = 0
        new /= new.sum(1, keepdims=True)
    stays = rng.random((steps, pitches + 1))
    found = {(): 1.0}
    for step in range(steps):
        longer = {}
        for line, chance in found.items():
            before = (line[-1] - HELD if line[-1] > HELD else line[-1]) if line else 0
            hold = stays[step, before] if before else 0.0
            for value in range(pitches + 1):
                longer[(*line, value)] = chance * (1 - hold) * new[step, value]
            if before:
                longer[(*line, before + HELD)] = chance * hold
        found = longer
    return found


def marginals(found):
    """(1, steps, classes) how likely each class is in each frame."""
    steps = len(next(iter(found)))
    out = np.zeros((1, steps, CLASSES))
    for line, chance in found.items():
        out[0, np.arange(steps), line] += chance
    return out


def drawn(marginal, right=0):
    """How likely each line is to be drawn from the marginals: the products of its weights."""
    steps = marginal.shape[1]
    with np.errstate(divide="ignore"):
        logits = np.maximum(np.log(marginal), -60).astype(np.float32)
    zero = np.zeros(1, dtype=np.int64)
    chain = Lines(logits, zero, zero + right, zero + steps, np.ones((1, HELD + 1), dtype=bool))
    found = {(): 1.0}
    for step in range(steps):
        longer = {}
        for line, chance in found.items():
            before = (line[-1] - HELD if line[-1] > HELD else line[-1]) if line else 0
            weights = chain.weights(step, zero + before)[0]
            for value in np.flatnonzero(weights > 1e-9).tolist():
                longer[(*line, value)] = chance * weights[value]
        found = longer
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_line_is_as_likely_as_the_chain_that_the_marginals_are_of(seed):
    true = lines(seed=seed)
    got = drawn(marginals(true))
    assert sum(got.values()) == pytest.approx(1)
    for line, chance in true.items():
        assert got.get(line, 0) == pytest.approx(chance, abs=2e-4)


@pytest.mark.parametrize("seed", range(5))
def test_in_each_frame_each_class_is_as_likely_as_the_network_says(seed):
    said = marginals(lines(seed=seed, rests=True))
    assert marginals(drawn(said)) == pytest.approx(said, abs=1e-3)


def test_silence_lasts_rather_than_comes_and_goes():
    """In half of the music a voice is silent throughout; cell by cell, it would be now and then."""
    pausing = {(1, 47, 2, 48): 0.5, (0, 0, 0, 0): 0.5}
    got = drawn(marginals(pausing))
    assert {line: got[line] for line in pausing} == pytest.approx(pausing, abs=2e-3)


def test_marginals_that_do_not_agree_strike_no_more_notes_than_they_say():
    said = np.zeros((1, 2, CLASSES))
    said[0, 0, [1, 2]] = 0.5
    said[0, 1, [1 + HELD, 2 + HELD, 3]] = 0.3, 0.6, 0.1  # more hold the second pitch than had it
    struck = sum(chance for line, chance in drawn(said).items() if line[1] <= HELD)
    assert struck == pytest.approx(0.1, abs=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_a_line_before_a_held_cell_is_as_likely_as_among_those_that_arrive_there(seed):
    true, right = lines(seed=seed), 2
    arriving = {line: chance for line, chance in true.items() if line[-1] in (right, right + HELD)}
    whole = sum(arriving.values())
    got = drawn(marginals(true), right)
    assert set(got) <= {*arriving, *(line for line in got if got[line] < 1e-6)}
    for line, chance in arriving.items():
        assert got.get(line, 0) == pytest.approx(chance / whole, abs=1e-3)


def test_spans_of_several_lengths_are_drawn_as_each_alone():
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(3, 6, CLASSES)).astype(np.float32)
    left, right, length = np.array([5, 0, 9]), np.array([7, 3, 0]), np.array([6, 4, 2])
    may = rng.random((3, HELD + 1)) < 0.9
    may[:, 0] = True
    together = Lines(logits, left, right, length, may)
    for row in range(3):
        one = slice(row, row + 1)
        alone = Lines(logits[one, : length[row]], left[one], right[one], length[one], may[one])
        for step in range(length[row]):
            before = left[: row + 1] if step == 0 else np.full(row + 1, 4)
            assert together.weights(step, before)[row] == pytest.approx(alone.weights(step, before[-1:])[0])


def test_a_class_is_picked_as_often_as_it_weighs_and_none_of_weight_0():
    weights = np.array([[0.0, 1.0, 3.0, 0.0]])
    picked = pick(np.repeat(weights, 4000, 0), (np.arange(4000) + 0.5) / 4000, Filters())
    assert np.bincount(picked, minlength=4).tolist() == [0, 1000, 3000, 0]
    assert pick(weights, np.array([0.0]), Filters(temperature=0)).tolist() == [2]


# -- filling ---------------------------------------------------------------------------------------------------------


@given(grid=grids(), seed=st.integers(0, 99), rule=st.sampled_from([rambling, alike]))
def test_what_is_given_stays_and_all_else_is_filled_by_the_grammar(grid, seed, rule):
    cells, free = grid
    out = filled(cells, free, TwoSided(rule), seeds=(seed, seed + 1), rules=())
    for take in out.cells:
        assert np.array_equal(take[~free], cells[~free])
        assert ((take >= 0) & (take < OPEN)).all()
        assert broken_holds(take) == []


@given(grid=grids(), seed=st.integers(0, 99))
def test_rules_are_kept_wherever_a_free_cell_takes_part(grid, seed):
    cells, free = grid
    take = filled(cells, free, seeds=(seed,)).cells[0]
    assert np.array_equal(take[~free], cells[~free])
    assert broken_holds(take) == []
    own = free & ~arriving(take, free)
    for frame, a, b in crossings(take):
        assert not own[frame, [a, b]].any()
    for frame, a, b in parallels(take):
        assert not own[frame - 1 : frame + 1, [a, b]].any()


def arriving(cells, free):
    """(frames, voices) what is free, but has no choice: a note that was given goes on behind it."""
    out = np.zeros_like(free)
    for frame, voice in np.argwhere(free[:-1]):
        out[frame, voice] = not free[frame + 1, voice] and cells[frame + 1, voice] > HELD
    return out


@given(grid=grids(), seed=st.integers(0, 99))
@settings(max_examples=15)
def test_a_free_voice_strikes_only_what_it_may(grid, seed):
    cells, free = grid
    within = np.zeros((4, 128), dtype=bool)
    for voice, low in enumerate((62, 55, 47, 38)):
        within[voice, low : low + 13] = True
    take = filled(cells, free, TwoSided(alike), seeds=(seed,), rules=(), within=within).cells[0]
    for frame, voice in np.argwhere(free & (take > 0) & (take <= HELD)):
        following = take[frame + 1 :, voice]
        ends = np.flatnonzero(following != take[frame, voice] + HELD)
        held = frame + 1 + (int(ends[0]) if len(ends) else len(following))
        kept = not free[frame:held, voice].all()  # it sounds on into what was given
        assert kept or within[voice, pitch(take[frame, voice])]


def test_a_take_is_the_same_whatever_stands_beside_it(monkeypatch):
    cells, free = np.zeros((40, 4), dtype=np.int64), np.zeros((40, 4), dtype=bool)
    free[10:35] = True
    monkeypatch.setattr(gibbs, "CONTEXT", 3)
    together = filled(cells, free, seeds=range(11))
    for seed in (0, 5, 10):
        alone = filled(cells, free, seeds=(seed,))
        assert np.array_equal(alone.cells[0], together.cells[seed])
        assert np.array_equal(alone.nats[0], together.nats[seed])
    assert len({take.tobytes() for take in together.cells}) == 11


def test_nothing_free_is_nothing_done():
    cells = np.repeat([[30, 25, 20, 10]], 8, axis=0)
    model = TwoSided()
    out = filled(cells, np.zeros((8, 4), dtype=bool), model)
    assert np.array_equal(out.cells[0], cells)
    assert model.seen == []
    assert not out.nats.any()


def test_free_cells_are_never_shown_as_they_were_given():
    rng = np.random.default_rng(0)
    free = rng.random((30, 4)) < 0.5
    outs = []
    for filler in (1, 40):
        cells = np.where(free, filler, np.array([30, 25, 20, 10]))
        outs.append(filled(cells, free))
    assert np.array_equal(outs[0].cells[0][free], outs[1].cells[0][free])


def test_the_network_is_first_shown_all_free_cells_open_and_then_fewer():
    model = TwoSided()
    cells, free = np.zeros((64, 4), dtype=np.int64), np.ones((64, 4), dtype=bool)
    free[:, 0] = False
    filled(cells, free, model, sweeps=12)
    shares = [(seen == OPEN).mean() / 0.75 for seen in model.seen]
    assert shares[0] == 1
    assert shares[11] < 0.5
    assert all((seen[:, :, 0] != OPEN).all() for seen in model.seen)


def test_a_bare_grid_tells_no_attacks_and_no_plan_but_a_key():
    cells = np.repeat([[30, 25, 20, 10]], 16, axis=0)  # struck in every frame
    free = np.zeros((16, 4), dtype=bool)
    free[4:8, 2] = True
    plan = plan_of(16, keys=(Key(0, 0, "major"),))
    model = TwoSided()
    filled(cells, free, model, plan=plan, bare=True)
    known = model.seen[0][0][~free]
    assert (known > HELD).all()
    for column, condition in enumerate(CELLS.conditions):
        if condition.planned:
            unknown = (model.told[0][:, :, column] == condition.unknown).all()
            assert unknown == (condition.name != "key"), condition.name


def test_voices_agree_as_the_network_says():
    """Two free cells that the network wants at one pitch, whichever: told apart from independent draws."""

    def together(shown):
        logits = np.full((*shown.shape, CLASSES), -9.0)
        for a, b in ((2, 3), (3, 2)):
            other = shown[:, :, b]
            for value in (10, 12):
                logits[:, :, a, value] = np.where(other == OPEN, 0.0, np.where(other == value, 3.0, -3.0))
                held = other == value + HELD
                logits[:, :, a, value] = np.where(held, 3.0, logits[:, :, a, value])
        return logits

    cells = np.array([[40, 30, 0, 0]])
    free = np.array([[False, False, True, True]])
    out = filled(cells, free, TwoSided(together), seeds=range(400), rules=(), sweeps=12)
    tenor, bass = out.cells[:, 0, 2], out.cells[:, 0, 3]
    assert np.mean(tenor == bass) > 0.95  # 0.5 if each were drawn by itself; exp(6) / (1 + exp(6)) if mixed
    assert 0.35 < np.mean(tenor == 10) < 0.65


def test_the_last_draw_is_priced_in_nats():
    cells, free = np.zeros((8, 4), dtype=np.int64), np.zeros((8, 4), dtype=bool)
    free[3, 3] = True
    out = filled(cells, free, TwoSided(alike), rules=())
    struck = HELD + 1  # silence and 46 pitches; before it nothing sounds that could be held
    assert out.nats[0, 3, 3] == pytest.approx(np.log(struck), abs=1e-6)
    assert out.cost[0, 3, 3] == 0
    assert not out.nats[0][~free].any()


def test_the_rules_cost_what_they_take_away():
    cells = np.zeros((1, 4), dtype=np.int64)
    cells[0, 0] = 20  # nothing above it
    free = np.array([[False, False, False, True]])
    out = filled(cells, free, TwoSided(alike), rules=("no-crossing",))
    assert out.cost[0, 0, 3] == pytest.approx(-np.log(21 / 47), abs=1e-6)


def test_a_soft_rule_costs_and_forbids_nothing():
    cells = np.array([[10, 0, 0, 0]])
    free = np.array([[False, False, False, True]])
    plan = plan_of(1, meters=(Meter(0, 4, 4),))
    guard = guard_of(plan, soft=("no-crossing=1",))
    out = filled(cells, free, TwoSided(alike), plan=plan, guard=guard, seeds=range(300), sweeps=0)
    crossed = np.mean(out.cells[:, 0, 3] > 10)
    expected = 36 * np.exp(-1) / (11 + 36 * np.exp(-1))
    assert crossed == pytest.approx(expected, abs=0.1)


def test_a_hold_that_was_given_is_reached():
    cells = np.repeat([[40, 30, 20, 10]], 12, axis=0)
    cells[1:] += HELD
    free = np.zeros((12, 4), dtype=bool)
    free[2:6, 1] = free[0:5, 3] = True
    for take in filled(cells, free, TwoSided(alike), seeds=range(20), rules=()).cells:
        assert pitch(take[5, 1]) == pitch(30)
        assert pitch(take[4, 3]) == pitch(10)
        assert broken_holds(take) == []


class Forbidding:
    """A rule that admits nothing of the tenor, not even silence, in its frames."""

    needs = frozenset()
    reach = 0

    def __init__(self, *frames):
        self.frames = frames

    def bound(self, plan, step):
        return self

    def faults(self, view):
        found = np.zeros(view.pitch.shape, dtype=bool)
        found[..., 2] = np.isin(view.frames, self.frames) & (view.pitch[..., 2] != -2)
        return found


def test_nothing_is_held_over_into_a_joint():
    cells = np.repeat([[40, 30, 20, 10]], 8, axis=0)
    cells[1:] += HELD
    free = np.zeros((8, 4), dtype=bool)
    free[4:, 1] = True
    joints = np.zeros((8, 4), dtype=bool)
    joints[4, 1] = True
    found = filled(cells, free, seeds=range(20), rules=(), joints=joints).cells[:, 4, 1]
    assert (found <= HELD).all()
    assert (filled(cells, free, seeds=range(20), rules=()).cells[:, 4, 1] > HELD).any()


@pytest.mark.parametrize(("frame", "place"), [(2, "in the pickup"), (25, "in bar 2")])
def test_where_nothing_is_left_the_rules_and_the_bar_are_named(frame, place):
    plan = plan_of(48, meters=(Meter(0, 4, 4),), anacrusis_ticks=480)
    cells, free = np.zeros((48, 4), dtype=np.int64), np.ones((48, 4), dtype=bool)
    guard = Guard([Asked("stubborn", Forbidding(frame))], [plan], 120, voiced=True)
    with pytest.raises(DeadEndError, match=f"the tenor a note {place}, found none under stubborn; leave one"):
        filled(cells, free, plan=plan, guard=guard)


def test_a_given_note_that_sounds_on_is_arrived_at_whatever_it_does():
    cells = np.zeros((8, 4), dtype=np.int64)
    cells[:, 0] = 10 + HELD
    cells[:, 1] = 20 + HELD  # crosses the soprano, and is not ours to change
    cells[0] = 10, 20, 0, 0
    free = np.zeros((8, 4), dtype=bool)
    free[2:5, 1] = True
    out = filled(cells, free)
    assert pitch(out.cells[0, 4, 1]) == pitch(20)
    assert [frame for frame, *_ in crossings(out.cells[0]) if 2 <= frame < 5] == [4]


class Apart:
    """A rule that looks far back: the bass never sounds what it sounded so many frames before."""

    needs = frozenset()

    def __init__(self, reach):
        self.reach = reach

    def bound(self, plan, step):
        return self

    def faults(self, view):
        found = np.zeros(view.pitch.shape, dtype=bool)
        now, before = view.pitch[..., self.reach :, 3], view.pitch[..., : -self.reach, 3]
        found[..., self.reach :, 3] = (now == before) & (now >= 0)
        return found


def test_a_rule_that_looks_far_back_is_kept_by_spans_that_are_drawn_together():
    reach = gibbs.APART * gibbs.BEAT  # as far as spans of one call lie apart
    cells, free = np.zeros((96, 4), dtype=np.int64), np.zeros((96, 4), dtype=bool)
    free[:, 3] = True
    within = np.zeros((4, 128), dtype=bool)
    within[3, 48:52] = True
    plan = plan_of(96, meters=(Meter(0, 4, 4),))
    guard = Guard([Asked("apart", Apart(reach))], [plan], 120, voiced=True)
    for take in filled(cells, free, TwoSided(alike), plan=plan, guard=guard, within=within, seeds=range(3)).cells:
        bass = [pitch(cell) for cell in take[:, 3]]
        assert sum(note is not None for note in bass) > 48
        assert not [at for at in range(reach, 96) if bass[at] is not None and bass[at] == bass[at - reach]]


def test_in_every_section_rules_know_which_frame_they_judge(monkeypatch):
    for name, size in {"SECTION": 32, "MARGIN": 8, "CONTEXT": 8}.items():
        monkeypatch.setattr(gibbs, name, size)
    cells, free = np.zeros((120, 4), dtype=np.int64), np.zeros((120, 4), dtype=bool)
    free[:, 2] = True
    forbidden = Forbidding(*range(70, 80))
    forbidden.faults = lambda view: (view.pitch >= 0) & np.isin(view.frames, forbidden.frames)[..., None]
    plan = plan_of(120, meters=(Meter(0, 4, 4),))
    guard = Guard([Asked("pause", forbidden)], [plan], 120, voiced=True)
    tenor = filled(cells, free, TwoSided(alike), plan=plan, guard=guard).cells[0][:, 2]
    assert not tenor[70:80].any()
    assert np.count_nonzero(tenor) > 90


def test_other_voices_make_room_for_a_note_that_is_arrived_at(monkeypatch):
    """While the tenor is open, the soprano already knows what it has to arrive at."""
    monkeypatch.setattr(gibbs, "LAST", 1)

    def low(shown):
        logits = np.full((*shown.shape, CLASSES), -9.0)
        logits[..., 5] = 0.0
        return logits

    cells, free = np.zeros((5, 4), dtype=np.int64), np.zeros((5, 4), dtype=bool)
    cells[4, 2] = 20 + HELD
    free[:4, [0, 2]] = True
    for take in filled(cells, free, TwoSided(low), rules=("no-crossing",), sweeps=0, seeds=range(5)).cells:
        assert pitch(take[3, 2]) == pitch(20)
        assert crossings(take) == []


def test_a_dead_end_is_stepped_back_from():
    """The bass is given and crosses what the network wants of the tenor, so that nearly nothing is left at first."""

    def low(shown):
        logits = np.full((*shown.shape, CLASSES), -30.0)
        logits[..., 5] = 0.0
        logits[..., 5 + HELD] = 2.0
        return logits

    cells = np.zeros((16, 4), dtype=np.int64)
    cells[:, 3] = np.where(np.arange(16) % 4, 20 + HELD, 20)
    free = np.zeros((16, 4), dtype=bool)
    free[:, 2] = True
    out = filled(cells, free, TwoSided(low), rules=("no-crossing",))
    assert out.dead_ends[0] > 0
    assert crossings(out.cells[0]) == []


def test_what_an_earlier_section_filled_is_not_filled_again(monkeypatch):
    for name, size in {"SECTION": 32, "MARGIN": 8, "CONTEXT": 8}.items():
        monkeypatch.setattr(gibbs, name, size)
    cells, free = np.zeros((120, 4), dtype=np.int64), np.ones((120, 4), dtype=bool)
    model = TwoSided()
    filled(cells, free, model, sweeps=1, rules=())
    before = [seen[0, :8] for seen in model.seen if seen.shape[1] > 8][-1]  # the last section's context
    assert (before != OPEN).all()
    assert {tuple(seen.shape[1:]) for seen in model.seen} <= {(40, 4), (48, 4), (32, 4), (24, 4)}


@pytest.mark.parametrize("frames", [63, 81, 197])
def test_long_pieces_are_filled_in_sections_without_seams(monkeypatch, frames):
    for name, size in {"SECTION": 64, "MARGIN": 16, "CONTEXT": 24}.items():
        monkeypatch.setattr(gibbs, name, size)
    cells = np.zeros((frames, 4), dtype=np.int64)
    cells[:, 0] = np.where(np.arange(frames) % 8, 40 + HELD, 40)
    free = np.ones((frames, 4), dtype=bool)
    free[:, 0] = False
    model = TwoSided()
    take = filled(cells, free, model, sweeps=1).cells[0]
    assert crossings(take) == parallels(take) == broken_holds(take) == []
    assert np.array_equal(take[:, 0], cells[:, 0])
    assert ((take >= 0) & (take < OPEN)).all()
    assert max(seen.shape[1] for seen in model.seen) <= 64 + 16 + 24


def test_only_what_lies_around_the_gap_is_looked_at():
    cells = np.zeros((900, 4), dtype=np.int64)
    free = np.zeros((900, 4), dtype=bool)
    free[450:460] = True
    model = TwoSided()
    out = filled(cells, free, model)
    assert max(seen.shape[1] for seen in model.seen) == 10 + 2 * gibbs.CONTEXT
    assert np.array_equal(out.cells[0][~free], cells[~free])


@given(st.data())
@settings(max_examples=10)
def test_rules_of_any_reach_see_both_sides(data):
    """A rule over several frames: what comes later is judged with what stood there before."""
    cells, free = data.draw(grids(max_frames=16))
    assume(free.any())
    plan = plan_of(len(cells), meters=(Meter(0, 4, 4),))
    guard = guard_of(plan, "no-parallels")
    guard.reach = 5  # sees more than it needs: nothing may change but how far spans lie apart
    take = filled(cells, free, plan=plan, guard=guard).cells[0]
    own = free & ~arriving(take, free)
    for frame, a, b in parallels(take):
        assert not own[frame - 1 : frame + 1, [a, b]].any()


def test_progress_is_told_in_order_and_ends_at_1():
    told = []
    cells, free = np.zeros((20, 4), dtype=np.int64), np.ones((20, 4), dtype=bool)
    filled(cells, free, advance=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert all(0 <= share <= 1 for share in told)


def test_sweeps_that_are_none_still_keep_the_rules():
    cells, free = np.zeros((20, 4), dtype=np.int64), np.ones((20, 4), dtype=bool)
    for take in filled(cells, free, sweeps=0, seeds=range(5)).cells:
        assert crossings(take) == parallels(take) == broken_holds(take) == []


@pytest.mark.parametrize("weight", [1, 9, 2000])
def test_a_soft_rule_that_asks_of_every_class_alike_costs_nothing_and_is_no_dead_end(weight):
    cells = np.zeros((8, 4), dtype=np.int64)
    free = np.zeros((8, 4), dtype=bool)
    free[2:6, 1] = True
    plan = plan_of(8, meters=(Meter(0, 4, 4),))
    guard = guard_of(plan, soft=(f"no-crossing={weight}",))
    cells[:, 0] = 0
    out = filled(cells, free, TwoSided(alike), plan=plan, guard=guard)
    assert not out.cost.any()
    assert not out.dead_ends.any()


def test_a_soft_rule_costs_how_far_it_bends_what_the_network_says():
    cells = np.array([[10, 0, 0, 0]])
    free = np.array([[False, False, False, True]])
    plan = plan_of(1, meters=(Meter(0, 4, 4),))
    out = filled(cells, free, TwoSided(alike), plan=plan, guard=guard_of(plan, soft=("no-crossing=1",)))
    bent = np.array([1.0] * 11 + [np.exp(-1)] * 36)
    bent /= bent.sum()
    assert out.cost[0, 0, 3] == pytest.approx(float((bent * np.log(bent * 47)).sum()), abs=1e-6)
