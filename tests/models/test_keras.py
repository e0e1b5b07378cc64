"""Seed 000's network came from Keras: what Keras does is written out here in NumPy, and compared."""

import numpy as np
import pytest
import torch

from kantor import registry
from kantor.models import build
from kantor.networks import ConvLstm, Lstm
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


def by_hand(weights, notes, dilations):
    """Logits of one piece, (time, classes): Embedding, causal Conv1D, relu, BatchNormalization, LSTM, Dense."""
    signal = weights["trunk.tables.0.weight"][notes]
    for n, dilation in enumerate(dilations):
        kernel, bias = weights[f"trunk.convolutions.{n}.weight"], weights[f"trunk.convolutions.{n}.bias"]
        past = np.concatenate([np.zeros((dilation, signal.shape[1])), signal])[: len(signal)]
        signal = np.maximum(past @ kernel[:, :, 0].T + signal @ kernel[:, :, 1].T + bias, 0)
        mean, variance = (weights[f"trunk.normalisations.{n}.running_{what}"] for what in ("mean", "var"))
        scale, shift = weights[f"trunk.normalisations.{n}.weight"], weights[f"trunk.normalisations.{n}.bias"]
        signal = (signal - mean) / np.sqrt(variance + 1e-3) * scale + shift
    kernel, recurrence = weights["trunk.lstm.weight_ih_l0"], weights["trunk.lstm.weight_hh_l0"]
    bias = weights["trunk.lstm.bias_ih_l0"]  # Keras has one
    hidden = cell = np.zeros(recurrence.shape[1])
    outputs = []
    for x in signal:
        write, keep, new, show = np.split(kernel @ x + recurrence @ hidden + bias, 4)
        cell = sigmoid(keep) * cell + sigmoid(write) * np.tanh(new)
        hidden = sigmoid(show) * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs) @ weights["heads.0.weight"].T + weights["heads.0.bias"]


def test_the_whole_network_computes_what_keras_would():
    network = settled()
    weights = {name: value.double().numpy() for name, value in network.state_dict().items()}
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
    parameter = network.heads[0].weight
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


def test_the_seeds_network_has_454794_parameters():
    preset = registry.part("presets", "seed-000")
    assert preset.parameters == 454_794
    assert columns(preset.representation) == ((47,), (47,))
