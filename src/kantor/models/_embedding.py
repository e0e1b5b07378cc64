"""One table a column, their rows added up: a step's inputs become one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SummedEmbedding", "with_before"]


def with_before(inputs: Sequence[int], decided: int) -> list[int]:
    """Rows of each column's table: the fields' own, the first ``decided``, have one more.

    It stands for "before the start", or in a two-sided network for "open".
    """
    return [size + 1 if column < decided else size for column, size in enumerate(inputs)]


class SummedEmbedding(nn.Module):
    """Whole numbers (batch, time, columns) -> vectors (batch, time, width).

    Parameters
    ----------
    sizes  rows of each column's table.
    open_  whether a column may exceed its table, as a real field does; its last row then stands for all beyond.
    """

    def __init__(self, sizes: Sequence[int], width: int, *, open_: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(sum(sizes), width) / len(sizes) ** 0.5)
        offsets = torch.tensor([sum(sizes[:column]) for column in range(len(sizes))])
        self.register_buffer("offsets", offsets, persistent=False)
        self.register_buffer("last", torch.tensor(sizes) - 1 if open_ else None, persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """The vectors of ``inputs``."""
        if self.last is not None:
            inputs = torch.minimum(inputs, self.last)  # type: ignore[arg-type]  # a buffer, hence a tensor
        rows = inputs + self.offsets  # type: ignore[operator]  # a buffer, hence a tensor
        if torch.onnx.is_in_onnx_export() or torch.compiler.is_exporting():
            return functional.embedding(rows, self.weight).sum(-2)
        batch, time, columns = rows.shape
        return functional.embedding_bag(rows.reshape(-1, columns), self.weight, mode="sum").reshape(batch, time, -1)
