"""Question: what does our training loop cost beside a plain one?

Seed 000's network, batches of 32 windows of 131 targets. A: a loop written out by hand in PyTorch, network included.
B: ``kantor train seed-000``'s own path (Pieces, Learner, Lightning, logs, checkpoints). Both see made-up chorales; they
run in turn, and the figure is the ratio B/A of the median step, round by round. Bar: at most 1.15.
"""

import json
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn

from kantor import registry
from kantor.score import Part, Score
from kantor.training import fit as training

ROUNDS, STEPS, BATCH, WARM = 5, 40, 32, 3


class Plain(nn.Module):
    """The notebook's network, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(47, 5)
        widths = [5, 32, 48, 64, 96, 128]
        self.pads = [1, 2, 4, 8, 16]
        self.convolutions = nn.ModuleList(
            nn.Conv1d(a, b, 2, dilation=d) for a, b, d in zip(widths, widths[1:], self.pads, strict=False)
        )
        self.normalisations = nn.ModuleList(nn.BatchNorm1d(b, eps=1e-3, momentum=0.01) for b in widths[1:])
        self.dropout = nn.Dropout(0.05)
        self.lstm = nn.LSTM(128, 256, batch_first=True)
        self.head = nn.Linear(256, 47)

    def forward(self, x):
        x = self.embedding(x).transpose(1, 2)
        for convolution, normalisation, pad in zip(self.convolutions, self.normalisations, self.pads, strict=True):
            x = normalisation(torch.relu(convolution(nn.functional.pad(x, (pad, 0)))))
        return self.head(self.lstm(self.dropout(x.transpose(1, 2)))[0])


def plain_steps(cells: torch.Tensor) -> list[float]:
    """Seconds of each step of the loop by hand."""
    torch.manual_seed(0)
    network = Plain()
    optimizer = torch.optim.NAdam(network.parameters(), 1e-3, eps=1e-7, momentum_decay=1.0)
    seconds = []
    for _ in range(STEPS):
        began = time.perf_counter()
        chosen = cells[torch.randint(len(cells), (BATCH,))]
        logits = network(chosen[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), chosen[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        seconds.append(time.perf_counter() - began)
    return seconds[WARM:]


class Clock(Callback):
    """Seconds from the end of one batch to the end of the next: everything a step costs."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def on_train_batch_end(self, *_: object) -> None:
        self.ends.append(time.perf_counter())


def our_steps(pieces: list[Score]) -> list[float]:
    """Seconds of each step of one epoch through ``fit``."""
    preset = registry.part("presets", "seed-000").override({"epochs": "1"})
    clock = Clock()
    original = training._trainer

    def timed(*arguments):
        trainer = original(*arguments)
        trainer.callbacks.append(clock)
        return trainer

    training._trainer = timed
    try:
        with tempfile.TemporaryDirectory() as folder:
            training.fit(
                preset.representation,
                preset.network,
                preset.recipe,
                pieces,
                pieces[:1],
                Path(folder),
                accelerator="cpu",
                say=lambda _: None,
            )
    finally:
        training._trainer = original
    return np.diff(clock.ends).tolist()[WARM:]


def made_up(rng: np.random.Generator) -> Score:
    """Four voices that change pitch every quarter: as many cells as a chorale, no corpus needed."""
    frames = 16 * STEPS * BATCH // 40 + 33
    rows = []
    for voice, middle in enumerate((70, 63, 57, 48)):
        for onset in range(0, frames, 4):
            rows.append((onset * 120, 480, middle + int(rng.integers(-6, 7)), 80, voice))
    return Score.from_notes(rows, parts=(Part(),) * 4)


def main() -> None:
    rng = np.random.default_rng(0)
    pieces = [made_up(rng) for _ in range(40)]
    cells = torch.from_numpy(rng.integers(0, 47, (1000, 132)))
    rounds = [(statistics.median(plain_steps(cells)), statistics.median(our_steps(pieces))) for _ in range(ROUNDS)]
    ratios = sorted(ours / plain for plain, ours in rounds)
    print(
        json.dumps(
            {
                "benchmark": "training_step",
                "plain_ms": [round(1000 * plain, 1) for plain, _ in rounds],
                "ours_ms": [round(1000 * ours, 1) for _, ours in rounds],
                "ratio_median": round(statistics.median(ratios), 3),
                "ratio_range": [round(ratios[0], 3), round(ratios[-1], 3)],
                "bar": 1.15,
                "threads": torch.get_num_threads(),
            }
        )
    )


if __name__ == "__main__":
    main()
