"""Do the published figures of the chorales come out of the metrics, and what tells generated chorales from Bach's?

    python -m experiments.table_of_chorales DATA [-o table.json]

DATA holds ``jsb/train`` and ``jsb/valid`` (CSV grids) and ``js-fakes-16thSeparated.npz`` (JS Fakes: 500 chorales of a neural
model, CC BY 4.0). Printed: each figure of each set with its interval of 95 % (bootstrap over pieces); then what valid and
the generated chorales have against train: Frechet distance, two-sample test, and the figures that gave them away.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np

from kantor.evaluation.features import hear_set
from kantor.evaluation.sets import against, estimates
from kantor.io import load
from kantor.io.grid_csv import read


def grids(folder):
    return [(path.name, load(path)) for path in sorted(folder.glob("*.csv"))]


def fakes(path):
    """An archive of objects: trusted here because its SHA-256 is known to whoever runs this; Kantor itself unpickles nothing."""
    archive = np.load(path, allow_pickle=True, encoding="latin1")
    for number, grid in enumerate(archive[archive.files[0]]):
        cells = np.maximum(np.nan_to_num(np.asarray(grid, dtype=float)).astype(int), 0)
        lines = ["note0,note1,note2,note3", *(",".join(map(str, row)) for row in cells.tolist())]
        yield f"fake {number}", read("\n".join(lines).encode(), "fake")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    sets = {split: grids(arguments.data / "jsb" / split) for split in ("train", "valid")}
    sets["fakes"] = list(fakes(arguments.data / "js-fakes-16thSeparated.npz"))
    began = time.process_time()
    heard = {name: hear_set(pieces) for name, pieces in sets.items()}
    seconds = (time.process_time() - began) / sum(map(len, heard.values()))
    print(f"{1000 * seconds:.1f} ms of processor a piece\n\n{'figure':32}" + "".join(f"{name:>30}" for name in heard))
    found = {name: estimates(pieces) for name, pieces in heard.items()}
    for figure in found["train"]:
        row = [found[name][figure] for name in heard]
        print(f"{figure:32}" + "".join(f"{e.value:12.4f} [{e.low:7.3f} {e.high:7.3f}]" for e in row))
    pairs = {name: against(heard[name], heard["train"]) for name in ("valid", "fakes")}
    for name, pair in pairs.items():
        test = pair.two_sample
        print(
            f"\n{name} against train: Frechet {pair.frechet:.2f} (as many pieces of train {pair.frechet_within:.2f}), ",
            end="",
        )
        print(f"told apart {test.accuracy:.3f} [{test.low:.3f} {test.high:.3f}] by")
        for one in test.telltales[:10]:
            print(f"  {one.name:32} {one.share:.3f}  {one.first:.3f} against {one.second:.3f}")
    if arguments.output:
        whole = {name: {figure: asdict(e) for figure, e in figures.items()} for name, figures in found.items()}
        arguments.output.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
