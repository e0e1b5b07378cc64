"""What holds of every network, with a representation that has no conditions and with one that has every kind."""

import numpy as np
import pytest
import torch

from kantor import bundle as bundles
from kantor import registry
from kantor.data.batches import Pieces
from kantor.models import build
from kantor.networks import NETWORKS
from kantor.representations import columns
from kantor.runtime import Runtime
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.training.export import export, restore
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe
from laws.tiny import networks, pairs

each_pair = pytest.mark.parametrize(("config", "representation"), pairs())


def four_bars(transposed=0):
    """A cadence, a scale under held notes, a repeated note: sixteen quarters in common time."""
    soprano, alto = [67, 67, 69, 71, 72, 72, 71, 69, 67, 69, 67, 65, 64, 64, 62, 60], [64, 64, 65, 67] * 4
    tenor, bass = [60, 60, 60, 62, 64, 64, 62, 60] * 2, [48, 50, 52, 53, 55, 53, 52, 50] * 2
    rows = [
        (480 * quarter, 480, pitch + transposed, 80, voice)
        for voice, line in enumerate((soprano, alto, tenor, bass))
        for quarter, pitch in enumerate(line)
    ]
    parts = tuple(Part(name) for name in VOICES)
    return Score.from_notes(rows, parts=parts, meters=(Meter(0, 4, 4),), keys=(Key(0, 0, "major"),), fermatas=(7200,))


def random_inputs(representation, batch, time, seed=0):
    """Class numbers of all columns, "before the start" among them."""
    rng = np.random.default_rng(seed)
    sizes, outputs = columns(representation)
    tops = [size + 1 if column < len(outputs) else size for column, size in enumerate(sizes)]
    return torch.from_numpy(rng.integers(0, tops, size=(batch, time, len(tops))))


def fresh(config, representation):
    """A network with settled statistics, so that normalisation does something, in the mode in which it is used."""
    torch.manual_seed(1)
    network = build(config, *columns(representation))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    return network.eval()


def whole(network, inputs):
    with torch.no_grad():
        logits, state = network(inputs, network.initial(len(inputs)))
    return torch.cat(logits, -1), state


def test_every_network_has_a_config_and_every_config_a_network():
    assert set(NETWORKS) == set(registry.names("models")) == set(networks())


@each_pair
def test_step_by_step_is_the_full_pass(config, representation):
    network = fresh(config, representation)
    inputs = random_inputs(representation, 2, 40)
    expected, last = whole(network, inputs)
    state, steps = network.initial(2), []
    with torch.no_grad():
        for step in range(inputs.shape[1]):
            logits, state = network(inputs[:, step : step + 1], state)
            steps.append(torch.cat(logits, -1))
    torch.testing.assert_close(torch.cat(steps, 1), expected, atol=1e-5, rtol=0)
    for mine, theirs in zip(state, last, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)


@each_pair
def test_a_change_in_the_future_moves_nothing_in_the_past(config, representation):
    network = fresh(config, representation)
    inputs = random_inputs(representation, 1, 24)
    before, _ = whole(network, inputs)
    sizes, _ = columns(representation)
    for column, size in enumerate(sizes):
        changed = inputs.clone()
        # Where a column is a field, its last class may be the zero vector "before the start".
        changed[0, 12, column] = (changed[0, 12, column] + 1) % size
        after, _ = whole(network, changed)
        assert torch.equal(after[0, :12], before[0, :12])
        assert not torch.equal(after[0, 12:], before[0, 12:]), f"column {column} is not heard"


@each_pair
def test_the_company_in_a_batch_does_not_matter(config, representation):
    network = fresh(config, representation)
    inputs = random_inputs(representation, 4, 20)
    expected, _ = whole(network, inputs)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(whole(network, inputs[order])[0], expected[order], atol=1e-5, rtol=0)
    torch.testing.assert_close(whole(network, inputs[2:3])[0], expected[2:3], atol=1e-5, rtol=0)


@each_pair
def test_logits_have_a_class_for_each_of_the_fields(config, representation):
    network = fresh(config, representation)
    logits, _ = network(random_inputs(representation, 2, 3), network.initial(2))
    assert [tuple(scores.shape) for scores in logits] == [(2, 3, field.size) for field in representation.fields]


@each_pair
def test_every_trainable_parameter_learns_in_one_step(config, representation):
    torch.manual_seed(1)
    network = build(config, *columns(representation)).train()
    pieces = Pieces([four_bars(), four_bars(2)], representation, 2)
    nats, count, right = Learner(network, Recipe()).nats(next(iter(pieces)))
    (nats / count).backward()
    assert torch.isfinite(nats)
    assert int(count) == 2 * len(representation.encode(four_bars())) * len(representation.fields)
    assert 0 <= int(right) <= int(count)
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name


@each_pair
def test_four_bars_can_be_learnt_by_heart(config, representation):
    torch.manual_seed(1)
    wider = {"hidden": 48, "embedding": 16, "dropout": 0.0}
    network = build(type(config)(**{**vars(config), **wider}), *columns(representation)).train()
    learner = Learner(network, Recipe())
    (batch,) = Pieces([four_bars()], representation, 1)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 1e-2)
    for _ in range(400):
        nats, count, _ = learner.nats(batch)
        if float(nats.detach() / count) < 0.1:
            break
        optimizer.zero_grad()
        (nats / count).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    assert float(nats.detach() / count) < 0.1


@each_pair
def test_a_config_counts_the_parameters_as_torch_does(config, representation):
    network = build(config, *columns(representation))
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    statistics = sum(b.numel() for name, b in network.named_buffers() if "running" in name)
    assert config.parameters(*columns(representation)) == trained + statistics


@each_pair
def test_a_network_lives_on_one_device(config, representation):
    network = build(config, *columns(representation)).to("meta")
    inputs = random_inputs(representation, 2, 3).to("meta")
    logits, state = network(inputs, network.initial(2))
    assert {tensor.device.type for tensor in (*logits, *state)} == {"meta"}


@pytest.fixture(scope="module", params=[pytest.param(pair.values, id=pair.id) for pair in pairs()])
def exported(request, tmp_path_factory):
    """A network and the bundle that was made of it."""
    config, representation = request.param
    network = fresh(config, representation)
    folder = tmp_path_factory.mktemp("exported")
    export(network, config, representation, folder, {"name": "made by a test"})
    return network, bundles.load(folder)


def test_a_graph_computes_what_torch_does(exported):
    network, bundle = exported
    runtime = Runtime(bundle)
    for batch, time in [(1, 1), (1, 37), (3, 2), (5, 64)]:
        inputs = random_inputs(bundle.representation, batch, time, seed=time)
        expected, last = network(inputs, network.initial(batch))
        logits, state = runtime.run(inputs.numpy(), runtime.initial(batch))
        for mine, theirs in zip([*logits, *state], [*expected, *last], strict=True):
            np.testing.assert_allclose(mine, theirs.detach().numpy(), atol=1e-4, rtol=0)


def test_a_graph_goes_on_from_its_own_state(exported):
    network, bundle = exported
    runtime = Runtime(bundle)
    inputs = random_inputs(bundle.representation, 2, 30)
    expected, _ = whole(network, inputs)
    state, parts = runtime.initial(2), []
    for begin, end in [(0, 1), (1, 2), (2, 17), (17, 30)]:
        logits, state = runtime.run(inputs[:, begin:end].numpy(), state)
        parts.append(np.concatenate(logits, -1))
    np.testing.assert_allclose(np.concatenate(parts, 1), expected.numpy(), atol=1e-4, rtol=0)


def test_what_is_saved_is_what_is_loaded(exported):
    network, bundle = exported
    again = restore(bundle)
    mine, theirs = network.state_dict(), again.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    inputs = random_inputs(bundle.representation, 2, 9)
    assert torch.equal(whole(again.eval(), inputs)[0], whole(network, inputs)[0])


def test_an_opened_bundle_says_what_went_in(exported):
    network, bundle = exported
    assert bundle.network == network.trunk.config
    assert columns(bundle.representation)[1] == tuple(head.out_features for head in network.heads)
