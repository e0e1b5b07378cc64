"""A network for each voice: what they share, and what they do not."""

import pytest
import torch

from kantor.models import build
from kantor.networks import VoiceLstms
from kantor.representations import columns
from kantor.representations.choir import Choir
from kantor.representations.frames import Frames

CONFIG = VoiceLstms(embedding=6, hidden=8, layers=2, head=5)


@pytest.fixture
def network():
    torch.manual_seed(2)
    return build(CONFIG, *columns(Choir(order="SBAT"))).eval()


def learnt_from(network, k):
    """The parameters of the trunk that have a gradient of what field ``k`` is told, and the voices they are of."""
    sizes = columns(Choir(order="SBAT")).inputs
    torch.manual_seed(5)
    inputs = torch.stack([torch.randint(size, (2, 9)) for size in sizes], dim=-1)
    network.zero_grad()
    params, _ = network(inputs, network.initial(2), inputs[..., :4].clamp(max=40))
    params[k].square().sum().backward()
    return {
        int(name.split(".")[2])
        for name, parameter in network.named_parameters()
        if name.startswith("trunk.") and parameter.grad is not None and parameter.grad.any()
    }


def test_a_field_is_learnt_by_its_own_voice_alone(network):
    assert len(network.trunk.voices) == 4
    assert [learnt_from(network, k) for k in range(4)] == [{0}, {1}, {2}, {3}]


def test_every_voice_begins_with_weights_of_its_own(network):
    first = [voice.embedding.weight for voice in network.trunk.voices]
    assert all(not torch.equal(a, b) for i, a in enumerate(first) for b in first[:i])


def test_it_is_a_network_a_field_not_one_a_column():
    frames = Frames()
    assert len(columns(frames).inputs) >= 88
    assert len(build(CONFIG, *columns(frames)).trunk.voices) == len(frames.fields) == 1
