"""Harmonising: the melody stays to the tick, whatever file it came from; three voices are added on the grid."""

import json

import mido
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import RANGES, bundle
from kantor import io
from kantor.errors import BundleError, OptionError, RuleError, ScoreError
from kantor.representations.cells import Cells
from kantor.rules import Locked
from kantor.sampling import gibbs
from kantor.score import VOICES, Key, Meter, Part, Score, Tempo
from kantor.verbs import _filling
from kantor.verbs.harmonize import harmonize
from kantor.verbs.replay import replay
from two_sided import OPEN, TwoSided

CELLS = Cells(inputs=("phase", "meter", "beat", "key", "fermata", "remaining"))
FAKE = bundle(CELLS, ranges=RANGES, network={"kind": "two-sided"})
FIELDS = ["onset", "duration", "pitch", "velocity"]


@pytest.fixture(autouse=True)
def networks(monkeypatch):
    made = []

    def opened(_):
        made.append(TwoSided())
        return made[-1]

    monkeypatch.setattr(_filling, "model_of", opened)
    return made


def rows(score, part=None):
    notes = score.notes if part is None else score.notes[score.notes["part"] == part]
    return sorted(map(tuple, notes[FIELDS].tolist()))


def melody(pitches=(72, 74, 76, 77, 76, 74, 72, 72), length=480, ticks=480, **known):
    made = [(i * length, length, pitch, 70 + i % 50, 0) for i, pitch in enumerate(pitches)]
    known.setdefault("parts", (Part("Tune", 73),))
    return Score.from_notes(made, ticks_per_quarter=ticks, **known)


@st.composite
def melodies(draw):
    """Lines that a soprano can sing, at any resolution and off any grid, with and without what is known of them."""
    ticks = draw(st.sampled_from([4, 10, 24, 96, 220, 480]))
    made, at = [], 0
    for _ in range(draw(st.integers(1, 12))):
        length = draw(st.integers(1, 3 * ticks))
        if draw(st.integers(0, 9)):
            made.append((at, length, draw(st.integers(62, 79)), draw(st.integers(1, 127)), 0))
        at += length
    made = made or [(0, ticks, 70, 80, 0)]
    known = {}
    if draw(st.booleans()):
        known["meters"] = (Meter(0, *draw(st.sampled_from([(4, 4), (3, 4), (6, 8)]))),)
        known["anacrusis_ticks"] = draw(st.sampled_from([0, ticks]))
    if draw(st.booleans()):
        known["keys"] = (Key(0, draw(st.integers(-3, 3)), "minor"),)
    return Score.from_notes(
        made,
        ticks_per_quarter=ticks,
        parts=(Part("Tune", 40),),
        tempi=(Tempo(0, 66.0),),
        length_ticks=max(at, ticks) + draw(st.integers(0, ticks)),
        **known,
    )


@given(melodies(), st.integers(0, 99))
@settings(max_examples=25)
def test_any_melody_stays_to_the_tick(tune, seed):
    score = harmonize(tune, FAKE, seed=seed, sweeps=1)[0].score
    scale = score.ticks_per_quarter // tune.ticks_per_quarter
    assert rows(score, 0) == [(on * scale, length * scale, p, v) for on, length, p, v in rows(tune)]
    assert score.length_ticks == tune.length_ticks * scale
    assert (score.meters, score.keys, score.tempi) == (tune.meters, tune.keys, tune.tempi)
    assert [part.name for part in score.parts] == ["Tune", "Alto", "Tenor", "Bass"]
    assert {part.program for part in score.parts} == {40}


@given(melodies(), st.integers(0, 99))
@settings(max_examples=15)
def test_the_other_voices_stand_on_the_grid_in_their_ranges_one_note_at_a_time(tune, seed):
    score = harmonize(tune, FAKE, seed=seed, sweeps=1)[0].score
    sixteenth = score.ticks_per_quarter // 4
    for voice in (1, 2, 3):
        notes = score.notes[score.notes["part"] == voice]
        assert not (notes["onset"] % sixteenth).any()
        assert ((notes["pitch"] >= RANGES[voice][0]) & (notes["pitch"] <= RANGES[voice][1])).all()
        assert (notes["onset"][1:] >= (notes["onset"] + notes["duration"])[:-1]).all()
        assert (notes["onset"] + notes["duration"]).max(initial=0) <= score.length_ticks


def test_a_column_becomes_four_columns_of_as_many_rows(tmp_path):
    column = [0, 72, 72, 74, 74, 74, 0, 71, 72, 72, 72, 72, 0, 0]
    (tmp_path / "tune.csv").write_text("note0\n" + "".join(f"{pitch}\n" for pitch in column))
    harmonize(tmp_path / "tune.csv", FAKE, seed=1)[0].save(tmp_path / "out.csv")
    lines = (tmp_path / "out.csv").read_text().splitlines()
    assert lines[0] == "note0,note1,note2,note3"
    assert [int(line.split(",")[0]) for line in lines[1:]] == column


def test_a_grid_is_shown_bare_and_a_file_with_a_metre_as_it_is(networks, tmp_path):
    (tmp_path / "tune.csv").write_text("note0\n" + "72\n72\n74\n74\n" * 8)
    harmonize(tmp_path / "tune.csv", FAKE, seed=1)
    harmonize(melody(length=120, pitches=(72, 72, 74, 74) * 8, meters=(Meter(0, 4, 4),)), FAKE, seed=1)
    bare, full = (network.seen[0][0, :, 0] for network in networks)
    assert (bare > 46).all()
    assert (full[1:] <= 46).all()
    meter = [condition.name for condition in CELLS.conditions].index("meter")
    bare, full = (network.told[0][0, :, meter] for network in networks)
    assert set(bare) == {CELLS.conditions[meter].unknown}
    assert set(full) == {2}


def test_the_key_that_is_asked_for_is_told_and_written(networks):
    piece = harmonize(melody(keys=(Key(0, 1, "major"),)), FAKE, key="Gm", seed=1)[0]
    assert piece.score.keys == (Key(0, -2, "minor"),)
    key = [condition.name for condition in CELLS.conditions].index("key")
    assert set(networks[0].told[0][0, :, key]) == {12 + 7}


def test_fermatas_pickup_and_title_stay():
    tune = melody(meters=(Meter(0, 4, 4),), anacrusis_ticks=480, fermatas=(1440,), title="Wachet auf")
    score = harmonize(tune, FAKE, seed=1)[0].score
    assert (score.fermatas, score.anacrusis_ticks, score.title) == ((1440,), 480, "Wachet auf")


@pytest.mark.parametrize(("voice", "pitches"), [("alto", (65, 67, 69)), ("T", (55, 57, 52)), ("Bass", (43, 45, 48))])
def test_a_melody_can_be_any_voice(voice, pitches, networks):
    score = harmonize(melody(pitches), FAKE, voice=voice, seed=1)[0].score
    number = "SATB".index(voice[0].upper())
    assert rows(score, number) == rows(melody(pitches))
    assert [part.name for part in score.parts] == ["Tune" if v == number else name for v, name in enumerate(VOICES)]
    open_ = (networks[0].seen[0] == OPEN).all((0, 1))
    assert open_.tolist() == [v != number for v in range(4)]


def test_drums_go_on_behind_the_voices():
    tune = melody()
    beat = [(i * 480, 60, 36, 100, 0) for i in range(8)]
    both = Score.from_notes(
        [*beat, *((on, length, p, v, 1) for on, length, p, v in rows(tune))],
        parts=(Part("Drums", 0, True), Part("Tune", 73)),
    )
    score = harmonize(both, FAKE, seed=1)[0].score
    assert rows(score, 0) == rows(tune)
    assert score.parts[4] == Part("Drums", 0, True)
    assert rows(score, 4) == sorted(row[:4] for row in beat)


def test_takes_differ_and_each_can_be_made_alone():
    pieces = harmonize(melody(), FAKE, seed=5, count=3)
    assert len({piece.score.notes.tobytes() for piece in pieces}) == 3
    assert [piece.recipe["take"] for piece in pieces] == [1, 2, 3]
    alone = harmonize(melody(), FAKE, seed=5, take=2)[0]
    assert alone.score == pieces[1].score
    assert alone.recipe == pieces[1].recipe


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".csv"])
def test_a_recipe_makes_the_piece_again(tmp_path, suffix):
    options = {"key": "F", "rules": ["no-direct", "spacing"], "soft": ["stepwise=0.5"], "sweeps": 3, "top_p": 0.9}
    piece = harmonize(melody(), FAKE, seed=7, take=2, **options)[0]
    piece.save(tmp_path / f"one{suffix}")
    again = replay(tmp_path / f"one{suffix}", FAKE)
    again.save(tmp_path / f"two{suffix}")
    assert (tmp_path / f"two{suffix}").read_bytes() == (tmp_path / f"one{suffix}").read_bytes()
    assert (again.nats_per_note, again.rules_cost) == (piece.nats_per_note, piece.rules_cost)
    assert json.loads(piece.score.recipe)["options"]["sweeps"] == 3


def test_a_piece_says_what_was_decided_and_what_the_rules_cost():
    piece = harmonize(melody(), FAKE, seed=1)[0]
    assert piece.notes_decided == 3 * 32
    assert piece.nats_per_note > 0
    assert piece.rules_cost > 0
    assert harmonize(melody(), FAKE, rules=["none"], seed=1)[0].rules_cost == pytest.approx(0, abs=1e-9)


def test_rules_that_are_asked_for_are_kept():
    from kantor.rules import faults
    from kantor.sampling.guard import asked

    tune = melody(keys=(Key(0, 0, "major"),), meters=(Meter(0, 4, 4),))
    rules = ("no-parallels", "no-crossing", "no-direct", "no-overlap", "spacing", "in-key")
    score = harmonize(tune, FAKE, rules=rules, seed=3)[0].score
    assert faults(score, {one.name: one.rule for one in asked(rules)}) == []


def test_progress_is_told_in_thousandths():
    told = []
    harmonize(melody(), FAKE, seed=1, advance=told.append)
    assert told == sorted(told)
    assert told[-1] == 1000


def test_long_melodies_are_harmonised_in_sections(networks, monkeypatch):
    for name, size in {"SECTION": 64, "MARGIN": 16, "CONTEXT": 24}.items():
        monkeypatch.setattr(gibbs, name, size)
    tune = melody((72, 74, 76, 74) * 10, length=1920)
    score = harmonize(tune, FAKE, seed=1, sweeps=0)[0].score
    assert rows(score, 0) == rows(tune)
    assert score.length_ticks == tune.length_ticks
    assert max(seen.shape[1] for seen in networks[0].seen) <= 64 + 16 + 24


# -- what is no melody -----------------------------------------------------------------------------------------------


def chords():
    return Score.from_notes(
        [(0, 480, 72, 80, 0), (480, 480, 74, 80, 0), (2400, 480, 76, 80, 0), (2400, 480, 72, 80, 0)]
    )


@pytest.mark.parametrize(
    ("tune", "options", "error", "says"),
    [
        (Score.from_notes([], parts=(Part(),)), {}, ScoreError, "a melody with notes, got none"),
        (
            Score.from_notes([(0, 60, 36, 99, 0)], parts=(Part("", 0, True),)),
            {},
            ScoreError,
            "a melody with notes, got only drums",
        ),
        (chords(), {}, ScoreError, "one note at a time, got two at once in bar 2"),
        (
            Score.from_notes([(0, 480, 72, 80, 0), (0, 480, 60, 80, 1)]),
            {},
            ScoreError,
            "one part with notes, got 2; .* infill --voices alto,tenor,bass",
        ),
        (
            melody((72, 54, 72)),
            {},
            ScoreError,
            r"leaves the alto \(G3 and above\) a note, got F#3 in bar 1; transpose it up",
        ),
        (melody((72, 74)), {"voice": "bass"}, ScoreError, r"leaves the alto \(C5 and below\) .* got D5 .* down"),
        (melody((72, 90)), {}, ScoreError, "pitches from 36"),
        (melody(), {"rules": ["in-key=C", Locked(((0, 480, 61, 1),))]}, RuleError, "in-key and locked, .* in bar 1"),
        (melody(), {"rules": ["in-key=C", "chords=C# F#"]}, RuleError, "in-key and chords|chords and in-key"),
        (melody(), {"rules": ["in-key"]}, RuleError, "expected a key to keep to"),
        (melody(), {"voice": "descant"}, OptionError, "soprano, alto, tenor, bass, got 'descant'"),
        (melody(), {"key": "H"}, OptionError, "expected a key"),
        (melody(), {"sweeps": -1}, OptionError, "from 0 to 10000 sweeps, got -1"),
        (melody(), {"count": 0}, OptionError, "pieces, got 0"),
        (melody(), {"rules": ["no-parallells"]}, OptionError, "no-parallels"),
        (melody(), {"seed": -1}, OptionError, "a seed of 0 or more"),
    ],
)
def test_what_cannot_be_harmonised_is_refused_in_one_sentence(tune, options, error, says):
    with pytest.raises(error, match=says) as refusal:
        harmonize(tune, FAKE, **{"seed": 1, **options})
    assert "\n" not in str(refusal.value)


def test_a_melody_may_leave_the_key_that_the_other_voices_keep():
    piece = harmonize(melody((72, 73)), FAKE, rules=["in-key=C"], seed=1)[0]
    assert any("does not keep in-key=C, first with C#5 in bar 1 (soprano)" in remark for remark in piece.remarks)
    others = piece.score.notes["pitch"][piece.score.notes["part"] > 0]
    assert set((others % 12).tolist()) <= {0, 2, 4, 5, 7, 9, 11}


def test_locked_notes_sound_and_are_replayed():
    rule = Locked(((0, 480, 67, 1),))
    piece = harmonize(melody(), FAKE, rules=[rule], seed=1)[0]
    alto = piece.score.notes[piece.score.notes["part"] == 1]
    assert (alto["onset"][0], alto["pitch"][0]) == (0, 67)
    assert piece.recipe["options"]["rules"] == ["locked=[[0, 480, 67, 1]]"]
    assert replay(piece.score, FAKE).score == piece.score


def test_a_low_melody_is_harmonised_where_voices_may_cross():
    score = harmonize(melody((72, 54, 72)), FAKE, rules=["none"], seed=1)[0].score
    assert rows(score, 0) == rows(melody((72, 54, 72)))


def test_a_note_outside_a_soft_key_is_let_be():
    harmonize(melody((72, 73)), FAKE, soft=["in-key=C:0.5"], seed=1)


def test_a_model_that_sees_one_side_is_refused():
    with pytest.raises(BundleError, match="sees both sides, got 'fake'"):
        harmonize(melody(), bundle(), seed=1)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(io.FileFormatError, match=r"there is no file .*tune\.mid"):
        harmonize(tmp_path / "tune.mid", FAKE)


def test_ties_of_one_pitch_at_the_border_of_a_sixteenth_stay_two_notes():
    tune = Score.from_notes([(0, 470, 72, 80, 0), (470, 490, 72, 80, 0), (960, 480, 74, 80, 0)], length_ticks=1440)
    score = harmonize(tune, FAKE, seed=2)[0].score
    assert rows(score, 0) == rows(tune)
    assert np.array_equal(score.notes["part"] >= 0, np.ones(len(score), dtype=bool))


@pytest.mark.parametrize("rule", ["density=1", "polyphony=1"])
def test_voices_that_a_rule_silences_are_remarked_on(rule):
    (piece,) = harmonize(Score.from_notes([(i * 480, 480, 72, 80, 0) for i in range(8)]), FAKE, rules=[rule], seed=1)
    assert piece.remarks == (
        "nothing sounds in what was composed of the alto, the tenor and the bass; "
        f"--rule {rule} may leave no note, try a larger number",
    )


@pytest.mark.parametrize(
    ("part", "name"), [(Part("Piano"), "Soprano"), (Part("flute", 73), "Soprano"), (Part("Piano", 73), "Piano")]
)
def test_a_melody_named_after_its_instrument_is_named_after_its_voice(part, name):
    tune = Score.from_notes([(0, 1920, 72, 80, 0)], parts=(part,))
    assert [part.name for part in harmonize(tune, FAKE, seed=1)[0].score.parts] == [name, "Alto", "Tenor", "Bass"]


def odd_file(path, *messages):
    tempo = mido.MetaMessage("set_tempo", tempo=0)
    mido.MidiFile(tracks=[mido.MidiTrack([tempo, *messages])]).save(path)
    return path


def test_what_of_a_file_is_passed_over_is_remarked_on(tmp_path):
    tune = [mido.Message("note_on", note=72), mido.Message("note_off", note=72, time=480)]
    path = odd_file(tmp_path / "odd.mid", mido.Message("note_on", note=60), *tune)
    (piece,) = harmonize(path, FAKE, seed=1)
    assert piece.remarks == ("1 note never ends and is left out", "1 tempo of 0 is passed over")


def test_a_file_whose_notes_never_end_says_so(tmp_path):
    path = odd_file(tmp_path / "odd.mid", mido.Message("note_on", note=60), mido.Message("note_on", note=62))
    with pytest.raises(ScoreError, match="a melody with notes, got none that ends: 2 only begin"):
        harmonize(path, FAKE, seed=1)
