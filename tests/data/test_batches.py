import numpy as np
import pytest
import torch

from kantor import io
from kantor.data import batches as room
from kantor.data.batches import PADDING, Augmentation, Pieces, collate
from kantor.data.protocols import HIDDEN, WINDOW_FRAMES, hide, windows
from kantor.representations import columns, inputs_of
from kantor.representations.chorale import Chorale
from kantor.representations.events import Events
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.representations.roll import Roll
from kantor.score import VOICES, Key, Meter, Part, Score
from laws.tiny import DERIVED, PLANNED

EVERYTHING = Chorale(spelling="full", inputs=(*DERIVED, *PLANNED))


def piece(quarters, pitch=60, lead=0):
    """Four voices in quarters, the second quarter repeated; no two pieces of other arguments sound alike."""
    rows = [
        (480 * n, 480, pitch - 4 * voice + (lead if voice == 0 else 0) + (n > 1), 80, voice)
        for n in range(quarters)
        for voice in range(4)
    ]
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes(rows, parts=parts, meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),), fermatas=(480,))


def epoch(pieces, number=0):
    pieces.epoch = number
    return list(pieces)


def same(one, other):
    return len(one) == len(other) and all(
        torch.equal(a, b) for mine, theirs in zip(one, other, strict=True) for a, b in zip(mine, theirs, strict=True)
    )


SET = [piece(quarters, 60 + quarters, lead) for quarters in (4, 5, 6, 8) for lead in (0, 5)]
VARIED = Augmentation(transpose=3, bare=0.3, unknown=0.3)


def test_padding_is_nought_in_the_inputs_and_left_out_of_the_targets():
    short = (np.ones((2, 3), dtype=np.int64), np.full((2, 1), 7))
    long = (np.full((4, 3), 2), np.full((4, 1), 8))
    inputs, targets = collate([short, long])
    assert inputs.tolist() == [[[1] * 3] * 2 + [[0] * 3] * 2, [[2] * 3] * 4]
    assert targets.tolist() == [[[7]] * 2 + [[PADDING]] * 2, [[8]] * 4]
    assert inputs.dtype == targets.dtype == torch.int64


def test_padding_costs_nothing():
    logits = torch.randn(1, 5, 3)
    whole = torch.nn.functional.cross_entropy(logits[0, :2], torch.tensor([0, 1]), reduction="sum")
    padded = torch.tensor([0, 1, PADDING, PADDING, PADDING])
    torch.testing.assert_close(torch.nn.functional.cross_entropy(logits[0], padded, reduction="sum"), whole)


def test_pieces_that_are_not_varied_come_as_they_are_in_order_of_length():
    batches = list(Pieces(SET[::-1], EVERYTHING, 3))
    lengths = [int((targets[row, :, 0] != PADDING).sum()) for _, targets in batches for row in range(len(targets))]
    assert lengths == sorted(lengths)
    assert sorted(lengths) == sorted(EVERYTHING.length(score) for score in SET)
    inputs, targets = batches[0]
    shortest = EVERYTHING.encode(SET[1])
    assert np.array_equal(inputs[0, : len(shortest)].numpy(), inputs_of(shortest, EVERYTHING))
    assert np.array_equal(targets[0, : len(shortest)].numpy(), shortest.values)


def test_one_seed_and_epoch_is_one_order():
    one, other = (Pieces(SET, EVERYTHING, 2, augmentation=VARIED, seed=4) for _ in range(2))
    assert same(epoch(one, 7), epoch(other, 7))
    epoch(other, 3)  # whatever was drawn before
    assert same(epoch(one, 7), epoch(other, 7))


def test_another_seed_or_epoch_is_another_order():
    pieces = Pieces(SET, EVERYTHING, 2, augmentation=VARIED, seed=4)
    assert not same(epoch(pieces, 0), epoch(pieces, 1))
    assert not same(epoch(pieces, 0), epoch(Pieces(SET, EVERYTHING, 2, augmentation=VARIED, seed=5), 0))


@pytest.mark.parametrize("size", [1, 3, 8, 20])
def test_every_piece_is_shown_once_an_epoch(size):
    pieces = Pieces(SET, Chorale(), size, augmentation=Augmentation())
    for number in range(3):
        batches = epoch(pieces, number)
        assert len(batches) == len(pieces) == -(-len(SET) // size)
        shown = [tuple(row[row != PADDING].tolist()) for _, targets in batches for row in targets[:, :, 0]]
        assert sorted(shown) == sorted(tuple(Chorale().encode(score).values[:, 0].tolist()) for score in SET)


def test_pieces_of_like_length_meet_in_other_batches_from_epoch_to_epoch():
    pieces = Pieces([piece(20 + n, 60) for n in range(4)], Chorale(), 2, augmentation=Augmentation())
    companies = {
        frozenset(frozenset((targets != PADDING).sum((1, 2)).tolist()) for _, targets in epoch(pieces, number))
        for number in range(12)
    }
    assert len(companies) > 1


def test_transposed_pieces_stay_in_the_ranges_of_the_set():
    pieces = Pieces(SET, Chorale(), 1, augmentation=Augmentation(transpose=12))
    lows = np.full(4, 99)
    highs = np.zeros(4)
    for number in range(20):
        for _, targets in epoch(pieces, number):
            grid = targets[0].reshape(-1, 4).numpy()
            lows, highs = np.minimum(lows, grid.min(0)), np.maximum(highs, grid.max(0))
    grids = [Chorale().grid(score)[0] for score in SET]
    assert lows.tolist() == np.min([grid.min(0) for grid in grids], axis=0).tolist()
    assert highs.tolist() == np.max([grid.max(0) for grid in grids], axis=0).tolist()


def test_pieces_may_move_within_the_range_of_all_parts_together():
    def lowest_and_highest(**options):
        pieces = Pieces(SET, Chorale(), 1, augmentation=Augmentation(transpose=12, **options))
        grids = [targets[0].reshape(-1, 4).numpy() for number in range(30) for _, targets in epoch(pieces, number)]
        return np.min([grid.min(0) for grid in grids], axis=0), np.max([grid.max(0) for grid in grids], axis=0)

    (low, high), (lower, higher) = lowest_and_highest(), lowest_and_highest(together=True)
    assert (lower.min(), higher.max()) == (low.min(), high.max())
    assert (lower <= low).all()
    assert (higher >= high).all()
    assert (lower < low).any() or (higher > high).any()


def test_a_transposed_piece_has_its_transposed_key():
    representation = Chorale(inputs=("key",))
    pieces = Pieces([piece(4, 60), piece(4, 62)], representation, 2, augmentation=Augmentation(transpose=2))
    seen = {
        (int(row[0, 0]), int(key[0]))
        for number in range(10)
        for inputs, targets in epoch(pieces, number)
        for row, key in zip(targets, inputs[:, :, 1], strict=True)
    }
    sopranos = {25: 0, 26: 1, 27: 2, 23: 10, 24: 11}  # both pieces are in C; a class of pitch a semitone
    for pitch, key in seen:
        assert key in {(sopranos[pitch] - 0) % 12, (sopranos[pitch] - 2) % 12}
    assert len(seen) > 3


def planned_columns():
    fields = len(EVERYTHING.fields)
    return {c.name: (fields + n, c.unknown) for n, c in enumerate(EVERYTHING.conditions) if c.planned}


def test_hidden_conditions_are_unknown_throughout_and_the_others_known():
    for inputs, _ in Pieces(SET, EVERYTHING, 1, hidden=HIDDEN):
        for name, (column, unknown) in planned_columns().items():
            assert bool((inputs[..., column] == unknown).all()) == (name in HIDDEN), name


def test_what_no_protocol_may_know_is_there_to_be_hidden():
    assert set(HIDDEN) <= set(planned_columns())


def test_hiding_changes_nothing_but_the_columns_named():
    inputs = inputs_of(EVERYTHING.encode(SET[0]), EVERYTHING)
    before = inputs.copy()
    hidden = hide(inputs, EVERYTHING, ("key", "voice", "no such thing"))
    column, unknown = planned_columns()["key"]
    assert (hidden[:, column] == unknown).all()
    assert np.array_equal(np.delete(hidden, column, 1), np.delete(before, column, 1))
    assert np.array_equal(inputs, before)


@pytest.mark.parametrize(("share", "expected"), [(0.0, {False}), (1.0, {True})])
def test_conditions_are_forgotten_as_often_as_asked(share, expected):
    pieces = Pieces(SET, EVERYTHING, 1, augmentation=Augmentation(unknown=share))
    known = {
        bool((inputs[..., column] == unknown).all())
        for inputs, _ in pieces
        for column, unknown in planned_columns().values()
    }
    assert known == expected


def test_a_bare_piece_has_its_repeats_merged_and_no_conditions():
    for (inputs, targets), score in zip(
        Pieces([SET[0]], EVERYTHING, 1, augmentation=Augmentation(bare=1.0)), [SET[0]], strict=True
    ):
        bare = EVERYTHING.encode(score, bare=True)
        assert np.array_equal(targets[0].numpy(), bare.values)
        assert np.array_equal(inputs[0].numpy(), inputs_of(bare, EVERYTHING))
        assert not np.array_equal(bare.values, EVERYTHING.encode(score).values)


def test_encodings_are_made_once_as_long_as_they_fit_the_cache(monkeypatch):
    made = []
    encode = Chorale.encode
    monkeypatch.setattr(Chorale, "encode", lambda self, score, **k: made.append(score) or encode(self, score, **k))
    pieces = Pieces(SET, Chorale(), 2)
    first, again = epoch(pieces), epoch(pieces)
    assert len(made) == len(SET)
    assert same(first, again)


def test_a_full_cache_keeps_what_it_has_and_grows_no_more(monkeypatch):
    pieces = Pieces(SET, Chorale(), 2)
    unbounded = epoch(pieces)
    sizes = [sum(part.nbytes for part in kept) for kept in pieces._encode._kept.values()]
    monkeypatch.setattr(room, "CACHE_BYTES", sum(sizes) // 2)
    pieces = Pieces(SET, Chorale(), 2)
    for _ in range(3):
        assert same(epoch(pieces), unbounded)
        kept = [sum(part.nbytes for part in kept) for kept in pieces._encode._kept.values()]
        assert 0 < sum(kept) <= room.CACHE_BYTES


# -- windows ---------------------------------------------------------------------------------------------------------


def test_windows_overlap_by_half_and_leave_out_the_tail():
    score = piece(15)  # 60 frames
    found = list(windows(score, 16))
    assert [window.length_ticks for window in found] == [17 * 120] * 6
    assert found == [score.cut(start * 120, (start + 17) * 120) for start in (0, 8, 16, 24, 32, 40)]


def test_a_piece_of_a_windows_length_gives_none_and_one_frame_more_gives_one():
    assert list(windows(piece(8))) == []
    assert len(list(windows(piece(8).replace(length_ticks=33 * 120)))) == 1


def test_a_span_of_silence_is_no_window():
    score = piece(8).replace(length_ticks=8 * 480 * 8)  # music, then seven times as long nothing
    found = list(windows(score, 16))
    assert found == [score.cut(start * 120, (start + 17) * 120) for start in (0, 8, 16, 24)]


def test_a_window_is_cut_from_the_pieces_encoding_its_first_step_given():
    score = piece(15)  # 60 frames
    whole = inputs_of(EVERYTHING.encode(score), EVERYTHING)
    values = EVERYTHING.encode(score).values
    batches = list(Pieces([score], EVERYTHING, 1, window=16))
    starts = [0, 8, 16, 24, 32, 40]
    assert len(batches) == len(starts)
    for (inputs, targets), start in zip(batches, starts, strict=True):
        span = slice(4 * start + 1, 4 * (start + 17))
        assert np.array_equal(inputs[0].numpy(), whole[span])  # what came before it is told as it was
        assert np.array_equal(targets[0].numpy(), values[span])


def test_windows_of_a_bare_grid_are_those_of_the_seed():
    scores = [piece(quarters, 60 + quarters) for quarters in (9, 12, 15)]
    spans = [Chorale().encode(span).values for score in scores for span in windows(score)]
    found = [(x[0], y[0]) for x, y in Pieces(scores, Chorale(), 1, window=WINDOW_FRAMES)]
    assert len(found) == len(spans) == 1 + 1 + 2
    for (inputs, targets), values in zip(found, spans, strict=True):
        assert np.array_equal(inputs.numpy(), values[:-1])
        assert np.array_equal(targets.numpy(), values[1:])


def test_a_piece_shorter_than_a_window_is_shown_whole_but_for_its_first_step():
    short, long = piece(4), piece(6)
    pieces = Pieces([short, long], Chorale(), 1, window=20)
    assert pieces.spans == [(0, 0, 64), (1, 0, 84)]
    assert [targets.shape[1] for _, targets in pieces] == [63, 83]


def test_a_window_is_so_many_frames_whatever_a_frame_has_of_steps():
    roll, frames, notes = Roll(), Frames(), Notes()
    score = chords(30)
    for start, end in spans_of(Pieces([score], roll, 1, window=8)):
        steps = roll.encode(score).values[start:end, 0]
        assert (steps == roll.end).sum() == 9
        assert steps[-1] == roll.end
        assert start == 0 or roll.encode(score).values[start - 1, 0] == roll.end
    assert spans_of(Pieces([score], frames, 1, window=8)) == [(n, n + 9) for n in (0, 4, 8, 12, 16, 20, 21)]
    records = len(notes.encode(score))
    assert records == 1 + 60
    assert spans_of(Pieces([score], notes, 1, window=8)) == [(n, n + 9) for n in range(0, 53, 4)]


@pytest.mark.parametrize("representation", [Notes(), Frames(), Roll(), Events(), Regression()])
def test_a_piece_s_own_beginning_is_learnt_and_that_of_other_windows_given(representation):
    score = representation.canonical(chords(24))
    encoding = representation.encode(score)
    pieces = Pieces([score], representation, 1, window=8)
    batches = list(pieces)
    for (start, end), (inputs, targets) in zip(sorted(spans_of(pieces)), batches, strict=True):
        first = start + 1 if start else 0
        assert torch.equal(targets[0], torch.from_numpy(encoding.targets[first:end]))
        assert torch.equal(inputs[0], torch.from_numpy(inputs_of(encoding, representation)[first:end]))


def test_where_the_last_window_reaches_the_end_there_is_no_other():
    assert spans_of(Pieces([chords(30)], Frames(), 1, window=8))[-2:] == [(20, 29), (21, 30)]
    assert spans_of(Pieces([chords(29)], Frames(), 1, window=8)) == [(n, n + 9) for n in (0, 4, 8, 12, 16, 20)]


def chords(frames):
    """A piano: one to three keys in every sixteenth, struck anew."""
    rows = [(120 * n, 120, 60 + 4 * k + n % 5, 80, 0) for n in range(frames) for k in range(n % 3 + 1)]
    return Score.from_notes(rows, length_ticks=120 * frames)


def spans_of(pieces):
    return [(start, end) for _, start, end in pieces.spans]


def test_an_epoch_varies_a_piece_once_for_all_its_windows():
    pieces = Pieces([piece(15), piece(15, 66)], Chorale(), 1, window=16, augmentation=Augmentation(transpose=6))
    known = [Chorale().encode(score).values[:, 0] for score in (piece(15), piece(15, 66))]
    for number in range(6):
        shifts = {}
        for (n, start, end), (_, targets) in zip(shown(pieces, number), epoch(pieces, number), strict=True):
            moved = targets[0, :, 0].numpy() - known[n][start + 1 : end]
            assert len(set(moved.tolist())) == 1
            shifts.setdefault(n, set()).add(int(moved[0]))
        assert all(len(found) == 1 for found in shifts.values())


def shown(pieces, number):
    """The spans in the order in which an epoch of batches of one shows them."""
    rng = np.random.default_rng([pieces.seed, number])
    for n in range(len(pieces.scores)):
        pieces._variation(n, rng)
    return [pieces.spans[int(members[0])] for members in pieces._batches(rng)]


def test_tempi_are_varied_within_their_share_and_drawn_anew_each_epoch():
    regression, score = Regression(), chords(24)
    pieces = Pieces([score], regression, 1, augmentation=Augmentation(tempo=0.2))
    factors = []
    for number in range(30):
        ((_, targets),) = epoch(pieces, number)
        onsets = targets[0, :, 1].cumsum(0)
        factors.append(float(onsets[-1]) / (23 * 6))
        assert torch.equal(targets[0, :, 0], torch.from_numpy(regression.encode(score).values[:, 0]))
    assert len(set(factors)) > 10
    assert 0.79 < min(factors) < 0.9
    assert 1.1 < max(factors) < 1.21


def test_velocities_are_varied_within_their_share():
    notes, score = Notes(velocity=True), chords(12)
    pieces = Pieces([score], notes, 1, augmentation=Augmentation(velocity=0.5))
    classes = {int(row) for number in range(40) for _, y in epoch(pieces, number) for row in y[0, 1:, 3]}
    assert min(classes) in (10, 11, 12)  # 40 of 80
    assert max(classes) in (28, 29, 30)  # 120 of 80


def test_what_tempo_varies_is_not_kept_and_what_else_is_varied_is():
    varied = Pieces([chords(24)], Notes(), 1, augmentation=Augmentation(tempo=0.2))
    shifted = Pieces([chords(24)], Notes(), 1, augmentation=Augmentation(transpose=2))
    for number in range(10):
        epoch(varied, number)
        epoch(shifted, number)
    assert len(varied._encode._kept) == 1
    assert len(shifted._encode._kept) == 1  # one piece fills its own range


def test_a_varied_piece_is_encoded_once_for_all_its_windows(monkeypatch):
    made = []
    encode = Notes.encode
    monkeypatch.setattr(Notes, "encode", lambda self, score, **k: made.append(score) or encode(self, score, **k))
    pieces = Pieces([chords(24), chords(30)], Notes(), 1, window=8, augmentation=Augmentation(tempo=0.2))
    made.clear()
    assert len(epoch(pieces)) > 10
    assert len(made) == 2


def test_windows_of_a_stretched_piece_are_never_empty():
    pieces = Pieces([chords(40)], Frames(), 4, window=8, augmentation=Augmentation(tempo=0.9))
    for number in range(20):
        for _, targets in epoch(pieces, number):
            assert ((targets[:, :, 0] != PADDING).sum(1) > 0).all()


def test_targets_that_a_vocabulary_lacks_are_unknown_and_what_is_shown_is_the_nearest():
    events = Events(sounds=((60,), (64,)), offsets=(0, 6), durations=(6,))
    score = Score.from_notes([(0, 120, 60, 80, 0), (120, 120, 67, 80, 0), (240, 120, 60, 80, 0)])
    ((inputs, targets),) = Pieces([score], events, 1)
    assert targets[0].tolist() == [[0, 0, 0], [2, 1, 0], [0, 1, 0]]
    assert inputs[0].tolist() == [[3, 3, 2], [0, 0, 0], [1, 1, 0]]


def test_times_beyond_what_is_kept_are_the_longest_kept():
    ((inputs, targets),) = Pieces([Score.from_notes([(20 * 50_000, 20, 60, 80, 0)])], Regression(), 1)
    assert targets[0].tolist() == [[60, 2**15 - 1, 1]]
    assert inputs.dtype == targets.dtype == torch.int64


@pytest.mark.parametrize(("split", "count"), [("train", 3111), ("valid", 1039)])
def test_the_seeds_windows_are_as_many_as_the_notebook_prints(shared_data, split, count):
    grids = [io.load(path) for path in sorted((shared_data / "jsb" / split).glob("*.csv"))]
    spans = [window for score in grids for window in windows(score, WINDOW_FRAMES)]
    assert len(spans) == count
    pieces = Pieces(grids, Chorale(), 32, window=WINDOW_FRAMES)
    whole = [end - start for _, start, end in pieces.spans if end - start == 132]
    assert len(whole) == count  # the others are pieces shorter than a window
    assert columns(Chorale()).inputs == (47,)
