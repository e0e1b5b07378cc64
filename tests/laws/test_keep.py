"""What holds of every deriver: its pieces can be picked, doubled and dropped, and each goes on as it would have."""

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from kantor.errors import ScoreError
from laws.tiny import each_representation
from strategies import scores

pytestmark = each_representation()


@given(one=scores(max_frames=12), other=scores(max_frames=12), data=st.data())
def test_pieces_that_are_kept_go_on_as_they_would_have(representation, one, other, data):
    length = max(score.length_ticks / score.ticks_per_quarter for score in (one, other))
    long = [score.replace(length_ticks=round(length * score.ticks_per_quarter)) for score in (one, other)]
    try:
        encodings = [representation.encode(score) for score in long]
    except ScoreError:
        assume(False)
    steps = min(len(encoding) for encoding in encodings)
    turn = data.draw(st.integers(0, steps - 1))
    rows = np.array(data.draw(st.lists(st.integers(0, 1), min_size=1, max_size=4)))
    values = np.stack([encoding.values[:steps] for encoding in encodings])
    plans = [encoding.plan for encoding in encodings]
    kept, whole = representation.derive(*plans), representation.derive(*(plans[row] for row in rows))
    for step in range(steps):
        if step == turn:
            kept.keep(rows)
        there = values[:, step] if step < turn else values[rows, step]
        kept.push(there)
        whole.push(values[rows, step])
        if step < turn:
            continue
        assert np.array_equal(kept.conditions(), whole.conditions())
        assert same(kept.done(), whole.done())
        assert kept.progress() == whole.progress()
        after = values[rows, min(step + 1, steps - 1)]
        for k in range(len(representation.fields)):
            assert same(kept.allowed(k, after), whole.allowed(k, after))
            mine, theirs = kept.situation(k, after, 5), whole.situation(k, after, 5)
            assert (mine is None) == (theirs is None)
            assert mine is None or all(same(a, b) for a, b in zip(mine, theirs, strict=True))


def same(one, other):
    return (one is None) == (other is None) and (one is None or np.array_equal(one, other))


@given(score=scores(max_frames=12), step=st.integers(0, 50))
def test_copies_do_not_disturb_each_other(representation, score, step):
    try:
        encoding = representation.encode(score)
    except ScoreError:
        assume(False)
    step = min(step, len(encoding) - 1)
    deriver = representation.derive(encoding.plan)
    for values in encoding.values[:step]:
        deriver.push(values[None])
    deriver.keep(np.array([0, 0]))
    first, other = encoding.values[step], encoding.values[(step * 7) % len(encoding)]
    deriver.push(np.stack([first, other]))
    alone = representation.derive(encoding.plan)
    for values in encoding.values[: step + 1]:
        alone.push(values[None])
    assert np.array_equal(deriver.conditions()[0], alone.conditions()[0])
