"""Generating and continuing under rules, by a beam, as the best of several: with networks of a few lines."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes import bundle
from kantor import io, registry
from kantor.corpora import Corpus, CorpusPiece, tracks_of
from kantor.errors import DeadEndError, OptionError, RuleError, UnknownNameError, UnsupportedRuleError
from kantor.evaluation.novelty import Memory
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.rules import InKey, Locked, NoLoops, faults, view_of
from kantor.sampling.guard import Asked, asked
from kantor.verbs import _compose, _steering
from kantor.verbs.continue_ import continue_
from kantor.verbs.generate import generate
from kantor.verbs.replay import replay

CHORALE = bundle()
PLAIN = bundle(Chorale(inputs=("voice", "own", "now")))
NOTES = bundle(Notes(inputs=("beat", "above")))
ROLL = bundle(Roll(inputs=("rank", "above")))
VELOCITIES = bundle(Notes(inputs=("beat",), velocity=True))
pytestmark = pytest.mark.usefixtures("network")


def lines(score):
    """(frames, 4) what each voice sings in each sixteenth, 0 for silence; by a loop of its own."""
    grid = np.zeros((score.length_ticks // 120, 4), dtype=int)
    for onset, duration, pitch, _, voice in score.notes.tolist():
        grid[onset // 120 : (onset + duration) // 120, voice] = pitch
    return grid.tolist()


def parallels(score):
    """Pairs of voices that both move from a fifth to a fifth or an octave to an octave."""
    found = 0
    for before, after in pairwise(lines(score)):
        for one, other in combinations(range(4), 2):
            there, here = (before[one], before[other]), (after[one], after[other])
            if 0 in (*there, *here) or there[0] == here[0] or there[1] == here[1]:
                continue
            found += abs(there[0] - there[1]) % 12 == abs(here[0] - here[1]) % 12 and abs(here[0] - here[1]) % 12 in (
                0,
                7,
            )
    return found


def crossings(score):
    return sum(a > 0 and b > 0 and a < b for row in lines(score) for a, b in combinations(row, 2))


@pytest.mark.parametrize("model", [CHORALE, PLAIN], ids=["full", "plain"])
def test_four_voices_keep_the_default_rules_and_none_switches_them_off(model):
    pieces = generate(model, bars=2, seed=1, count=4, meter="4/4", pickup=0)
    assert sum(parallels(piece.score) + crossings(piece.score) for piece in pieces) == 0
    assert all(piece.rules_cost > 0 for piece in pieces)
    free = generate(model, bars=2, seed=1, count=4, meter="4/4", pickup=0, rules=["none"])
    assert sum(parallels(piece.score) for piece in free) > 0
    assert sum(crossings(piece.score) for piece in free) > 0
    assert all(piece.rules_cost == piece.dead_ends == 0 for piece in free)


def test_none_also_lets_voices_leave_their_ranges():
    free = generate(CHORALE, bars=4, seed=1, rules=["none"])[0].score
    held = generate(CHORALE, bars=4, seed=1, rules=["none", "range"])[0].score
    soprano = [score.notes["pitch"][score.notes["part"] == 0] for score in (free, held)]
    assert soprano[0].min() < 60 <= soprano[1].min()


def test_a_rule_holds_throughout():
    for model in (CHORALE, NOTES, ROLL):
        piece = generate(model, bars=2, seed=3, key="D", rules=["in-key=D"])[0]
        assert set((piece.score.notes["pitch"] % 12).tolist()) <= {2, 4, 6, 7, 9, 11, 1}
        assert len(piece.score)


def test_given_chords_are_what_sounds():
    piece = generate(CHORALE, bars=2, seed=2, key="C", meter="4/4", pickup=0, chords="I V")[0]
    notes = piece.score.notes
    first, second = notes[notes["onset"] < 1920], notes[notes["onset"] >= 1920]
    assert set((first["pitch"] % 12).tolist()) <= {0, 4, 7}
    assert set((second["pitch"] % 12).tolist()) <= {7, 11, 2}


def test_at_most_so_many_notes_at_once():
    for model in (NOTES, ROLL):
        score = generate(model, bars=2, seed=4, rules=["polyphony=2"])[0].score
        ends = score.notes["onset"] + score.notes["duration"]
        for onset in np.unique(score.notes["onset"]):
            assert ((score.notes["onset"] <= onset) & (ends > onset)).sum() <= 2


def test_a_soft_rule_is_kept_more_often_and_its_price_is_told():
    def leaps(pieces):
        grids = [np.array(lines(piece.score)) for piece in pieces]
        return np.mean(
            [np.abs(np.diff(grid, axis=0)[(grid[1:] > 0) & (grid[:-1] > 0)]).clip(max=12).mean() for grid in grids]
        )

    plain = generate(CHORALE, bars=2, seed=1, count=6)
    soft = generate(CHORALE, bars=2, seed=1, count=6, soft=["stepwise=4"])
    assert leaps(soft) < leaps(plain)
    assert np.mean([p.rules_cost for p in soft]) > np.mean([p.rules_cost for p in plain])


def test_what_was_given_may_have_faults_of_its_own():
    before = generate(CHORALE, bars=2, seed=1, meter="4/4", pickup=0, rules=["none"])[0].score
    assert parallels(before) + crossings(before)
    after = continue_(before, CHORALE, bars=2, seed=2)[0].score
    new = after.cut(before.length_ticks, after.length_ticks)
    assert parallels(new) + crossings(new) == 0
    assert after.notes[: len(before)].tolist() == before.notes.tolist()


def test_where_nothing_is_left_the_music_steps_back_and_goes_on():
    rules = ["spacing", "no-overlap", "no-direct", "in-key=C", "no-augmented"]
    pieces = generate(CHORALE, bars=4, seed=6, count=4, key="C", meter="4/4", pickup=0, chords="I V vi IV", rules=rules)
    assert sum(piece.dead_ends for piece in pieces) > 0
    for piece in pieces:
        assert set((piece.score.notes["pitch"] % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}
        assert parallels(piece.score) + crossings(piece.score) == 0


def test_what_cannot_be_kept_is_an_error_that_names_rule_and_bar(monkeypatch):
    monkeypatch.setattr(_compose, "REVIVALS", 1)
    with pytest.raises((DeadEndError, RuleError), match=r"locked|polyphony|density|in-key"):
        generate(NOTES, bars=2, seed=1, key="C", rules=["in-key=C", "range=61-61"])


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"rules": ["no-paralels"]}, UnknownNameError, "no-parallels"),
        ({"rules": ["in-key=H"]}, OptionError, "H"),
        ({"soft": ["stepwise=x"]}, OptionError, "weight in nats"),
        ({"beam": -1}, OptionError, r"--beam within 0\.\.256"),
        ({"best_of": 0}, OptionError, r"--best-of within 1\.\.256"),
        ({"beam": 2, "best_of": 2}, OptionError, "either --beam or --best-of"),
        ({"chords": "I V vi", "bars": 4, "meter": "4/4", "pickup": 0}, RuleError, "3"),
        ({"novelty": True}, OptionError, "corpus by name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(options, error, said):
    with pytest.raises(error, match=said):
        generate(CHORALE, **{"bars": 1, "seed": 1, "key": "C", **options})


@pytest.mark.parametrize("representation", [Notes(), Events(), Regression(), Roll()])
def test_rules_of_voices_are_refused_where_there_are_none(representation):
    with pytest.raises(UnsupportedRuleError, match="needs four voices"):
        generate(bundle(representation), bars=1, seed=1, rules=["no-direct"])


def test_a_beam_finds_what_is_likelier_than_what_is_drawn():
    drawn = generate(CHORALE, bars=1, seed=1, count=4, key="C", meter="2/2", pickup=0)
    found = generate(CHORALE, bars=1, seed=1, key="C", meter="2/2", pickup=0, beam=8)[0]
    assert found.nats_per_note < min(piece.nats_per_note for piece in drawn)
    assert parallels(found.score) + crossings(found.score) == 0


def test_the_best_of_several_is_one_of_them_and_as_good_as_any():
    alone = generate(CHORALE, bars=1, seed=1, key="C", meter="4/4", pickup=0, best_of=1)[0]
    best = generate(CHORALE, bars=1, seed=1, key="C", meter="4/4", pickup=0, best_of=6)[0]
    assert best.score.length_ticks == alone.score.length_ticks
    again = generate(CHORALE, bars=1, seed=1, key="C", meter="4/4", pickup=0, best_of=6)[0]
    assert best.score == again.score


HARD = ["in-key=C", "in-key=A harmonic minor", "range=50-74", "density=6", "polyphony=3", "grid=1/8", "no-loops"]
ONE_BAR = {"bars": 1, "meter": "1/4", "pickup": 0, "key": "C"}
VOICED = ["no-parallels", "no-crossing", "spacing", "no-overlap", "no-direct", "no-augmented"]


@example(rules=["density=6", "in-key=C", "no-crossing", "range=50-74"], seed=1, model=PLAIN, goes_on=True)
@settings(max_examples=500)
@given(
    rules=st.lists(st.sampled_from(HARD + VOICED), max_size=4, unique=True),
    seed=st.integers(0, 10**6),
    model=st.sampled_from([CHORALE, PLAIN, NOTES, VELOCITIES, ROLL]),
    goes_on=st.booleans(),
)
def test_any_rules_hold_in_any_music_and_it_can_be_made_again(rules, seed, model, goes_on):
    """No fault anywhere; what is given stays, and the recipe makes the same bytes."""
    wanted = [rule for rule in rules if model.representation.voiced or rule in HARD]
    options = {"seed": seed, "rules": ["none", *wanted]}
    given = None
    try:
        piece = generate(model, **ONE_BAR, **options)[0]
        if goes_on and len(piece.score):
            given = piece.score
            piece = continue_(given, model, bars=1, **options)[0]
    except (DeadEndError, UnsupportedRuleError):
        return  # said in a sentence, and nothing has been written
    if given is not None:
        kept = piece.score.notes[piece.score.notes["onset"] < given.length_ticks]
        assert kept[["onset", "pitch", "part"]].tolist() == given.notes[["onset", "pitch", "part"]].tolist()
    step = model.representation.step
    demanded = {one.name: one.rule for one in asked(wanted)}
    assert faults(piece.score, demanded, step=step, view=view_of(piece.score, step)) == []
    assert io.encode(replay(piece.score, model).score, ".mid") == io.encode(piece.score, ".mid")


def test_what_was_given_is_not_called_copied(monkeypatch):
    given = generate(CHORALE, bars=3, seed=1, meter="4/4", pickup=0)[0].score
    monkeypatch.setattr(_steering, "memory_of", lambda bundle: Memory([("given", given)]))
    assert generate(CHORALE, bars=3, seed=1, meter="4/4", pickup=0, novelty=True)[0].copied.bars == 1
    added = continue_(given, CHORALE, bars=1, seed=2, novelty=True)[0].copied
    assert added.quarters <= 4
    assert added.bars < 1


@pytest.mark.parametrize(("tracks", "bars"), [("melody", 1.0), ("", 0.0)])
def test_training_pieces_are_remembered_as_the_model_heard_them(monkeypatch, tracks, bars):
    piece = generate(CHORALE, bars=2, seed=1, meter="4/4", pickup=0)[0].score
    corpus = Corpus("tiny", "", (CorpusPiece("one", piece, "train"),), ())
    monkeypatch.setattr(registry, "names", lambda room: ("tiny",))
    monkeypatch.setattr(registry, "part", lambda room, name: lambda: corpus)
    memory = _steering.memory_of(bundle(corpus={"name": "tiny"}, tracks=tracks))
    assert memory.copied(tracks_of(piece, "melody")).bars == bars


def test_rules_as_dataclasses_are_held_and_replayed():
    rules = [InKey("D"), Asked("in-key", InKey("G"), 0.5), Asked("no-loops", NoLoops(times=9))]
    piece = generate(CHORALE, bars=1, seed=1, rules=rules)[0]
    assert set((piece.score.notes["pitch"] % 12).tolist()) <= {2, 4, 6, 7, 9, 11, 1}
    assert replay(piece.score, CHORALE).score == piece.score


def test_a_rule_that_no_recipe_can_spell_is_refused():
    with pytest.raises(OptionError, match="recipe can spell"):
        generate(CHORALE, bars=1, seed=1, rules=[Asked("mine", InKey("C"))])


def test_all_rules_of_one_name_hold_and_those_that_contradict_each_other_are_told_apart():
    score = generate(CHORALE, bars=1, seed=1, rules=["none", "in-key=C", "in-key=D", "in-key=G"])[0].score
    assert set((score.notes["pitch"] % 12).tolist()) <= {2, 4, 7, 9, 11}
    score = generate(NOTES, bars=1, seed=1, rules=["polyphony=1", "polyphony=4"])[0].score
    ends = score.notes["onset"] + score.notes["duration"]
    assert (score.notes["onset"][1:] >= ends[:-1]).all()
    contradictory = ["in-key=C pentatonic", "in-key=F# pentatonic"]
    with pytest.raises(RuleError, match="got in-key=C pentatonic and in-key=F# pentatonic, which leave no note"):
        generate(CHORALE, bars=1, seed=1, rules=contradictory)


def test_a_locked_note_outside_the_key_that_is_demanded_is_refused():
    with pytest.raises(RuleError, match="got locked and in-key, which leave no note in common in bar 1; drop one"):
        generate(CHORALE, bars=1, seed=1, pickup=0, rules=[Locked(((0, 480, 61, 1),)), InKey("C")])


def test_rules_know_the_key_that_is_asked_for_where_the_model_knows_none():
    assert "key" not in {known.name for known in PLAIN.representation.conditions}
    options = {"bars": 2, "seed": 1, "meter": "4/4", "pickup": 0}
    for rules in (["leading-tone"], ["cadence"], ["chords=I V"]):
        with pytest.raises(RuleError, match="expected a key in the plan or the rule"):
            generate(PLAIN, rules=rules, **options)
    piece = generate(PLAIN, key="D", rules=["leading-tone"], chords="I V", **options)[0]
    first = piece.score.notes[piece.score.notes["onset"] < 1920]
    assert set((first["pitch"] % 12).tolist()) == {2, 6, 9}


def test_where_a_chord_begins_nobody_rests():
    for seed in range(6):
        score = generate(CHORALE, bars=1, seed=seed, key="C", meter="4/4", pickup=0, chords="I V vi IV")[0].score
        grid = np.array(lines(score))
        assert (grid[[0, 4, 8, 12]] > 0).all()
        assert (grid[[0, 4, 8, 12], 3] % 12).tolist() == [0, 7, 9, 5]


def test_the_best_of_several_continuations_is_judged_under_the_rules_of_the_whole():
    given = generate(CHORALE, bars=3, seed=1, key="C", meter="4/4", pickup=0)[0].score
    options = {"bars": 2, "seed": 1, "rules": ["none"], "soft": ["chords=I V vi IV I:0.1"]}
    alone = continue_(given, CHORALE, **options)[0]
    best = continue_(given, CHORALE, best_of=3, **options)[0]
    assert len(best.score.bars) == len(alone.score.bars) == 5
