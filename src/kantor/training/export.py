"""A trained network -> a bundle: weights as safetensors, the graph as ONNX, with the weights stored once.

The exported graph's initialisers are the network's own parameters under their own names (the exporter's optimiser,
which would fold and rename them, stays off; ONNX Runtime folds at load). Each becomes a reference, file and offset,
into weights.safetensors.
"""

from __future__ import annotations

import json
import logging
import re
import struct
import subprocess
import warnings
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from safetensors.torch import load_file, save
from torch import Tensor

import kantor
from kantor import networks
from kantor.bundle import CARD, FORMAT, GRAPH, HEADS, WEIGHTS, Bundle, file_hash, seal
from kantor.io import write_bytes
from kantor.models import Network, State, build
from kantor.networks import NetworkConfig
from kantor.representations import Representation, columns, decided
from kantor.wording import spelt

__all__ = ["add_metrics", "export", "restore"]


def export(
    network: Network,
    config: NetworkConfig,
    representation: Representation,
    out: Path,
    card: Mapping[str, Any],
    *,
    half: bool = False,
) -> Bundle:
    """Write ``network`` as a bundle into ``out``; ``card`` adds name, preset, corpus, metrics ... to bundle.json.

    With ``half`` its weights are rounded to float16, in the network too, and stored so; the graph widens them as it is
    loaded, and computes in float32 as ever.
    """
    network = network.eval().cpu()
    state: dict[str, Tensor] = network.state_dict()
    if half:
        for value in state.values():
            if value.is_floating_point():
                value.copy_(value.half())
    kept = {name: value.half() if half and value.is_floating_point() else value for name, value in state.items()}
    weights = save({name: value.contiguous() for name, value in kept.items()})
    files = {WEIGHTS: weights, GRAPH: _reference(_graph(network, len(columns(representation).inputs)), weights)}
    if network.heads.chained:
        heads = _heads_graph(network, decided(representation))
        for k, output in enumerate(heads.graph.output):
            files[HEADS.format(k)] = _reference(_alone(heads, output.name), weights)
    full = {
        "format": FORMAT,
        **card,
        "representation": _options(representation),
        "network": networks.to_dict(config),
        "parameters": config.parameters(*columns(representation)),
        "kantor": kantor.__version__,
        "git": _git_commit(),
        "files": {name: file_hash(data) for name, data in files.items()},
    }
    full["seal"] = seal(full)
    for name, data in files.items():
        write_bytes(out / name, data)
    return _with_card(out, full)


def add_metrics(bundle: Bundle, metrics: Mapping[str, Any]) -> Bundle:
    """The same bundle, its card saying also how good it is: figures by protocol, ``{"whole": {"accuracy": ...}}``."""
    return _with_card(bundle.path, {**bundle.card, "metrics": {**(bundle.card.get("metrics") or {}), **metrics}})


def _with_card(folder: Path, card: dict[str, Any]) -> Bundle:
    write_bytes(folder / "README.md", _words(card).encode())
    write_bytes(folder / CARD, (json.dumps(card, indent=1, sort_keys=True, allow_nan=False) + "\n").encode())
    return Bundle(folder, card)


def restore(
    bundle: Bundle, config: NetworkConfig | None = None, representation: Representation | None = None
) -> Network:
    """The network of a bundle, with its weights, ready to be trained further.

    With a ``config`` and ``representation`` of the same sizes it may have tables that the bundle lacks; these begin at
    nothing.
    """
    network = build(config or bundle.network, *columns(representation or bundle.representation))
    tables = {id(table) for table in network.heads.tables} if config else set()
    fresh = {f"heads.{name}": value.detach() for name, value in network.heads.named_parameters() if id(value) in tables}
    network.load_state_dict(fresh | _named(load_file(bundle.path / WEIGHTS)))
    return network


def _named(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights by today's names: in format 1 heads had no layers within."""
    return {re.sub(r"^heads\.(\d)", r"heads.linear.\1", name): value for name, value in weights.items()}


def _options(representation: Representation) -> dict[str, Any]:
    given = {field.name: getattr(representation, field.name) for field in fields(representation)}  # type: ignore[arg-type]
    return {"name": representation.name, **given}


class _Independent(torch.nn.Module):
    """Trunk and independent heads as one graph; the exporter is given no state where there is none."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, state: State = ()) -> tuple[tuple[Tensor, ...], State]:
        found: tuple[tuple[Tensor, ...], State] = self.network(inputs, state)
        return found


class _Trunk(torch.nn.Module):
    """The trunk alone, where chained heads have a graph of their own."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Tensor, state: State) -> tuple[tuple[Tensor, ...], State]:
        features, after = self.network.trunk(inputs, state)
        return (features,), after


class _Heads(torch.nn.Module):
    """Chained heads alone: features and what is decided -> parameters of every field."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, features: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        found: tuple[Tensor, ...] = self.network.heads(features, values)
        return found


def _graph(network: Network, width: int) -> onnx.ModelProto:
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    inputs = torch.zeros(2, 3, width, dtype=torch.int64)
    state = network.initial(2)
    axes = tuple({_batch_axis(network, index): batch} for index in range(len(state)))
    chained = network.heads.chained
    given = ["features"] if chained else [f"field_{k}" for k in range(len(network.heads.kinds))]
    names = [f"state_{i}" for i in range(len(state))]
    model = _exported(
        _Trunk(network) if chained else _Independent(network),
        (inputs, state) if state else (inputs,),
        ({0: batch, 1: time}, axes) if state else ({0: batch, 1: time},),
        ["inputs", *names],
        [*given, *(f"next_{name}" for name in names)],
    )
    _settle_sizes(model)
    _squeeze_lstms(model.graph)
    return _shapeless(model)


def _heads_graph(network: Network, width: int) -> onnx.ModelProto:
    batch, time = torch.export.Dim("batch"), torch.export.Dim("time")
    width_of_features: Any = network.trunk.width
    features = torch.zeros(2, 3, width_of_features)
    values = torch.zeros(2, 3, width, dtype=torch.int64)
    names = [f"field_{k}" for k in range(len(network.heads.kinds))]
    axes = ({0: batch, 1: time}, {0: batch, 1: time})
    return _shapeless(_exported(_Heads(network), (features, values), axes, ["features", "values"], names))


def _alone(model: onnx.ModelProto, output: str) -> onnx.ModelProto:
    """What of ``model`` gives ``output``. ONNX Runtime could find it in the whole, but looks for it at every step."""
    alone = onnx.ModelProto()
    alone.CopyFrom(model)
    graph = alone.graph
    _keep(graph.output, {output})
    _drop_unread(graph)
    _keep(graph.initializer, {name for node in graph.node for name in node.input})
    return alone


def _keep(named: Any, names: set[str]) -> None:
    """Leave those of a graph's outputs or initialisers that are among ``names``."""
    kept = [one for one in named if one.name in names]
    del named[:]
    named.extend(kept)


def _exported(
    module: torch.nn.Module, example: tuple[Any, ...], axes: Any, inputs: list[str], outputs: list[str]
) -> onnx.ModelProto:
    # torch 2.13 lays its own LSTM under an export and forgets this cache, so that a process's second graph would serve
    # the example's length alone.
    torch.ops.aten.lstm.input._dispatch_cache.clear()
    with warnings.catch_warnings(), _quiet("torch.onnx"):
        warnings.simplefilter("ignore")  # three libraries announce their own future here; nothing the user can act on
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            optimize=False,
            verbose=False,
            dynamic_shapes=axes,
            input_names=inputs,
            output_names=outputs,
        )
    assert program is not None
    model: onnx.ModelProto = program.model_proto
    free = [dim.dim_param for dim in model.graph.input[0].type.tensor_type.shape.dim]
    if not (free[0] and free[1]):
        raise RuntimeError(f"the exported graph should serve any batch and length, it serves {free}")
    for initializer in model.graph.initializer:  # the wrappers above are not part of a parameter's name
        _rename(model.graph, initializer.name, initializer.name.removeprefix("network."))
    return model


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for initializer in graph.initializer:
        if initializer.name == old:
            initializer.name = new
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def _shapeless(model: onnx.ModelProto) -> onnx.ModelProto:
    """The exporter notes the example's own length in the shapes of results; the graph itself serves any."""
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    return model


def _settle_sizes(model: onnx.ModelProto) -> None:
    """Write the sizes that are known as constants.

    The exporter asks the state, given or made of zeros, for the number of hidden units whenever it runs; so ONNX
    Runtime could not reorder the weights once, at load, and would do it at every step.
    """
    zeros = {node.output[0] for node in model.graph.node if node.op_type == "Expand"}
    known = [*model.graph.input, *(value for value in model.graph.value_info if value.name in zeros)]
    sizes = {value.name: value.type.tensor_type.shape.dim for value in known}
    for node in model.graph.node:
        if node.op_type == "Shape" and node.input[0] in sizes:
            span = {attribute.name: attribute.i for attribute in node.attribute}
            dims = sizes[node.input[0]][span.get("start", 0) : span.get("end")]
            if all(dim.HasField("dim_value") for dim in dims):
                constant = onnx.numpy_helper.from_array(np.array([dim.dim_value for dim in dims], dtype=np.int64))
                settled = onnx.helper.make_node("Constant", [], list(node.output), name=node.name, value=constant)
                node.CopyFrom(settled)


def _squeeze_lstms(graph: onnx.GraphProto) -> None:
    """Drop the axis of directions from what an LSTM gives, (time, 1, batch, hidden), in one node instead of nine.

    The exporter transposes, asks for the shape, and puts a new one together, at every step.
    """
    readers = {name: node for node in graph.node for name in node.input}
    for node in [node for node in graph.node if node.op_type == "LSTM" and not _both_ways(node)]:
        turned = readers[node.output[0]]
        reshaped = next(n for n in graph.node if n.op_type == "Reshape" and n.input[0] == turned.output[0])
        axes = onnx.numpy_helper.from_array(np.array([1], dtype=np.int64))
        name = f"{node.name}_directions"
        constant = onnx.helper.make_node("Constant", [], [name], name=name, value=axes)
        squeezed = onnx.helper.make_node(
            "Squeeze", [node.output[0], name], list(reshaped.output), name=f"{node.name}_squeezed"
        )
        place = list(graph.node).index(reshaped)
        graph.node.remove(reshaped)
        graph.node.insert(place, squeezed)
        graph.node.insert(place, constant)
    _drop_unread(graph)


def _both_ways(node: onnx.NodeProto) -> bool:
    return any(attribute.name == "direction" and attribute.s == b"bidirectional" for attribute in node.attribute)


def _drop_unread(graph: onnx.GraphProto) -> None:
    while dead := _unread(graph):
        for node in dead:
            graph.node.remove(node)


def _unread(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    return [node for node in graph.node if read.isdisjoint(node.output)]


def _batch_axis(network: Network, index: int) -> int:
    """Which axis of a state tensor is the batch: the one that grows with it."""
    one, two = network.initial(1)[index].shape, network.initial(2)[index].shape
    return next(axis for axis, (a, b) in enumerate(zip(one, two, strict=True)) if a != b)


def _reference(model: onnx.ModelProto, weights: bytes) -> bytes:
    """Serialise ``model`` with its parameters pointing into the safetensors file ``weights``."""
    (header_bytes,) = struct.unpack("<Q", weights[:8])
    header = json.loads(weights[8 : 8 + header_bytes])
    widened = []
    for initializer in model.graph.initializer:
        if initializer.name in header:
            name, known = initializer.name, header[initializer.name]
            begin, end = known["data_offsets"]
            if known["dtype"] == "F16":
                initializer.name, initializer.data_type = f"{name}.half", onnx.TensorProto.FLOAT16
                to = onnx.TensorProto.FLOAT
                widened.append(onnx.helper.make_node("Cast", [initializer.name], [name], name=f"{name}.wide", to=to))
            initializer.ClearField("raw_data")
            initializer.data_location = onnx.TensorProto.EXTERNAL
            del initializer.external_data[:]
            places = {"location": WEIGHTS, "offset": str(8 + header_bytes + begin), "length": str(end - begin)}
            for key, value in places.items():
                initializer.external_data.add(key=key, value=value)
    nodes = [*widened, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    for node in model.graph.node:  # stack traces of the machine that exported it are nobody's business
        del node.metadata_props[:]
        node.doc_string = ""
    del model.metadata_props[:], model.graph.metadata_props[:]
    return model.SerializeToString(deterministic=True)


class _quiet:
    """Lower a chatty logger for a while."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def __enter__(self) -> None:
        self._level = self._logger.level
        self._logger.setLevel(logging.ERROR)

    def __exit__(self, *_: object) -> None:
        self._logger.setLevel(self._level)


def _git_commit() -> str:
    root = Path(kantor.__file__).resolve().parents[2]
    if not (root / ".git").exists():
        return ""
    found = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)
    return found.stdout.strip()


def _words(card: Mapping[str, Any]) -> str:
    corpus = card.get("corpus", {})
    rows = [
        f"| {protocol} | {name.replace('_', ' ')} | {spelt(value)} |"
        for protocol, figures in (card.get("metrics") or {}).items()
        for name, value in figures.items()
    ]
    metrics = "\n".join(rows)
    return f"""# {card.get("name", "a model")}

{card.get("about", "")}

- representation: {spelt(card["representation"])}
- network: {spelt(card["network"])}; {card["parameters"]:,} parameters
- trained on: {corpus.get("name", "?")}, {corpus.get("pieces", "?")} pieces
- licence of the music: {corpus.get("licence", "?")}
- made by kantor {card["kantor"]}, preset `{card.get("preset", "?")}`
- training: {spelt(card.get("training") or {}) or "?"}

Figures on the validation pieces, by protocol; in *whole*, key, fermatas and the end are unknown to the model.

| protocol | figure | value |
|---|---|---|
{metrics}
"""
