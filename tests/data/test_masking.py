"""What is open, and how pieces are shown to a two-sided network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kantor.data.batches import PADDING, Augmentation, Pieces
from kantor.data.masking import KINDS, draw
from kantor.errors import OptionError
from kantor.representations.cells import HELD, OPEN, Cells
from kantor.representations.chorale import Chorale
from kantor.score import VOICES, Key, Meter, Part, Score

EVERYTHING = Cells(inputs=("phase", "meter", "beat", "key", "fermata", "remaining"))
each_kind = pytest.mark.parametrize("kind", KINDS)


def drawn(kind, frames=64, count=400):
    """(count, frames, 4) masks of one kind."""
    rng = np.random.default_rng(3)
    return np.stack([draw(rng, frames, 4, kind) for _ in range(count)])


@each_kind
@given(frames=st.integers(1, 70), seed=st.integers(0, 2**32))
def test_something_is_open_and_a_seed_is_a_mask(kind, frames, seed):
    mask = draw(np.random.default_rng(seed), frames, 4, kind)
    assert mask.shape == (frames, 4)
    assert mask.any()
    assert np.array_equal(mask, draw(np.random.default_rng(seed), frames, 4, kind))


def test_every_kind_is_drawn_at_times():
    assert sum(KINDS.values()) == pytest.approx(1)
    assert min(KINDS.values()) > 0


def test_a_random_set_of_cells_has_any_size_as_often():
    sizes = drawn("cells", frames=2, count=8000).sum((1, 2))  # of 8 cells
    counts = np.bincount(sizes, minlength=9)
    assert counts[0] == 0
    assert abs(counts[1:] - 1000).max() < 5 * np.sqrt(1000 * 7 / 8)  # five standard deviations
    rows = drawn("cells", frames=2, count=8000).mean(0)
    assert abs(rows - 9 / 16).max() < 0.03  # a mean of (1 + ... + 8) / 64, wherever a cell is


def test_frames_are_open_in_all_voices():
    masks = drawn("frames", count=800)
    whole = masks[(masks == masks[..., :1]).all((1, 2))]
    assert 300 < len(whole) < 500  # in the other half, some frames are begun
    assert {1, 64} <= set(whole[..., 0].sum(1).tolist())
    begun = masks[(masks != masks[..., :1]).any((1, 2))]
    assert {1, 2, 3} <= set(begun.sum(2).reshape(-1).tolist())


def filled(masks):
    """Those masks that leave nothing known within the voices and the time that they touch."""
    voices, frames = masks.any(1), masks.any(2)
    return masks[(masks == voices[:, None] & frames[:, :, None]).all((1, 2))]


def spans(masks):
    """(masks, 2) first and last open frame of each."""
    frames = masks.any(2)
    return np.stack([frames.argmax(1), 63 - frames[:, ::-1].argmax(1)], axis=1)


def test_voices_are_open_for_all_the_time_or_a_span_of_it():
    whole = filled(drawn("voices"))
    assert 120 < len(whole) < 280  # about one in two leaves nothing known
    assert {1, 2, 3, 4} == set(whole.any(1).sum(1).tolist())
    assert (spans(whole) == [0, 63]).all(1).any()
    assert (spans(whole) != [0, 63]).any(1).any()


def test_a_block_is_some_voices_for_at_most_eight_quarters_and_a_span_all_of_them():
    blocks, bars = filled(drawn("block")), filled(drawn("span"))
    assert (np.diff(spans(drawn("block")))[:, 0] < 32).all()
    assert {1, 2, 3, 4} == set(blocks.any(1).sum(1).tolist())
    big = bars[bars.sum((1, 2)) > 8]
    assert big.any(1).all()
    for found in (blocks[blocks.sum((1, 2)) > 8], big):  # whole quarters
        starts = spans(found)
        aligned = (starts[:, 0] % 4 == 0) & (starts[:, 1] % 4 == 3)
        assert aligned.mean() > 0.9  # others are random sets that look like spans


# -- pieces ----------------------------------------------------------------------------------------------------------


def piece(quarters, lowest=60):
    """Quarters in four voices, each pitch twice, in C and common time."""
    rows = [
        (480 * quarter, 480, lowest - 12 * (voice // 2) + 4 * (voice % 2 == 0) + quarter // 2 % 5, 80, voice)
        for quarter in range(quarters)
        for voice in range(4)
    ]
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes(rows, parts=parts, meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),), fermatas=(480,))


SET = [piece(9), piece(9, 62), piece(12), piece(4, 57)]  # 36, 36, 48 and 16 frames


def shown(score_number=0, **options):
    """The only batch of one piece, as arrays without the batch."""
    ((inputs, targets),) = Pieces([SET[score_number]], EVERYTHING, 1, two_sided=True, **options)
    return inputs[0].numpy(), targets[0].numpy()


@pytest.mark.parametrize("bare", [0.0, 1.0])
def test_what_is_open_is_asked_for_and_what_is_known_is_shown(bare):
    augmentation = Augmentation(bare=bare)
    for epoch in range(12):
        inputs, targets = shown(augmentation=augmentation, epoch=epoch)
        encoding = EVERYTHING.encode(SET[0], bare=bool(bare))
        hidden = targets != PADDING
        assert hidden.any()
        assert np.array_equal(targets[hidden], encoding.values[hidden])
        assert np.array_equal(inputs[:, :4] == OPEN, hidden)
        assert np.array_equal(Cells.pitches(inputs[:, :4])[~hidden], Cells.pitches(encoding.values)[~hidden])
        assert np.array_equal(inputs[:, 4:], encoding.conditions)
        struck = (inputs[:, :4] > 0) & (inputs[:, :4] <= HELD)
        assert struck.any() != bool(bare) or hidden.mean() > 0.5


def test_windows_reach_from_the_beginning_to_the_end():
    pieces = Pieces(SET, EVERYTHING, 1, window=20, two_sided=True)
    found = [(n, start, end) for n, start, end in pieces.spans]
    first = [(0, 20), (10, 30), (16, 36)]
    assert found == [
        *((0, *span) for span in first),
        *((1, *span) for span in first),
        *((2, start, start + 20) for start in (0, 10, 20, 28)),
        (3, 0, 16),
    ]
    column = 4  # the phase of the piece, not of the window
    starts = sorted(int(inputs[0, 0, column]) for inputs, _ in pieces)
    assert starts == sorted(start % 16 for _, start, _ in found)


def test_a_window_that_fits_is_all_there_is():
    assert Pieces([SET[0]], EVERYTHING, 1, window=36, two_sided=True).spans == [(0, 0, 36)]


@pytest.mark.parametrize("augmentation", [None, Augmentation(transpose=2, bare=0.5, unknown=0.5)])
def test_a_batch_holds_pieces_of_one_length_and_no_padding(augmentation):
    pieces = Pieces(SET * 3, EVERYTHING, 4, augmentation=augmentation, two_sided=True)
    batches = list(pieces)
    assert len(batches) == len(pieces) == 2 + 1 + 1  # six of 36 frames, three of 48, three of 16
    assert sum(len(inputs) for inputs, _ in batches) == 12
    for inputs, targets in batches:
        assert inputs.shape[:2] == targets.shape[:2]
        assert (targets != PADDING).any(2).any(1).all()
        last = inputs[:, -1, -1]  # the frames that remain, where known
        assert set(last.tolist()) <= {0, 33}


def same(one, other):
    return all(bool((a == c).all() and (b == d).all()) for (a, b), (c, d) in zip(one, other, strict=True))


def test_validation_opens_the_same_cells_every_time_and_training_others_every_epoch():
    pieces = Pieces(SET, EVERYTHING, 4, two_sided=True)
    assert same(list(pieces), list(pieces))
    epochs = [Pieces([SET[0]], EVERYTHING, 1, augmentation=Augmentation(), two_sided=True, epoch=n) for n in (0, 1, 0)]
    assert same(list(epochs[0]), list(epochs[2]))
    assert not same(list(epochs[0]), list(epochs[1]))


def test_only_cells_can_be_opened():
    with pytest.raises(OptionError, match="'cells' for a two-sided network, got 'chorale'"):
        Pieces(SET, Chorale(), 1, two_sided=True)
    with pytest.raises(OptionError, match=r"vary_tempo to be 0 where voices are on a grid, got 0\.1"):
        Pieces(SET, EVERYTHING, 1, augmentation=Augmentation(tempo=0.1), two_sided=True)
