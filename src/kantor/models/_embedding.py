"""One table a column, their rows added up: a step's inputs become one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SummedEmbedding"]


class SummedEmbedding(nn.Module):
    """Class numbers (batch, time, columns) -> vectors (batch, time, width)."""

    def __init__(self, sizes: Sequence[int], width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(sum(sizes), width) / len(sizes) ** 0.5)
        offsets = torch.tensor([sum(sizes[:column]) for column in range(len(sizes))])
        self.register_buffer("offsets", offsets, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """The vectors of ``inputs``."""
        rows = inputs + self.offsets  # type: ignore[operator]  # a buffer, hence a tensor
        if torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting():
            return functional.embedding(rows, self.weight).sum(-2)
        batch, time, columns = rows.shape
        return functional.embedding_bag(rows.reshape(-1, columns), self.weight, mode="sum").reshape(batch, time, -1)
