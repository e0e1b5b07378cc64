"""What a network is, in numbers: frozen configs, free of torch, that a bundle can store and a table can print.

``inputs`` and ``outputs`` below are the class counts of a representation's columns: the fields of the step before and
the conditions come in, the fields of this step go out. The networks themselves are in ``models/``, one file each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, ClassVar, Protocol

from kantor.errors import BundleError, OptionError, UnknownNameError

__all__ = ["NETWORKS", "ConvLstm", "Lstm", "NetworkConfig", "from_dict", "to_dict"]


class NetworkConfig(Protocol):
    """A network's sizes; ``kind`` names the file in ``models/`` that builds it."""

    kind: ClassVar[str]

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        """Number of parameters for these columns."""
        ...


def _lstm(inputs: int, hidden: int) -> int:
    """Parameters of one LSTM layer, one bias a gate (as Keras counts)."""
    return 4 * hidden * (inputs + hidden + 1)


@dataclass(frozen=True)
class ConvLstm:
    """Dilated causal convolutions, then one LSTM: the network of Géron's *Hands-On Machine Learning* ch. 15, enlarged.

    Parameters
    ----------
    embedding   width of a cell's embedding; "before the start" is the zero vector, as causal padding is.
    filters     output channels of the convolutions (kernel 2), whose dilations are 1, 2, 4, 8 ...; each is followed
                by batch normalisation (eps 1e-3, momentum .99 as Keras has them).
    dropout     share of channels dropped before the LSTM, 0..1.
    hidden      units of the LSTM.
    """

    embedding: int = 5
    filters: tuple[int, ...] = (32, 48, 64, 96, 128)
    dropout: float = 0.05
    hidden: int = 256

    kind: ClassVar[str] = "conv-lstm"

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        """Number of parameters, counted as Keras does: the running statistics of the normalisations included."""
        widths = (self.embedding, *self.filters)
        convolutions = sum((2 * a + 1) * b + 4 * b for a, b in pairwise(widths))
        heads = sum((self.hidden + 1) * size for size in outputs)
        return sum(inputs) * self.embedding + convolutions + _lstm(widths[-1], self.hidden) + heads


@dataclass(frozen=True)
class Lstm:
    """Embeddings of all inputs, summed; a stack of LSTMs; a small head that sees both.

    Parameters
    ----------
    embedding   width of the embeddings; every input column has its own table, and they are added up.
    hidden      units of each LSTM.
    layers      how many LSTMs are stacked.
    dropout     share of units dropped between layers and before the head, 0..1.
    head        hidden units of the head (GELU), which reads the last LSTM and the embedding; 0 for a linear one.
    """

    embedding: int = 256
    hidden: int = 384
    layers: int = 2
    dropout: float = 0.3
    head: int = 320

    kind: ClassVar[str] = "lstm"

    def __post_init__(self) -> None:
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int]) -> int:
        """Number of parameters, one bias a gate; each field's table has a row for "before the start"."""
        tables = (sum(inputs) + len(outputs)) * self.embedding
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        seen = self.hidden
        middle = 0
        if self.head:
            middle, seen = (self.hidden + self.embedding + 1) * self.head, self.head
        return tables + stack + middle + sum((seen + 1) * size for size in outputs)


NETWORKS: dict[str, type[ConvLstm | Lstm]] = {config.kind: config for config in (ConvLstm, Lstm)}


def _check(config: Any) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        if field.name == "dropout":
            if not 0 <= value < 1:
                raise OptionError(f"expected a dropout from 0 up to but not including 1, got {value}.")
        elif field.name == "head":
            if value < 0:
                raise OptionError(f"expected a head of at least 0 units, got {value}.")
        elif min(value if isinstance(value, tuple) else (value,), default=0) < 1:
            raise OptionError(f"expected the network's {field.name} to be at least 1, got {value}.")


def to_dict(config: NetworkConfig) -> dict[str, Any]:
    """The config as JSON can hold it."""
    return {"kind": config.kind, **asdict(config)}  # type: ignore[call-overload]


def from_dict(stored: dict[str, Any]) -> NetworkConfig:
    """The config that :func:`to_dict` stored.

    Raises
    ------
    BundleError
        If it has entries that this kind of network does not have.
    """
    rest = dict(stored)
    kind = rest.pop("kind", "")
    if kind not in NETWORKS:
        raise UnknownNameError("network", str(kind), NETWORKS)
    try:
        return NETWORKS[kind](**rest)
    except TypeError as error:
        raise BundleError(f"expected the sizes of a network of kind '{kind}', got {sorted(rest)}: {error}.") from error
