"""Rules as they are asked for: what is given holds, all of it; and what is written down is read again."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import registry, rules
from kantor.errors import OptionError, UnknownNameError
from kantor.rules import Chords, InKey, Locked, NoLoops, NoParallels, Polyphony, Stepwise
from kantor.sampling.guard import Asked, asked, named, spelt

DEFAULT = ("no-parallels", "no-crossing")


@pytest.mark.parametrize(
    ("hard", "soft", "held"),
    [
        (["in-key=C", "in-key=F#"], [], ["in-key=C", "in-key=F#"]),
        (["polyphony=2", "polyphony=4"], [], ["polyphony=2", "polyphony=4"]),
        (["in-key=C"], ["in-key=C:0.5"], ["in-key=C", "in-key=C:0.5"]),
        (["in-key=C", "no-direct", "in-key=C"], [], ["in-key", "no-direct"]),
        (["stepwise"], ["stepwise"], ["stepwise"]),
        (["no-loops", NoLoops(times=9)], [], ["no-loops=bar", 'no-loops={"times": 9}']),
    ],
)
def test_a_rule_that_is_given_twice_holds_twice(hard, soft, held):
    assert list(named(asked(hard, soft))) == held


def test_only_a_default_rule_is_replaced():
    assert list(map(str, asked(["no-parallels=fifths"], default=DEFAULT))) == ["no-crossing", "no-parallels=fifths"]
    assert list(map(str, asked([], ["no-crossing=0.5"], DEFAULT))) == ["no-parallels=both", "no-crossing=0.5"]
    two = asked(["no-parallels=fifths", "no-parallels=octaves"], default=DEFAULT)
    assert [one.rule.which for one in two if one.name == "no-parallels"] == ["fifths", "octaves"]
    assert [one.name for one in asked(["none", "no-direct"], default=DEFAULT)] == ["no-direct"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (NoParallels(), "no-parallels=both"),
        (NoParallels("fifths"), "no-parallels=fifths"),
        (InKey(), "in-key"),
        (Polyphony(0), "polyphony=0"),
        (Locked(), "locked"),
        (Locked(((0, 480, 60, 1), (480, 1, 48, 3))), "locked=[[0, 480, 60, 1], [480, 1, 48, 3]]"),
        (Locked(((0, 480, 60, 1),), strikes=False), 'locked={"notes": [[0, 480, 60, 1]], "strikes": false}'),
        (Chords("I V", passing=True), 'chords={"changes": "I V", "passing": true}'),
        (Asked("in-key", InKey("C"), 0.5), 'in-key={"scale": "C", "weight": 0.5}'),
        (Asked("stepwise", Stepwise(), None), 'stepwise={"weight": null}'),
    ],
)
def test_a_recipe_spells_any_rule(rule, text):
    (one,) = asked([rule])
    assert spelt(one) == text
    assert asked([text]) == (one,)


weights = st.none() | st.floats(0, 100) | st.integers(0, 9)


@given(name=st.sampled_from(registry.names("rules")), weight=weights, times=st.integers(2, 9), passing=st.booleans())
def test_what_is_spelt_is_read_as_the_same(name, weight, times, passing):
    options = {"no-loops": {"times": times}, "chords": {"changes": "C G/B", "passing": passing}}.get(name, {})
    one = Asked(name, registry.part("rules", name)(**options), weight)
    assert asked([spelt(one)]) == (one,)


@pytest.mark.parametrize(
    ("hard", "soft", "said"),
    [
        ([1], [], r"as text, 'in-key=Gm', or as a dataclass of kantor.rules, InKey\('Gm'\); got 1"),
        ([InKey], [], "got <class"),
        ("no-parallels", [], r"rules as a list, got the text 'no-parallels'; try rules=\['no-parallels'\]"),
        ([], "stepwise=1", r"soft as a list, got the text 'stepwise=1'"),
        ([], [1], "soft rule as text, 'stepwise=0.5', got 1"),
        (["locked=C4"], [], "options as JSON, got 'C4'; try locked='"),
        (["locked=[[0, 480, 60]]"], [], r"rows \(onset, duration, pitch, voice\), got \[0, 480, 60\]"),
        (["no-loops={}9"], [], "options as JSON"),
        (['no-loops={"time": 9}'], [], "options among span, times, weight, each of its type, got 'time'"),
        (['no-loops={"times": "9"}'], [], "each of its type, got 'times'"),
        (['in-key={"weight": -1}'], [], "weight of 0 or more nats, or null"),
    ],
)
def test_what_is_no_rule_is_refused_in_a_sentence(hard, soft, said):
    with pytest.raises(OptionError, match=said) as refusal:
        asked(hard, soft)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", registry.names("rules"))
def test_every_rule_can_be_imported_by_the_name_of_its_class(name):
    kind = registry.part("rules", name)
    assert getattr(rules, kind.__name__) is kind
    assert asked([kind()]) == asked([name])
    assert json.loads(json.dumps(spelt(*asked([kind()])))) == spelt(*asked([name]))


def test_no_other_name_is_a_rule():
    for name in ("NoParalels", "In-Key", "inkey"):
        with pytest.raises(AttributeError, match=name):
            getattr(rules, name)
    with pytest.raises(UnknownNameError):
        asked(["NoParallels"])
