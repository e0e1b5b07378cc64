"""What holds of every representation that rules can be kept in: it knows what sounds, and what each class would."""

import pickle
from collections import Counter
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from kantor.errors import ScoreError
from kantor.representations import decided
from kantor.rules import OPEN
from kantor.sampling.fields import low_to_high
from kantor.sampling.guard import Asked, Guard
from kantor.score import VOICES, Meter, Part, Score
from laws.tiny import each_representation
from strategies import scores

pytestmark = each_representation()

ANY = st.one_of(scores(max_frames=24), scores(max_parts=2, monophonic=False, max_frames=24))


def encoded(representation, score):
    """The encoding of a score and its notes: (onset, end, pitch) in frames. What is only near a score is not judged."""
    try:
        encoding = representation.encode(score)
    except ScoreError:
        assume(False)
    if encoding.unknown:
        return replace(encoding, values=encoding.values[:0]), []
    notes = representation.decode(encoding.values, encoding.plan).notes
    onset, lasting = notes["onset"] // representation.step, notes["duration"] // representation.step
    return encoding, list(zip(onset.tolist(), (onset + lasting).tolist(), notes["pitch"].tolist(), strict=True))


def fields_of(representation):
    """Number, field and columns of each field."""
    start = 0
    for k, field in enumerate(representation.fields):
        yield k, field, slice(start, start + field.width)
        start += field.width


def decisions(representation, encoding, reach):
    """Each decision on what sounds: the situation, and the class that the piece has there. Keys come low to high."""
    deriver = representation.derive(encoding.plan)
    for row in encoding.values:
        for k, field, place in fields_of(representation):
            if field.kind != "multi-hot":
                situation = deriver.situation(k, row[None], reach)
                if situation is not None:
                    yield situation, int(row[place.start])
                continue
            known = np.zeros_like(row)
            for key in np.flatnonzero(row[place]):
                yield deriver.situation(k, known[None], reach), int(key)
                known[place.start + key] = 1
        deriver.push(row[None])


@given(score=ANY)
def test_what_is_chosen_sounds_and_is_struck_where_a_note_begins(representation, score):
    encoding, notes = encoded(representation, score)
    struck, held = [], []
    for situation, chosen in decisions(representation, encoding, 0):
        frame = int(situation.frames[0, situation.at])
        sounds = [(frame, pitch) for pitch in situation.choices[0, chosen].tolist() if pitch >= 0]
        (struck if situation.strikes[0, chosen] else held).extend(sounds)
    if not representation.timed:
        assert Counter(pitch for _, pitch in struck) == Counter(pitch for *_, pitch in notes)
        assert not held
        return
    assert Counter(struck) == Counter((onset, pitch) for onset, _, pitch in notes)
    on = Counter((frame, pitch) for onset, end, pitch in notes for frame in range(onset + 1, end))
    assert not Counter(held) - on


@given(score=ANY, reach=st.integers(0, 9))
def test_what_has_sounded_is_what_the_piece_has(representation, score, reach):
    encoding, notes = encoded(representation, score)
    begun, on = Counter(), Counter()
    for onset, end, pitch in notes:
        begun[onset, pitch] += 1
        on.update((frame, pitch) for frame in range(onset + 1, end))
    for situation, _ in decisions(representation, encoding, reach):
        pitch, struck, frames = situation.pitch[0], situation.struck[0], situation.frames[0].tolist()
        own = slice(situation.voice, situation.voice + situation.choices.shape[2])
        assert situation.voiced == representation.voiced
        assert np.diff(frames).tolist() == [1] * reach
        assert (pitch[situation.at, own] == OPEN).all()
        if not representation.timed:
            assert (pitch == OPEN).all()
            continue
        assert not struck[pitch < 0].any()
        for frame, lanes, begins in zip(frames, pitch, struck, strict=True):
            heard = Counter((frame, int(note)) for note in lanes[begins])
            lasting = Counter((frame, int(note)) for note in lanes[~begins & (lanes >= 0)])
            if frame == frames[situation.at]:  # of which not all is decided
                assert not heard - begun
                assert not lasting - on
            elif frame < 0:
                assert (lanes == OPEN).all()
            else:
                assert heard == Counter({note: n for note, n in begun.items() if note[0] == frame})
                assert lasting == Counter({note: n for note, n in on.items() if note[0] == frame})
                assert not (lanes == OPEN).any()


# -- any piece that the grammar admits -------------------------------------------------------------------------------


def drawn(field, rng):
    """Anything that a field can hold."""
    if field.kind == "categorical":
        return rng.integers(field.size)
    if field.kind == "real":
        return rng.integers(field.least, 3 * field.grid)
    return rng.random(field.size) < 0.05


def walk(representation, plan, seed, most, guard=None):
    """Steps drawn at random from what grammar and rules admit, until they end or leave nothing."""
    rng = np.random.default_rng(seed)
    deriver = representation.derive(plan)

    def admitted(k, values):
        situation = deriver.situation(k, values, guard.reach) if guard else None
        return None if situation is None else guard.judge(situation)[0]

    steps = []
    while deriver.done() is None and len(steps) < most:
        row = np.zeros((1, decided(representation)), dtype=np.int64)
        for k, field, place in fields_of(representation):
            wanted = np.atleast_2d(drawn(field, rng))
            if field.kind == "multi-hot":
                wanted = low_to_high(wanted, lambda kept, k=k: admitted(k, kept))
            elif field.kind == "categorical":
                masks = [mask for mask in (deriver.allowed(k, row), admitted(k, row)) if mask is not None]
                left = np.flatnonzero(np.all([np.ones((1, field.size), dtype=bool), *masks], axis=0)[0])
                if not len(left):
                    return np.array(steps, dtype=np.int64).reshape(-1, row.shape[1])
                wanted = wanted if wanted[0, 0] in left else rng.choice(left)
            row[:, place] = wanted
        deriver.push(row)
        steps.append(row[0])
    return np.array(steps, dtype=np.int64).reshape(-1, decided(representation))


def lanes_of(situation, row):
    """What sounds of one piece, a lane each, in an order of their own; lanes without a note are left out."""
    heard = (situation.pitch[row] >= 0).any(0)
    both = np.concatenate([situation.pitch[row], situation.struck[row]])[:, heard]
    return sorted(map(tuple, both.T.tolist()))


@given(score=scores(max_frames=12), seed=st.integers(0, 2**32), reach=st.sampled_from([0, 3, 30]))
def test_pieces_side_by_side_are_in_the_situations_of_each_alone(representation, score, seed, reach):
    plan = representation.plan(score)
    walks = [walk(representation, plan, seed + n, 60) for n in range(3)]
    together, alone = representation.derive(plan, plan, plan), [representation.derive(plan) for _ in walks]
    for step in range(min(map(len, walks))):
        values = np.array([steps[step] for steps in walks])
        for k in range(len(representation.fields)):
            all_three = together.situation(k, values, reach)
            for row, deriver in enumerate(alone):
                situation = deriver.situation(k, values[row : row + 1], reach)
                if situation is None:  # others of the three may have to choose
                    continue
                assert np.array_equal(all_three.frames[row], situation.frames[0])
                assert np.array_equal(all_three.choices[row], situation.choices[0])
                assert np.array_equal(all_three.strikes[row], situation.strikes[0])
                assert lanes_of(all_three, row) == lanes_of(situation, 0)
        together.push(values)
        for deriver, row in zip(alone, values, strict=True):
            deriver.push(row[None])


def test_asking_changes_nothing_and_what_is_remembered_does_not_grow(representation):
    parts = tuple(Part(name) for name in VOICES)
    score = Score.from_notes([(0, 480, 60, 80, 0)], parts=parts, meters=(Meter(0, 4, 4),), length_ticks=400 * 1920)
    plan = representation.plan(score)
    deriver, fields = representation.derive(plan), range(len(representation.fields))
    values, sizes = walk(representation, plan, 1, 3_000), []
    for step, row in enumerate(values, start=1):
        deriver.push(row[None])
        if step in (100, len(values) // 2, len(values)):
            before = pickle.dumps(deriver)
            for k in fields:
                situation = deriver.situation(k, row[None], 24)
                assert situation is None or situation.pitch.shape[1] == 25
            assert pickle.dumps(deriver) == before
            sizes.append(len(before))
    assert len(values) > 150
    assert max(sizes) - min(sizes) <= 64  # counters take a few bytes more


# -- rules that are kept ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AtMost:
    """So many onsets in any ``reach`` + 1 frames, so many notes that sound at once."""

    onsets: int
    sounding: int
    reach: int

    needs: ClassVar[frozenset[str]] = frozenset()

    def bound(self, plan, step):
        return self

    def faults(self, view):
        sounds = view.pitch[..., -1, :] >= 0
        full = (view.struck.sum((-1, -2)) > self.onsets) | (sounds.sum(-1) > self.sounding)
        out = np.zeros(view.pitch.shape, dtype=bool)
        out[..., -1, :] = full[..., None] & sounds
        return out


@given(seed=st.integers(0, 2**32), rule=st.builds(AtMost, st.integers(1, 6), st.integers(1, 3), st.integers(0, 5)))
def test_a_piece_that_heeds_a_rule_makes_no_fault(representation, seed, rule):
    if not representation.timed:
        return
    plan = representation.plan(Score.from_notes([(0, 480, 60, 80, 0)], meters=(Meter(0, 3, 4),), length_ticks=3 * 1440))
    guard = Guard([Asked("at-most", rule)], [plan], representation.step, voiced=representation.voiced)
    made = representation.decode(walk(representation, plan, seed, 200, guard), plan).notes
    onset, end = made["onset"] // representation.step, (made["onset"] + made["duration"]) // representation.step
    for frame in range(plan.length_ticks // representation.step):
        assert ((onset <= frame) & (frame <= onset + rule.reach)).sum() <= rule.onsets
        assert ((onset <= frame) & (frame < end)).sum() <= rule.sounding
