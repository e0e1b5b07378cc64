"""Finished scores under rules, rules that contradict each other, and the list of them all."""

import json
from pathlib import Path

import numpy as np
import pytest

from kantor import registry
from kantor.errors import RuleError, UnsupportedRuleError
from kantor.rules import SILENT, Fault, check_agreement, faults, view_of
from kantor.rules.cadence import Cadence
from kantor.rules.chords import Chords
from kantor.rules.figured_bass import FiguredBass
from kantor.rules.in_key import InKey
from kantor.rules.locked import Locked
from kantor.rules.no_parallels import NoParallels
from kantor.rules.polyphony import Polyphony
from kantor.rules.range import Range
from kantor.score import NOTE, VOICES, Key, Meter, Part, Score
from kantor.verbs.rules import rules


def hymn(lines, ticks_per_quarter=480, **known):
    """Four voices in quarters."""
    quarter = ticks_per_quarter
    rows = [
        (quarter * at, quarter, pitch, 80, voice) for voice, line in enumerate(lines) for at, pitch in enumerate(line)
    ]
    known.setdefault("parts", tuple(map(Part, VOICES)))
    return Score.from_notes(rows, ticks_per_quarter=ticks_per_quarter, **known)


@pytest.mark.parametrize("resolution", [480, 24, 960])
def test_faults_are_named_and_placed_in_the_scores_own_ticks(resolution):
    score = hymn([[67, 69, 69], [64, 65, 64], [60, 62, 60], [48, 48, 45]], resolution)
    found = faults(score, {"no-parallels": NoParallels(), "polyphony=3": Polyphony(3)}, step=480)
    assert Fault("no-parallels", resolution, (0, 2)) in found
    assert [fault.tick for fault in found if fault.rule == "polyphony=3"] == [0, resolution, 2 * resolution]
    assert [fault.tick for fault in found] == sorted(fault.tick for fault in found)


def test_a_score_is_voices_if_it_has_four_lines_and_notes_if_not():
    score = hymn([[67, 69], [64, 65], [60, 62], [48, 50]])
    view = view_of(score, 480)
    assert view.voiced
    assert view.pitch.tolist() == [[67, 64, 60, 48], [69, 65, 62, 50]]
    assert view.struck.all()
    piano = score.replace(parts=(Part(),), notes=_in_one_part(score))
    loose = view_of(piano, 480)
    assert not loose.voiced
    assert np.sort(loose.pitch, axis=1).tolist() == np.sort(view.pitch, axis=1).tolist()
    with pytest.raises(UnsupportedRuleError, match="four voices for no-parallels"):
        faults(piano, {"no-parallels": NoParallels()})
    assert len(faults(piano, {"range": Range("60-127")}, step=480)) == 2


def _in_one_part(score):
    notes = score.notes.copy()
    notes["part"] = 0
    return notes


def test_notes_that_hold_keep_their_lane_and_drums_are_no_notes():
    rows = [(0, 960, 60, 80, 0), (480, 960, 64, 80, 0), (960, 480, 62, 80, 0), (0, 480, 40, 80, 1)]
    score = Score.from_notes(rows, parts=(Part(), Part(is_drum=True)))
    view = view_of(score, 480)
    assert view.pitch.tolist() == [[60, SILENT], [60, 64], [62, 64]]
    assert view.struck.tolist() == [[True, False], [False, True], [True, False]]
    assert view_of(Score(np.empty(0, NOTE)), 480).pitch.shape == (0, 1)


def test_a_score_without_faults_has_none():
    score = hymn([[67, 67], [64, 65], [60, 60], [48, 45]], keys=(Key(0, 0, "major"),))
    assert faults(score, {"no-parallels": NoParallels(), "in-key": InKey()}) == []


# -- contradictions ------------------------------------------------------------------------------------------------

PLAN = Score(np.empty(0, NOTE), meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),), length_ticks=4 * 1920)


def agreed(voiced=True, **made):
    check_agreement({name: rule.bound(PLAN, 120) for name, rule in made.items()}, PLAN, 120, voiced=voiced)


@pytest.mark.parametrize(
    ("made", "bar"),
    [
        ({"key": InKey("C"), "other": InKey("F# pentatonic")}, 1),
        ({"key": InKey("C"), "chords": Chords("C F F# C")}, 3),
        ({"key": InKey("C"), "chords": Chords("C E7")}, 2),
        ({"key": InKey("C"), "locked": Locked(((1920, 480, 61, 0),))}, 2),
        ({"range": Range("60-64"), "locked": Locked(((1080, 480, 67, 1),))}, 1),
        ({"bass": FiguredBass("C2"), "range": Range()}, 1),
        ({"key": InKey("F#"), "cadence": Cadence()}, 4),
        ({"chords": Chords("C F G D"), "cadence": Cadence()}, 4),
        ({"chords": Chords("I V vi IV"), "cadence": Cadence()}, 4),
    ],
    ids=str,
)
def test_rules_that_contradict_each_other_are_refused_by_name(made, bar):
    one, other = made
    with pytest.raises(RuleError, match=f"got ({one} and {other}|{other} and {one}), which .* in bar {bar}"):
        agreed(**made)


def test_rules_that_get_along_are_not_refused():
    agreed(key=InKey(), chords=Chords("I IV V I"), cadence=Cadence(), range=Range())
    agreed(key=InKey(), locked=Locked(((0, 480, 60, 0),)), chords=Chords("C"))
    agreed(voiced=False, key=InKey(), chords=Chords("C"), range=Range("40-80"))
    for name in registry.names("rules"):
        if name not in ("chords", "figured-bass", "fermata"):
            agreed(range=Range(), other=registry.part("rules", name)())


# -- the list ------------------------------------------------------------------------------------------------------


def test_every_rule_is_listed_with_what_it_needs():
    listed = {row["name"]: row for row in rules()}
    assert list(listed) == list(registry.names("rules"))
    assert json.loads(json.dumps(rules())) == rules()
    assert listed["in-key"]["option"] == "scale"
    assert listed["in-key"]["hard"]
    assert listed["no-crossing"]["option"] is None
    assert listed["no-parallels"]["needs"] == ["voices"]
    assert listed["no-parallels"]["default"] == "both"
    assert listed["repetition"]["weight"] == pytest.approx(0.693, abs=1e-3)
    assert listed["fermata"]["option"] is None
    assert listed["no-loops"]["more"] == {"times": 5}


def test_the_page_on_rules_has_them_all_as_they_are():
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    for row in rules():
        default = f"`{row['name']}={row['default']}`" if row["default"] not in (None, "", []) else ""
        hard = "hard" if row["hard"] else f"soft, {row['weight']:.2g}"
        assert f"| `{row['name']}` | {row['forbids']} | {', '.join(row['needs'])} | {default} | {hard} |" in page
