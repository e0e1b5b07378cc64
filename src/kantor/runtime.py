"""Running a bundle with ONNX Runtime: a whole piece at once, or step by step; no torch anywhere."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from kantor.bundle import GRAPH, Bundle
from kantor.errors import BundleError
from kantor.representations import columns, decided

__all__ = ["Features", "Model", "Runtime", "State", "batch_axes"]

Features = list[NDArray[np.float32]]
State = list[NDArray[np.float32]]


class Model(Protocol):
    """What sampling and evaluation need of a network."""

    def initial(self, batch: int) -> State:
        """The state before the first step."""
        ...

    def run(self, inputs: NDArray[np.int64], state: State) -> tuple[Features, State]:
        """What the trunk makes of inputs (batch, time, columns); and the state after."""
        ...

    def field(self, features: Features, values: NDArray[np.int64], k: int) -> NDArray[np.float32]:
        """Parameters (batch, time, ...) of field ``k``; ``values`` (batch, time, columns) hold the fields before it."""
        ...


class Runtime:
    """A bundle's graph, loaded; where the heads are chained, those of the fields too.

    Parameters
    ----------
    bundle    an opened bundle.
    threads   1 is quickest for a stream; 0 takes every core, for whole pieces.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        self._session = _session(bundle, GRAPH, threads)
        inputs = self._session.get_inputs()
        self._inputs, self._state_inputs = inputs[0].name, inputs[1:]
        self._state_names = [spec.name for spec in self._state_inputs]
        given = len(self._session.get_outputs()) - len(self._state_inputs)
        sessions = {name: _session(bundle, name, threads) for name in dict.fromkeys(bundle.heads)}
        self._heads = [sessions[name] for name in bundle.heads]
        self._only = onnxruntime.RunOptions()
        self._only.only_execute_path_to_fetches = True  # of format 2: a field's own head, not all of them
        width, outputs, _ = columns(bundle.representation)
        fields = len(self._heads) or given
        for k, head in enumerate(self._heads):
            if f"field_{k}" not in [output.name for output in head.get_outputs()]:
                raise BundleError(f"expected {bundle.path / bundle.heads[k]} to give field {k}, it gives another.")
        if inputs[0].shape[-1] != len(width) or fields != len(outputs):
            raise BundleError(
                f"expected a graph of {len(width)} inputs a step and {len(outputs)} fields, which is what the "
                f"representation of {bundle.path} has; got {inputs[0].shape[-1]} and {fields}."
            )
        self._columns = decided(bundle.representation)
        self._given = given

    def initial(self, batch: int) -> State:
        """Zeros, in the shapes the graph asks for."""
        return [
            np.zeros([size if isinstance(size, int) else batch for size in state.shape], dtype=np.float32)
            for state in self._state_inputs
        ]

    def run(self, inputs: NDArray[np.int64], state: State) -> tuple[Features, State]:
        """See :class:`Model`."""
        feed: dict[str, NDArray[Any]] = {self._inputs: inputs}
        feed.update(zip(self._state_names, state, strict=True))
        results = _asked(self._session, None, feed, None)
        return results[: self._given], results[self._given :]

    def field(self, features: Features, values: NDArray[np.int64], k: int) -> NDArray[np.float32]:
        """See :class:`Model`."""
        if not self._heads:
            return features[k]
        feed: dict[str, NDArray[Any]] = {"features": features[0], "values": values}
        found: NDArray[np.float32] = _asked(self._heads[k], [f"field_{k}"], feed, self._only)[0]
        return found


def batch_axes(model: Model) -> list[int]:
    """Which axis of each part of a model's state grows with the batch."""
    shapes = zip(model.initial(1), model.initial(2), strict=True)
    return [next(axis for axis in range(one.ndim) if one.shape[axis] != two.shape[axis]) for one, two in shapes]


def _session(bundle: Bundle, name: str, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that wait shall sleep: those of one session, spinning, take the cores from the next one's.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4  # what fails is raised, and said once
    try:
        return onnxruntime.InferenceSession(str(bundle.path / name), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exception types are many and undocumented
        raise BundleError(f"expected {bundle.path / name} to be a graph that ONNX Runtime can load: {error}") from error


def _asked(session: Any, names: list[str] | None, feed: dict[str, NDArray[Any]], options: Any) -> list[Any]:
    try:
        results: list[Any] = session.run(names, feed, options)
    except Exception as error:  # onnxruntime's own, which says so in words alone
        if "allocate memory" in str(error) or "bad_alloc" in str(error):
            raise MemoryError(str(error)) from error
        raise BundleError(f"expected graphs that fit each other, ONNX Runtime says: {error}".splitlines()[0]) from error
    return results
