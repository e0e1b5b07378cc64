"""How long a folder of music takes to be read, split and cut into windows, and how much memory that needs.

    python -m benchmarks.ingest FOLDER [--preset notes]

Each part is timed in a fresh process, so that the peak of memory is its own.
"""

from __future__ import annotations

import argparse
import resource
import time
import warnings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--preset", default="notes")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")

    began = time.perf_counter()
    from kantor import corpora, registry

    corpus = corpora.Folder(arguments.folder, progress=False)
    read = time.perf_counter()
    print(f"read and split {read - began:6.1f} s: {len(corpus)} pieces {corpus.counts}, {len(corpus.report)} left out")

    from kantor.data.batches import Pieces
    from kantor.errors import InputError

    preset = registry.part("presets", arguments.preset)
    kept = []
    for piece in corpus.pieces("train"):
        try:
            kept.append(preset.representation.canonical(piece.score))
        except InputError:
            continue
    loaded = time.perf_counter()
    pieces = Pieces(kept, preset.representation, preset.recipe.batch_size, window=preset.recipe.window)
    cut = time.perf_counter()
    print(f"importing torch, canonical {loaded - read:6.1f} s; windows {cut - loaded:6.1f} s: {len(pieces.spans)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"together {cut - began:6.1f} s, peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    main()
