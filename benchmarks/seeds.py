"""Question: how much faster do the presets ``seed-000`` .. ``seed-004`` train and write than the seeds' Keras programs?

Both sides are measured in turn, chunk by chunk; a ratio is the median of the rounds' own, with the least and the most.
Data are made up and networks untrained: neither changes what a step costs.

Training: batches of as many windows, as long, on two threads each; Keras's ``fit`` beside our ``Learner``'s step. Of a
window Keras learns one target in seeds 001 to 004, the note (event, frame) that follows it; we learn one at every
position. So there are two ratios: of windows a second, which the bars are about, and of targets a second. ``--precision
bf16-mixed`` has our side multiply in bfloat16, whatever the preset says; Keras keeps to float32.

Generating: the seed's loop around ``predict``, which reads its window anew for every note, beside our stream, which
reads each note once; given as much, writing as much. Keras has the threads it likes, or one; we have one. Sixteen
pieces side by side are in rows of their own, which no bar is about.

Beside the clock's ratios are those of the processor's own seconds, which the company of other programs hardly changes;
with one thread (``--threads 1``) they are the ones to trust there. ``OMP_WAIT_POLICY=PASSIVE`` also helps: torch's
threads else wait for each other by spinning, on the very core that the other one needs.

Each measurement is a line of JSON; ``--table`` ends with a table of both readings of the training, and of the writing.

Keras lives in an environment of its own; without one, our side is measured alone.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice
from pathlib import Path

import numpy as np
import torch

from kantor import registry
from kantor.bundle import load
from kantor.models import build
from kantor.representations import columns
from kantor.runtime import Runtime
from kantor.sampling.filters import Filters
from kantor.sampling.stream import stream
from kantor.score import NOTE, TICKS_PER_QUARTER, Meter, Part, Score
from kantor.training.export import export
from kantor.training.learner import Learner
from kantor.training.recipe import CHOICES

MANY, READY, WARM = 16, 8, 3
KERAS = Path(__file__).with_name("_seeds_keras.py")
HOW_TO = """\
Keras was not measured: there is no interpreter {python}. To make one:
  python3 -m venv .venv-keras && .venv-keras/bin/pip install -r benchmarks/requirements-keras.txt
then run this again, with --keras-python PATH or KANTOR_KERAS_PYTHON where it lies elsewhere."""

Figures = dict[str, float]
Side = Callable[[], Figures]


@dataclass(frozen=True)
class Job:
    """What one seed does, and how much faster it has to be here; lengths are steps: notes, events or frames."""

    unit: str
    batch_size: int
    window: int
    given: int  # shown before the writing begins
    written: int
    bars: int  # of a plan with room for both
    training_bar: float
    generating_bar: float


JOBS = {
    "000": Job("note", 32, 131, 32, 224, 4, 2.5, 500),
    "001": Job("event", 64, 100, 100, 400, 2000, 2, 300),
    "002": Job("frame", 64, 64, 64, 256, 20, 4, 200),
    "003": Job("note", 64, 25, 25, 120, 500, 2, 500),
    "004": Job("note", 64, 50, 50, 120, 500, 2, 500),
}


# -- Keras's side ---------------------------------------------------------------------------------------------------


@contextmanager
def keras(python: str, seed: str, what: str, seconds: float, threads: int) -> Iterator[tuple[dict, Side]]:
    """The other program, warm: what it says of itself, and how to have it measure a chunk."""
    options = ["--seconds", str(seconds), "--threads", str(threads), *classes(seed)]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1", "KERAS_BACKEND": "tensorflow"}
    with tempfile.TemporaryFile("w+") as errors:
        program = subprocess.Popen(
            [python, str(KERAS), seed, what, *options],
            env={**os.environ, **quiet},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )

        def answer() -> dict:
            line = program.stdout.readline()
            if not line:
                errors.seek(0)
                raise RuntimeError(f"{KERAS.name} ended:\n{errors.read()[-2000:]}")
            return json.loads(line)

        def chunk() -> Figures:
            program.stdin.write("\n")
            program.stdin.flush()
            return answer()

        with program:
            yield answer(), chunk
            program.stdin.close()  # which ends it


def classes(seed: str) -> list[str]:
    """Seed 001's vocabularies depend on its corpus; Keras gets ours."""
    if seed != "001" or not known(seed):
        return []
    return ["--classes", *map(str, columns(preset(seed).representation).outputs)]


# -- our side -------------------------------------------------------------------------------------------------------


def known(seed: str) -> bool:
    return f"seed-{seed}" in registry.names("presets")


@cache
def preset(seed: str):
    """The preset, its vocabulary (where it has one) learned from made-up music."""
    found = registry.part("presets", f"seed-{seed}")
    return replace(found, representation=found.representation.learn([chords()]))


def chords(amount: int = 3000, times: int = 60) -> Score:
    """Music of so many different chords and lengths of time, each of which comes twice at least."""
    rng = np.random.default_rng(0)
    pitches = np.sort(rng.permuted(np.tile(np.arange(36, 84), (amount, 1)), axis=1)[:, :4], axis=1)
    rows, onset = [], 0
    for number, chord in enumerate(np.concatenate([pitches, pitches])):
        duration = (number % times + 1) * TICKS_PER_QUARTER // 24
        rows += [(onset, duration, int(pitch), 80, 0) for pitch in chord]
        onset += duration
    return Score.from_notes(rows, parts=(Part(),))


def training(seed: str, seconds: float, threads: int, precision: str) -> Side:
    """A chunk of training steps of the preset: the network's, the loss's and the optimiser's, without Lightning."""
    torch.manual_seed(0)
    ours, job = preset(seed), JOBS[seed]
    learner = Learner(build(ours.network, *columns(ours.representation)).train(), ours.recipe)
    learner.log = lambda *_, **__: None  # there is no trainer to tell
    optimizer = learner.configure_optimizers()
    optimizer = optimizer["optimizer"] if isinstance(optimizer, dict) else optimizer
    batches = made_up(ours.representation, job)
    half = precision == "bf16-mixed"

    def step(number: int) -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = learner.training_step(batches[number % READY], number)
        optimizer.zero_grad()
        loss.backward()
        if ours.recipe.clip:
            torch.nn.utils.clip_grad_norm_(learner.parameters(), ours.recipe.clip)
        optimizer.step()

    def chunk() -> Figures:
        torch.set_num_threads(threads)
        began, cpu = time.perf_counter(), time.process_time()
        for steps in count(1):
            step(steps)
            if (spent := time.perf_counter() - began) >= seconds:
                done = {"steps": steps, "windows": steps * job.batch_size}
                done["targets"] = done["windows"] * job.window
                return {"seconds": spent, "cpu": time.process_time() - cpu, **done}

    for number in range(WARM):
        step(number)
    return chunk


def made_up(representation, job: Job) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Batches of random steps: inputs (batch, time, columns), targets (batch, time, columns of the fields)."""
    rng = np.random.default_rng(0)
    shape = READY, job.batch_size, job.window

    def column(field) -> np.ndarray:
        if field.kind == "multi-hot":
            return (rng.random((*shape, field.size)) < 0.04).astype(np.int64)
        return rng.integers(0, field.size if field.kind == "categorical" else field.grid, (*shape, 1))

    shown, targets = (np.concatenate([column(field) for field in representation.fields], axis=-1) for _ in range(2))
    told = [rng.integers(0, condition.size, (*shape, 1)) for condition in representation.conditions]
    inputs = np.concatenate([shown, *told], axis=-1)
    return [(torch.from_numpy(x), torch.from_numpy(y)) for x, y in zip(inputs, targets, strict=True)]


@contextmanager
def untrained(seed: str):
    """The preset's network as a bundle, with fresh weights."""
    torch.manual_seed(0)
    ours = preset(seed)
    with tempfile.TemporaryDirectory() as folder:
        network = build(ours.network, *columns(ours.representation))
        export(network, ours.network, ours.representation, Path(folder), {"name": ours.name, "preset": ours.name})
        yield load(folder)


def writing(bundle, seed: str, pieces: int, seconds: float) -> Side:
    """A chunk of pieces, ``pieces`` side by side, each of as many steps as the seed's, after as many."""
    model, representation, job = Runtime(bundle, threads=1), bundle.representation, JOBS[seed]
    filters = Filters(**preset(seed).sampling)
    length = job.bars * 4 * TICKS_PER_QUARTER
    plan = representation.plan(Score(np.empty(0, dtype=NOTE), meters=(Meter(0, 4, 4),), length_ticks=length))
    takes = count()

    def written(amount: int, prompt: np.ndarray | None):
        take = next(takes)
        rngs = [np.random.default_rng([take, piece]) for piece in range(pieces)]
        return islice(stream(model, representation, plan, rngs, filters=filters, prompt=prompt), amount)

    prompt = np.stack([decision.values[0] for decision in written(job.given, None)])

    def chunk() -> Figures:
        units, began, cpu = 0, time.perf_counter(), time.process_time()
        while (spent := time.perf_counter() - began) < seconds:
            for decision in written(job.written, prompt):
                units += pieces if decision.over is None else int((~decision.over).sum())
        return {"seconds": spent, "cpu": time.process_time() - cpu, "units": units}

    chunk()
    return chunk


# -- the two beside each other --------------------------------------------------------------------------------------


def in_turn(sides: dict[str, Side], rounds: int) -> list[dict[str, Figures]]:
    return [{name: side() for name, side in sides.items()} for _ in range(rounds)]


def rates(rows: list[dict[str, Figures]], side: str, what: str, clock: str = "seconds") -> list[float]:
    return [row[side][what] / row[side][clock] for row in rows]


def spread(values: list[float], digits: int = 1) -> list[float]:
    """Median, least, most."""
    return [round(value, digits) for value in (statistics.median(values), min(values), max(values))]


def ratio(rows: list[dict[str, Figures]], ours: str, theirs: str, what: str, clock: str = "seconds") -> list[float]:
    pairs = zip(rates(rows, ours, what, clock), rates(rows, theirs, what, clock), strict=True)
    return spread([mine / other for mine, other in pairs], 2)


def compare_training(seed: str, python: str | None, options: argparse.Namespace) -> dict:
    sides, job = {}, JOBS[seed]
    figures = {"windows_a_step": job.batch_size, "steps_a_window": job.window, "threads": options.threads}
    with ExitStack() as stack:
        if python:
            said, sides["keras"] = stack.enter_context(keras(python, seed, "train", options.seconds, options.threads))
            figures["keras_parameters"] = said["parameters"]
        if known(seed):
            own = preset(seed).recipe.precision
            precision = options.precision or own
            sides["kantor"] = training(seed, options.seconds, options.threads, precision)
            figures |= {"kantor_parameters": preset(seed).parameters, "precision": precision, "preset_precision": own}
        rows = in_turn(sides, options.rounds)
    for side in sides:
        figures[f"{side}_ms_a_step"] = spread([1000 / rate for rate in rates(rows, side, "steps")])
        figures[f"{side}_cpu_ms_a_step"] = spread([1000 / rate for rate in rates(rows, side, "steps", "cpu")])
        for what in ("windows", "targets"):
            figures[f"{side}_{what}_a_second"] = spread(rates(rows, side, what))
    if len(sides) == 2:
        for what in ("windows", "targets"):
            figures[f"ratio_of_{what}"] = ratio(rows, "kantor", "keras", what)
        figures["ratio_of_windows_by_cpu"] = ratio(rows, "kantor", "keras", "windows", "cpu")
    return {**figures, "bar_of_windows": job.training_bar}


def compare_generating(seed: str, python: str | None, options: argparse.Namespace) -> dict:
    sides, job = {}, JOBS[seed]
    figures = {"unit": job.unit, "given": job.given, "written": job.written}
    with ExitStack() as stack:
        for name, threads in (("keras", 0), ("keras_one_thread", 1)) if python else ():
            _, sides[name] = stack.enter_context(keras(python, seed, "generate", options.seconds, threads))
        if known(seed):
            bundle = stack.enter_context(untrained(seed))
            sides["kantor"] = writing(bundle, seed, 1, options.seconds / 2)
            sides["kantor_16_side_by_side"] = writing(bundle, seed, MANY, options.seconds / 2)
        rows = in_turn(sides, options.rounds)
    for side in sides:
        figures[f"{side}_a_second"] = spread(rates(rows, side, "units"))
        figures[f"{side}_cpu_ms_a_{job.unit}"] = spread([1000 / rate for rate in rates(rows, side, "units", "cpu")], 3)
    for ours in (side for side in sides if "kantor" in side and python):
        for theirs in ("keras", "keras_one_thread"):
            figures[f"ratio_{ours}_over_{theirs}"] = ratio(rows, ours, theirs, "units")
        figures[f"ratio_{ours}_over_keras_one_thread_by_cpu"] = ratio(rows, ours, "keras_one_thread", "units", "cpu")
    return {**figures, "bar": job.generating_bar}


# -- the table ------------------------------------------------------------------------------------------------------

HEADS = ("seed", "precision", "windows", "by processor", "targets", "bar", "written", "one thread", "16 pieces", "bar")
FOOT = """\
How many times as much Kantor does in a second as the seed's Keras program: median (least .. most) of the rounds.
precision     of Kantor's products in training; Keras's are float32. * overrides the preset's own.
windows       training windows read a second, of equal length; "by processor": by processor seconds, not the clock's.
targets       what is learned from them: a prediction and its loss. In seed 000 the Keras program has a target at every
              position, 131 of them a window, as Kantor does, so the two readings agree. In 001 to 004 it reads a window
              and learns the one note (event, frame) behind it, Kantor one at every position: targets are windows times
              the window's length (100, 64, 25, 50). Neither is the whole truth: Kantor's targets of one window
              share most of their past, and their early ones have little of it.
written       notes, events or frames a second of one piece, Keras on the threads it likes; then Keras on one thread;
              then sixteen pieces of Kantor's side by side against one of Keras's on the threads it likes.
bar           what is aimed at: of the windows, and of what is written, by the clock."""


def table(rows: list[dict]) -> str:
    """Both readings of the training, and the writing, a line a seed."""
    by_seed: dict[str, dict[str, dict]] = {}
    for row in rows:
        by_seed.setdefault(row["seed"], {})[row["what"]] = row
    lines = [
        HEADS,
        *(_line(seed, found.get("train", {}), found.get("generate", {})) for seed, found in by_seed.items()),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([*texts, "", FOOT])


def _line(seed: str, train: dict, generate: dict) -> tuple[str, ...]:
    precision = train.get("precision", "-")
    precision += "*" if precision != train.get("preset_precision", precision) else ""
    learned = (train.get(f"ratio_of_{what}") for what in ("windows", "windows_by_cpu", "targets"))
    pairs = ("kantor_over_keras", "kantor_over_keras_one_thread", "kantor_16_side_by_side_over_keras")
    made = (generate.get(f"ratio_{pair}") for pair in pairs)
    bars = (f"{row[name]:g}" if name in row else "-" for row, name in ((train, "bar_of_windows"), (generate, "bar")))
    return (seed, precision, *map(_ratio, learned), next(bars), *map(_ratio, made), next(bars))


def _ratio(found: list[float] | None) -> str:
    if found is None:
        return "-"
    middle, least, most = (f"{value:,.0f}" if value >= 100 else f"{value:.2f}" for value in found)
    return f"{middle} ({least} .. {most})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keras-python", default=os.environ.get("KANTOR_KERAS_PYTHON", ".venv-keras/bin/python"))
    parser.add_argument("--only", choices=JOBS, action="append", help="a seed; may be given again")
    parser.add_argument("--what", choices=["train", "generate"], action="append", help="may be given again")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a chunk lasts, at least")
    parser.add_argument("--threads", type=int, default=2, help="of a training, on both sides")
    parser.add_argument(
        "--precision", choices=CHOICES["precision"], help="of our training; the preset's own unless given"
    )
    parser.add_argument("--table", action="store_true", help="end with a table of both readings, windows and targets")
    options = parser.parse_args()
    python = options.keras_python if Path(options.keras_python).exists() else None
    if python is None:
        print(HOW_TO.format(python=options.keras_python))
    compare = {"train": compare_training, "generate": compare_generating}
    rows = []
    for seed in options.only or JOBS:
        for what in options.what or compare:
            if python or known(seed):
                row = {"benchmark": "seeds", "seed": seed, "what": what, **compare[what](seed, python, options)}
                print(json.dumps(row), flush=True)
                rows.append(row)
    if options.table:
        print(f"\n{table(rows)}")


if __name__ == "__main__":
    main()
