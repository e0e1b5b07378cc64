"""Networks of a few lines in place of trained ones: what stream and likelihood ask of a model, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields

import numpy as np

from kantor.bundle import Bundle
from kantor.representations import Field, Representation
from kantor.representations.chorale import Chorale


def uniform(inputs: np.ndarray, steps: np.ndarray, memory: np.ndarray, classes: int) -> np.ndarray:
    """Every class alike."""
    return np.zeros((*steps.shape, classes))


def rambling(inputs: np.ndarray, steps: np.ndarray, memory: np.ndarray, classes: int) -> np.ndarray:
    """Anything, but by the whole past and the present inputs alone: what is passed on wrongly shows at once."""
    return 3 * np.sin(memory[..., None] * (1 + np.arange(classes)) + steps[..., None])


def playing(inputs: np.ndarray, steps: np.ndarray, memory: np.ndarray, size: int) -> np.ndarray:
    """Rambling in any representation: few keys at once, and times that pass, but not for long."""
    params = rambling(inputs, steps, memory, size)
    if size == 88:
        return params - 4
    if size == 385:
        return params - np.arange(size) / 8
    return params + np.array([8.0, 0.0]) if size == 2 else params


@dataclass
class FakeModel:
    """A :class:`kantor.runtime.Model`: parameters by a rule of the inputs, the step's number and a memory of the past.

    The state is the number of steps and the memory, (pieces, 1) each; ``shapes`` lists (pieces, steps) of each run.
    ``classes`` are the numbers of parameters of each field, or of the only one. Where ``starts`` are given, the first
    column of each field, a field's parameters also depend on the fields before it, as those of chained heads do.
    """

    classes: int | tuple[int, ...] = 47
    rule: Callable[..., np.ndarray] = uniform
    starts: tuple[int, ...] = ()
    shapes: list[tuple[int, int]] = field(default_factory=list)

    @classmethod
    def of(cls, representation: Representation, rule: Callable[..., np.ndarray] = uniform, chained: bool = False):
        """One for all fields of a representation."""
        known = representation.fields
        ends = np.cumsum([one.width for one in known]).tolist()
        starts = tuple(end - one.width for end, one in zip(ends, known, strict=True)) if chained else ()
        return cls(tuple(parameters(one) for one in known), rule, starts)

    def initial(self, batch: int) -> list[np.ndarray]:
        return [np.zeros((batch, 1), np.float32), np.zeros((batch, 1), np.float32)]

    def run(self, inputs: np.ndarray, state: list[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        self.shapes.append(inputs.shape[:2])
        steps, memory = state[0].astype(int) + np.arange(inputs.shape[1]), np.empty(inputs.shape[:2], np.float32)
        last = state[1][:, 0]
        for step in range(inputs.shape[1]):
            memory[:, step] = last = (last * 31 + inputs[:, step] @ np.arange(1, inputs.shape[2] + 1)) % 997
        sizes = (self.classes,) if isinstance(self.classes, int) else self.classes
        features = [self.rule(inputs, steps, memory + k, size).astype(np.float32) for k, size in enumerate(sizes)]
        return features, [steps[:, -1:].astype(np.float32) + 1, last[:, None]]

    def field(self, features: list[np.ndarray], values: np.ndarray, k: int) -> np.ndarray:
        assert values.shape[:2] == features[k].shape[:2]
        if not self.starts:
            return features[k]
        before = values[..., : self.starts[k]]
        heard = before @ np.arange(1, before.shape[-1] + 1) % 997
        return (features[k] + np.sin(heard[..., None] * (1 + np.arange(features[k].shape[-1])))).astype(np.float32)


def parameters(field: Field) -> int:
    """How many numbers describe a field's distribution."""
    return 2 if field.kind == "real" else field.size


#: What the training pieces of :func:`bundle` began with: fifths, mode, meter, pickup in quarters, how often.
PLANS = [[0, "major", "4/4", 1.0, 6], [-2, "minor", "3/4", 0.0, 3], [2, "major", "3/2", 0.0, 1]]
RANGES = [[60, 79], [55, 72], [48, 67], [40, 60]]


def bundle(representation: Representation | None = None, **card: object) -> Bundle:
    """An opened bundle without files: enough for verbs whose network is a fake."""
    known = representation or Chorale(spelling="full", order="SBAT", inputs=("voice", "own", "key", "fermata", "beat"))
    options = {"name": known.name, **{option.name: getattr(known, option.name) for option in fields(known)}}
    files = {"weights.safetensors": "0" * 64, "graph.onnx": "1" * 64}
    ranges = RANGES if known.name == "chorale" else None
    made = {"name": "fake", "representation": options, "files": files, "plans": PLANS, "ranges": ranges, **card}
    return Bundle(None, made)  # type: ignore[arg-type]  # nobody reads its folder
