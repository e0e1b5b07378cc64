"""Infilling: what is selected is composed anew; every other note stays what it was, off any grid, across any border."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes import RANGES, bundle
from kantor import io
from kantor.errors import BundleError, OptionError, ScoreError
from kantor.io import midi
from kantor.representations.cells import Cells
from kantor.rules import Locked
from kantor.score import VOICES, Key, Meter, Part, Score, Tempo
from kantor.verbs import _filling
from kantor.verbs.infill import infill
from kantor.verbs.replay import replay
from strategies import scores
from two_sided import TwoSided

CELLS = Cells(inputs=("phase", "meter", "beat", "key", "fermata", "remaining"))
FAKE = bundle(CELLS, ranges=RANGES, network={"kind": "two-sided"})
FOUR = tuple(Part(name, 19) for name in VOICES)
BAR = 1920


@pytest.fixture(autouse=True)
def _network(monkeypatch):
    monkeypatch.setattr(_filling, "model_of", lambda _: TwoSided())


def all_rows(score):
    return sorted(map(tuple, score.notes.tolist()))


def chorale(bars=4, **known):
    """Four voices in half notes and quarters, velocities of their own, a key and a metre."""
    made = []
    for voice, line in enumerate([[72, 74, 76, 77], [67, 67, 69, 71], [60, 62, 64, 62], [48, 55, 50, 43]]):
        length = 480 if voice == 1 else 960
        made += [(i * length, length, line[i % 4], 50 + i, voice) for i in range(bars * BAR // length)]
    known = {"meters": (Meter(0, 4, 4),), "keys": (Key(0, 0, "major"),), "parts": FOUR} | known
    return Score.from_notes(made, **known)


def outside(score, spans, voices):
    """The notes of a score in four parts that do not sound in the spans of ticks, or are not of the voices."""
    return [
        row
        for row in all_rows(score)
        if row[4] not in voices or all(row[0] + row[1] <= begin or row[0] >= end for begin, end in spans)
    ]


def test_everything_outside_the_selection_stays_and_what_is_inside_changes():
    before = chorale()
    piece = infill(before, FAKE, voices="alto,tenor", bars=(2, 3), seed=1)[0]
    kept = outside(before, [(BAR, 3 * BAR)], {1, 2})
    after = all_rows(piece.score)
    assert set(kept) <= set(after)
    assert outside(piece.score, [(BAR, 3 * BAR)], {1, 2}) == kept
    assert after != all_rows(before)
    assert piece.score.replace(notes=before.notes, recipe="") == before
    assert piece.notes_decided == 2 * 32


@st.composite
def performances(draw):
    """Four parts, one line each, at any resolution and off any grid: (score, spans of frames per bar)."""
    ticks = draw(st.sampled_from([4, 96, 220, 480]))
    made = []
    for voice, low in enumerate((62, 57, 50, 41)):
        at = draw(st.integers(0, ticks))
        for _ in range(draw(st.integers(1, 8))):
            length = draw(st.integers(1, 3 * ticks))
            if draw(st.integers(0, 9)):
                made.append((at, length, draw(st.integers(low, low + 12)), draw(st.integers(1, 127)), voice))
            at += length
    assume(made)
    end = max(on + length for on, length, *_ in made)
    known = {"meters": (Meter(0, 2, 4),)} if draw(st.booleans()) else {}
    return Score.from_notes(
        made, ticks_per_quarter=ticks, parts=FOUR, length_ticks=end + draw(st.integers(0, ticks)), **known
    )


@given(performances(), st.sets(st.integers(0, 3), min_size=1), st.data())
@settings(max_examples=40)
def test_of_any_performance_every_note_outside_stays_the_very_note(before, voices, data):
    count = len(before.bars)
    first = data.draw(st.integers(1, count))
    last = data.draw(st.integers(first, count))
    names = [VOICES[voice] for voice in voices]
    assume(before.notes["onset"].min() + before.ticks_per_quarter < before.length_ticks)
    assume((before.bars["length"] * 4 >= before.ticks_per_quarter).all())  # else a last bar of next to nothing
    after = infill(before, FAKE, voices=names, bars=(first, last), rules=["none"], seed=1, sweeps=1)[0].score
    assert after.parts == before.parts
    assert after.length_ticks == before.length_ticks
    sixteenth = before.ticks_per_quarter / 4
    bars = before.bars
    begin = np.floor(bars["start"][first - 1] / sixteenth + 0.5)
    end = np.floor((bars["start"][last - 1] + bars["length"][last - 1]) / sixteenth + 0.5)
    if last == count:  # what lies nearest to the very end is the last bar's
        end = np.inf
    rows = set(all_rows(after))
    for row in all_rows(before):
        onset = np.floor(row[0] / sixteenth + 0.5)
        stop = max(np.floor((row[0] + row[1]) / sixteenth + 0.5), onset + 1)
        sounding = [other for other in rows if other[4] == row[4]]
        if row[4] not in voices or stop <= begin or onset >= end:
            assert row in rows
            continue
        if onset < begin:  # keeps its beginning
            assert any(other[0] == row[0] and other[2:] == row[2:] for other in sounding)
        if stop > end:  # keeps its end
            assert any(other[0] + other[1] == row[0] + row[1] and other[2] == row[2] for other in sounding)
    for other in rows - set(all_rows(before)):  # whatever is new stands inside, or touches it
        assert other[4] in voices
        assert other[0] / sixteenth < end
        assert (other[0] + other[1]) / sixteenth >= begin


@given(performances(), st.integers(0, 9))
@settings(max_examples=15)
def test_in_a_voice_new_notes_and_old_ones_do_not_sound_together(before, seed):
    assume(before.length_ticks > before.ticks_per_quarter and before.notes["duration"].max() > 1)
    after = infill(before, FAKE, bars=1, rules=["none"], seed=seed, sweeps=1)[0].score
    for voice in range(4):
        notes = after.notes[after.notes["part"] == voice]
        assert (notes["duration"] > 0).all()
        assert (notes["onset"][1:] >= (notes["onset"] + notes["duration"])[:-1]).all()


def test_a_note_across_a_border_keeps_what_lies_outside():
    held = [(960, 3 * BAR, 72, 90, 0)]  # from the middle of bar 1 to the middle of bar 4
    rest = [row for row in all_rows(chorale()) if row[4] != 0]
    before = Score.from_notes([*held, *rest], parts=FOUR, meters=(Meter(0, 4, 4),))
    for seed in range(5):
        after = infill(before, FAKE, voices="soprano", bars="2-3", seed=seed)[0].score
        mine = sorted(row[:4] for row in all_rows(after) if row[4] == 0)
        assert mine[0][0] == 960
        assert mine[0][2:] == (72, 90)
        assert mine[0][0] + mine[0][1] >= BAR
        assert all(one[0] + one[1] <= other[0] for one, other in pairwise(mine))
        assert mine[-1][0] + mine[-1][1] == 960 + 3 * BAR
        assert mine[-1][2] == 72


def test_several_selections_are_filled_together():
    before = chorale()
    after = infill(before, FAKE, select=["alto:1", "B:3-4", "tenor,bass:2"], seed=2)[0].score
    spans = {1: [(0, BAR)], 2: [(BAR, 2 * BAR)], 3: [(BAR, 4 * BAR)]}
    for voice in range(4):
        kept = [row for row in outside(before, spans.get(voice, []), {voice} if voice else set()) if row[4] == voice]
        assert set(kept) <= set(all_rows(after))
    assert all_rows(after) != all_rows(before)


def test_voices_and_bars_beside_a_selection_are_one_more():
    both = infill(chorale(), FAKE, voices="alto", bars=1, select=["bass:2"], seed=2)[0]
    assert both.recipe["options"]["select"] == ["alto:1-1", "bass:2-2"]
    assert infill(chorale(), FAKE, select=["alto:1", "bass:2"], seed=2)[0].score == both.score


def test_everything_can_be_composed_anew():
    before = chorale()
    after = infill(before, FAKE, seed=3)[0].score
    assert not set(all_rows(before)) & set(all_rows(after))
    assert (after.meters, after.keys, after.parts, after.length_ticks) == (
        *(before.meters, before.keys, before.parts),
        before.length_ticks,
    )
    assert after != infill(before, FAKE, seed=4)[0].score


def test_what_was_there_is_not_seen():
    """The free bars of two pieces that differ in nothing else are filled alike."""
    one = chorale()
    notes = one.notes.copy()
    inside = (notes["part"] == 1) & (notes["onset"] >= BAR) & (notes["onset"] < 2 * BAR)
    notes["pitch"][inside] += 3
    other = one.replace(notes=notes)
    filled = [infill(score, FAKE, voices="alto", bars=2, seed=1)[0].score for score in (one, other)]
    assert all_rows(filled[0]) == all_rows(filled[1])


def test_a_piano_piece_keeps_its_part_and_all_other_notes():
    before = chorale().replace(parts=(Part("Piano", 0),), notes=_in_part(chorale().notes, 0))
    after = infill(before, FAKE, voices="tenor", bars=2, seed=1)[0].score
    assert after.parts == (Part("Piano", 0),)
    tenor = {row for row in all_rows(chorale()) if row[4] == 2 and BAR <= row[0] < 2 * BAR}
    kept = {row for row in all_rows(before) if (*row[:4], 2) not in tenor}
    assert kept <= set(all_rows(after))
    read = midi.read(io.encode(after, ".mid"), "after.mid")
    assert kept <= set(all_rows(read))


def test_what_a_kept_note_sounds_in_its_part_is_not_struck_again(monkeypatch):
    """A piano has one key for the alto's G and the tenor's."""

    def unison(shown):
        logits = np.full((*shown.shape, 93), -9.0)
        logits[..., 67 - 35] = 0.0
        return logits

    monkeypatch.setattr(_filling, "model_of", lambda _: TwoSided(unison))
    piano = chorale().replace(parts=(Part("Piano", 0),), notes=_in_part(chorale().notes, 0))
    after = infill(piano, FAKE, voices="tenor", bars=2, seed=1, sweeps=0)[0].score
    again = midi.read(io.encode(after, ".mid"), "after.mid")
    assert all_rows(again) == all_rows(after)
    tenor = [row for row in all_rows(chorale()) if row[4] == 2 and BAR <= row[0] < 2 * BAR]
    assert {(*row[:4], 0) for row in all_rows(chorale()) if row not in tenor} <= set(all_rows(after))


def _in_part(notes, part):
    notes = notes.copy()
    notes["part"] = part
    return notes


def test_drums_and_their_part_stay():
    drums = [(i * 480, 60, 36, 99, 4) for i in range(16)]
    before = Score.from_notes(
        [*all_rows(chorale()), *drums], parts=(*FOUR, Part("Kit", 0, True)), meters=(Meter(0, 4, 4),)
    )
    after = infill(before, FAKE, bars=2, seed=1)[0].score
    assert set(drums) <= set(all_rows(after))
    assert after.parts == before.parts


def test_voices_that_a_melody_lacks_get_parts_of_their_own():
    tune = Score.from_notes([(i * 480, 480, 72 + i % 3, 80, 0) for i in range(8)], parts=(Part("Tune", 40),))
    after = infill(tune, FAKE, voices="alto,bass", bars=2, seed=1)[0].score
    assert after.parts[0] == Part("Tune", 40)
    assert set(all_rows(tune)) <= set(all_rows(after))
    new = set(all_rows(after)) - set(all_rows(tune))
    assert {after.parts[row[4]].name for row in new} <= {"Alto", "Bass"}
    assert min(row[0] for row in new) >= BAR


@pytest.mark.parametrize("suffix", [".mid", ".musicxml", ".csv"])
def test_files_come_and_go_with_everything_else_as_it_was(tmp_path, suffix):
    before = chorale()
    io.save(before, tmp_path / f"before{suffix}")
    read = io.load(tmp_path / f"before{suffix}")
    piece = infill(tmp_path / f"before{suffix}", FAKE, voices="alto", bars=2, seed=1, rules=["none"])[0]
    piece.save(tmp_path / f"after{suffix}")
    after = io.load(tmp_path / f"after{suffix}")
    grids = [io.grid_csv._sample(score) for score in (read, after)]
    assert grids[0].shape == grids[1].shape
    changed = grids[0] != grids[1]
    assert changed.any()
    assert not changed[:16].any()
    assert not changed[32:].any()
    assert not changed[:, [0, 2, 3]].any()
    replay(tmp_path / f"after{suffix}", FAKE).save(tmp_path / f"again{suffix}")
    assert (tmp_path / f"again{suffix}").read_bytes() == (tmp_path / f"after{suffix}").read_bytes()


@given(scores(min_parts=4).filter(len), st.integers(0, 99))
@settings(max_examples=15)
def test_what_is_known_of_a_piece_stays_known(before, seed):
    try:
        after = infill(before, FAKE, voices="bass", rules=["none"], seed=seed, sweeps=0)[0].score
    except (ScoreError, OptionError):
        return
    for name in ("parts", "tempi", "meters", "keys", "fermatas", "anacrusis_ticks", "barlines", "title"):
        assert getattr(after, name) == getattr(before, name)
    sung = [row for row in all_rows(before) if row[4] != 3]
    named = tuple(part.name for part in before.parts) == VOICES
    assert not named or set(sung) <= set(all_rows(after))


def test_bars_are_counted_from_the_first_full_one():
    notes = [(0, 480, 72, 80, 0), *((480 + on, length, p, v, part) for on, length, p, v, part in all_rows(chorale()))]
    before = Score.from_notes(notes, parts=FOUR, meters=(Meter(0, 4, 4),), anacrusis_ticks=480)
    after = infill(before, FAKE, bars=1, seed=1)[0].score
    begin, end = 480, 480 + BAR
    assert outside(after, [(begin, end)], {0, 1, 2, 3}) == outside(before, [(begin, end)], {0, 1, 2, 3})
    pickup = infill(before, FAKE, bars=0, seed=1)[0].score
    assert outside(pickup, [(0, 480)], {0, 1, 2, 3}) == outside(before, [(0, 480)], {0, 1, 2, 3})
    assert (72, 80) not in {(row[2], row[3]) for row in all_rows(pickup) if row[0] < 480}


def test_new_notes_are_as_loud_as_the_music():
    before = chorale(tempi=(Tempo(0, 90.0),))
    after = infill(before, FAKE, bars=2, seed=1)[0].score
    new = set(all_rows(after)) - set(all_rows(before))
    assert {row[3] for row in new} == {int(np.median(before.notes["velocity"]))}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"bars": 5}, "bars within 1-4, got 5-5; the piece has no others"),
        ({"bars": 0}, "bars within 1-4, got 0-0"),
        ({"bars": "4-2"}, "from the first to the last, got 4-2; try 2-4"),
        ({"bars": "two"}, "bars such as 3 or 3-4, got 'two'"),
        ({"voices": "alto,descant"}, "soprano, alto, tenor, bass, got 'descant'"),
        ({"voices": []}, "expected voices to compose anew, got none"),
        ({"select": ["alto"]}, "a selection of voices and bars, got 'alto'; try 'alto,tenor:3-4'"),
        ({"select": ["alto:9"]}, "bars within 1-4, got 9-9"),
        ({"sweeps": 10**9}, "sweeps, got 1000000000"),
        ({"count": 0}, "pieces, got 0"),
        ({"take": 0}, "a take of 1 or more"),
    ],
)
def test_a_selection_that_the_piece_does_not_have_is_refused(options, says):
    with pytest.raises(OptionError, match=says) as refusal:
        infill(chorale(), FAKE, seed=1, **options)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("before", "says"),
    [
        (Score.from_notes([], parts=(Part(),)), "music with notes, got none"),
        (Score.from_notes([(0, 60, 36, 99, 0)], parts=(Part("", 0, True),)), "music with notes, got only drums"),
        (Score.from_notes([(0, 480, 60 + i, 80, 0) for i in range(5)]), "at most 4 notes at once, got 5"),
        (Score.from_notes([(0, 480, 100, 80, 0)]), "pitches from 36"),
    ],
)
def test_music_that_four_voices_cannot_sing_is_refused(before, says):
    with pytest.raises(ScoreError, match=says):
        infill(before, FAKE, seed=1)


def test_a_model_that_sees_one_side_is_refused():
    with pytest.raises(BundleError, match="sees both sides"):
        infill(chorale(), bundle(), seed=1)


def test_given_notes_outside_the_key_that_is_asked_for_are_named_and_what_is_added_keeps_it():
    before = chorale().replace(notes=chorale().notes[chorale().notes["pitch"] == 76])
    piece = infill(before, FAKE, voices="alto", rules=["in-key=Gm"], seed=1)[0]
    assert any("does not keep in-key=Gm, first with E5 in bar 2 (soprano)" in remark for remark in piece.remarks)
    added = [pitch for pitch in piece.score.notes["pitch"].tolist() if pitch != 76]
    assert added
    assert {pitch % 12 for pitch in added} <= {7, 9, 10, 0, 2, 3, 5, 6}


def test_a_given_note_in_the_place_of_a_locked_one_is_refused():
    with pytest.raises(ScoreError, match=r"keeps the rule locked, got .* in bar 1 \(soprano\); compose it anew"):
        infill(chorale(), FAKE, voices="alto", rules=[Locked(((0, 480, 41, 0),))], seed=1)


# -- music of fewer voices than four -----------------------------------------------------------------------------------


def reserved(shown):
    """Silence where any voice is silent, notes where all sound or are open: as real models hold of few voices."""
    logits = np.zeros((*shown.shape, 93))
    silent = (shown == 0).any((1, 2))
    logits[silent, ..., 0] = 30
    logits[~silent, ..., 0] = -30
    logits[..., 47:] -= 30
    return logits


def tune(name="Tune", low=72):
    return Score.from_notes([(i * 480, 480, low + i % 3, 80, 0) for i in range(16)], parts=(Part(name, 40),))


def within(score, bar):
    notes = score.notes[(score.notes["onset"] >= (bar - 1) * BAR) & (score.notes["onset"] < bar * BAR)]
    return {score.parts[part].name for part in notes["part"].tolist()}


@pytest.mark.parametrize(
    ("voices", "sounding"), [(None, {"Tune"}), ("bass", {"Tune", "Bass"}), ("soprano,alto", {"Tune", "Alto"})]
)
def test_voices_that_the_music_lacks_do_not_silence_the_others(monkeypatch, voices, sounding):
    monkeypatch.setattr(_filling, "model_of", lambda _: TwoSided(reserved))
    piece = infill(tune(), FAKE, voices=voices, bars=2, seed=1, rules=["none"])[0]
    assert within(piece.score, 2) == sounding
    assert {part.name for part in piece.score.parts} == sounding
    assert [row for row in all_rows(piece.score) if not BAR <= row[0] < 2 * BAR] == [
        row for row in all_rows(tune()) if not BAR <= row[0] < 2 * BAR
    ]
    assert piece.remarks == ()
    assert piece.notes_decided == 16 * len(voices.split(",") if voices else [0])


@pytest.mark.parametrize(("name", "low", "sings"), [("Bass", 72, 3), ("", 41, 3), ("", 78, 0)])
def test_a_single_line_is_sung_by_whom_it_is_named_after_or_whose_range_holds_it(name, low, sings):
    piece = infill(tune(name, low), FAKE, bars=2, seed=1, rules=["none"])[0]
    assert piece.recipe["options"]["select"] == [f"{VOICES[sings].lower()}:2-2"]


def test_a_selection_that_comes_out_silent_is_remarked_on(monkeypatch):
    monkeypatch.setattr(_filling, "model_of", lambda _: TwoSided(lambda shown: np.zeros((*shown.shape, 93))))
    (piece,) = infill(chorale(), FAKE, voices="alto", bars=2, rules=["polyphony=3"], seed=1)
    assert piece.remarks[-1] == (
        "nothing sounds in what was composed of the alto; --rule polyphony=3 may leave no note, try a larger number"
    )


@pytest.mark.parametrize("bars", [2.5, (1, 2, 3), (1.5, 2), [1]])
def test_bars_that_are_no_bars_are_refused(bars):
    with pytest.raises(OptionError, match="expected bars such as 3, '3-4'"):
        infill(chorale(), FAKE, bars=bars, seed=1)


def test_ticks_that_the_piece_does_not_have_are_refused():
    with pytest.raises(OptionError, match="expected ticks within @0-7680, got @0-10000000"):
        infill(chorale(), FAKE, select=["alto:@0-10000000"], seed=1)
