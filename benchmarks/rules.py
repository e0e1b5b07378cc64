"""Question: what does a rule cost, and how much slower is a stream that keeps five of them?

For each rule: microseconds for one decision of a chorale, judged for all its classes at once in a window as long as the
rule asks for, the median over the decisions of a bar. Bar: 25 microseconds a rule. Then the stream: cells a second
with five hard rules over those without. Both are taken in turn, so that a busy machine slows them alike.
"""

import argparse
import json
import statistics
import time

import numpy as np

from kantor import registry
from kantor.bundle import load
from kantor.representations.chorale import Chorale
from kantor.rules import OPEN, View
from kantor.runtime import Runtime
from kantor.sampling.guard import Guard, asked
from kantor.sampling.stream import stream
from kantor.score import Key
from kantor.verbs._compose import pitches_of
from kantor.verbs._plans import plan

FIVE = ("no-parallels", "no-crossing", "range", "in-key=C", "spacing")
GIVEN = {"chords": "I IV V I", "figured-bass": "C F G C"}
STEP, CLASSES = 120, 48


def decisions(frames: int, reach: int, rng: np.random.Generator) -> list[View]:
    """A bar of random decisions: every class in the last frame of a window, the voices after it open."""
    views = []
    for cell in range(64):
        pitch = np.repeat(np.sort(rng.integers(40, 80, (1, 1, reach + 1, 4)))[..., ::-1], CLASSES + 1, axis=1)
        frame, voice = frames - 16 + cell // 4, (0, 3, 1, 2)[cell % 4]
        pitch[:, :, -1, list((0, 3, 1, 2)[cell % 4 :])] = OPEN
        pitch[:, :-1, -1, voice] = np.arange(36, 36 + CLASSES)
        struck = np.zeros(pitch.shape, dtype=bool)
        struck[:, :-1, -1, voice] = True
        views.append(View(pitch, struck, np.arange(frame - reach, frame + 1)[None, None]))
    return views


def microseconds(name: str, drawn, takes: int = 30) -> float:
    """Of one decision."""
    rule = registry.part("rules", name)(*([GIVEN[name]] if name in GIVEN else [])).bound(drawn, STEP)
    views = decisions(drawn.length_ticks // STEP, rule.reach, np.random.default_rng(0))
    times = []
    for _ in range(takes):
        began = time.perf_counter()
        for view in views:
            rule.faults(view)
        times.append((time.perf_counter() - began) / len(views))
    return round(1e6 * statistics.median(times), 1)


def streaming(bundle, bars: int, takes: int) -> dict:
    """Cells a second without rules and with five, taken in turn."""
    model, representation = Runtime(bundle), bundle.representation
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for take in range(takes):
        drawn = plan(bundle, bars, "C", "4/4", 0, np.random.default_rng(take))
        guard = Guard(asked(FIVE), [drawn], STEP, voiced=True)
        for ruled in (False, True):
            began = time.perf_counter()
            rng = np.random.default_rng(take)
            within = pitches_of(bundle)
            for _ in stream(model, representation, drawn, [rng], within=within, guard=guard if ruled else None):
                pass
            seconds[ruled].append(time.perf_counter() - began)
    plain, ruled_ = (bars * 64 / statistics.median(seconds[ruled]) for ruled in (False, True))
    ratio = statistics.median(a / b for a, b in zip(seconds[False], seconds[True], strict=True))
    return {"cells_a_second": round(plain), "with_five_rules": round(ruled_), "ratio": round(ratio, 2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="chorale")
    parser.add_argument("--bars", type=int, default=16)
    parser.add_argument("--takes", type=int, default=5)
    options = parser.parse_args()
    bundle = load(options.model)
    drawn = plan(bundle, 8, "C", "4/4", 0, np.random.default_rng(0)).replace(keys=(Key(0, 0, "major"),))
    drawn = Chorale().plan(drawn)
    each = {name: microseconds(name, drawn) for name in registry.names("rules")}
    figures = {"benchmark": "rules", "microseconds": each, **streaming(bundle, options.bars, options.takes)}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
