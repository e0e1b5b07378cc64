"""What a network is, in numbers: frozen configs, free of torch, that a bundle can store and a table can print.

``inputs``, ``outputs`` and ``kinds`` below are a representation's columns (:func:`kantor.representations.columns`): the
fields of the step before and the conditions come in, the fields of this step go out. The networks themselves are in
``models/``, one file each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from itertools import accumulate, pairwise
from typing import Any, ClassVar, Protocol

from kantor.errors import BundleError, OptionError, UnknownNameError

__all__ = [
    "CYCLE",
    "NETWORKS",
    "AttentiveLstm",
    "BranchedLstm",
    "ConvLstm",
    "Lstm",
    "NetworkConfig",
    "PlainLstm",
    "Transformer",
    "TwoLevel",
    "TwoSided",
    "VoiceLstms",
    "alike",
    "from_dict",
    "to_dict",
    "widths",
]


#: Steps after which an attentive network's biases by distance come round again: four bars of sixteenths.
CYCLE = 64


class NetworkConfig(Protocol):
    """A network's sizes; ``kind`` names the file in ``models/`` that builds it.

    A ``two_sided`` one sees the fields of all steps at once, some of them open, and tells the open ones; any other sees
    the steps before, and tells the next.
    """

    kind: ClassVar[str]
    two_sided: ClassVar[bool]

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters for these columns; fields are categorical where no ``kinds`` are given."""
        ...


def widths(outputs: Sequence[int], kinds: Sequence[str] = ()) -> list[int]:
    """Columns of each field: one, or one a key."""
    return [size if kind == "multi-hot" else 1 for size, kind in _fields(outputs, kinds)]


def _fields(outputs: Sequence[int], kinds: Sequence[str]) -> list[tuple[int, str]]:
    """(size, kind) of each."""
    return list(zip(outputs, kinds or ["categorical"] * len(outputs), strict=True))


def _heads(seen: int, outputs: Sequence[int], kinds: Sequence[str]) -> int:
    """Parameters of a linear layer for each field; a real field's has one unit."""
    units = (1 if kind == "real" else size for size, kind in _fields(outputs, kinds))
    return sum((seen + 1) * size for size in units)


def _before(inputs: Sequence[int], columns: Sequence[int]) -> int:
    """Rows of the tables by which chained heads know the fields before theirs, each column's own and one more."""
    firsts = accumulate(columns[:-1])
    return sum(sum(inputs[:first]) + first for first in firsts)


def _deep(seen: int, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str]) -> int:
    """Parameters of chained heads two layers deep."""
    columns = widths(outputs, kinds)
    layers = len(columns) * (2 * (seen + 1) * seen + 2 * seen)
    return layers + _before(inputs, columns) * seen + _heads(seen, outputs, kinds)


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
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "filters", tuple(self.filters))
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, counted as Keras does: the running statistics of the normalisations included."""
        channels = (self.embedding, *self.filters)
        convolutions = sum((2 * a + 1) * b + 4 * b for a, b in pairwise(channels))
        heads = _heads(self.hidden, outputs, kinds)
        return sum(inputs) * self.embedding + convolutions + _lstm(channels[-1], self.hidden) + heads


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
    chained     whether a field's head also sees the fields of its own step that are decided before it.
    """

    embedding: int = 256
    hidden: int = 384
    layers: int = 2
    dropout: float = 0.3
    head: int = 320
    chained: bool = False

    kind: ClassVar[str] = "lstm"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, one bias a gate; each field's columns have a row for "before the start"."""
        columns = widths(outputs, kinds)
        tables = (sum(inputs) + sum(columns)) * self.embedding
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        seen = self.hidden
        middle = 0
        if self.head:
            middle, seen = (self.hidden + self.embedding + 1) * self.head, self.head
        chain = 0
        if self.chained:
            chain = (len(columns) - 1) * (seen + 1) * seen + _before(inputs, columns) * seen
        return tables + stack + middle + chain + _heads(seen, outputs, kinds)


@dataclass(frozen=True)
class AttentiveLstm:
    """Embeddings of all inputs, summed; a stack of LSTMs; attention to its own past; chained heads two layers deep.

    Parameters
    ----------
    embedding      width of the embeddings; every input column has its own table, and they are added up.
    hidden         units of each LSTM.
    layers         how many LSTMs are stacked.
    attention      width of queries, keys and values.
    memory         how many steps back it can look.
    head           width of the layer that joins state, embedding and what was found, and of the heads' layers.
    dropout        share of units dropped between layers, of what is found, and in the heads, 0..1.
    input_dropout  share of the embedding dropped, 0..1.
    recurrent_dropout  share of the LSTMs' recurrent weights dropped, 0..1.
    counterpoint   whether the heads weigh how voices move against each other (:mod:`kantor.models._counterpoint`);
                   each field is a voice then, and the first conditions are what these sang last.
    """

    embedding: int = 256
    hidden: int = 512
    layers: int = 2
    attention: int = 96
    memory: int = 512
    head: int = 384
    dropout: float = 0.3
    input_dropout: float = 0.1
    recurrent_dropout: float = 0.0
    counterpoint: bool = False

    kind: ClassVar[str] = "attentive-lstm"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)
        if not self.head:
            raise OptionError("expected a head of at least 1 unit, got 0.")

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, one bias a gate; each field's columns have a row for "before the start"."""
        columns = widths(outputs, kinds)
        own = sum(columns)
        tables = (sum(inputs) + own) * self.embedding + (sum(inputs[:own]) + own) * self.attention
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        looks = 3 * (self.hidden + 1) * self.attention + self.attention + self.memory + CYCLE
        join = (self.hidden + self.embedding + self.attention + 1) * self.head
        if self.counterpoint:
            # Of each pair of voices: 13 intervals and 3 motions before by as many now. What came last is not embedded.
            tables += (13 * 3) ** 2 * own * (own - 1) // 2 - sum(inputs[own : 2 * own]) * self.embedding
        return tables + stack + looks + join + _deep(self.head, inputs, outputs, kinds)


@dataclass(frozen=True)
class Transformer:
    """Embeddings of all inputs, summed; blocks of relative attention; chained heads two layers deep.

    Parameters
    ----------
    hidden         width of the embeddings and of every block.
    layers         how many blocks are stacked.
    heads          of the attention; they share the width, and must divide it.
    inner          units of each block's feed-forward layer.
    memory         how many steps back it can look.
    dropout        share dropped of what is attended to, of what each layer adds, and in the heads, 0..1.
    input_dropout  share of the embedding dropped, 0..1.
    """

    hidden: int = 256
    layers: int = 5
    heads: int = 8
    inner: int = 768
    memory: int = 256
    dropout: float = 0.2
    input_dropout: float = 0.1

    kind: ClassVar[str] = "transformer"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)
        if self.hidden % self.heads:
            raise OptionError(f"expected hidden units that {self.heads} heads can share, got {self.hidden}.")

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters; each field's columns have a row for "before the start"."""
        width = self.hidden
        tables = (sum(inputs) + sum(widths(outputs, kinds))) * width
        attention = 4 * (width + 1) * width + (self.memory + 1) * width
        forward = (width + 1) * self.inner + (self.inner + 1) * width
        blocks = self.layers * (attention + forward + 4 * width)
        return tables + blocks + 2 * width + _deep(width, inputs, outputs, kinds)


@dataclass(frozen=True)
class TwoLevel:
    """Embeddings of all inputs, summed; a stack of LSTMs, and a slow GRU above it; chained heads two layers deep.

    Parameters
    ----------
    embedding      width of the embeddings; every input column has its own table, and they are added up.
    hidden         units of each LSTM.
    layers         how many LSTMs are stacked.
    slow           units of the GRU, which takes a step where a span ends.
    span           how many steps it waits for: 16 are a bar of four quarters where a step is a sixteenth.
    head           width of the layer that joins state, embedding and what the GRU says, and of the heads' layers.
    dropout        share of units dropped between layers, of what the GRU says, and in the heads, 0..1.
    input_dropout  share of the embedding dropped, 0..1.
    recurrent_dropout  share of the LSTMs' recurrent weights dropped, 0..1.
    """

    embedding: int = 256
    hidden: int = 512
    layers: int = 2
    slow: int = 256
    span: int = 16
    head: int = 384
    dropout: float = 0.3
    input_dropout: float = 0.1
    recurrent_dropout: float = 0.0

    kind: ClassVar[str] = "two-level"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)
        if not self.head:
            raise OptionError("expected a head of at least 1 unit, got 0.")

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, one bias a gate of an LSTM, two of the GRU, as Keras counts.

        Each field's columns have a row for "before the start".
        """
        tables = (sum(inputs) + sum(widths(outputs, kinds))) * self.embedding
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        above = 3 * self.slow * (self.hidden + self.slow + 2)
        join = (self.hidden + self.embedding + self.slow + 1) * self.head
        return tables + stack + above + join + _deep(self.head, inputs, outputs, kinds)


@dataclass(frozen=True)
class VoiceLstms:
    """A network for each field: embeddings, summed; a stack of LSTMs; a chained head two layers deep.

    Parameters
    ----------
    embedding      width of the embeddings; in each network every input column has its own table.
    hidden         units of each LSTM.
    layers         how many LSTMs are stacked in each network.
    head           width of the layer that joins state and embedding, and of the head's layers.
    dropout        share of units dropped between layers and in the heads, 0..1.
    input_dropout  share of the embeddings dropped, 0..1.
    recurrent_dropout  share of the LSTMs' recurrent weights dropped, 0..1.
    """

    embedding: int = 128
    hidden: int = 256
    layers: int = 2
    head: int = 192
    dropout: float = 0.3
    input_dropout: float = 0.1
    recurrent_dropout: float = 0.0

    kind: ClassVar[str] = "voice-lstms"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)
        if not self.head:
            raise OptionError("expected a head of at least 1 unit, got 0.")

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, one bias a gate; each field's columns have a row for "before the start"."""
        tables = (sum(inputs) + sum(widths(outputs, kinds))) * self.embedding
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        join = (self.hidden + self.embedding + 1) * self.head
        return len(outputs) * (tables + stack + join) + _deep(self.head, inputs, outputs, kinds)


@dataclass(frozen=True)
class PlainLstm:
    """Numbers as they are, scaled to about 1, into a stack of LSTMs: the networks of seeds 002, 003 and 004.

    Parameters
    ----------
    hidden      units of each LSTM.
    layers      how many LSTMs are stacked.
    dropout     share of each LSTM's inputs dropped, 0..1.
    dense       units of a layer (ReLU) between the last LSTM and the heads; 0 for none.
    dense_dropout  share of that layer's units dropped, 0..1.
    """

    hidden: int = 128
    layers: int = 1
    dropout: float = 0.0
    dense: int = 0
    dense_dropout: float = 0.0

    kind: ClassVar[str] = "plain-lstm"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, as Keras counts."""
        stack = _lstm(len(inputs), self.hidden) + (self.layers - 1) * _lstm(self.hidden, self.hidden)
        middle = (self.hidden + 1) * self.dense
        return stack + middle + _heads(self.dense or self.hidden, outputs, kinds)


@dataclass(frozen=True)
class BranchedLstm:
    """A small LSTM for each input, joined by two larger ones: the network of seed 001 and its parent.

    Parameters
    ----------
    branch          units of each input's own LSTM.
    branch_dropout  share of their outputs dropped, 0..1.
    hidden          units of the two joined LSTMs; batch normalisation follows the second.
    dense           units of the layer (ReLU) they feed.
    head            units of each field's own layer (ReLU, batch normalisation) before its softmax; 0 for none.
    dropout         share dropped after each joined LSTM and each head's own layer, 0..1.
    """

    branch: int = 256
    branch_dropout: float = 0.2
    hidden: int = 512
    dense: int = 256
    head: int = 128
    dropout: float = 0.3

    kind: ClassVar[str] = "branched-lstm"
    two_sided: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, counted as Keras does: the running statistics of the normalisations included."""
        branches = len(inputs) * _lstm(1, self.branch)
        joined = _lstm(len(inputs) * self.branch, self.hidden) + _lstm(self.hidden, self.hidden) + 4 * self.hidden
        middle = (self.hidden + 1) * self.dense
        own = len(outputs) * ((self.dense + 1) * self.head + 4 * self.head)
        return branches + joined + middle + own + _heads(self.head or self.dense, outputs, kinds)


@dataclass(frozen=True)
class TwoSided:
    """Embeddings of all inputs, summed; a stack of LSTMs in both directions; a head that sees both.

    Parameters
    ----------
    embedding   width of the embeddings; every input column has its own table, and they are added up.
    hidden      units of each LSTM in each direction.
    layers      how many are stacked.
    dropout     share of units dropped between layers and around the head, 0..1.
    head        hidden units of the head (GELU), which reads the last LSTMs and the embedding; 0 for a linear one.
    """

    embedding: int = 128
    hidden: int = 224
    layers: int = 2
    dropout: float = 0.3
    head: int = 256

    kind: ClassVar[str] = "two-sided"
    two_sided: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _check(self)

    def parameters(self, inputs: Sequence[int], outputs: Sequence[int], kinds: Sequence[str] = ()) -> int:
        """Number of parameters, one bias a gate; each field's columns have a row for "open"."""
        tables = (sum(inputs) + sum(widths(outputs, kinds))) * self.embedding
        stack = _lstm(self.embedding, self.hidden) + (self.layers - 1) * _lstm(2 * self.hidden, self.hidden)
        seen, middle = 2 * self.hidden, 0
        if self.head:
            middle, seen = (seen + self.embedding + 1) * self.head, self.head
        return tables + 2 * stack + middle + _heads(seen, outputs, kinds)


_ALL = (AttentiveLstm, BranchedLstm, ConvLstm, Lstm, PlainLstm, Transformer, TwoLevel, TwoSided, VoiceLstms)
NETWORKS: dict[str, type[Any]] = {config.kind: config for config in _ALL}


def _check(config: Any) -> None:
    for field in fields(config):
        value = getattr(config, field.name)
        if isinstance(value, bool):
            continue
        if field.name.endswith("dropout"):
            if not 0 <= value < 1:
                raise OptionError(f"expected a {field.name} from 0 up to but not including 1, got {value}.")
        elif field.name in ("head", "dense"):
            if value < 0:
                raise OptionError(f"expected a {field.name} of at least 0 units, got {value}.")
        elif min(value if isinstance(value, tuple) else (value,), default=0) < 1:
            raise OptionError(f"expected the network's {field.name} to be at least 1, got {value}.")


def alike(one: NetworkConfig, other: NetworkConfig) -> bool:
    """Whether the weights of one fit the other: all but what is dropped in training is the same."""
    sizes = [{k: v for k, v in to_dict(config).items() if not k.endswith("dropout")} for config in (one, other)]
    return sizes[0] == sizes[1]


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
        config: NetworkConfig = NETWORKS[kind](**rest)
        return config
    except TypeError as error:
        raise BundleError(f"expected the sizes of a network of kind '{kind}', got {sorted(rest)}: {error}.") from error
