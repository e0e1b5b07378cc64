"""What holds of every network, with representations of every kind.

Each network learns one step with every representation. The other laws are tried with a few, which between them have
every kind of field; and one of these is exported for each network.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from kantor import bundle as bundles
from kantor import registry
from kantor.data.batches import PADDING, Pieces
from kantor.models import build
from kantor.networks import NETWORKS
from kantor.representations import columns, decided
from kantor.runtime import Runtime
from kantor.score import VOICES, Key, Meter, Part, Score
from kantor.training.export import export, restore
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe
from laws.tiny import few_pairs, networks, one_pair_each, pairs

each_pair = pytest.mark.parametrize(("config", "representation"), pairs())
few = pytest.mark.parametrize(("config", "representation"), few_pairs())
#: Two-sided networks have no past and no future; what holds of them instead is in ``tests/models/test_two_sided.py``.
few_causal = pytest.mark.parametrize(
    ("config", "representation"), [pair for pair in few_pairs() if not pair.values[0].two_sided]
)


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


def random_values(representation, batch, time, seed=0):
    """(batch, time, columns) anything that the fields can hold: few keys at once, times of up to three quarters."""
    rng = np.random.default_rng([seed, 1])
    drawn = []
    for field in representation.fields:
        shape = (batch, time, field.width)
        if field.kind == "multi-hot":
            drawn.append((rng.random(shape) < 0.1).astype(np.int64))
        else:
            top = 3 * field.grid if field.kind == "real" else field.size
            drawn.append(rng.integers(field.least, top, size=shape))
    return torch.from_numpy(np.concatenate(drawn, axis=-1))


def random_inputs(representation, batch, time, seed=0):
    """(batch, time, columns): fields, "before the start" among them, and conditions."""
    rng = np.random.default_rng(seed)
    before = random_values(representation, batch, time, seed).numpy()
    started = rng.random((batch, time)) < 0.1
    column = 0
    for field in representation.fields:
        if field.kind == "categorical":
            before[..., column] = np.where(started, field.size, before[..., column])
        column += field.width
    sizes = [condition.size for condition in representation.conditions]
    conditions = rng.integers(0, sizes, size=(batch, time, len(sizes)))
    return torch.from_numpy(np.concatenate([before, conditions], axis=-1))


def fresh(config, representation):
    """A network with settled statistics and tables, so that they do something, in the mode in which it is used."""
    torch.manual_seed(1)
    network = build(config, *columns(representation))
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            torch.nn.init.uniform_(module.running_mean, -1, 1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
    for table in network.heads.tables:  # which begin at nothing
        torch.nn.init.normal_(table)
    kinds = network.heads.kinds
    network.heads.settle({k: 1.5 + k for k, kind in enumerate(kinds) if kind == "real"})
    return network.eval()


def whole(network, inputs, values):
    """The parameters of all fields side by side, and the state after."""
    with torch.no_grad():
        params, state = network(inputs, network.initial(len(inputs)), values)
    return torch.cat(params, -1), state


def drawn(representation, batch, time, seed=0):
    """Inputs and true values of so many steps."""
    return random_inputs(representation, batch, time, seed), random_values(representation, batch, time, seed + 1)


def test_every_network_has_a_config_and_every_config_a_network():
    assert set(NETWORKS) == set(registry.names("models")) <= set(networks())
    assert {config.kind for config in networks().values()} == set(NETWORKS)


@few_causal
def test_step_by_step_is_the_full_pass(config, representation):
    network = fresh(config, representation)
    inputs, values = drawn(representation, 2, 40)
    expected, last = whole(network, inputs, values)
    state, steps = network.initial(2), []
    with torch.no_grad():
        for step in range(inputs.shape[1]):
            one = slice(step, step + 1)
            params, state = network(inputs[:, one], state, values[:, one])
            steps.append(torch.cat(params, -1))
    torch.testing.assert_close(torch.cat(steps, 1), expected, atol=1e-4, rtol=1e-5)
    for mine, theirs in zip(state, last, strict=True):
        torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=0)


@few_causal
def test_a_change_in_the_future_moves_nothing_in_the_past(config, representation):
    network = fresh(config, representation)
    inputs, values = drawn(representation, 1, 24)
    before, _ = whole(network, inputs, values)
    sizes = columns(representation).inputs
    multi_hot = [field.kind == "multi-hot" for field in representation.fields for _ in range(field.width)]
    for column, size in enumerate(sizes):
        changed = inputs.clone()
        top = 2 if column < len(multi_hot) and multi_hot[column] else size
        # A class's last may be the zero vector "before the start"; a time is heard as far as its grid.
        changed[0, 12, column] = (changed[0, 12, column] + max(top // 2, 1)) % top
        after, _ = whole(network, changed, values)
        assert torch.equal(after[0, :12], before[0, :12])
        assert not torch.equal(after[0, 12:], before[0, 12:]), f"column {column} is not heard"


@few
def test_the_true_fields_of_a_step_are_told_to_no_other_step(config, representation):
    network = fresh(config, representation)
    inputs, values = drawn(representation, 1, 24)
    before, _ = whole(network, inputs, values)
    changed = values.clone()
    changed[:, 12] = random_values(representation, 1, 1, 9)[:, 0]
    after, _ = whole(network, inputs, changed)
    others = torch.arange(24) != 12
    assert torch.equal(after[0, others], before[0, others])
    assert torch.equal(after, before) == (not network.heads.chained or len(representation.fields) == 1)


@few
def test_the_company_in_a_batch_does_not_matter(config, representation):
    network = fresh(config, representation)
    inputs, values = drawn(representation, 4, 20)
    expected, _ = whole(network, inputs, values)
    order = torch.tensor([2, 0, 3, 1])
    torch.testing.assert_close(whole(network, inputs[order], values[order])[0], expected[order], atol=1e-4, rtol=1e-5)
    torch.testing.assert_close(whole(network, inputs[2:3], values[2:3])[0], expected[2:3], atol=1e-4, rtol=1e-5)


def sizes_of(representation):
    """How many parameters each field has: a logit a class or key, a mean and a deviation."""
    return [2 if field.kind == "real" else field.size for field in representation.fields]


@each_pair
def test_every_trainable_parameter_learns_in_one_step(config, representation):
    torch.manual_seed(1)
    network = build(config, *columns(representation)).train()
    inputs, targets = drawn(representation, 3, 30)
    targets[1, 20:] = PADDING
    learner = Learner(network, Recipe())
    params, _ = network(inputs, network.initial(3), targets.clamp(min=0))
    assert [tuple(own.shape) for own in params] == [(3, 30, size) for size in sizes_of(representation)]
    loss, nats, right, steps, errors = learner.losses((inputs, targets))
    (loss / steps).backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(nats)
    counted = 3 if config.two_sided else 80  # pieces, each with as much weight as another, or steps
    assert int(steps) == counted
    assert 0 <= float(right) <= counted
    assert [len(own) for own in errors] == [80] * columns(representation).kinds.count("real")
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad is not None, name
            assert torch.isfinite(parameter.grad).all(), name
            assert parameter.grad.abs().sum() > 0, name
        else:
            assert parameter.grad is None, name


@few
def test_four_bars_can_be_learnt_by_heart(config, representation):
    torch.manual_seed(1)
    wider = {field.name: 0.0 for field in fields(config) if field.name.endswith("dropout")}
    wider |= {field.name: 48 for field in fields(config) if field.name in ("hidden", "dense", "head", "branch")}
    network = build(replace(config, **wider), *columns(representation)).train()
    learner = Learner(network, Recipe())
    (batch,) = Pieces([four_bars()], representation, 1, two_sided=config.two_sided)
    optimizer = torch.optim.Adam([p for p in network.parameters() if p.requires_grad], 1e-2)
    first = None
    for _ in range(400):
        loss, _, _, steps, _ = learner.losses(batch)
        mean = float(loss.detach() / steps)
        first = first or mean
        if mean < 0.1 * first:
            break
        optimizer.zero_grad()
        (loss / steps).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    assert mean < 0.1 * first


@each_pair
def test_a_config_counts_the_parameters_as_torch_does(config, representation):
    network = build(config, *columns(representation))
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    statistics = sum(b.numel() for name, b in network.named_buffers() if "running" in name)
    assert config.parameters(*columns(representation)) == trained + statistics


@few
def test_a_network_lives_on_one_device(config, representation):
    network = build(config, *columns(representation)).to("meta")
    inputs, values = (part.to("meta") for part in drawn(representation, 2, 3))
    params, state = network(inputs, network.initial(2), values)
    assert {tensor.device.type for tensor in (*params, *state)} == {"meta"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((*pair.values, bool(number % 2)), id=f"{pair.id}-{'half' if number % 2 else 'whole'}")
        for number, pair in enumerate(one_pair_each())
    ],
)
def exported(request, tmp_path_factory):
    """A network and the bundle that was made of it; of every other one the weights are kept as float16."""
    config, representation, half = request.param
    network = fresh(config, representation)
    folder = tmp_path_factory.mktemp("exported")
    export(network, config, representation, folder, {"name": "made by a test"}, half=half)
    kept = {tensor.dtype for tensor in load_file(folder / "weights.safetensors").values() if tensor.is_floating_point()}
    assert kept == {torch.float16 if half else torch.float32}
    return network, bundles.load(folder)


def test_a_graph_computes_what_torch_does(exported):
    network, bundle = exported
    runtime = Runtime(bundle)
    for batch, time in [(1, 1), (1, 37), (3, 2), (5, 64)]:
        inputs, values = drawn(bundle.representation, batch, time, seed=time)
        with torch.no_grad():
            expected, last = network(inputs, network.initial(batch), values)
        features, state = runtime.run(inputs.numpy(), runtime.initial(batch))
        found = [runtime.field(features, values.numpy(), k) for k in range(len(expected))]
        for mine, theirs in zip([*found, *state], [*expected, *last], strict=True):
            np.testing.assert_allclose(mine, theirs.numpy(), atol=1e-4, rtol=1e-5)


def test_a_graph_goes_on_from_its_own_state(exported):
    network, bundle = exported
    if bundle.network.two_sided:
        pytest.skip("it has no state")
    runtime = Runtime(bundle)
    inputs, values = drawn(bundle.representation, 2, 30)
    expected, _ = whole(network, inputs, values)
    state, parts = runtime.initial(2), []
    for begin, end in [(0, 1), (1, 2), (2, 17), (17, 30)]:
        features, state = runtime.run(inputs[:, begin:end].numpy(), state)
        told = values[:, begin:end].numpy()
        parts.append(np.concatenate([runtime.field(features, told, k) for k in range(len(network.heads.kinds))], -1))
    np.testing.assert_allclose(np.concatenate(parts, 1), expected.numpy(), atol=1e-4, rtol=1e-5)


def test_what_is_saved_is_what_is_loaded(exported):
    network, bundle = exported
    again = restore(bundle)
    mine, theirs = network.state_dict(), again.state_dict()
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine)
    inputs, values = drawn(bundle.representation, 2, 9)
    assert torch.equal(whole(again.eval(), inputs, values)[0], whole(network, inputs, values)[0])


def test_an_opened_bundle_says_what_went_in(exported):
    network, bundle = exported
    assert bundle.network == network.trunk.config
    assert columns(bundle.representation).kinds == network.heads.kinds
    assert decided(bundle.representation) == sum(network.heads.columns)
    assert len(bundle.heads) == (len(network.heads.kinds) if network.heads.chained else 0)
