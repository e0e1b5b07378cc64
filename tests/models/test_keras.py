"""The seeds' networks came from Keras: what Keras does is written out here in NumPy, and compared."""

import numpy as np
import pytest
import torch

from kantor import registry
from kantor.models import build
from kantor.networks import BranchedLstm, ConvLstm, Lstm, PlainLstm
from kantor.representations import columns
from kantor.training.learner import Learner
from kantor.training.recipe import Recipe

SIZES = ((11,), (11,))


def settled(seed=0):
    """A small network in use, whose normalisations have seen something."""
    torch.manual_seed(seed)
    network = build(ConvLstm(embedding=3, filters=(4, 5, 6), dropout=0.1, hidden=7), *SIZES)
    for normalisation in network.trunk.normalisations:
        for tensor in (normalisation.running_mean, normalisation.weight, normalisation.bias):
            torch.nn.init.uniform_(tensor, -1, 1)
        torch.nn.init.uniform_(normalisation.running_var, 0.5, 2)
    torch.nn.init.normal_(network.trunk.lstm.bias_ih_l0)
    return network.eval()


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm(weights, name, signal, layer=0):
    """Keras's LSTM, (time, width) -> (time, units)."""
    kernel, recurrence = weights[f"{name}.weight_ih_l{layer}"], weights[f"{name}.weight_hh_l{layer}"]
    bias = weights[f"{name}.bias_ih_l{layer}"]  # Keras has one
    hidden = cell = np.zeros(recurrence.shape[1])
    outputs = []
    for x in signal:
        write, keep, new, show = np.split(kernel @ x + recurrence @ hidden + bias, 4)
        cell = sigmoid(keep) * cell + sigmoid(write) * np.tanh(new)
        hidden = sigmoid(show) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs)


def dense(weights, name, signal):
    """Keras's Dense."""
    return signal @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]


def normalised(weights, name, signal):
    """Keras's BatchNormalization in use, its epsilon 1e-3."""
    mean, variance = (weights[f"{name}.running_{what}"] for what in ("mean", "var"))
    return (signal - mean) / np.sqrt(variance + 1e-3) * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def relu(signal):
    return np.maximum(signal, 0)


def in_doubles(network):
    return {name: value.double().numpy() for name, value in network.state_dict().items()}


def by_hand(weights, notes, dilations):
    """Logits of one piece, (time, classes): Embedding, causal Conv1D, relu, BatchNormalization, LSTM, Dense."""
    signal = weights["trunk.tables.0.weight"][notes]
    for n, dilation in enumerate(dilations):
        kernel, bias = weights[f"trunk.convolutions.{n}.weight"], weights[f"trunk.convolutions.{n}.bias"]
        past = np.concatenate([np.zeros((dilation, signal.shape[1])), signal])[: len(signal)]
        signal = relu(past @ kernel[:, :, 0].T + signal @ kernel[:, :, 1].T + bias)
        signal = normalised(weights, f"trunk.normalisations.{n}", signal)
    return dense(weights, "heads.linear.0", lstm(weights, "trunk.lstm", signal))


def test_the_whole_network_computes_what_keras_would():
    network = settled()
    weights = in_doubles(network)
    notes = np.random.default_rng(0).integers(0, 11, 50)
    logits, _ = network(torch.from_numpy(notes)[None, :, None], network.initial(1))
    np.testing.assert_allclose(logits[0][0].detach().numpy(), by_hand(weights, notes, (1, 2, 4)), atol=1e-5)


def test_before_the_start_is_the_zero_vector_as_causal_padding_is():
    network = settled()
    notes = torch.from_numpy(np.random.default_rng(0).integers(0, 11, (1, 9, 1)))
    expected, _ = network(notes, network.initial(1))
    started = torch.cat([torch.full((1, 1, 1), 11), notes], dim=1)
    embedded = network.trunk._embed(started)
    assert not embedded[0, 0].any()
    assert torch.equal(embedded[:, 1:], network.trunk._embed(notes))
    assert torch.isfinite(expected[0]).all()


def test_the_dilations_double():
    trunk = build(ConvLstm(), *SIZES).trunk
    assert [convolution.dilation for convolution in trunk.convolutions] == [(1,), (2,), (4,), (8,), (16,)]


def keras_nadam(start, gradients, rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """keras.optimizers.Nadam, update_step, in float64; the optimiser keeps the product of the momenta."""
    value, m, v, product = start.copy(), np.zeros_like(start), np.zeros_like(start), 1.0
    for iteration, gradient in enumerate(gradients):
        u_now = beta_1 * (1 - 0.5 * 0.96 ** (iteration + 1))
        u_next = beta_1 * (1 - 0.5 * 0.96 ** (iteration + 2))
        product *= u_now
        m = m + (gradient - m) * (1 - beta_1)
        v = v + (gradient**2 - v) * (1 - beta_2)
        m_hat = u_next * m / (1 - product * u_next) + (1 - u_now) * gradient / (1 - product)
        v_hat = v / (1 - beta_2 ** (iteration + 1))
        value = value - rate * m_hat / (np.sqrt(v_hat) + epsilon)
    return value


def nadam_of(recipe, network):
    optimizer = Learner(network, recipe).configure_optimizers()
    assert isinstance(optimizer, torch.optim.NAdam)
    return optimizer


def test_five_steps_of_nadam_are_those_of_keras():
    network = build(ConvLstm(embedding=2, filters=(3,), hidden=4), *SIZES).double()
    optimizer = nadam_of(Recipe(optimizer="nadam", learning_rate=1e-2, schedule="constant"), network)
    parameter = network.heads.linear[0].weight
    rng = np.random.default_rng(0)
    gradients = [rng.normal(size=tuple(parameter.shape)) * scale for scale in (1, 1e-6, 3, 0, 1e-3)]
    expected = keras_nadam(parameter.detach().numpy(), gradients, 1e-2)
    for gradient in gradients:
        parameter.grad = torch.from_numpy(gradient)
        optimizer.step()
    np.testing.assert_allclose(
        parameter.detach().numpy(), expected, rtol=0, atol=1e-8
    )  # torch keeps the product in float32


def test_the_seed_is_trained_with_kerass_nadam_at_its_rate():
    preset = registry.part("presets", "seed-000")
    optimizer = nadam_of(preset.recipe, build(ConvLstm(embedding=2, filters=(3,), hidden=4), *SIZES))
    (group,) = optimizer.param_groups
    assert group["lr"] == 1e-3
    assert group["betas"] == (0.9, 0.999)
    assert group["eps"] == 1e-7
    assert group["weight_decay"] == 0


def test_normalisation_keeps_kerass_epsilon_and_momentum():
    """One difference is known: torch keeps the unbiased variance, n / (n - 1) times that of Keras."""
    normalisation = build(ConvLstm(), *SIZES).trunk.normalisations[0]
    assert normalisation.eps == 1e-3
    seen = torch.from_numpy(np.random.default_rng(0).normal(3, 2, (8, 32, 131))).float()
    normalisation.train()(seen)
    mean, variance = seen.mean((0, 2)), seen.var((0, 2), unbiased=False)
    torch.testing.assert_close(normalisation.running_mean, 0.01 * mean)
    count = 8 * 131
    torch.testing.assert_close(normalisation.running_var, 0.99 + 0.01 * variance * count / (count - 1))


@pytest.mark.parametrize("config", [ConvLstm(), Lstm(layers=2)], ids=["conv-lstm", "lstm"])
def test_an_lstm_begins_as_kerass_does(config):
    lstm = build(config, *SIZES).trunk.lstm
    for name, parameter in lstm.named_parameters():
        if name.startswith("bias_ih"):
            keep = slice(config.hidden, 2 * config.hidden)
            assert (parameter[keep] == 1).all()
            assert float(parameter.detach().sum()) == config.hidden
            assert parameter.requires_grad
        elif name.startswith("bias_hh"):
            assert not parameter.requires_grad
            assert not parameter.any()
        elif name.startswith("weight_hh"):
            torch.testing.assert_close(parameter.T @ parameter, torch.eye(config.hidden), atol=1e-4, rtol=0)
        else:
            limit = (6 / sum(parameter.shape)) ** 0.5
            assert 0.95 * limit < float(parameter.detach().abs().max()) <= limit


def test_the_second_bias_stays_zero_while_the_network_learns():
    network = build(Lstm(embedding=4, hidden=5, layers=2, head=0), *SIZES)
    optimizer = Learner(network, Recipe(schedule="constant")).configure_optimizers()
    logits, _ = network(torch.zeros(1, 6, 1, dtype=torch.int64), network.initial(1))
    logits[0].sum().backward()
    optimizer.step()
    assert not network.trunk.lstm.bias_hh_l0.any()
    assert not network.trunk.lstm.bias_hh_l1.any()


def test_a_convolution_begins_with_glorots_kernel_and_no_bias():
    for convolution in build(ConvLstm(), *SIZES).trunk.convolutions:
        fans = 2 * (convolution.in_channels + convolution.out_channels)
        limit = (6 / fans) ** 0.5
        assert 0.9 * limit < float(convolution.weight.detach().abs().max()) <= limit
        assert not convolution.bias.any()


# -- the other seeds -------------------------------------------------------------------------------------------------


def shaken(network, seed=0):
    """The network in use, its biases and normalisations having learnt something."""
    torch.manual_seed(seed)
    for name, tensor in [*network.named_parameters(), *network.named_buffers()]:
        if name.endswith("running_var"):
            torch.nn.init.uniform_(tensor, 0.5, 2)
        elif "running_mean" in name or (tensor.ndim == 1 and tensor.requires_grad):
            torch.nn.init.normal_(tensor)
    return network.eval()


def told(network, inputs):
    params, _ = network(torch.from_numpy(inputs)[None], network.initial(1))
    return [own[0].detach().numpy() for own in params]


def test_the_roll_plans_network_computes_what_keras_would():
    config = PlainLstm(hidden=6, layers=2, dropout=0.3, dense=5, dense_dropout=0.4)
    network = shaken(build(config, (1,) * 9, (9,), ("multi-hot",)))
    rolls = np.random.default_rng(0).integers(0, 2, (40, 9))
    weights = in_doubles(network)
    signal = lstm(weights, "trunk.lstm", lstm(weights, "trunk.lstm", rolls), layer=1)
    expected = dense(weights, "heads.linear.0", relu(dense(weights, "trunk.dense", signal)))
    np.testing.assert_allclose(told(network, rolls)[0], expected, atol=1e-5)


def test_the_tutorials_network_reads_pitches_and_times_scaled_and_gives_times_in_grid_steps():
    network = shaken(build(PlainLstm(hidden=7), (128, 24, 24), (128, 1, 1), ("categorical", "real", "real")))
    network.heads.settle({1: 3.0, 2: 0.5})
    notes = np.random.default_rng(0).integers(0, [128, 60, 90], (30, 3))
    weights = in_doubles(network)
    signal = lstm(weights, "trunk.lstm", notes / [128, 24, 24])
    pitch, step, duration = told(network, notes)
    np.testing.assert_allclose(pitch, dense(weights, "heads.linear.0", signal), atol=1e-5)
    np.testing.assert_allclose(step[:, :1], 24 * dense(weights, "heads.linear.1", signal), atol=1e-4)
    np.testing.assert_allclose(duration[:, :1], 24 * dense(weights, "heads.linear.2", signal), atol=1e-4)
    np.testing.assert_allclose(np.exp(step[:, 1]), 3.0, rtol=1e-6)
    np.testing.assert_allclose(np.exp(duration[:, 1]), 0.5, rtol=1e-6)


def test_the_three_streams_network_computes_what_keras_would():
    config = BranchedLstm(branch=3, branch_dropout=0.2, hidden=6, dense=5, head=4, dropout=0.3)
    network = shaken(build(config, (20, 5, 8), (20, 5, 8)))
    events = np.random.default_rng(0).integers(0, [21, 6, 9], (30, 3))
    weights = in_doubles(network)
    scaled = events / [20, 5, 8]
    branches = [lstm(weights, f"trunk.branches.{n}", scaled[:, n : n + 1]) for n in range(3)]
    signal = lstm(weights, "trunk.joined.0", np.concatenate(branches, axis=1))
    signal = normalised(weights, "trunk.normalisation", lstm(weights, "trunk.joined.1", signal))
    signal = relu(dense(weights, "trunk.dense", signal))
    for n, found in enumerate(told(network, events)):
        own = normalised(weights, f"heads.normalisations.{n}", relu(dense(weights, f"heads.own.{n}", signal)))
        np.testing.assert_allclose(found, dense(weights, f"heads.linear.{n}", own), atol=1e-5)


def test_keras_lstms_everywhere_begin_as_kerass_do():
    trunk = build(BranchedLstm(), (9, 9), (9, 9)).trunk
    for part in (*trunk.branches, *trunk.joined, build(PlainLstm(layers=2), (9,), (9,)).trunk.lstm):
        for name, parameter in part.named_parameters():
            if name.startswith("bias_ih"):
                assert float(parameter.detach().sum()) == part.hidden_size  # forget gates alone
            elif name.startswith("bias_hh"):
                assert not parameter.requires_grad
                assert not parameter.any()


def test_adam_is_kerass():
    taught = Learner(build(PlainLstm(hidden=4), *SIZES), Recipe(optimizer="adam", schedule="constant"))
    (group,) = taught.configure_optimizers().param_groups
    assert (group["betas"], group["eps"], group["weight_decay"]) == ((0.9, 0.999), 1e-7, 0)


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("seed-000", 454_794),
        # three LSTMs of 256 on one number each, two of 512, a normalisation, a Dense of 256; three Dense of 128 with
        # their normalisations, and a softmax of 89, 11 and 10
        (
            "seed-001",
            3 * 264_192 + 2_623_488 + 2_099_200 + 2_048 + 131_328 + 3 * (32_896 + 512) + 129 * (89 + 11 + 10),
        ),
        ("seed-002", 3_483_992),
        ("seed-003", 84_354),
        ("seed-004", 84_354),
    ],
)
def test_the_seeds_networks_have_as_many_parameters_as_keras_counts(name, count):
    assert registry.part("presets", name).parameters == count


def test_the_first_seed_reads_bare_notes():
    assert columns(registry.part("presets", "seed-000").representation) == ((47,), (47,), ("categorical",))
