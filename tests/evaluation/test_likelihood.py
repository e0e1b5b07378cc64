"""Likelihood against the same sums done one step at a time, and against figures that others have published."""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax, logit
from scipy.stats import norm

from fakes import FakeModel, rambling
from kantor import corpora
from kantor.errors import InputError, OptionError, UnknownNameError
from kantor.evaluation import likelihood as module
from kantor.evaluation.likelihood import PROTOCOLS, likelihood, protocols_of
from kantor.representations import start_of
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import Key, Meter, Part, Score
from strategies import grid_score, grids, scores

PLAIN = Chorale("plain", "SATB", ("voice", "own"))
FULL = Chorale("full", "SBAT", ("voice", "now", "beat", "key", "fermata", "remaining"))
BOTH = pytest.mark.parametrize("representation", [PLAIN, FULL], ids=["plain", "full"])


def fake(representation, rule=rambling):
    return FakeModel(representation.fields[0].size, rule)


@st.composite
def pieces(draw, count=3, **options):
    """Up to ``count`` scores with at least one note each."""
    some = scores(min_parts=4, **{"max_frames": 24, **options}).filter(len)
    return draw(st.lists(some, min_size=1, max_size=count))


def by_hand(model, representation, score, first=0, shown=False):
    """Nats, and whether the likeliest was right, of every step but the first ``first``: a step at a time, alone.

    Those first ones are not even shown, unless ``shown``.
    """
    encoding = representation.encode(score)
    state, previous, found = model.initial(1), [representation.fields[0].size], []
    for step in range(len(encoding)):
        row = list(encoding.conditions[step])
        for column, condition in enumerate(representation.conditions):
            if condition.name in ("key", "fermata", "remaining"):
                row[column] = condition.size - 1
        if step >= first or shown:
            logits, state = model.run(np.array([[[*previous, *row]]]), state)
        if step >= first:
            value = int(encoding.values[step, 0])
            scores = logits[0][0, 0].astype(np.float64)
            found.append((-log_softmax(scores)[value], int(np.argmax(scores)) == value))
        previous = [int(encoding.values[step, 0])]
    return found


@BOTH
@given(data=st.data())
@settings(max_examples=15)
def test_a_whole_piece_is_judged_as_step_by_step_and_alone(representation, data):
    music = data.draw(pieces())
    found = likelihood(fake(representation), representation, music)
    alone = [by_hand(fake(representation), representation, representation.canonical(score)) for score in music]
    everything = [cell for piece in alone for cell in piece]
    assert found.nats_per_note == pytest.approx(np.mean([nats for nats, _ in everything]), abs=1e-5)
    assert found.nats_per_note_macro == pytest.approx(
        np.mean([np.mean([nats for nats, _ in p]) for p in alone]), abs=1e-5
    )
    assert found.accuracy == pytest.approx(np.mean([right for _, right in everything]))
    assert found.nats_per_frame == pytest.approx(4 * found.nats_per_note)
    assert found.bits_per_note == pytest.approx(found.nats_per_note / math.log(2))
    assert (found.notes, found.pieces, found.protocol) == (len(everything), len(music), "whole")


@BOTH
@given(data=st.data())
@settings(max_examples=8)
def test_windows_are_judged_alone_their_first_cell_given(representation, data):
    music = [s for s in data.draw(pieces(count=2, max_frames=72)) if s.length_ticks >= 33 * 120]
    if not music:
        return
    found = likelihood(fake(representation), representation, music, "windows")
    spans = [
        representation.canonical(score).cut(start * 120, (start + 33) * 120)
        for score in music
        for start in range(0, score.length_ticks // 120 - 32, 16)
    ]
    alone = [
        cell for span in spans if len(span) for cell in by_hand(fake(representation), representation, span, first=1)
    ]
    assert len(alone) == found.notes
    assert found.nats_per_note == pytest.approx(np.mean([nats for nats, _ in alone]), abs=1e-5)


@BOTH
@given(data=st.data())
@settings(max_examples=8)
def test_by_frames_the_first_is_shown_and_not_judged(representation, data):
    music = [score for score in data.draw(pieces()) if score.length_ticks > 120]
    if not music:
        return
    found = likelihood(fake(representation), representation, music, "frames")
    kept = [representation.canonical(score) for score in music]
    alone = [cell for score in kept for cell in by_hand(fake(representation), representation, score, 4, shown=True)]
    assert (found.notes, found.frames) == (len(alone), len(alone) // 4)
    assert found.nats_per_note == pytest.approx(np.mean([nats for nats, _ in alone]), abs=1e-5)
    assert found.accuracy == pytest.approx(np.mean([right for _, right in alone]))
    assert found.nats_per_frame == pytest.approx(4 * found.nats_per_note)


def held(frames, pitches=(72, 67, 64, 48)):
    """A chord for so many sixteenths, struck anew every quarter."""
    grid = np.tile(np.array(pitches), (frames, 1))
    return grid_score(grid, (np.arange(frames) % 4 == 0)[:, None] & (grid > 0))


def test_equal_chances_cost_ln_47_exactly():
    found = likelihood(FakeModel(47), PLAIN, [held(8), held(40)])
    assert found.nats_per_note == pytest.approx(math.log(47), abs=1e-12)
    assert found.nats_per_note_macro == pytest.approx(math.log(47), abs=1e-12)
    assert found.nats_per_frame == pytest.approx(4 * math.log(47))
    assert found.bits_per_note == pytest.approx(math.log2(47))
    assert found.notes == 192


def copying(inputs, steps, memory, classes):
    """All but sure that a voice sings on what it sang."""
    own = inputs[..., 2]
    return 20.0 * (np.arange(classes) == own[..., None])


@given(grids(max_frames=24))
def test_a_network_that_copies_is_right_where_copying_is(grid):
    pitches, _ = grid
    if not pitches.any():
        return
    found = likelihood(FakeModel(47, copying), PLAIN, [grid_score(*grid)])
    same = pitches[1:] == pitches[:-1]
    # In a first frame there is nothing to copy; then all logits are equal and the first class, silence, is taken.
    assert found.accuracy == pytest.approx((same.sum() + (pitches[0] == 0).sum()) / pitches.size)
    assert found.copy_accuracy == pytest.approx(same.mean() if same.size else 1.0)
    assert found.accuracy_changed == 0


def knowing(inputs, steps, memory, classes):
    """All but sure that everybody sings one class higher than before."""
    return 20.0 * (np.arange(classes) == inputs[..., 2, None] + 1)


def test_accuracy_where_something_changes_counts_only_there():
    pitches = np.array([[60] * 4, [61] * 4, [61] * 4, [62] * 4, [50] * 4])
    found = likelihood(FakeModel(47, knowing), PLAIN, [grid_score(pitches, np.ones_like(pitches, dtype=bool))])
    assert found.accuracy_changed == pytest.approx(8 / 12)
    assert found.accuracy == pytest.approx(8 / 20)
    assert found.copy_accuracy == pytest.approx(4 / 16)


def test_micro_counts_cells_and_macro_counts_pieces():
    def costly_late(inputs, steps, memory, classes):
        wrong = (np.arange(classes) == 46) * 5.0
        return np.where(steps[..., None] >= 32, wrong, 0)

    short, long = held(8), held(24)
    dear = math.log(46 + math.exp(5))
    found = likelihood(FakeModel(47, costly_late), PLAIN, [short, long])
    assert found.nats_per_note == pytest.approx((64 * math.log(47) + 64 * dear) / 128, abs=1e-6)
    assert found.nats_per_note_macro == pytest.approx(
        (math.log(47) + (32 * math.log(47) + 64 * dear) / 96) / 2, abs=1e-6
    )


@pytest.mark.parametrize(("frames", "count"), [(33, 1), (48, 1), (49, 2), (64, 2), (65, 3), (100, 5)])
def test_a_window_begins_every_16_sixteenths_and_has_131_targets(frames, count):
    found = likelihood(FakeModel(47), PLAIN, [held(frames)], "windows")
    assert (found.notes, found.pieces, found.protocol) == (131 * count, 1, "windows")
    # the first of a window's 33 frames has three cells that count
    assert found.frames == round(32.75 * count)
    assert found.nats_per_frame == pytest.approx(4 * found.nats_per_note)


def test_a_window_of_silence_has_nothing_to_judge():
    pitches = np.zeros((100, 4), dtype=int)
    pitches[:20] = pitches[90:] = 60
    music = grid_score(pitches, pitches > 0)
    # windows begin at 0, 16, 32, 48 and 64; that of 32..64 and that of 48..80 are silent
    assert likelihood(FakeModel(47), PLAIN, [music], "windows").notes == 131 * 3


def test_pieces_too_short_for_a_window_are_left_out_and_none_left_is_an_error():
    assert likelihood(FakeModel(47), PLAIN, [held(32), held(33)], "windows").pieces == 1
    with pytest.raises(InputError, match=r"got 2 shorter ones; try --protocol whole"):
        likelihood(FakeModel(47), PLAIN, [held(32), held(4)], "windows")


def test_a_protocol_that_does_not_exist_is_answered_with_those_that_do():
    with pytest.raises(UnknownNameError, match=r"no protocol named 'window'. Did you mean 'windows'\?"):
        likelihood(FakeModel(47), PLAIN, [held(8)], "window")


@pytest.mark.parametrize("protocol", PROTOCOLS)
@given(score=scores(min_parts=4, max_frames=70, metered=True).filter(lambda s: len(s) and s.length_ticks >= 3960))
@settings(max_examples=10)
def test_key_fermatas_title_and_the_end_are_hidden(protocol, score):
    told = score.replace(keys=(Key(0, 4, "minor"),), fermatas=(480, 960), title="Otherwise", recipe='{"a": 1}')
    bare = score.replace(keys=(), fermatas=())
    figures = [likelihood(fake(FULL), FULL, [s], protocol) for s in (score, told, bare)]
    assert figures[0] == figures[1] == figures[2]


def test_how_long_a_piece_goes_on_is_hidden():
    music = held(16)
    longer = held(24)
    first = by_hand(fake(FULL), FULL, longer)[: 16 * 4]
    assert likelihood(fake(FULL), FULL, [music]).nats_per_note == pytest.approx(
        np.mean([n for n, _ in first]), abs=1e-5
    )


@given(music=pieces(count=5))
@settings(max_examples=10)
def test_who_else_is_judged_changes_nothing(music):
    together = likelihood(fake(FULL), FULL, music)
    alone = [likelihood(fake(FULL), FULL, [score]) for score in music]
    total = sum(found.nats_per_note * found.notes for found in alone) / sum(found.notes for found in alone)
    assert together.nats_per_note == pytest.approx(total)
    assert together.nats_per_note_macro == pytest.approx(np.mean([found.nats_per_note for found in alone]))
    assert likelihood(fake(FULL), FULL, music[::-1]).nats_per_note == pytest.approx(together.nats_per_note)


def test_long_pieces_are_shown_in_stretches_that_do_not_grow(monkeypatch):
    music = [held(40), held(9), held(21, (74, 69, 0, 50))]
    at_once = likelihood(fake(FULL), FULL, music)
    monkeypatch.setattr(module, "SPAN", 16)
    model = fake(FULL)
    stretched = likelihood(model, FULL, music)
    assert max(time for _, time in model.shapes) == 16
    for name, value in dataclasses.asdict(at_once).items():
        assert getattr(stretched, name) == (pytest.approx(value) if isinstance(value, float | tuple) else value)


def test_the_interval_holds_the_mean_and_is_the_same_every_time():
    music = [held(frames, (60 + frames % 13, 60, 55, 45)) for frames in range(8, 28)]
    found = [likelihood(fake(FULL), FULL, music) for _ in range(2)]
    low, high = found[0].nats_per_note_interval
    assert low < found[0].nats_per_note < high
    assert found[0] == found[1]


def test_the_interval_is_that_of_a_mean_over_pieces():
    rng = np.random.default_rng(1)
    music = [held(8, tuple(rng.integers(40, 80, 4))) for _ in range(100)]
    found = likelihood(fake(FULL), FULL, music)
    each = [likelihood(fake(FULL), FULL, [score]).nats_per_note for score in music]
    low, high = found.nats_per_note_interval
    assert high - low == pytest.approx(2 * 1.96 * np.std(each) / 10, rel=0.15)


def test_one_piece_has_no_interval():
    assert likelihood(FakeModel(47), PLAIN, [held(8)]).nats_per_note_interval is None


def test_progress_ends_when_all_pieces_are_done(monkeypatch):
    monkeypatch.setattr(module, "BATCH", 2)
    told = []
    likelihood(FakeModel(47), PLAIN, [held(8)] * 5, advance=told.append)
    assert told == [2, 4, 5]


# -- fields of every kind --------------------------------------------------------------------------------------------


def played(*rows, length=0):
    """A piano; rows are (onset, duration, pitch) in sixteenths."""
    notes = [(120 * at, 120 * lasting, pitch, 80, 0) for at, lasting, pitch in rows]
    return Score.from_notes(notes, length_ticks=120 * length, parts=(Part("Piano"),), meters=(Meter(0, 3, 4),))


TUNE = played((0, 2, 60), (0, 4, 64), (3, 1, 67), (4, 8, 48), (5, 1, 72), (9, 3, 76), length=14)
OTHER = played((2, 3, 50), (4, 1, 55), (4, 2, 62), (7, 9, 70))
PIANO = [TUNE, OTHER]


def parameters_of(model, representation, score):
    """Of each field (steps, ...): what the model says at each step, asked a step at a time and told the true past."""
    encoding = representation.encode(score)
    state, previous, found = model.initial(1), start_of(representation), []
    for values, conditions in zip(encoding.values, encoding.conditions, strict=True):
        row = conditions.copy()
        for column, condition in enumerate(representation.conditions):
            if condition.name in ("key", "remaining"):
                row[column] = condition.unknown
        features, state = model.run(np.concatenate([previous, row])[None, None], state)
        found.append([model.field(features, values[None, None], k)[0, 0] for k in range(len(representation.fields))])
        previous = values
    return [np.array(field, dtype=np.float64) for field in zip(*found, strict=True)], encoding


def soft(params, classes):
    """Nats of each class under its row of logits."""
    return -log_softmax(params, axis=1)[np.arange(len(params)), classes]


def timed(inputs, steps, memory, size):
    """Anything for classes; for times a mean of 2 to 14 grid steps and a deviation of 2 to 7."""
    if size != 2:
        return rambling(inputs, steps, memory, size)
    return rambling(inputs, steps, memory, size) * [2.0, 0.2] + [8.0, 1.3]


def test_times_cost_what_a_gaussian_leaves_for_their_cell_of_the_grid():
    found = likelihood(FakeModel.of(Regression(), timed), Regression(), PIANO)
    by_field = np.zeros(3)
    for score in PIANO:
        (pitch, *times), encoding = parameters_of(FakeModel.of(Regression(), timed), Regression(), score)
        by_field[0] += soft(pitch, encoding.values[:, 0]).sum()
        for k, (params, least) in enumerate(zip(times, (0, 1), strict=True), start=1):
            value = encoding.values[:, k]
            gaussian = norm(params[:, 0], np.exp(params[:, 1]))
            low = np.where(value == least, 0.0, gaussian.cdf(value - 0.5))
            by_field[k] -= np.log(gaussian.cdf(value + 0.5) - low).sum()
    assert found.notes == 10
    assert list(found.nats_by_field) == ["pitch", "step", "duration"]
    assert list(found.nats_by_field.values()) == pytest.approx(by_field / 10, rel=1e-5)
    assert found.nats_per_note == pytest.approx(by_field.sum() / 10, rel=1e-5)
    assert (found.unit, found.frames, found.bce, found.binary_accuracy) == ("note", 10, None, None)


def test_where_a_field_is_regressed_there_is_no_accuracy_for_no_mean_aims_at_one_step_of_the_grid():
    found = likelihood(FakeModel.of(Regression(), timed), Regression(), PIANO)
    assert (found.accuracy, found.accuracy_changed) == (None, None)
    assert found.copy_accuracy == 0  # of the music itself: no note is the one before it again
    for other in (Notes(), Events(), Roll(), Frames()):
        assert 0 <= likelihood(FakeModel.of(other), other, PIANO).accuracy <= 1


def sparse(inputs, steps, memory, size):
    return rambling(inputs, steps, memory, size) - 2.0


def test_keys_cost_what_their_sigmoids_say_in_every_frame_but_the_first():
    rolls = Frames()
    found = likelihood(FakeModel.of(rolls, sparse), rolls, PIANO, "frames")
    nats, hits, sounding, frames = 0.0, 0, 0, 0
    for score in PIANO:
        (logits,), encoding = parameters_of(FakeModel.of(rolls, sparse), rolls, score)
        chance, keys = expit(logits[1:]), encoding.values[1:]
        nats -= np.log(np.where(keys > 0, chance, 1 - chance)).sum()
        hits += ((chance > 0.5) == (keys > 0)).sum()
        sounding, frames = sounding + keys.sum(), frames + len(keys)
    assert found.frames == frames == 13 + 15
    assert found.nats_per_frame == pytest.approx(nats / frames, rel=1e-5)
    assert found.bce == pytest.approx(nats / frames / 88, rel=1e-5)
    assert found.binary_accuracy == pytest.approx(hits / frames / 88)
    assert found.note_density == pytest.approx(sounding / frames)
    assert found.notes == 4 + 4  # those that begin in the first frame are given
    assert found.nats_per_note == pytest.approx(nats / 8, rel=1e-5)
    assert found.nats_by_field == {"keys": found.nats_per_note}
    assert found.unit == "frame"


CHANCES = 0.02 + 0.3 * np.random.default_rng(0).random(88)  # of each key


def by_chances(inputs, steps, memory, size):
    """The same chance of every key in every frame, written out key by key: the next that sounds, or the end."""
    chosen = np.where(inputs[..., 0] >= 88, -1, inputs[..., 0])  # the end and "before the start" begin a frame
    higher = np.arange(88) > chosen[..., None]
    silent = np.where(higher, np.log(1 - CHANCES), 0.0)
    up_to = silent.cumsum(-1)
    sounds = np.where(higher, up_to - silent + np.log(CHANCES), -np.inf)
    return np.concatenate([sounds, up_to[..., -1:]], axis=-1)


@pytest.mark.parametrize("protocol", ["whole", "frames"])
def test_a_roll_written_out_costs_what_its_frames_cost(protocol):
    frames, roll = Frames(), Roll("binary")
    constant = FakeModel.of(frames, lambda inputs, steps, memory, n: np.tile(logit(CHANCES), (*steps.shape, 1)))
    one = likelihood(constant, frames, PIANO, protocol)
    with np.errstate(invalid="ignore"):
        other = likelihood(FakeModel.of(roll, by_chances), roll, PIANO, protocol)
    assert other.nats_per_frame == pytest.approx(one.nats_per_frame, rel=1e-5)
    assert (other.notes, other.frames) == (one.notes, one.frames)
    assert other.nats_per_note == pytest.approx(one.nats_per_note, rel=1e-5)


RICH = Notes(inputs=("beat", "key", "remaining", "stacked"), velocity=True)


def test_a_note_costs_all_its_fields_each_in_view_of_those_before_it():
    def asked():
        return FakeModel.of(RICH, rambling, chained=True)

    found = likelihood(asked(), RICH, PIANO)
    by_field, right, steps = np.zeros(4), 0, 0
    for score in PIANO:
        params, encoding = parameters_of(asked(), RICH, score)
        by_field += [soft(own, encoding.values[:, k]).sum() for k, own in enumerate(params)]
        likeliest = np.stack([own.argmax(1) for own in params], axis=1)
        right += (likeliest == encoding.values).all(1).sum()
        steps += len(encoding)
    assert steps == 1 + 6 + 1 + 4  # a rest before each piece
    assert found.notes == 10  # rests are none
    assert list(found.nats_by_field) == ["what", "duration", "gap", "velocity"]
    assert list(found.nats_by_field.values()) == pytest.approx(by_field / 10, rel=1e-5)
    assert sum(found.nats_by_field.values()) == pytest.approx(found.nats_per_note)
    assert found.accuracy == pytest.approx(right / steps)


def test_models_that_write_the_same_notes_differently_are_divided_by_the_same_number():
    for representation in (Notes(), RICH, Notes(chords=((60, 64),)), Regression(), Events()):
        assert likelihood(FakeModel.of(representation, timed), representation, PIANO).notes == 10


def test_what_a_vocabulary_lacks_is_charged_as_unknown_and_spelt_out():
    events = Events(sounds=((60,), (62, 65)), offsets=(0, 24), durations=(24,))
    quarter = 4
    # known; an unknown chord of two; an unknown time before it and an unknown duration
    music = played((0, quarter, 60), (quarter, quarter, 61), (quarter, quarter, 65), (quarter + 1, 2, 60))

    def doubting(inputs, steps, memory, size):
        """One chance in ten for what is unknown, the same for all else."""
        logits = np.full((*steps.shape, size), math.log(0.9 / (size - 1)))
        logits[..., -1] = math.log(0.1)
        return logits

    found = likelihood(FakeModel.of(events, doubting), events, [music])
    sounds = 2 * -math.log(0.45) - math.log(0.1)
    offsets = 2 * -math.log(0.45) - math.log(0.1)
    durations = 2 * -math.log(0.9) - math.log(0.1)
    spelt = [math.log(128) + math.log(128 * 127 / 2), math.log(385), math.log(384)]
    assert found.notes == 4
    assert found.spelling == pytest.approx(sum(spelt) / 4)
    assert found.nats_by_field["what"] == pytest.approx((sounds + spelt[0]) / 4, rel=1e-6)
    assert found.nats_by_field["offset"] == pytest.approx((offsets + spelt[1]) / 4, rel=1e-6)
    assert found.nats_by_field["duration"] == pytest.approx((durations + spelt[2]) / 4, rel=1e-6)
    assert found.nats_per_note == pytest.approx((sounds + offsets + durations + sum(spelt)) / 4, rel=1e-6)
    assert found.accuracy == pytest.approx(1 / 3)  # of a tie the first: a step all known, its classes all 0


def test_where_all_is_known_nothing_is_spelt():
    everything = Events().learn([TUNE, TUNE])
    assert likelihood(FakeModel.of(everything), everything, [TUNE]).spelling == 0


PROTOCOLS_OF = {
    "cell": (PLAIN, ["whole", "windows", "frames"]),
    "frames": (Frames(), ["whole", "frames"]),
    "roll": (Roll(), ["whole", "frames"]),
    "notes": (Notes(), ["whole"]),
    "regression": (Regression(), ["whole"]),
    "events": (Events(), ["whole"]),
}


@pytest.mark.parametrize(("representation", "known"), PROTOCOLS_OF.values(), ids=PROTOCOLS_OF)
def test_a_protocol_that_counts_what_a_model_does_not_have_is_refused(representation, known):
    assert list(protocols_of(representation)) == known
    pitches = np.repeat([[72, 67, 64, 48], [74, 69, 65, 50]], 20, axis=0)
    music = grid_score(pitches, np.arange(40)[:, None] % 20 == 0 * pitches)
    for protocol in PROTOCOLS:
        model = FakeModel.of(representation)
        if protocol in known:
            assert likelihood(model, representation, [music], protocol).protocol == protocol
        else:
            with pytest.raises(OptionError, match=f"'{representation.name}' has, {', '.join(known)}; got '{protocol}'"):
                likelihood(model, representation, [music], protocol)


@pytest.mark.parametrize(
    "representation", [Frames(), Roll(inputs=("beat", "last")), RICH], ids=["frames", "roll", "notes"]
)
def test_long_pieces_of_any_kind_are_shown_in_stretches_that_do_not_grow(monkeypatch, representation):
    at_once = likelihood(FakeModel.of(representation, sparse), representation, PIANO)
    monkeypatch.setattr(module, "SPAN", 4)
    model = FakeModel.of(representation, sparse)
    stretched = likelihood(model, representation, PIANO)
    assert max(time for _, time in model.shapes) == 4
    assert stretched.nats_per_note == pytest.approx(at_once.nats_per_note, rel=1e-6)
    assert stretched.accuracy == at_once.accuracy


# -- published figures -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("split", "published"), [("valid", 0.786), ("train", 0.780)])
def test_copying_is_as_right_as_published_on_the_chorales(shared_data, split, published):
    music = [piece.score for piece in corpora.Folder(shared_data / "jsb", progress=False).pieces(split)]
    found = likelihood(FakeModel(47), PLAIN, music)
    assert round(found.copy_accuracy, 3) == published


def test_the_published_grids_have_as_many_windows_as_their_rows_say(shared_data):
    folder = shared_data / "jsb" / "valid"
    rows = [len(path.read_text().splitlines()) - 1 for path in folder.glob("*.csv")]
    music = [piece.score for piece in corpora.Folder(shared_data / "jsb", progress=False).pieces("valid")]
    found = likelihood(FakeModel(47), PLAIN, music, "windows")
    assert found.notes == 131 * sum(max(0, (count - 33) // 16 + 1) for count in rows)
    assert likelihood(FakeModel(47), PLAIN, music).notes == 4 * sum(rows)
