"""What every rule keeps to: the registry gives the rules, random small grids the music."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import registry
from kantor.representations import Situation
from kantor.rules import OPEN, SILENT, View
from kantor.sampling.guard import Asked, Guard
from kantor.score import NOTE, VOICES, Key, Meter, Part, Score

STEP = 120
FRAMES = 12
PITCHES = np.array([43, 48, 50, 53, 55, 59, 60, 62, 63, 64, 67, 68, 71, 72, 76, 84])
#: Bars of 1/4 after a pickup, a key in major and one in minor, fermatas: all that a rule may ask of a plan.
PLAN = Score(
    np.empty(0, NOTE),
    parts=tuple(map(Part, VOICES)),
    meters=(Meter(0, 1, 4),),
    keys=(Key(0, 0, "major"), Key(480, -3, "minor")),
    fermatas=(240, 1200),
    anacrusis_ticks=240,
    length_ticks=FRAMES * STEP,
)
#: Options under which rules have something to say; all others are tried as they come.
OPTIONS = {
    "cadence": [{}, {"kind": "plagal"}, {"kind": "authentic", "key": "Gm"}],
    "chords": [{"changes": "C: I V7 I"}, {"changes": "F", "passing": True}, {"changes": "| C/E G7 | F G7 | C/E |"}],
    "density": [{"most": 0}, {"most": 3}, {"most": 6}],
    "figured-bass": [{"bass": "C: C3:6 G C"}, {"bass": "G:7"}],
    "grid": [{}, {"unit": "1/4"}, {"unit": "3/16"}],
    "in-key": [{}, {"scale": "C pentatonic"}],
    "leading-tone": [{}, {"key": "C"}],
    "locked": [{"notes": ((240, 480, 60, 1), (480, 240, 48, 3))}, {"notes": ((0, 960, 72, 0),), "strikes": False}],
    "no-loops": [{"times": 2}, {"span": "beat", "times": 2}, {"span": "frame", "times": 3}],
    "no-parallels": [{}, {"which": "octaves"}],
    "polyphony": [{"most": 2}],
    "range": [{}, {"ranges": "55-72"}, {"ranges": "T=50-60"}],
    "repetition": [{}, {"what": "chord"}],
}
CASES = [
    pytest.param(name, options, id=f"{name}-{number}")
    for name in registry.names("rules")
    for number, options in enumerate(OPTIONS.get(name, [{}]))
]
each_rule = pytest.mark.parametrize(("name", "options"), CASES)
seeds = st.integers(0, 2**32 - 1)


def made(name, options):
    return registry.part("rules", name)(**options)


def bound(name, options, plan=PLAN):
    return made(name, options).bound(plan, STEP)


def grid(rng, frames=FRAMES, voices=4, rests=0.1, opened=0.2):
    """(frames, voices) of pitches, and where they are struck: short notes, holds, rests, loops, cells that are open."""
    pitch = np.empty((frames, voices), dtype=np.int64)
    struck = np.zeros(pitch.shape, dtype=bool)
    for voice in range(voices):
        for frame in range(frames):
            if frame and rng.random() < 0.4:
                pitch[frame, voice] = pitch[frame - 1, voice]
            else:
                pitch[frame, voice] = SILENT if rng.random() < rests else rng.choice(PITCHES)
                struck[frame, voice] = pitch[frame, voice] >= 0
    if rng.random() < 0.3:
        period = int(rng.choice([1, 2, 4]))
        pitch, struck = pitch[np.arange(frames) % period], struck[np.arange(frames) % period]
    hidden = rng.random(pitch.shape) < opened
    pitch[hidden], struck[hidden] = OPEN, False
    return pitch, struck | ((pitch != np.vstack([pitch[:1], pitch[:-1]])) & (pitch >= 0))


def with_choice(pitch, struck, at, voice, choice, strike):
    """The grid with one cell decided; what follows another pitch is struck."""
    pitch, struck = pitch.copy(), struck.copy()
    pitch[at, voice], struck[at, voice] = choice, strike and choice >= 0
    after = at + 1
    if after < len(pitch) and pitch[after, voice] >= 0 and choice not in (OPEN, pitch[after, voice]):
        struck[after, voice] = True
    return pitch, struck


@each_rule
@given(seed=seeds, stream=st.booleans(), voiced=st.booleans())
def test_the_mask_admits_exactly_what_makes_no_new_fault_in_the_finished_view(name, options, seed, stream, voiced):
    rng = np.random.default_rng(seed)
    voiced |= "voices" in made(name, options).needs
    at, voice = int(rng.integers(FRAMES)), int(rng.integers(4))
    pitch, struck = grid(rng)
    if stream:
        pitch, struck = pitch[: at + 1], struck[: at + 1]
        pitch[at, rng.permutation(4)[: rng.integers(5)]] = OPEN
    pitch[at, voice], struck[at] = OPEN, struck[at] & (pitch[at] >= 0)
    own = pitch[at - 1, voice] if at else OPEN
    choices = np.array([SILENT, OPEN, *PITCHES, *([own] if own >= 0 else [])])
    strikes = np.array([False, False, *([True] * len(PITCHES)), *([False] if own >= 0 else [])])
    rule = bound(name, options)
    first, last = max(0, at - rule.reach), at + 2 + rule.reach  # one more: a hold that follows may become a strike
    window = slice(first, last)
    situation = Situation(
        pitch=pitch[None, window],
        frames=np.arange(len(pitch))[None, window],
        at=-1 if stream else at - first,
        voice=voice,
        choices=choices[None, :, None],
        strikes=strikes[None],
        struck=struck[None, window],
        voiced=voiced,
    )
    guard = Guard([Asked(name, made(name, options))], [PLAN], STEP, voiced=voiced)
    assert guard.reach == rule.reach
    frames = np.arange(len(pitch))
    before = rule.faults(View(pitch, struck, frames, voiced))
    decided = [with_choice(pitch, struck, at, voice, *one) for one in zip(choices, strikes, strict=True)]
    after = rule.faults(View(*(np.stack(part) for part in zip(*decided, strict=True)), frames, voiced))
    expected = ~(after & ~before).any((1, 2))
    admitted, _ = guard.judge(situation)
    assert admitted[0].tolist() == expected.tolist()


@each_rule
@given(seed=seeds, voiced=st.booleans())
def test_what_is_open_is_never_at_fault_and_silence_only_where_a_note_has_to_sound(name, options, seed, voiced):
    rng = np.random.default_rng(seed)
    pitch, struck = grid(rng, opened=0.4)
    rule = bound(name, options)
    if not voiced and "voices" in rule.needs:
        return
    faults = rule.faults(View(pitch, struck, np.arange(FRAMES), voiced))
    assert faults.shape == pitch.shape
    assert not faults[pitch == OPEN].any()
    assert name in ("locked", "chords", "figured-bass") or not faults[pitch == SILENT].any()


@each_rule
def test_nothing_decided_is_no_fault(name, options):
    pitch = np.full((FRAMES, 4), OPEN)
    assert not bound(name, options).faults(View(pitch, pitch >= 0, np.arange(FRAMES))).any()


@each_rule
@given(seed=seeds)
def test_a_fault_stays_one_whatever_open_cells_become(name, options, seed):
    rng = np.random.default_rng(seed)
    pitch, struck = grid(rng, opened=0.0)
    hidden = rng.random(pitch.shape) < 0.3
    hidden[1:] |= hidden[:-1] & ~struck[1:]  # a hold is known only with what it holds
    rule = bound(name, options)
    frames = np.arange(FRAMES)
    partly = rule.faults(View(np.where(hidden, OPEN, pitch), struck & ~hidden, frames)).any(-1)
    assert not (partly & ~rule.faults(View(pitch, struck, frames)).any(-1)).any()


@each_rule
@given(seed=seeds, count=st.integers(1, 4))
def test_the_faults_of_a_batch_are_those_of_its_members(name, options, seed, count):
    rng = np.random.default_rng(seed)
    grids = [grid(rng) for _ in range(count)]
    frames = np.arange(FRAMES)
    rule = bound(name, options)
    pitch, struck = (np.stack(part) for part in zip(*grids, strict=True))
    alone = np.stack([rule.faults(View(*one, frames)) for one in grids])
    for shown in (frames, frames[None], np.repeat(frames[None], count, axis=0)):
        np.testing.assert_array_equal(rule.faults(View(pitch, struck, shown)), alone)
    deeper = View(pitch[:, None], struck[:, None], np.repeat(frames[None, None], count, axis=0))
    np.testing.assert_array_equal(rule.faults(deeper)[:, 0], alone)


@each_rule
@given(seed=seeds)
def test_a_rule_bound_twice_is_the_same_and_binding_changes_nothing(name, options, seed):
    rule = made(name, options)
    once = rule.bound(PLAN, STEP)
    view = View(*grid(np.random.default_rng(seed)), np.arange(FRAMES))
    np.testing.assert_array_equal(once.bound(PLAN, STEP).faults(view), once.faults(view))
    assert once == rule == made(name, options)
    assert repr(once) == repr(rule)
    assert once.bound(PLAN, STEP).reach == once.reach


@each_rule
@given(seed=seeds, octave=st.sampled_from([-12, 12]))
def test_an_octave_changes_nothing_but_ranges_and_notes_that_are_given(name, options, seed, octave):
    if name in ("range", "locked", "figured-bass"):
        return
    pitch, struck = grid(np.random.default_rng(seed))
    rule = bound(name, options)
    higher = np.where(pitch >= 0, pitch + octave, pitch)
    frames = np.arange(FRAMES)
    np.testing.assert_array_equal(rule.faults(View(higher, struck, frames)), rule.faults(View(pitch, struck, frames)))


def _free_of_the_plan(rule):
    """Whether a rule has read no pitch off a plan: its bound form is itself, or differs in frames alone."""
    return not rule.needs & {"key"} and type(rule).__name__ not in ("InKey", "Chords", "FiguredBass", "Locked", "Range")


@each_rule
@given(seed=seeds, by=st.integers(-11, 11))
def test_rules_that_know_no_key_are_the_same_in_all_keys(name, options, seed, by):
    rule = bound(name, options, PLAN.replace(keys=()) if "key" not in made(name, options).needs else PLAN)
    if not _free_of_the_plan(rule) or getattr(rule, "key", ""):
        return
    pitch, struck = grid(np.random.default_rng(seed))
    moved = np.where(pitch >= 0, pitch + by, pitch)
    frames = np.arange(FRAMES)
    np.testing.assert_array_equal(rule.faults(View(moved, struck, frames)), rule.faults(View(pitch, struck, frames)))


@each_rule
@given(seed=seeds)
def test_without_voices_columns_stand_in_any_order(name, options, seed):
    rule = bound(name, options)
    if "voices" in rule.needs:
        return
    rng = np.random.default_rng(seed)
    pitch, struck = grid(rng, voices=5)
    frames = np.arange(FRAMES)
    plain = rule.faults(View(pitch, struck, frames, voiced=False))
    order = np.stack([rng.permutation(5) for _ in range(FRAMES)])
    mixed = View(*(np.take_along_axis(part, order, axis=1) for part in (pitch, struck)), frames, voiced=False)
    np.testing.assert_array_equal(rule.faults(mixed), np.take_along_axis(plain, order, axis=1))


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("range", {"ranges": "0-127"}),
        ("polyphony", {"most": 4}),
        ("density", {"most": 16}),
        ("grid", {"unit": "1/16"}),
        ("stepwise", {"widest": 127}),
        ("locked", {}),
        ("no-loops", {"times": 100}),
    ],
)
@given(seed=seeds)
def test_a_rule_with_nothing_to_say_finds_no_fault(name, options, seed):
    view = View(*grid(np.random.default_rng(seed)), np.arange(FRAMES))
    assert not bound(name, options).faults(view).any()


@pytest.mark.parametrize("name", registry.names("rules"))
def test_a_rule_says_what_it_is(name):
    kind = registry.part("rules", name)
    rule = kind()
    assert kind.about
    assert not kind.about.endswith(".")
    assert kind.source
    assert kind.weight is None or kind.weight > 0
    assert rule.needs <= {"voices", "time", "key", "fermatas"}
    assert all(option.default is not dataclasses.MISSING for option in dataclasses.fields(kind))
    assert hash(rule) == hash(kind())


@each_rule
def test_the_music_of_these_laws_keeps_and_breaks_every_rule(name, options):
    """A law about faults would hold of a rule that finds none, or nothing else."""
    rng = np.random.default_rng(0)
    rule = bound(name, options)
    views = [View(*grid(rng, opened=0), np.arange(FRAMES)) for _ in range(600)]
    faulty = np.array([rule.faults(view).any(-1) for view in views])
    assert faulty.any()
    assert not faulty.all()
