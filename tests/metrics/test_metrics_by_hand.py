"""Each metric on music so small that the answer can be counted on fingers."""

import math

import numpy as np
import pytest

from kantor import metrics
from kantor.errors import ScoreError, UnknownNameError, UnsupportedRuleError
from kantor.rules import faults
from kantor.rules.no_parallels import NoParallels
from kantor.score import VOICES, Key, Meter, Part, Score

QUARTER = 480
C = Key(0, 0, "major")
A_MINOR = Key(0, 0, "minor")


def melody(*notes, start=0, **known):
    """One voice of (pitch, quarters) after one another; pitch 0 is a rest."""
    rows, at = [], start
    for pitch, quarters in notes:
        if pitch:
            rows.append((round(at * QUARTER), round(quarters * QUARTER), pitch, 80, 0))
        at += quarters
    return Score.from_notes(rows, length_ticks=round(at * QUARTER), **known)


def choir(*chords, quarters=1.0, **known):
    """Four voices, a chord each so many quarters; what stays is held; 0 is a rest."""
    rows = []
    for part in range(4):
        at = 0
        while at < len(chords):
            until = at + 1
            while until < len(chords) and chords[until][part] == chords[at][part]:
                until += 1
            span = round(at * quarters * QUARTER), round((until - at) * quarters * QUARTER)
            rows += [(*span, chords[at][part], 80, part)] if chords[at][part] else []
            at = until
    length = round(len(chords) * quarters * QUARTER)
    return Score.from_notes(rows, parts=tuple(map(Part, VOICES)), length_ticks=length, **known)


def heard(score, figure):
    return metrics.measure(score, [figure])[figure]


def counted(score, figure):
    value = heard(score, figure)
    return value.count, value.out_of


SCALE = melody(*((60 + step, 1) for step in (0, 2, 4, 5, 7, 9, 11, 12)), keys=(C,), meters=(Meter(0, 4, 4),))


def test_pitches():
    assert heard(SCALE, "pitch-range").number == 12
    assert heard(SCALE, "pitches-used").number == 8
    assert heard(SCALE, "pitch-classes-used").number == 7


def test_entropy_is_the_number_of_bits_and_duration_counts():
    four = melody((60, 1), (62, 1), (64, 1), (65, 1))
    assert heard(four, "pitch-class-entropy").number == 2
    one_long = melody((60, 3), (62, 1))
    assert heard(one_long, "pitch-class-entropy").number == pytest.approx(0.75 * math.log2(4 / 3) + 0.25 * 2)
    assert heard(one_long, "pitch-class-entropy-by-count").number == 1
    every = melody(*((60 + step, 1) for step in range(12)))
    assert heard(every, "pitch-class-entropy").number == pytest.approx(math.log2(12))


def test_scales_and_keys():
    assert heard(SCALE, "scale-consistency").number == 1
    every = melody(*((60 + step, 1) for step in range(12)))
    assert heard(every, "scale-consistency").number == pytest.approx(7 / 12)
    assert counted(SCALE, "diatonic-share-by-count") == (8, 8)
    assert counted(SCALE.replace(keys=(Key(0, 1, "major"),)), "diatonic-share") == (7, 8)  # F is foreign to G
    raised = melody((69, 1), (68, 1), (67, 1), keys=(A_MINOR,))
    assert counted(raised, "diatonic-share") == (3, 3)  # both sevenths are at home


def test_the_key_in_force_is_that_of_the_note():
    score = melody((66, 1), (66, 1), keys=(C, Key(QUARTER, 1, "major")))
    assert counted(score, "diatonic-share-by-count") == (1, 2)
    assert heard(score, "scale-degrees").weights.tolist() == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]


def test_pitch_classes_are_named_from_c():
    found = heard(melody((60, 3), (67, 1)), "pitch-classes")
    assert found.weights.tolist() == [3, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    assert metrics.figures()["pitch-classes"].labels == (
        "C",
        "C#",
        "D",
        "Eb",
        "E",
        "F",
        "F#",
        "G",
        "G#",
        "A",
        "Bb",
        "B",
    )


def test_density():
    score = choir((72, 67, 64, 48), (74, 67, 65, 50))
    assert counted(score, "notes-per-quarter") == (7, 2)
    assert counted(score, "notes-per-sixteenth") == (7, 8)
    assert counted(score, "onsets-per-quarter") == (2, 2)


def test_polyphony_counts_pitches_not_parts():
    score = choir((72, 67, 67, 48), (0, 0, 0, 48), (0, 0, 0, 0), (72, 67, 0, 48))
    assert counted(score, "polyphony") == (3 + 1 + 3, 3)
    assert counted(score, "polyphony-rate") == (2, 4)


def test_a_pitch_that_is_struck_again_while_it_sounds_is_one():
    score = Score.from_notes([(0, 960, 60, 80, 0), (480, 960, 60, 80, 0), (480, 240, 64, 80, 0)])
    assert counted(score, "polyphony") == (3.5, 3)


def test_empty_beats():
    assert counted(melody((60, 0.5), (0, 1.5), (62, 1), (0, 2)), "empty-beats") == (3, 5)
    assert counted(melody((60, 2.25)), "empty-beats") == (0, 3)


def test_groove_compares_neighbouring_whole_bars():
    bar, other = [(60, 1)] * 4, [(60, 2), (60, 1), (60, 1)]
    four = Meter(0, 4, 4)
    assert counted(melody(*bar, *bar, meters=(four,)), "groove-consistency") == (16, 16)
    assert counted(melody(*bar, *other, meters=(four,)), "groove-consistency") == (15, 16)
    upbeat = melody((60, 1), *bar, *bar, meters=(four,), anacrusis_ticks=QUARTER)
    assert counted(upbeat, "groove-consistency") == (16, 16)
    assert counted(melody(*bar, (60, 1), meters=(four,)), "groove-consistency") == (0, 0)  # one bar is whole


def test_onset_variance_is_over_quarters():
    assert heard(melody((60, 1), (62, 1)), "onset-variance").number == 0
    assert heard(melody((60, 0.25), (62, 0.25), (64, 0.25), (65, 0.25), (67, 1)), "onset-variance").number == 2.25
    assert heard(choir((72, 67, 64, 48), (74, 67, 65, 50)), "onset-variance").number == 0


def test_note_values_and_steps_are_the_nearest_on_the_ladder():
    found = metrics.measure(melody((60, 1), (62, 0.5), (0, 0.5), (64, 0.26), (65, 16)), ["rhythm"])
    labels = metrics.figures()["note-values"].labels
    values = {labels[bin_]: found["note-values"].weights[bin_] for bin_ in np.flatnonzero(found["note-values"].weights)}
    assert values == {"1/4": 1, "1/8": 1, "1/16": 1, "2/1": 1}
    steps = {labels[bin_]: found["onset-steps"].weights[bin_] for bin_ in np.flatnonzero(found["onset-steps"].weights)}
    assert steps == {"1/4": 2, "1/16": 1}


def test_regularity_is_1_where_the_rhythm_repeats():
    bar = [(60, 1.5), (62, 0.5), (64, 1), (60, 1)]
    score = melody(*bar * 8, meters=(Meter(0, 4, 4),))
    assert heard(score, "regularity-four-beats").number == pytest.approx(1)
    assert heard(score, "regularity-bar").number == pytest.approx(1)
    assert 0 < heard(score, "regularity-beat").number < 1
    assert counted(score, "same-note-four-beats") == (28, 28)
    waltz = melody(*[(60, 2), (62, 1)] * 12, meters=(Meter(0, 3, 4),))
    assert heard(waltz, "regularity-bar").number == pytest.approx(1)
    assert heard(waltz, "regularity-four-beats").number < 1
    assert math.isnan(heard(waltz.replace(meters=()), "regularity-bar").number)


def test_regularity_is_pearsons_correlation():
    rng = np.random.default_rng(0)
    score = melody(*((60, quarters / 4) for quarters in rng.integers(1, 6, 100)))
    onsets = np.zeros(score.length_ticks // 120)
    onsets[score.notes["onset"] // 120] = 1
    theirs = np.corrcoef(onsets[:-16], onsets[16:])[0, 1]
    assert heard(score, "regularity-four-beats").number == pytest.approx(theirs)


def test_steps_and_leaps():
    score = melody((60, 1), (62, 1), (62, 1), (65, 1), (64, 1), (76, 1), (0, 1), (60, 1))
    assert counted(score, "step-share") == (2, 4)  # 2, -1 of 2, 3, -1, 12; a rest parts the last
    assert counted(score, "step-leap-ratio") == (2, 2)
    assert counted(score, "wide-leap-share") == (1, 4)
    assert counted(score, "repeated-notes") == (1, 5)
    bins = heard(score, "intervals").weights
    support = metrics.figures()["intervals"].support
    assert {support[bin_]: bins[bin_] for bin_ in np.flatnonzero(bins)} == {-1: 1, 0: 1, 2: 1, 3: 1, 12: 1}


def test_a_rest_shorter_than_a_quarter_is_a_breath():
    assert counted(melody((60, 0.5), (0, 0.5), (62, 1)), "step-share") == (1, 1)
    assert counted(melody((60, 1), (0, 1), (62, 1)), "step-share") == (0, 0)


def test_intervals_beyond_an_octave_share_a_bin():
    bins = heard(melody((60, 1), (80, 1), (36, 1)), "intervals").weights
    assert bins[0] == bins[-1] == 1
    assert bins.sum() == 2


def test_leading_tones_rise():
    score = melody((71, 1), (71, 1), (72, 1), (71, 1), (67, 1), (71, 2), (0, 1), keys=(C,))
    assert counted(score, "leading-tone-resolution") == (1, 2)
    assert counted(score.replace(keys=(Key(0, 0, ""),)), "leading-tone-resolution") == (0, 0)
    assert counted(melody((68, 1), (69, 1), keys=(A_MINOR,)), "leading-tone-resolution") == (1, 1)


def test_phrases_end_under_fermatas():
    score = melody(*[(60, 1)] * 16, fermatas=(3 * QUARTER, 7 * QUARTER, 15 * QUARTER))
    assert counted(score, "phrase-length") == (16, 3)
    assert counted(score, "phrase-balance") == (1.5, 2)
    bins = heard(score, "phrase-lengths").weights
    assert np.flatnonzero(bins).tolist() == [3, 7]  # of 4 and of 8 quarters
    assert bins[3] == 2


def test_phrases_of_a_melody_end_with_long_notes_or_rests():
    score = melody(*[(60, 1)] * 6, (67, 2), *[(60, 1)] * 6, (67, 1), (0, 1), *[(60, 1)] * 2, (60, 2))
    assert counted(score, "phrase-length") == (20, 3)
    assert heard(score, "phrase-balance").number == pytest.approx((1 + 0.5) / 2)


def test_chords_are_named_whatever_their_bass():
    score = choir((72, 67, 64, 48), (72, 67, 64, 52), (71, 65, 62, 55), (72, 67, 60, 48), (73, 72, 71, 70), keys=(C,))
    bins = heard(score, "chord-qualities").weights
    labels = metrics.figures()["chord-qualities"].labels
    assert {labels[bin_]: bins[bin_] for bin_ in np.flatnonzero(bins)} == {
        **{"major": 8, "dominant seventh": 4, "part of a triad": 4, "other": 4}
    }
    assert counted(score, "triad-share") == (12, 20)


def test_chords_change():
    tonic, passing, dominant = (72, 67, 64, 48), (74, 67, 64, 48), (71, 67, 62, 55)
    score = choir(tonic, passing, tonic, dominant, dominant, tonic)
    assert counted(score, "chord-changes") == (2, 6)
    bins = heard(score, "chord-lengths").weights
    assert {(bin_ + 1) / 4: bins[bin_] for bin_ in np.flatnonzero(bins)} == {3: 1, 2: 1, 1: 1}


def test_intervals_over_the_bass():
    bins = heard(choir((72, 67, 64, 52)), "above-bass").weights
    assert {bin_: bins[bin_] for bin_ in np.flatnonzero(bins)} == {0: 4, 3: 4, 8: 4}  # a sixth chord


def test_holds_and_moving_pairs():
    score = choir((72, 67, 64, 48), (72, 65, 62, 50), quarters=0.25)
    assert counted(score, "hold-share") == (1, 4)
    assert counted(score, "onsets-per-frame") == (3, 2)
    assert counted(score, "moving-pairs") == (3, 6)
    assert counted(score, "similar-motion") == (1, 3)  # alto and tenor fall, the bass rises


@pytest.mark.parametrize(
    ("chords", "found"),
    [
        (((67, 0, 0, 60), (69, 0, 0, 62)), {"parallel-fifths"}),
        (((79, 0, 0, 60), (69, 0, 0, 62)), set()),  # a twelfth to a fifth by contrary motion: the rule's alone
        (((72, 0, 0, 60), (74, 0, 0, 62)), {"parallel-octaves"}),
        (((0, 60, 60, 0), (0, 62, 62, 0)), {"parallel-octaves", "overlap"}),
        (((67, 0, 0, 60), (67, 0, 0, 60)), set()),
        (((67, 0, 0, 60), (68, 0, 0, 62)), set()),  # perfect to diminished
        (((64, 0, 0, 60), (69, 0, 0, 62)), {"direct-fifths"}),
        (((69, 0, 0, 60), (74, 0, 0, 62)), {"direct-octaves"}),
        (((60, 0, 0, 48), (62, 0, 0, 55)), set()),  # the soprano goes by step
        (((60, 64, 0, 0), (60, 64, 0, 0)), {"crossing", "overlap"}),
        (((60, 0, 64, 0), (60, 0, 64, 0)), set()),  # no neighbours
        (((64, 60, 0, 0), (67, 65, 0, 0)), {"overlap"}),
        (((79, 60, 0, 0), (79, 60, 0, 0)), {"wide-spacing"}),
        (((0, 0, 67, 50), (0, 0, 67, 50)), set()),  # tenor and bass may
        (((0, 0, 0, 35), (0, 0, 0, 35)), {"outside-range"}),
        (((82, 0, 0, 0), (81, 0, 0, 0)), {"outside-range"}),
        (((67, 0, 0, 60), (69, 0, 0, 62), (0, 0, 0, 0)), {"parallel-fifths"}),
    ],
)
def test_faults_of_two_voices(chords, found):
    figures = (
        "parallel-fifths parallel-octaves direct-fifths direct-octaves crossing overlap wide-spacing outside-range"
    )
    heard_ = metrics.measure(choir(*chords))
    assert {name for name in figures.split() if heard_[name].count} == found


def test_faults_by_the_rules_are_counted_once_a_pair_and_per_thousand_moving_pairs():
    score = choir((79, 72, 67, 60), (81, 74, 69, 62), quarters=0.25)  # fifths S-A, T-B, S-B; octaves S-T, A-B
    found = metrics.measure(score, ["voice-leading-faults", "parallels"])
    assert (found["parallel-fifths"].count, found["parallel-octaves"].count) == (3, 2)
    assert found["faults-no-parallels"].count == 5
    assert found["faults-no-parallels"].number == 1000 * 5 / 6


def test_a_fault_that_lasts_is_one():
    score = choir((60, 64, 0, 0), (60, 64, 0, 0), (64, 60, 0, 0), (60, 64, 0, 0))
    assert heard(score, "faults-no-crossing").count == 2
    assert heard(score, "crossing").count == 3 * 4


def test_music_without_four_voices_has_no_voice_leading():
    assert math.isnan(heard(SCALE, "parallel-fifths").number)
    chords = Score.from_notes([(0, 480, pitch, 80, 0) for pitch in (60, 64, 67, 72)], parts=tuple(map(Part, VOICES)))
    assert math.isnan(heard(chords, "hold-share").number)  # one part sings chords
    assert math.isnan(heard(chords, "step-share").number)


BACH = ((72, 67, 64, 48), (74, 69, 65, 50), (71, 67, 62, 55), (72, 67, 64, 48))


def ornamented(score):
    """The soprano's first quarter ends with two thirty-seconds."""
    rows = [(0, 360, 72, 80, 0), (360, 60, 71, 80, 0), (420, 60, 72, 80, 0)]
    rows += [n.tolist() for n in score.notes if n["onset"] or n["part"]]
    return score.replace(notes=Score.from_notes(rows, parts=score.parts).notes)


def test_thirty_seconds_leave_voices_what_they_are():
    """Of two notes in one sixteenth the later is there: the turn back is cut by the note after it."""
    plain = choir(*BACH, keys=(C,))
    score = ornamented(plain)
    assert metrics.hear(score).cells[:5, 0].tolist() == [72, 72, 72, 71, 74]
    ours, theirs = metrics.measure(score), metrics.measure(plain)
    assert (ours["parallel-fifths"].count, ours["parallel-fifths"].out_of) == (1, theirs["parallel-fifths"].out_of)
    assert metrics.hear(score).intervals.tolist()[:3] == [-1, 1, 2]  # these are exact
    found = faults(score, {"no-parallels": NoParallels()})
    assert [(fault.tick, fault.voices) for fault in found] == [(QUARTER, (1, 3))]


def test_a_part_that_sounds_a_thirty_second_into_its_next_note_is_no_line():
    def held(over):
        return Score.from_notes([(0, 480 + over, 60, 80, 0), (480, 480, 62, 80, 0)])

    assert counted(held(59), "step-share") == (1, 1)
    assert math.isnan(heard(held(60), "step-share").number)


def test_a_note_that_is_held_into_the_next_is_gone_when_that_has_ended():
    rows = [(0, 410, 60, 80, 0), (360, 40, 62, 80, 0)]
    view = metrics.hear(Score.from_notes(rows, parts=tuple(map(Part, VOICES)))).view
    assert view.voiced
    assert view.pitch[:, 0].tolist() == [60, 60, 60, 62]


def with_drums(score, at):
    """A part of drums more, the ``at``-th."""
    rows = [(n["onset"], n["duration"], n["pitch"], 80, n["part"] + (n["part"] >= at)) for n in score.notes]
    parts = (*score.parts[:at], Part("Drums", is_drum=True), *score.parts[at:])
    return Score.from_notes([*rows, (0, 480, 36, 80, at), (0, 480, 38, 80, at)], parts=parts)


@pytest.mark.parametrize("at", [0, 2, 4])
def test_four_voices_are_four_with_drums_and_three_are_three(at):
    four = choir(*BACH)
    ours, theirs = metrics.measure(with_drums(four, at)), metrics.measure(four)
    for name in ("parallel-fifths", "crossing", "outside-range", "hold-share"):
        assert (ours[name].count, ours[name].out_of) == (theirs[name].count, theirs[name].out_of), name
    assert theirs["parallel-fifths"].out_of
    three = Score(four.notes[four.notes["part"] < 3], parts=four.parts[:3])
    beside = with_drums(three, min(at, 3))
    assert "voices" not in metrics.hear(beside).has
    with pytest.raises(UnsupportedRuleError):
        faults(beside, {"no-parallels": NoParallels()})


def test_drums_are_not_heard():
    rows = [(0, 480, 60, 80, 0), (0, 480, 36, 80, 1), (480, 480, 38, 80, 1)]
    score = Score.from_notes(rows, parts=(Part("Voice"), Part("Drums", is_drum=True)))
    assert heard(score, "pitch-range").number == 0
    assert counted(score, "notes-per-quarter") == (1, 2)


def test_cadences_and_endings():
    score = choir((72, 67, 64, 48), (71, 67, 62, 55), (72, 67, 64, 48), keys=(C,), fermatas=(0, QUARTER))
    assert counted(score, "fermatas-on-triads") == (2, 2)
    assert counted(score.replace(fermatas=(2 * QUARTER,)), "fermatas-on-triads") == (1, 1)
    assert counted(choir((72, 67, 65, 48), fermatas=(0,)), "fermatas-on-triads") == (0, 1)
    rested = choir((72, 67, 64, 48), (0, 0, 0, 0), (72, 67, 65, 48), fermatas=(0, QUARTER, 2 * QUARTER))
    assert counted(rested, "fermatas-on-triads") == (1, 2)  # a silence ends no phrase
    assert counted(rested.replace(fermatas=(QUARTER,)), "fermatas-on-triads") == (0, 0)
    assert counted(score, "ends-on-tonic") == (1, 1)
    assert counted(score.replace(keys=(Key(0, 1, "major"),)), "ends-on-tonic") == (0, 1)


def test_a_performance_ends_at_home_though_fingers_leave_the_keys_one_by_one():
    def played(*pitches, length=480):
        ends = [length - 7 * place for place in range(len(pitches))]
        rows = [(9 * place, end, pitch, 80, 0) for place, (pitch, end) in enumerate(zip(pitches, ends, strict=True))]
        before = [(-480, 480, pitch, 80, 0) for pitch in (71, 67, 62, 55)]
        rows = [(onset + 480, *rest) for onset, *rest in [*before, *rows]]
        return Score.from_notes(rows, keys=(C,))

    assert counted(played(48, 64, 67, 72), "ends-on-tonic") == (1, 1)
    assert counted(played(72, 67, 64, 48), "ends-on-tonic") == (1, 1)
    assert counted(played(48, 64, 67, 72, length=100), "ends-on-tonic") == (1, 1)  # shorter than a sixteenth
    assert counted(played(50, 65, 69, 74), "ends-on-tonic") == (0, 1)
    assert counted(played(48, 65, 69, 72), "ends-on-tonic") == (0, 1)


def test_tension_is_nothing_for_one_note_and_grows_with_dissonance():
    def curve(score, name):
        return heard(score, f"{name}-curve").values

    assert curve(melody((60, 2), keys=(C,)), "cloud-diameter").tolist() == [0, 0]
    assert curve(melody((60, 2), keys=(C,)), "cloud-momentum").tolist() == [0]
    chords = choir((72, 67, 64, 48), (71, 65, 62, 55), (73, 68, 65, 49), keys=(C,))
    strain = curve(chords, "tensile-strain")
    assert strain[0] < strain[1] < strain[2]  # the tonic, the dominant seventh, D flat major
    home = choir((72, 67, 64, 48), (84, 79, 76, 48), keys=(C,))
    assert curve(home, "cloud-momentum").tolist() == pytest.approx([0])
    assert heard(home, "cloud-diameter-curve").quarters.tolist() == [0, 1]


def test_silence_between_has_no_tension_and_a_note_is_clipped_to_each_quarter():
    score = melody((60, 1.5), (0, 1.5), (66, 1), keys=(C,))
    assert heard(score, "cloud-diameter-curve").quarters.tolist() == [0, 1, 3]
    assert counted(score, "cloud-momentum")[1] == 2


def test_bars_return_in_any_transposition():
    bar = [(60, 1), (62, 1), (64, 2)]
    higher = [(67, 1), (69, 1), (71, 2)]
    score = melody(*bar, (60, 4), *higher, *bar, meters=(Meter(0, 4, 4),))
    assert counted(score, "repeated-bars") == (2, 4)
    assert heard(score, "bar-similarity-4").out_of == 0
    assert heard(melody(*bar * 3, meters=(Meter(0, 4, 4),)), "bar-similarity-2").number == pytest.approx(1)


def test_windows_that_go_on_alike_overlap_wholly():
    bar = [(60, 1), (62, 1), (64, 0.5), (65, 1.5)]
    found = metrics.measure(melody(*bar * 12, meters=(Meter(0, 4, 4),)), ["self-similarity"])
    assert found["pitch-overlap"].out_of == 4  # five windows
    assert found["pitch-overlap"].number == pytest.approx(1)
    assert found["duration-overlap-squared"].number == pytest.approx(1)


def test_single_figures_and_whole_metrics_may_be_asked_for():
    assert list(metrics.measure(SCALE, ["step-share"])) == ["step-share"]
    assert list(metrics.measure(SCALE, ["pitches-used"])) == ["pitches-used", "pitch-classes-used"]
    assert metrics.measure(metrics.hear(SCALE), ["pitch-range"]) == metrics.measure(SCALE, ["pitch-range"])
    with pytest.raises(UnknownNameError, match="no metric named 'tension'"):
        metrics.measure(SCALE, ["tension"])


def test_what_is_longer_than_any_music_is_refused():
    with pytest.raises(ScoreError, match="expected at most 518400 quarters of music, got 2000000"):
        metrics.hear(melody((60, 2_000_000)))
