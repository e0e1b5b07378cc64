"""Three voices to each soprano of a folder of grids: is the melody kept, are the rules, does it move as Bach does?

    python -m experiments.harmonize_valid FOLDER [--model chorale-infill] [--pieces 0] [--windows 200] [--rules none]

With OMP_NUM_THREADS=1, seconds are those of one core. Everything is checked on plain grids of MIDI numbers (0: silence), by loops that share nothing with the masks; on some
pieces music21's VoiceLeadingQuartet counts the parallels again. A *moving pair* is two voices that both change from one
pitch to another between two sixteenths. Compared with Bach: moving pairs; the share of cells of alto, tenor and bass
that are his; the share of quarters whose set of pitch classes is his. Then so many random windows (some voices, some
bars) are filled anew: nothing outside may change.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import combinations
from pathlib import Path

import numpy as np

from kantor import io
from kantor.errors import KantorError
from kantor.score import VOICES
from kantor.verbs._filling import two_sided
from kantor.verbs.harmonize import harmonize
from kantor.verbs.infill import infill

RANGES = [(57, 81), (53, 74), (48, 69), (36, 64)]


def grid_of(score) -> list[list[int]]:
    """(frames, voices) MIDI numbers at every sixteenth, 0 for silence."""
    tick = score.ticks_per_quarter // 4
    grid = [[0] * len(score.parts) for _ in range(score.length_ticks // tick)]
    for note in score.notes:
        for frame in range(int(note["onset"]) // tick, int(note["onset"] + note["duration"]) // tick):
            grid[frame][int(note["part"])] = int(note["pitch"])
    return grid


def motions(grid):
    """(frame, upper, lower) of every moving pair."""
    for frame in range(1, len(grid)):
        for a, b in combinations(range(4), 2):
            before, now = (grid[frame - 1][a], grid[frame - 1][b]), (grid[frame][a], grid[frame][b])
            if 0 not in (*before, *now) and before[0] != now[0] and before[1] != now[1]:
                yield frame, a, b


def parallels(grid, interval: int) -> int:
    """How often a moving pair goes from this interval (7 or 0, octaves apart) to itself."""
    found = 0
    for frame, a, b in motions(grid):
        before, now = grid[frame - 1], grid[frame]
        found += abs(before[a] - before[b]) % 12 == abs(now[a] - now[b]) % 12 == interval
    return found


def parallels_by_music21(grid) -> int:
    """The same, as music21 has it: fifths, octaves and unisons."""
    from music21.note import Note
    from music21.voiceLeading import VoiceLeadingQuartet

    found = 0
    for frame, a, b in motions(grid):
        notes = [Note(grid[at][voice]) for voice in (a, b) for at in (frame - 1, frame)]
        quartet = VoiceLeadingQuartet(*notes)
        apart = [abs(grid[at][a] - grid[at][b]) % 12 for at in (frame - 1, frame)]
        perfect = apart[0] == apart[1] and apart[0] in (0, 7)
        contrary = perfect and not (quartet.similarMotion() or quartet.parallelMotion())
        found += contrary or quartet.parallelFifth() or quartet.parallelUnisonOrOctave()
    return found


def crossings(grid) -> int:
    """Frames and pairs in which the lower voice sounds above the upper one."""
    found = 0
    for row in grid:
        for a, b in combinations(range(4), 2):
            found += 0 not in (row[a], row[b]) and row[b] > row[a]
    return found


def outside(grid, ranges) -> int:
    """Cells of the lower voices beyond their ranges."""
    return sum(bool(row[v]) and not ranges[v][0] <= row[v] <= ranges[v][1] for row in grid for v in (1, 2, 3))


def faults(grid) -> dict[str, int]:
    return {"fifths": parallels(grid, 7), "octaves": parallels(grid, 0), "crossings": crossings(grid)}


def set_of(row) -> frozenset[int]:
    return frozenset(pitch % 12 for pitch in row if pitch)


def harmonised(files, bundle, options, sampled: int):
    """The figures of all pieces together."""
    sums: dict[str, float] = {}
    times, costs, nats = [], [], []

    def add(name, value) -> None:
        sums[name] = sums.get(name, 0) + value

    for number, file in enumerate(files):
        bach = io.load(file)
        soprano = bach.replace(notes=bach.notes[bach.notes["part"] == 0], parts=bach.parts[:1])
        began = time.process_time()  # of one core, whoever else is at work
        try:
            piece = harmonize(soprano, bundle, seed=number, **options)[0]
        except KantorError as error:
            add("refused", 1)
            print(f"{file.name}: {error}")
            continue
        times.append(time.process_time() - began)
        costs.append(piece.rules_cost)
        nats.append(piece.nats_per_note)
        own, given = grid_of(piece.score), grid_of(bach)
        add("soprano_changed", [row[0] for row in own] != [row[0] for row in given])
        add("frames_changed", len(own) != len(given))
        add("frames", len(own))
        add("outside_ranges", outside(own, bundle.card.get("ranges") or RANGES))
        add("rests", sum(row[v] == 0 for row in own for v in (1, 2, 3)))
        add("moving", sum(1 for _ in motions(own)))
        add("moving_bach", sum(1 for _ in motions(given)))
        for name, count in faults(own).items():
            add(name, count)
            add(f"{name}_bach", faults(given)[name])
        if number < sampled:
            add("parallels_by_music21", parallels_by_music21(own))
        add("dead_ends", piece.dead_ends)
        add("same_cells", sum(x[v] == y[v] for x, y in zip(own, given, strict=True) for v in (1, 2, 3)))
        beats = list(zip(own, given, strict=True))[::4]
        add("beats", len(beats))
        add("same_chords", sum(set_of(x) == set_of(y) for x, y in beats))
        add("onsets", sum(own[f][v] != own[f - 1][v] for f in range(1, len(own)) for v in (1, 2, 3)))
        add("onsets_bach", sum(given[f][v] != given[f - 1][v] for f in range(1, len(own)) for v in (1, 2, 3)))
    cells = 3 * sums["frames"]
    report = {"pieces": len(times), "refused": int(sums.get("refused", 0))}
    report |= {name: int(sums[name]) for name in ("soprano_changed", "frames_changed", "outside_ranges")}
    report |= {"rests_share": sums["rests"] / cells}
    for name in ("fifths", "octaves", "crossings"):
        report[name] = int(sums[name])
        report[f"{name}_per_1000_moving_pairs"] = 1000 * sums[name] / sums["moving"]
        report[f"{name}_per_1000_moving_pairs_bach"] = 1000 * sums[f"{name}_bach"] / sums["moving_bach"]
    report |= {
        "parallels_by_music21": int(sums.get("parallels_by_music21", 0)),
        "moving_pairs_of_bach": sums["moving"] / sums["moving_bach"],
        "changes_of_bach": sums["onsets"] / sums["onsets_bach"],
        "seconds_mean": float(np.mean(times)),
        "seconds_max": float(np.max(times)),
        "rules_cost_nats": float(np.mean(costs)),
        "nats_pseudo": float(np.mean(nats)),
        "dead_ends_per_1000_cells": 1000 * sums["dead_ends"] / cells,
        "same_cells": sums["same_cells"] / cells,
        "same_chords_on_beats": sums["same_chords"] / sums["beats"],
    }
    return report


def windows(files, bundle, options, count: int):
    """Random windows filled anew: how many changed anything outside, and how many were refused."""
    rng = np.random.default_rng(0)
    changed = refused = different = 0
    for number in range(count):
        bach = io.load(files[int(rng.integers(len(files)))])
        voices = sorted(rng.choice(4, size=int(rng.integers(1, 5)), replace=False).tolist())
        first = int(rng.integers(1, len(bach.bars) + 1))
        last = int(rng.integers(first, min(first + 4, len(bach.bars) + 1)))
        try:
            names = [VOICES[voice] for voice in voices]
            piece = infill(bach, bundle, voices=names, bars=(first, last), seed=number, **options)[0]
        except KantorError as error:
            refused += 1
            print(f"window {number}: {error}")
            continue
        own, given = grid_of(piece.score), grid_of(bach)
        begin, end = (first - 1) * 16, last * 16
        same = all(
            own[f][v] == given[f][v]
            for f in range(len(given))
            for v in range(4)
            if not (begin <= f < end and v in voices)
        )
        changed += not (same and len(own) == len(given))
        different += own != given
    return {"windows": count, "changed_outside": changed, "refused": refused, "different_inside": different}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="chorale-infill")
    parser.add_argument("--pieces", type=int, default=0, help="only so many")
    parser.add_argument("--windows", type=int, default=200)
    parser.add_argument("--sampled", type=int, default=5, help="pieces that music21 looks at too")
    parser.add_argument("--rules", nargs="*", default=[])
    parser.add_argument("--sweeps", type=int)
    parser.add_argument("--temperature", type=float)
    parser.add_argument("--top-p", type=float)
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.csv"))
    files = files[: arguments.pieces] if arguments.pieces else files
    bundle = two_sided(arguments.model)
    options = {"rules": arguments.rules, "sweeps": arguments.sweeps}
    options |= {"temperature": arguments.temperature, "top_p": arguments.top_p}
    print(json.dumps(harmonised(files, bundle, options, arguments.sampled), indent=1))
    if arguments.windows:
        print(json.dumps(windows(files, bundle, options, arguments.windows)))


if __name__ == "__main__":
    main()
