"""The tables of counterpoint move the logits of the classes that they name, and of no other."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kantor.errors import OptionError
from kantor.models import build
from kantor.models._counterpoint import INTERVALS, MOTIONS, Counterpoint
from kantor.networks import AttentiveLstm
from kantor.representations import columns
from kantor.representations.choir import Choir
from kantor.rules import SILENT, View
from kantor.rules.no_parallels import NoParallels

DOWN, UP = 0, 2
PERFECT = (0, 7)  # octaves, fifths
SEEN, VOICES, HOLD = 8, 4, 47


def heads(spelling: str) -> Counterpoint:
    inputs, outputs, kinds = columns(Choir(spelling=spelling, inputs=("last",)))
    torch.manual_seed(0)
    return Counterpoint(SEEN, inputs, outputs, kinds, 0.0).eval()


@pytest.mark.parametrize("spelling", ["plain", "full"])
@settings(max_examples=60, deadline=None)
@given(
    last=st.lists(st.integers(0, 46), min_size=VOICES, max_size=VOICES),
    now=st.lists(st.integers(0, 47), min_size=VOICES, max_size=VOICES),
)
def test_entries_of_parallels_are_those_that_the_rule_calls_so(spelling, last, now):
    """The rule is the oracle: a table that forbids parallels forbids what the rule does."""
    model = heads(spelling)
    size = columns(Choir(spelling=spelling)).outputs[0]
    now = [min(one, size - 1) if before else one % HOLD for before, one in zip(last, now, strict=True)]
    features = torch.cat([torch.randn(SEEN), torch.tensor(last, dtype=torch.float32)])[None, None]
    values = torch.tensor(now)[None, None]
    plain = model(features, values)
    table = model.motions.data.view(-1, INTERVALS, MOTIONS, INTERVALS, MOTIONS)
    for interval, one, other in product(PERFECT, (DOWN, UP), (DOWN, UP)):
        table[:, interval, one, interval, other] = -100.0
    weighed = model(features, values)
    forbidden = [(before - after)[0, 0].detach().numpy() > 50 for before, after in zip(plain, weighed, strict=True)]
    decided = sung(last, now)
    for voice, choice in product(range(VOICES), range(size)):
        tried = [*decided[:voice], sung(last[voice : voice + 1], [choice])[0]]
        pitch = np.array([last[: voice + 1], tried])
        pitch = np.where(pitch > 0, pitch + 35, SILENT)
        view = View(pitch, np.zeros(pitch.shape, dtype=bool), np.arange(2))
        assert forbidden[voice][choice] == NoParallels().faults(view)[1, voice], (voice, choice)


def sung(last: list[int], classes: list[int]) -> list[int]:
    """What sounds, where the last class holds."""
    return [before if one == HOLD else one for before, one in zip(last, classes, strict=True)]


def test_without_weights_it_is_a_deep_head():
    model = heads("full")
    features = torch.randn(2, 3, SEEN)
    last = torch.randint(0, 48, (2, 3, VOICES))
    values = torch.randint(0, 48, (2, 3, VOICES))
    found = model(torch.cat([features, last.float()], dim=-1), values)
    deep = super(Counterpoint, model).forward(features, values)
    assert all(torch.equal(a, b) for a, b in zip(found, deep, strict=True))


def test_the_first_conditions_must_be_what_the_voices_sang_last():
    representation = Choir(inputs=("phase", "last"))
    with pytest.raises(OptionError, match="'last' as the first of the inputs"):
        build(AttentiveLstm(counterpoint=True), *columns(representation))
