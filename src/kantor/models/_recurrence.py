"""Stacks of LSTMs, as every network here begins them (Hochreiter & Schmidhuber 1997)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Recurrence"]


class Recurrence(nn.LSTM):
    """LSTMs (batch, time, inputs) -> (batch, time, hidden, or twice that in two directions).

    Glorot kernels, orthogonal recurrence, forget bias 1, and one bias a gate, all as in Keras: of torch's two biases
    the second stays zero and fixed.

    Parameters
    ----------
    dropout            share of units dropped between layers, 0..1.
    recurrent_dropout  share of the recurrent *weights* dropped, anew for every batch, 0..1 (DropConnect, as in Merity
                       et al. 2018): what is carried from step to step is not torn, as dropped units would tear it.
    """

    def __init__(
        self,
        inputs: int,
        hidden: int,
        layers: int = 1,
        *,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        bidirectional: bool = False,
    ) -> None:
        between = dropout if layers > 1 else 0.0
        super().__init__(inputs, hidden, layers, batch_first=True, dropout=between, bidirectional=bidirectional)
        self.recurrent_dropout = recurrent_dropout
        for name, parameter in self.named_parameters():
            if name.startswith("weight_ih"):
                nn.init.xavier_uniform_(parameter)
            elif name.startswith("weight_hh"):
                nn.init.orthogonal_(parameter)
            else:
                nn.init.zeros_(parameter)
                if name.startswith("bias_ih"):
                    quarter = len(parameter) // 4
                    parameter.data[quarter : 2 * quarter] = 1.0
                else:
                    parameter.requires_grad_(False)

    def forward(  # type: ignore[override]
        self, inputs: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """What the last layer says at every step, and the state after."""
        if not (self.training and self.recurrent_dropout) or hx is None:
            output: tuple[Tensor, tuple[Tensor, Tensor]] = super().forward(inputs, hx)
            return output
        weights = [
            functional.dropout(weight, self.recurrent_dropout) if name.startswith("weight_hh") else weight
            for name, weight in self.named_parameters()
        ]
        two = self.bidirectional
        states, hidden, cell = torch.lstm(inputs, hx, weights, True, self.num_layers, self.dropout, True, two, True)
        return states, (hidden, cell)
