"""Question: how fast does one chorale stream on one core, and does that hold for ten thousand bars?

A *note* is a cell, one voice for one sixteenth, as in "nats per note"; the onsets among them are counted beside. Bars:
at least 3,000 notes a second; time per note at bar 10,000 within 10 % of that at bar 10; memory flat.

The two ends of the piece are compared as ratios of blocks of a bar: ten bars from bar 10 on, ten bars from bar 10,000
on, the median of each, in several takes; between them the stream runs on without being timed.
"""

import argparse
import json
import resource
import statistics
import time

import numpy as np

from kantor.bundle import load
from kantor.runtime import Runtime
from kantor.sampling.stream import stream
from kantor.verbs._compose import pitches_of
from kantor.verbs._plans import plan

CELLS_A_BAR = 64


def notes_a_second(bundle, bars: int = 64, takes: int = 5) -> dict:
    """Cells and onsets a second, one stream, the median of ``takes``."""
    model, representation = Runtime(bundle), bundle.representation
    cells, onsets = [], []
    for take in range(takes):
        rng = np.random.default_rng(take)
        drawn = plan(bundle, bars, None, "4/4", 0, rng)
        began = time.perf_counter()
        decided = [d.values[0] for d in stream(model, representation, drawn, [rng], within=pitches_of(bundle))]
        seconds = time.perf_counter() - began
        cells.append(np.size(decided) / seconds)  # a step may be a cell, or a frame of four
        onsets.append(len(representation.decode(np.array(decided), drawn)) / seconds)
    return {"cells_a_second": round(statistics.median(cells)), "onsets_a_second": round(statistics.median(onsets))}


def length(bundle, late: int) -> dict:
    """Time per note early and late, and how much memory the bars between have taken."""
    model, representation = Runtime(bundle), bundle.representation
    rng = np.random.default_rng(0)
    drawn = plan(bundle, late + 40, None, "4/4", 0, rng)
    blocks: dict[str, list[float]] = {"early": [], "late": []}
    peak = {}
    began = time.perf_counter()
    for decision in stream(model, representation, drawn, [rng], within=pitches_of(bundle)):
        if (decision.step + 1) % CELLS_A_BAR:
            continue
        bar, now = (decision.step + 1) // CELLS_A_BAR, time.perf_counter()
        for name, start in (("early", 10), ("late", late)):
            if start <= bar < start + 30:
                blocks[name].append(now - began)
                peak[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        began = now
    early, late_seconds = (statistics.median(blocks[name]) for name in ("early", "late"))
    return {
        "late_bar": late,
        "microseconds_a_note_early": round(1e6 * early / CELLS_A_BAR, 1),
        "microseconds_a_note_late": round(1e6 * late_seconds / CELLS_A_BAR, 1),
        "late_over_early": round(late_seconds / early, 3),
        "peak_memory_mb_early": round(peak["early"], 1),
        "peak_memory_mb_late": round(peak["late"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="chorale")
    parser.add_argument("--late", type=int, default=10_000, help="the late bar")
    options = parser.parse_args()
    bundle = load(options.model)
    figures = {"benchmark": "streaming", "model": bundle.name, **notes_a_second(bundle), **length(bundle, options.late)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
