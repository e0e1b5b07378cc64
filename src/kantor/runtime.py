"""Running a bundle with ONNX Runtime: a whole piece at once, or step by step; no torch anywhere."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from kantor.bundle import GRAPH, Bundle
from kantor.errors import BundleError
from kantor.representations import columns

__all__ = ["Logits", "Model", "Runtime", "State"]

Logits = list[NDArray[np.float32]]
State = list[NDArray[np.float32]]


class Model(Protocol):
    """What sampling and evaluation need of a network."""

    def initial(self, batch: int) -> State:
        """The state before the first step."""
        ...

    def run(self, inputs: NDArray[np.int64], state: State) -> tuple[Logits, State]:
        """Logits of each field, (batch, time, classes), for inputs (batch, time, columns); and the state after."""
        ...


class Runtime:
    """A bundle's graph, loaded.

    Parameters
    ----------
    bundle    an opened bundle.
    threads   1 is quickest for a stream; 0 takes every core, for whole pieces.
    """

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what fails is raised, and said once
        try:
            self._session = onnxruntime.InferenceSession(
                str(bundle.path / GRAPH), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime's own exception types are many and undocumented
            raise BundleError(
                f"expected {bundle.path / GRAPH} to be a graph that ONNX Runtime can load: {error}"
            ) from error
        inputs = self._session.get_inputs()
        self._inputs, self._state_inputs = inputs[0].name, inputs[1:]
        self._fields = len(self._session.get_outputs()) - len(self._state_inputs)
        width, classes = columns(bundle.representation)
        if inputs[0].shape[-1] != len(width) or self._fields != len(classes):
            raise BundleError(
                f"expected a graph of {len(width)} inputs a step and {len(classes)} fields, which is what the "
                f"representation of {bundle.path} has; got {inputs[0].shape[-1]} and {self._fields}."
            )

    def initial(self, batch: int) -> State:
        """Zeros, in the shapes the graph asks for."""
        return [
            np.zeros([size if isinstance(size, int) else batch for size in state.shape], dtype=np.float32)
            for state in self._state_inputs
        ]

    def run(self, inputs: NDArray[np.int64], state: State) -> tuple[Logits, State]:
        """See :class:`Model`."""
        feed: dict[str, NDArray[Any]] = {self._inputs: inputs}
        for spec, value in zip(self._state_inputs, state, strict=True):
            feed[spec.name] = value
        try:
            results = self._session.run(None, feed)
        except Exception as error:  # onnxruntime's own, which says so in words alone
            if "allocate memory" in str(error) or "bad_alloc" in str(error):
                raise MemoryError(str(error)) from error
            raise
        return results[: self._fields], results[self._fields :]
