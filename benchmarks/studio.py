"""Many live streams at once on loopback: how late notes come, what a slow reader does, how much memory it takes.

    python -m benchmarks.studio [--streams 100] [--bars 32] [--within 5] [--engrave]

Each stream is a page that plays in real time: it begins to play when the first beat has come, tells its playhead every
beat, and turns a slider every eight bars. A note is late by how long after its own moment it arrives. One reader in
twenty does not read at all. With ``--engrave`` each page has its piece engraved every four bars, as the studio's own
does meanwhile. Prints one JSON object; the server runs as users run it, in processes of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import websockets

TEMPO = 90
TICKS = 480 * TEMPO / 60  # a second
SENT = ("part", "pitch", "onset", "duration", "velocity")


@dataclass
class Heard:
    """What a stream has seen."""

    first: float = 0.0  # seconds from start to the first notes
    lateness: list[float] = field(default_factory=list)  # seconds, of each note when it came first
    done: bool = False
    turned: int = 0
    notes: dict[int, dict[str, int]] = field(default_factory=dict)  # as they are known, by id
    engraved: list[float] = field(default_factory=list)  # seconds that each engraving took


async def page(address: str, seed: int, bars: int, wait: float, engrave: bool = False) -> Heard:
    """Play one piece."""
    heard = Heard()
    await asyncio.sleep(wait)
    async with websockets.connect(address, max_size=2**24, compression=None) as socket:
        start = {"type": "start", "model": "chorale", "bars": bars, "meter": "4/4", "pickup": 0.0}
        begun = time.perf_counter()
        await socket.send(json.dumps({**start, "tempo": TEMPO, "seed": seed}))
        playing, seen = 0.0, set()
        telling = None
        async for text in socket:
            now = time.perf_counter()
            message = json.loads(text)
            if message["type"] == "notes":
                if not playing:
                    heard.first, playing = now - begun, now
                    telling = asyncio.create_task(tell(socket, playing, heard, address if engrave else ""))
                for note in message["notes"]:
                    heard.notes[note["id"]] = {name: note[name] for name in SENT}
                    if note["id"] not in seen:
                        seen.add(note["id"])
                        heard.lateness.append(max(now - playing - note["onset"] / TICKS, 0.0))
            elif message["type"] == "done":
                heard.done = True
                break
            elif message["type"] == "error":
                raise RuntimeError(message["text"])
        if telling:
            telling.cancel()
    return heard


async def tell(socket: websockets.ClientConnection, playing: float, heard: Heard, engraver: str = "") -> None:
    """Tell the playhead every beat, turn a slider every eight bars, and have the piece engraved every four."""
    beat, engraving = 0, None
    while True:
        beat += 1
        await asyncio.sleep(max(playing + beat * 60 / TEMPO - time.perf_counter(), 0))
        tick = int((time.perf_counter() - playing) * TICKS)
        await socket.send(json.dumps({"type": "played", "tick": tick, "scheduled": tick + int(TICKS)}))
        if beat % 32 == 0:
            heard.turned += 1
            await socket.send(json.dumps({"type": "turn", "temperature": 0.8 + 0.1 * (heard.turned % 4)}))
        if engraver and beat % 16 == 0 and (engraving is None or engraving.done()):
            engraving = asyncio.create_task(asyncio.to_thread(engraved, engraver, heard))


def engraved(address: str, heard: Heard) -> None:
    """Have what is there engraved; a studio that is busy says so, which is no fault."""
    body = json.dumps({"score": {"notes": list(heard.notes.values())}}).encode()
    where = address.replace("ws://", "http://").replace("/api/live", "/api/engrave")
    begun = time.perf_counter()
    try:
        asked = urllib.request.Request(where, body, {"Content-Type": "application/json"})
        urllib.request.urlopen(asked).read()
    except urllib.error.HTTPError as error:
        if error.code != 503:
            raise
    else:
        heard.engraved.append(time.perf_counter() - begun)


async def sleeper(address: str, seconds: float) -> None:
    """A page that asks for much and reads nothing."""
    async with websockets.connect(address, max_queue=1, compression=None, ping_interval=None) as socket:
        await socket.send(json.dumps({"type": "start", "bars": 1000}))
        socket.transport.pause_reading()
        for tick in range(10_000):
            await asyncio.sleep(seconds / 10_000)
            try:
                await socket.send(json.dumps({"type": "played", "tick": tick * 1920}))
            except websockets.ConnectionClosed:
                return


def worked(process: int) -> float:
    """Seconds that a process and its children have computed."""
    total = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if process in (int(path.parent.name), int(fields[1])):
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(process: int) -> float:
    """MiB that a process and its children hold."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(re.search(r"PPid:\s+(\d+)", (path / "status").read_text())[1])
            if int(path.name) == process or parent == process:
                kib = re.search(r"^Pss:\s+(\d+)", (path / "smaps_rollup").read_text(), re.MULTILINE)
                total += int(kib[1]) / 1024
        except (OSError, TypeError):
            continue
    return total


async def measure(
    address: str, process: int, streams: int, bars: int, within: float, engrave: bool
) -> dict[str, object]:
    """All streams, and what came of them."""
    seconds = bars * 4 * 60 / TEMPO + within
    asleep = [asyncio.create_task(sleeper(address, seconds)) for _ in range(streams // 20)]
    playing = [
        asyncio.create_task(page(address, seed, bars, within * seed / streams, engrave)) for seed in range(streams)
    ]
    held, before = [], worked(process)
    while not all(task.done() for task in playing):
        held.append(memory(process))
        await asyncio.sleep(5)
    heard = [task.result() for task in playing]
    for task in asleep:
        task.cancel()
    late = np.concatenate([np.array(one.lateness) for one in heard]) * 1000
    first = np.array([one.first for one in heard]) * 1000
    pictures = np.array([seconds for one in heard for seconds in one.engraved])
    return {
        "streams": streams,
        "finished": sum(one.done for one in heard),
        "slow_readers": len(asleep),
        "notes": len(late),
        "late_p50_ms": round(float(np.percentile(late, 50)), 1),
        "late_p99_ms": round(float(np.percentile(late, 99)), 1),
        "late_max_ms": round(float(late.max()), 1),
        "first_notes_p50_ms": round(float(np.percentile(first, 50))),
        "first_notes_p99_ms": round(float(np.percentile(first, 99))),
        "engraved": len(pictures),
        "engraved_p50_s": round(float(np.median(pictures)), 2) if len(pictures) else None,
        "memory_first_mib": round(held[0]),
        "memory_most_mib": round(max(held)),
        "memory_last_mib": round(held[-1]),
        # how many cores like this one the streams need: it holds on a busy machine as well
        "cores_needed": round((worked(process) - before) / (bars * 4 * 60 / TEMPO), 2),
        "cores": len(os.sched_getaffinity(0)),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--bars", type=int, default=32)
    parser.add_argument("--within", type=float, default=5.0, help="seconds over which streams begin")
    parser.add_argument("--warm", type=float, default=8.0, help="seconds that the server is given before")
    parser.add_argument("--engrave", action="store_true", help="have the pieces engraved meanwhile")
    chosen = parser.parse_args()
    command = [sys.executable, "-m", "kantor.cli", "studio", "--port", "0", "--no-browser"]
    command = [str(Path(sys.executable).with_name("kantor")), *command[3:]]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = re.search(r"http://(\S+?)/", server.stdout.readline())[1]
            time.sleep(chosen.warm)
            live = f"ws://{address}/api/live"
            found = measure(live, server.pid, chosen.streams, chosen.bars, chosen.within, chosen.engrave)
            print(json.dumps(asyncio.run(found), indent=2))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
