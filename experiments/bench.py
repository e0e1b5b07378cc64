"""Train and score a preset, or variants of it, on one budget, some seeds each; the table goes into the log.

    python -m experiments.bench jsb --data GRIDS --minutes 10 --seeds 3 --set dropout=0.2,0.3 --ask "How much dropout?"

Each variant is trained once for each seed, every training for so many minutes (or, for figures that can be repeated,
`--epochs`), on the train split of GRIDS, and judged on valid, protocol *whole*. What is trained already in `--out` is not
trained again, so a bench that was broken off goes on. A training that fails is a row that says so. With `--ask` the entry
is written to the end of experiments/LOG.md, its verdict left to whoever reads the numbers.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shlex
import statistics
import sys
import time
from itertools import product
from pathlib import Path

import numpy as np

import kantor
from kantor import registry
from kantor.bundle import CARD
from kantor.errors import KantorError
from kantor.runtime import Runtime
from kantor.sampling.stream import stream
from kantor.verbs.train import train
from kantor.verbs.variants import split_settings

LOG = Path(__file__).parent / "LOG.md"
BARS = 16
COLUMNS = ("variant", "parameters", "valid, nats a note", "accuracy", "epochs", "minutes", "steps a second, one stream")


def trained(preset: str, settings: dict[str, str], seed: int, folder: Path, arguments: argparse.Namespace):
    """The card of a training; from its folder where it has been done."""
    if not (folder / CARD).exists():
        options = {"data": arguments.data, "corpus": arguments.corpus, "out": folder, "seed": seed}
        budget = {"max_minutes": arguments.minutes, "max_epochs": arguments.epochs}
        train(preset, settings=settings, **options, **{name: value for name, value in budget.items() if value})
    return json.loads((folder / CARD).read_text())


def steps_a_second(folder: Path) -> float:
    """Of one stream of 16 bars, the best of three."""
    bundle = kantor.load(folder)
    model, known = Runtime(bundle), bundle.representation
    music = kantor.Score.from_notes([], length_ticks=BARS * 4 * 480)
    plan = known.plan(music)
    found = []
    for _ in range(3):
        began = time.process_time()
        steps = sum(1 for _ in stream(model, known, plan, [np.random.default_rng(0)], notes=400))
        found.append(steps / (time.process_time() - began))
    return max(found)


def row(preset: str, settings: dict[str, str], label: str, arguments: argparse.Namespace) -> list[str]:
    """One variant: the mean over its seeds, and their standard deviation where there are several."""
    cards, folders = [], []
    for seed in range(arguments.seeds):
        folder = arguments.out / preset / f"{label or 'as it is'},seed={seed}"
        try:
            cards.append(trained(preset, settings, seed, folder, arguments))
        except KantorError as error:
            return [label, f"failed: {error}", *[""] * (len(COLUMNS) - 2)]
        folders.append(folder)
    whole = [card["metrics"]["whole"] for card in cards]
    nats = [figures["nats_per_note"] for figures in whole]
    spread = f" ± {statistics.stdev(nats):.4f}" if len(nats) > 1 else ""
    accuracy = [figures["accuracy"] for figures in whole if figures.get("accuracy") is not None]
    history = [card["training"] for card in cards]
    return [
        label or "as it is",
        f"{cards[0]['parameters']:,}",
        f"{statistics.mean(nats):.4f}{spread}",
        f"{statistics.mean(accuracy):.4f}" if accuracy else "",
        ", ".join(str(one["epochs"]) for one in history),
        f"{statistics.mean(one['minutes'] for one in history):.1f}",
        f"{steps_a_second(folders[0]):,.0f}",
    ]


def table(rows: list[list[str]]) -> str:
    """As Markdown."""
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="+")
    parser.add_argument("--data")
    parser.add_argument("--corpus")
    parser.add_argument("--set", action="append", default=[], dest="settings", metavar="NAME=a,b,c")
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/bench"))
    parser.add_argument("--ask", help="the question; the entry is then written to the log")
    arguments = parser.parse_args()
    rows = []
    for preset in arguments.presets:
        registry.part("presets", preset)
        single, several = split_settings(preset, dict(text.split("=", 1) for text in arguments.settings))
        for values in product(*several.values()):
            varied = dict(zip(several, values, strict=True))
            label = ", ".join([preset] * (len(arguments.presets) > 1) + [f"{k}={v}" for k, v in varied.items()])
            rows.append(row(preset, single | varied, label, arguments))
            print(table(rows), flush=True)
    if arguments.ask:
        command = f"python -m experiments.bench {shlex.join(sys.argv[1:])}"
        entry = f"\n## {datetime.date.today()} {arguments.ask}\n\n**Command.** `{command}`\n\n{table(rows)}\n"
        with LOG.open("a") as log:
            log.write(entry)


if __name__ == "__main__":
    main()
