"""The level above the notes: against a loop over steps with torch's own cell, and with rows at different places."""

import pytest
import torch

from kantor import bundle as bundles
from kantor.models import build
from kantor.networks import TwoLevel
from kantor.representations import columns
from kantor.representations.choir import Choir
from kantor.runtime import Runtime
from kantor.training.export import export

REPRESENTATION = Choir(order="SBAT")
CONFIG = TwoLevel(embedding=6, hidden=8, layers=2, slow=5, span=4, head=7)
BEHIND = [0, 1, 3, 4, 10]  # how many steps each row has behind it


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(3)
    return build(CONFIG, *columns(REPRESENTATION)).eval()


def steps(batch, time, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sizes = columns(REPRESENTATION).inputs
    return torch.stack([torch.randint(size, (batch, time), generator=generator) for size in sizes], dim=-1)


def rows_apart(trunk):
    """The state of a batch whose rows began at different times."""
    states = [
        trunk(steps(1, max(count, 1), count), trunk.initial(1))[1] if count else trunk.initial(1) for count in BEHIND
    ]
    axes = (1, 1, 1, 0, 0)
    return tuple(torch.cat(parts, axis) for parts, axis in zip(zip(*states, strict=True), axes, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("time", [1, 2, 3, 4, 5, 17])
def test_it_says_what_a_loop_over_steps_says(network, time):
    trunk = network.trunk
    cell = torch.nn.GRUCell(CONFIG.hidden, CONFIG.slow)
    cell.load_state_dict({name.removesuffix("_l0"): weight for name, weight in trunk.slow.state_dict().items()})
    torch.manual_seed(time)
    states = torch.randn(len(BEHIND), time, CONFIG.hidden)
    said, total = torch.randn(len(BEHIND), CONFIG.slow), torch.randn(len(BEHIND), CONFIG.hidden)
    count = torch.tensor([[float(behind % CONFIG.span)] for behind in BEHIND])
    told, *after = trunk._above(states, said[None], total, count)
    for row in range(len(BEHIND)):
        slow, heard, passed = said[row], total[row], int(count[row])
        for step in range(time):
            torch.testing.assert_close(told[row, step], slow, atol=1e-6, rtol=1e-5)
            heard, passed = heard + states[row, step], passed + 1
            if passed == CONFIG.span:
                slow, heard, passed = cell(heard / CONFIG.span, slow), torch.zeros_like(heard), 0
        for mine, wanted in zip((after[0][0], *after[1:]), (slow, heard, torch.tensor([float(passed)])), strict=True):
            torch.testing.assert_close(mine[row], wanted, atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_rows_at_different_places_of_a_span_go_on_as_if_each_were_alone(network):
    trunk = network.trunk
    inputs, state = steps(len(BEHIND), 9, 99), rows_apart(trunk)
    assert state[4][:, 0].tolist() == [behind % CONFIG.span for behind in BEHIND]
    together, _ = trunk(inputs, state)
    for row, count in enumerate(BEHIND):
        past = steps(1, max(count, 1), count)[:, :count]
        alone, _ = trunk(torch.cat([past, inputs[row : row + 1]], dim=1), trunk.initial(1))
        torch.testing.assert_close(together[row], alone[0, count:], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_a_span_is_told_to_the_steps_after_it_alone(network):
    trunk = network.trunk
    states = torch.randn(1, 12, CONFIG.hidden)
    changed = states.clone()
    changed[:, 5] += 1  # in the second span of four
    first, second = (trunk._above(own, *trunk.initial(1)[2:])[0] for own in (states, changed))
    assert torch.equal(first[:, :8], second[:, :8])
    assert not torch.isclose(first[:, 8:], second[:, 8:]).all(-1).any()


@torch.no_grad()
@pytest.mark.parametrize("half", [False, True])
def test_a_graph_computes_what_torch_does_for_rows_at_different_places(half, tmp_path):
    torch.manual_seed(4)
    made = build(CONFIG, *columns(REPRESENTATION)).eval()
    export(made, CONFIG, REPRESENTATION, tmp_path, {"name": "made by a test"}, half=half)
    runtime = Runtime(bundles.load(tmp_path))
    for time in (1, 3, 21):
        inputs, state = steps(len(BEHIND), time, 7), rows_apart(made.trunk)
        features, after = made.trunk(inputs, state)
        found, left = runtime.run(inputs.numpy(), [part.numpy() for part in state])
        for mine, wanted in zip([*found, *left], [features, *after], strict=True):
            torch.testing.assert_close(torch.from_numpy(mine), wanted, atol=1e-5, rtol=1e-5)
