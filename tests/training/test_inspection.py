"""A look at what a network writes while it learns."""

import pytest
import torch

from kantor.models import build
from kantor.networks import Lstm, PlainLstm
from kantor.representations import columns
from kantor.representations.frames import Frames
from kantor.representations.notes import Notes
from kantor.representations.regression import Regression
from kantor.score import Part, Score
from kantor.training.inspection import inspector


def study():
    """Eight bars of quarters on a piano."""
    rows = [(480 * n, 480, 60 + (5 * n) % 13, 80, 0) for n in range(32)]
    return Score.from_notes(rows, parts=(Part("Piano"),))


def network(representation, config):
    torch.manual_seed(0)
    return build(config, *columns(representation)).eval()


def bias(made, field, value):
    with torch.no_grad():
        made.heads.linear[field].weight.zero_()
        made.heads.linear[field].bias.fill_(value)


def test_a_network_whose_time_stands_still_is_stopped_and_told():
    still = network(Regression(), PlainLstm(hidden=4))
    bias(still, 1, -5.0)  # every note a long while before the one before, hence at once
    complaint = inspector(Regression(), [study()])(still)
    assert complaint is not None
    assert "notes a quarter, far more than the corpus" in complaint


def test_a_network_that_keeps_silent_is_told():
    silent = network(Frames(), PlainLstm(hidden=4))
    bias(silent, 0, -20.0)
    complaint = inspector(Frames(), [study()])(silent)
    assert complaint is not None
    assert complaint.startswith("a sample is silent; try a lower learning rate, more epochs")


def test_a_network_that_repeats_itself_is_told():
    stubborn = network(Frames(), PlainLstm(hidden=4))
    with torch.no_grad():
        stubborn.heads.linear[0].weight.zero_()
        stubborn.heads.linear[0].bias.fill_(-20.0)
        stubborn.heads.linear[0].bias[39] = 0.0  # middle C in every other frame, struck again after those without
    assert "Piano repeats one note" in inspector(Frames(), [study()])(stubborn)


@pytest.mark.parametrize("chained", [True, False])
def test_looking_leaves_the_network_as_it_is(chained):
    looked_at = network(Notes(), Lstm(embedding=4, hidden=5, layers=1, head=0, chained=chained))
    before = {name: value.clone() for name, value in looked_at.state_dict().items()}
    first, again = (inspector(Notes(), [study()])(looked_at) for _ in range(2))
    assert first == again
    assert all(torch.equal(value, before[name]) for name, value in looked_at.state_dict().items())
    assert not any(parameter.grad is not None for parameter in looked_at.parameters())
