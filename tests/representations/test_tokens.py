import dataclasses
import json
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor import io, registry
from kantor.errors import MissingExtraError, OptionError, ScoreError
from kantor.representations import tokens as module
from kantor.representations.tokens import Tokens
from kantor.score import NOTE, Meter, Part, Score
from laws.test_representations import walk

miditok = pytest.importorskip("miditok")
symusic = pytest.importorskip("symusic")

QUARTER = 480
TOKENS = Tokens()


PIANO = (Part("Piano"),)


def piece(*rows, parts=PIANO, **known):
    return Score.from_notes(rows, parts=parts, **known)


#: What a card would say of a model that has learned from a duo.
CARD = json.dumps(
    dataclasses.asdict(
        Tokens(inputs=("beat", "bar")).learn(
            [piece((0, QUARTER, 60, 80, 0), parts=(Part("Flute", 73), Part("Drums", 0, is_drum=True)))]
        )
    )
)


def spelt(score, tokens=TOKENS):
    """The tokens of a score as MidiTok spells them."""
    return tokens.fields[0].table[tokens.encode(score).values[:, 0]].tolist()


@st.composite
def bands(draw, distinct=False):
    """Music for one to five tracks, drums perhaps among them, off the grid, of any velocity."""
    kinds = st.tuples(st.sampled_from([0, 0, 24, 32, 56, 127]), st.booleans())
    alike = (lambda kind: -1 if kind[1] else kind[0]) if distinct else None
    players = draw(st.lists(kinds, min_size=1, max_size=5, unique_by=alike))
    row = st.tuples(
        st.integers(0, 5000),
        st.integers(1, 9000),
        st.integers(0, 127),
        st.integers(1, 127),
        st.integers(0, len(players) - 1),
    )
    rows = draw(st.lists(row, min_size=1, max_size=24))
    parts = tuple(Part(f"track {n}", program, drum) for n, (program, drum) in enumerate(players))
    return Score.from_notes(rows, parts=parts)


# MidiTok as the oracle


@cache
def tokenizer():
    """MidiTok's own, of the default options."""
    config = miditok.TokenizerConfig(
        pitch_range=(0, 127),
        drums_pitch_range=(0, 127),
        beat_res={(0, 4): 12, (4, 16): 2},
        num_velocities=16,
        use_programs=True,
        use_time_signatures=False,
        programs=range(-1, 144),
        special_tokens=["PAD"],
        remove_duplicated_notes=True,
    )
    return miditok.REMI(config)


def theirs(score):
    """A score of ours as symusic's, tracks in order of their programs, drums first."""
    file = symusic.Score(score.ticks_per_quarter)
    order = sorted(range(len(score.parts)), key=lambda n: -1 if score.parts[n].is_drum else score.parts[n].program)
    for number in order:
        part = score.parts[number]
        track = symusic.Track(name=part.name, program=part.program, is_drum=part.is_drum)
        for onset, duration, pitch, velocity, _ in score.notes[score.notes["part"] == number].tolist():
            track.notes.append(symusic.Note(onset, duration, pitch, velocity))
        file.tracks.append(track)
    return file


@given(score=bands(distinct=True))
def test_miditok_writes_the_same_tokens(score):
    kept = TOKENS.canonical(score)
    written = TOKENS.encode(kept).values[:, 0].tolist()
    found = tokenizer().encode(theirs(kept)).ids
    bar = TOKENS.fields[0].table.tolist().index("Bar_None")
    assert written == found + [bar] * (len(written) - len(found))  # it leaves out what is silent at the end


@given(score=bands(distinct=True))
def test_miditok_reads_the_same_notes(score):
    encoding = TOKENS.encode(score)
    ours = TOKENS.decode(encoding.values, encoding.plan)
    read = tokenizer().decode(encoding.values[:, 0])
    step = QUARTER // read.ticks_per_quarter
    notes = {
        (note.start * step, note.duration * step, note.pitch, note.velocity, track.program, track.is_drum)
        for track in read.tracks
        for note in track.notes
    }
    parts = ours.parts
    length = encoding.plan.length_ticks
    assert notes == {
        (onset, duration, pitch, velocity, 0 if parts[n].is_drum else parts[n].program, parts[n].is_drum)
        for onset, duration, pitch, velocity, n in ours.notes.tolist()
    }
    assert all(onset + duration <= length for onset, duration, *_ in notes)


@given(score=bands(), seed=st.integers(0, 2**32))
def test_miditok_finds_no_error_in_what_the_grammar_admits(score, seed):
    values = walk(TOKENS, TOKENS.plan(score), seed)
    assert tokenizer().tokens_errors(values[:, 0]) == 0


# Tracks


@given(score=bands())
def test_tracks_come_back_with_their_programs_and_drums_on_one(score):
    encoding = TOKENS.encode(score)
    back = TOKENS.decode(encoding.values, encoding.plan)
    assert back == TOKENS.canonical(score)
    pitched = [part for part in score.parts if not part.is_drum]
    drums = [part for part in score.parts if part.is_drum][:1]
    assert sorted(map(repr, back.parts)) == sorted(map(repr, [*pitched, *drums]))
    for part in pitched:
        before, after = ({*s.notes[s.notes["part"] == s.parts.index(part)]["pitch"].tolist()} for s in (score, back))
        assert before == after


@given(score=bands())
def test_a_note_moves_by_a_step_at_most_and_its_velocity_by_half_a_class(score):
    back = TOKENS.canonical(score)
    step = 40
    given = {}
    for onset, _, pitch, velocity, part in score.notes.tolist():
        drum = score.parts[part].is_drum
        given.setdefault((drum or score.parts[part].name, pitch), []).append((onset, velocity))
    for onset, duration, pitch, velocity, part in back.notes.tolist():
        name = back.parts[part].is_drum or back.parts[part].name
        assert any(abs(at - onset) <= step and abs(loud - velocity) <= 7 for at, loud in given[name, pitch])
        assert duration % step == 0


def test_three_pianos_stay_three():
    names = ("MELODY", "BRIDGE", "PIANO")
    parts = tuple(Part(name) for name in names)
    score = piece((0, 480, 60, 79, 0), (0, 480, 60, 79, 1), (0, 480, 60, 79, 2), parts=parts)
    encoding = TOKENS.encode(score)
    assert TOKENS.decode(encoding.values, encoding.plan) == score
    assert [token for token in spelt(score) if "Program" in token] == ["Program_0", "Program_128", "Program_129"]


def test_a_drum_is_no_pitch():
    parts = (Part("Drums", 0, is_drum=True), Part("Bass", 33))
    said = spelt(piece((0, 480, 36, 95, 0), (0, 480, 36, 95, 1), parts=parts))
    assert said[2:] == [
        *("Program_-1", "PitchDrum_36", "Velocity_95", "Duration_1.0.12"),
        *("Program_33", "Pitch_36", "Velocity_95", "Duration_1.0.12"),
        "Bar_None",
    ]


def test_more_tracks_of_one_program_than_there_are_numbers_for_share_the_first_ones():
    parts = tuple(Part(f"violin {n}", 40) for n in range(20))
    score = piece(*((0, 480, 40 + n, 79, n) for n in range(20)), parts=parts)
    kept = TOKENS.canonical(score)
    assert len(kept.parts) == 17
    assert len(kept) == 20
    encoding = TOKENS.encode(score)
    assert TOKENS.decode(encoding.values, encoding.plan) == kept


def test_a_piece_without_tracks_may_have_any_and_they_are_named():
    plan = TOKENS.plan(Score(np.empty(0, dtype=NOTE), length_ticks=1920))
    said = ["Bar_None", "Position_0", "Program_-1", "PitchDrum_36", "Velocity_79", "Duration_1.0.12"]
    said += ["Program_56", "Pitch_60", "Velocity_79", "Duration_1.0.12"]
    table = TOKENS.fields[0].table.tolist()
    values = np.array([[table.index(token)] for token in said])
    deriver = TOKENS.derive(plan)
    for row in values:
        assert deriver.allowed(0, row[None])[0, row[0]]
        deriver.push(row[None])
    assert not deriver.allowed(0, values[:1])[0, table.index("Program_128")]
    assert TOKENS.decode(values, plan).parts == (Part("Drums", 0, is_drum=True), Part("Trumpet", 56))


def test_the_tracks_of_a_plan_are_all_that_may_play():
    plan = TOKENS.plan(piece((0, 1920, 60, 80, 0), parts=(Part("Flute", 73), Part("Bass", 32), Part("Flute II", 73))))
    deriver = TOKENS.derive(plan)
    table = TOKENS.fields[0].table
    for token in ("Bar_None", "Position_0"):
        deriver.push(np.array([[table.tolist().index(token)]]))
    admitted = table[deriver.allowed(0, np.zeros((1, 1), dtype=np.int64))[0]]
    assert sorted(admitted.tolist()) == ["Program_128", "Program_32", "Program_73"]


def test_the_tracks_that_most_pieces_have_are_learned():
    trio = tuple(Part(name) for name in ("MELODY", "BRIDGE", "PIANO"))
    others = [piece((0, 480, 60, 80, 0), parts=(Part("solo", 40),)), piece((0, 480, 60, 80, 0))]
    pieces = [piece((0, 480, 60, 80, 0), parts=trio)] * 2
    learned = TOKENS.learn(pieces + others)
    empty = Score(np.empty(0, dtype=NOTE), length_ticks=1920)
    assert learned.plan(empty).parts == trio
    assert TOKENS.learn(pieces + others * 2).plan(empty).parts == ()
    assert learned.plan(others[0]).parts == others[0].parts


# Bars


def positions(score):
    """(bar, position) of each moment."""
    out, bar = [], -1
    for token in spelt(score):
        kind, value = token.split("_")
        bar += kind == "Bar"
        if kind == "Position":
            out.append((bar, int(value)))
    return out


def test_a_pickup_stands_at_the_end_of_its_bar():
    quarters = [(n * QUARTER, QUARTER, 60, 80, 0) for n in range(6)]
    score = piece(*quarters, meters=(Meter(0, 4, 4),), anacrusis_ticks=QUARTER)
    assert positions(score) == [(0, 36), (1, 0), (1, 12), (1, 24), (1, 36), (2, 0)]


def test_bars_are_those_of_the_meter():
    quarters = [(n * QUARTER, QUARTER, 60, 80, 0) for n in range(4)]
    assert positions(piece(*quarters, meters=(Meter(0, 3, 4),))) == [(0, 0), (0, 12), (0, 24), (1, 0)]
    assert positions(piece(*quarters, meters=(Meter(0, 3, 8),))) == [(0, 0), (0, 12), (1, 6), (2, 0)]
    assert positions(piece(*quarters)) == [(0, 0), (0, 12), (0, 24), (0, 36)]


def test_a_bar_of_more_than_four_quarters_is_several():
    beats = [(n * 720, 720, 60, 80, 0) for n in range(4)]
    score = piece(*beats, meters=(Meter(0, 9, 8),))
    assert positions(score) == [(0, 0), (0, 18), (1, 0), (2, 0)]


def test_silence_at_the_end_is_written():
    score = piece((0, 480, 60, 80, 0), meters=(Meter(0, 4, 4),), length_ticks=3 * 1920)
    assert spelt(score)[-3:] == ["Bar_None"] * 3


@given(score=bands(), bars=st.integers(0, 3))
def test_the_tokens_before_a_bar_line_are_those_of_the_bars_before_it(score, bars):
    score = score.replace(meters=(Meter(0, 3, 4),), anacrusis_ticks=240, length_ticks=max(score.length_ticks, 6000))
    encoding = TOKENS.encode(score)
    count = TOKENS.until(encoding.values, 240 + bars * 1440, encoding.plan)
    said = TOKENS.fields[0].table[encoding.values[:, 0]].tolist()
    assert said[:count].count("Bar_None") == bars + 2  # the pickup's, those of the bars, and the next bar line
    assert said[count - 1] == "Bar_None"


# The grammar


def test_only_pitches_that_are_within_are_attacked_but_any_drum():
    within = np.zeros((2, 128), dtype=bool)
    within[0, 60:65], within[1, 70] = True, True
    plan = TOKENS.plan(piece((0, 7680, 60, 80, 0), parts=(Part("Piano"), Part("Drums", 0, is_drum=True))))
    rng = np.random.default_rng(0)
    deriver, steps = TOKENS.derive(plan, within=within), []
    while deriver.done() is None:
        steps.append([rng.choice(np.flatnonzero(deriver.allowed(0, np.zeros((1, 1)))[0]))])
        deriver.push(np.array(steps[-1:]))
    notes = TOKENS.decode(np.array(steps), plan).notes
    pitches, drums = (set(notes["pitch"][notes["part"] == part].tolist()) for part in (0, 1))
    assert pitches
    assert pitches <= {60, 61, 62, 63, 64, 70}
    assert drums - set(range(60, 71))


def test_where_no_pitch_is_within_nothing_sounds():
    plan = TOKENS.plan(piece((0, 7680, 60, 80, 0)))
    deriver = TOKENS.derive(plan, within=np.zeros((1, 128), dtype=bool))
    while deriver.done() is None:
        (choice,) = np.flatnonzero(deriver.allowed(0, np.zeros((1, 1)))[0])
        deriver.push(np.array([[choice]]))


def test_a_piece_that_has_ended_waits_for_the_others():
    plans = [TOKENS.plan(piece((0, bars * 1920, 60, 80, 0))) for bars in (1, 4)]
    rng = np.random.default_rng(0)
    deriver = TOKENS.derive(*plans)
    while (over := deriver.done()) is None or not over.all():
        allowed = deriver.allowed(0, np.zeros((2, 1)))
        deriver.push(np.array([[rng.choice(np.flatnonzero(row))] for row in allowed]))
    assert deriver.progress() == 1


def test_a_piece_ends_after_so_many_notes():
    encoding = TOKENS.encode(piece(*((n * QUARTER, QUARTER, 60, 80, 0) for n in range(8))))
    deriver = TOKENS.derive(encoding.plan, notes=3)
    count = 0
    while deriver.done() is None:
        deriver.push(encoding.values[count : count + 1])
        count += 1
    assert len(TOKENS.decode(encoding.values[:count], encoding.plan)) == 3


def test_what_is_cut_off_within_a_note_is_none():
    encoding = TOKENS.encode(piece((0, QUARTER, 60, 80, 0), (QUARTER, QUARTER, 62, 80, 0)))
    lengths = [len(TOKENS.decode(encoding.values[:count], encoding.plan)) for count in range(len(encoding) + 1)]
    assert lengths == [0] * 6 + [1] * 5 + [2] * 2


# Options, and MidiTok's absence


@pytest.mark.parametrize("options", [{"steps_per_quarter": 5}, {"velocities": 128}, {"inputs": ("phase",)}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(OptionError, match="expected"):
        Tokens(**options)


@pytest.mark.parametrize("wrong", [{"vocabulary": "Pitch"}, {"grammar": [("Bar", "Beat")]}])
def test_a_vocabulary_that_is_none_is_refused_in_a_sentence(wrong):
    with pytest.raises(OptionError, match=r"^expected tokens as MidiTok spells them.*\.$"):
        _ = Tokens(**{**json.loads(CARD), **wrong}).fields


def test_notes_without_velocities_are_all_alike():
    tokens = Tokens(velocities=0)
    score = piece((0, QUARTER, 60, 20, 0))
    assert spelt(score, tokens) == ["Bar_None", "Position_0", "Program_0", "Pitch_60", "Duration_1.0.12", "Bar_None"]
    assert tokens.canonical(score).notes["velocity"].tolist() == [80]


def test_a_score_without_notes_is_refused():
    with pytest.raises(ScoreError, match="expected a score with notes"):
        TOKENS.encode(Score(np.empty(0, dtype=NOTE), parts=(Part(),)))


@pytest.fixture
def without_miditok(monkeypatch):
    monkeypatch.setitem(sys.modules, "miditok", None)
    module._miditok.cache_clear()
    yield
    module._miditok.cache_clear()


def test_without_miditok_the_preset_is_there_and_names_the_extra_when_it_is_used(without_miditok):
    tokens = dataclasses.replace(registry.part("presets", "tokens").representation)
    assert tokens.plan(piece((0, QUARTER, 60, 80, 0))).length_ticks == QUARTER
    said = r'needs the extra "tokens", which is not installed; try: pip install "kantor\[tokens\]"$'
    for use in (lambda: tokens.fields, lambda: tokens.encode(piece((0, QUARTER, 60, 80, 0)))):
        with pytest.raises(MissingExtraError, match=said):
            use()


def test_a_model_brings_its_vocabulary_and_is_played_without_miditok(without_miditok):
    learned = Tokens(**json.loads(CARD))
    score = piece((0, QUARTER, 60, 79, 0), (0, 960, 36, 95, 1), parts=learned.plan(Score(np.empty(0, NOTE))).parts)
    encoding = learned.encode(score)
    assert learned.decode(encoding.values, encoding.plan) == score
    assert walk(learned, encoding.plan, 0).size


def test_what_is_learned_is_what_miditok_has():
    learned = Tokens(**json.loads(CARD))
    vocabulary = tokenizer().vocab
    assert learned.fields[0].table.tolist() == sorted(vocabulary, key=vocabulary.get)


# Real music


def test_pop_songs_keep_their_three_tracks(shared_data):
    files = sorted((shared_data / "pop909").glob("*.mid"))[::40]
    for file in files:
        score = io.load(file)
        encoding = TOKENS.encode(score)
        back = TOKENS.decode(encoding.values, encoding.plan)
        assert back == TOKENS.canonical(score)
        assert [part.name for part in back.parts] == ["MELODY", "BRIDGE", "PIANO"]
        assert len(back) == encoding.notes > 0.98 * len(score)
