"""LSTMs against torch's own, and what a dropped weight is."""

from __future__ import annotations

import pytest
import torch

from kantor.models._recurrence import Recurrence


def run(lstm, seed=0):
    torch.manual_seed(seed)
    ways = 2 if lstm.bidirectional else 1
    zeros = torch.zeros(ways * lstm.num_layers, 3, lstm.hidden_size)
    return lstm(torch.randn(3, 7, lstm.input_size), (zeros, zeros.clone()))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_in_use_nothing_is_dropped(bidirectional):
    lstm = Recurrence(5, 6, 2, dropout=0.4, recurrent_dropout=0.5, bidirectional=bidirectional).eval()
    theirs = torch.nn.LSTM(5, 6, 2, batch_first=True, bidirectional=bidirectional).eval()
    theirs.load_state_dict(lstm.state_dict())
    (ours, state), (wanted, their_state) = run(lstm), run(theirs)
    assert torch.equal(ours, wanted)
    assert all(torch.equal(a, b) for a, b in zip(state, their_state, strict=True))


def test_what_is_dropped_is_recurrent_weights_and_learns_nothing_from_the_batch():
    lstm = Recurrence(5, 40, 2, recurrent_dropout=0.25)
    run(lstm)[0].square().sum().backward()
    for name, weight in lstm.named_parameters():
        if name.startswith("weight_hh"):
            assert (weight.grad == 0).float().mean().item() == pytest.approx(0.25, abs=0.03)
        elif weight.requires_grad:
            assert (weight.grad != 0).all()


def test_every_batch_drops_others_and_their_mean_is_the_whole():
    lstm = Recurrence(4, 16, recurrent_dropout=0.3)
    zeros = torch.zeros(1, 1, 16)
    step, state = torch.randn(1, 1, 4), (torch.full((1, 1, 16), 0.05), zeros)  # small: nearly linear
    torn = torch.stack([lstm(step, state)[0] for _ in range(2000)])
    assert len(torn.unique(dim=0)) == 2000
    whole = lstm.eval()(step, state)[0]
    assert torch.allclose(torn.mean(0), whole, atol=3 * torn.std(0).max().item() / 2000**0.5 + 1e-3)


def test_it_begins_as_keras_does():
    lstm = Recurrence(3, 8)
    forget = slice(8, 16)
    assert lstm.bias_ih_l0.sum() == lstm.bias_ih_l0[forget].sum() == 8
    assert not lstm.bias_hh_l0.any()
    assert not lstm.bias_hh_l0.requires_grad
    for gate in lstm.weight_hh_l0.reshape(4 * 8, 8).T.mm(lstm.weight_hh_l0).diag():
        assert gate.item() == pytest.approx(1, abs=1e-5)
