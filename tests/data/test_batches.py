import numpy as np
import pytest
import torch

from kantor import io
from kantor.data import batches as room
from kantor.data.batches import PADDING, Augmentation, Pieces, collate
from kantor.data.protocols import HIDDEN, WINDOW_FRAMES, hide, windows
from kantor.representations import columns, inputs_of
from kantor.representations.chorale import Chorale
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


def test_given_steps_are_shown_and_not_predicted():
    (batch,) = Pieces(windows(piece(15), 56), Chorale(), 1, given=1)
    whole = Chorale().encode(piece(15).cut(0, 57 * 120)).values
    inputs, targets = batch
    assert np.array_equal(targets[0].numpy(), whole[1:])
    assert np.array_equal(inputs[0].numpy(), whole[:-1])


@pytest.mark.parametrize(("split", "count"), [("train", 3111), ("valid", 1039)])
def test_the_seeds_windows_are_as_many_as_the_notebook_prints(shared_data, split, count):
    grids = [io.load(path) for path in sorted((shared_data / "jsb" / split).glob("*.csv"))]
    spans = [window for score in grids for window in windows(score, WINDOW_FRAMES)]
    assert len(spans) == count
    for inputs, targets in Pieces(spans[:64], Chorale(), 32, given=1):
        assert inputs.shape == targets.shape == (32, 131, 1)
        assert (targets != PADDING).all()
        assert torch.equal(inputs[:, 1:], targets[:, :-1])
    sizes, _ = columns(Chorale())
    assert sizes == (47,)
