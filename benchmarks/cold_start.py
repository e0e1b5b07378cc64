"""Question: how long from an empty process to a file on disk? Bar: under 2 seconds, for the 16 bars of `make demo`.

Whole processes, one after the other; the median of the wall-clock seconds, beside those of an interpreter that does
nothing but import NumPy and ONNX Runtime.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RUNS = 7


def seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    kantor = str(Path(sys.executable).with_name("kantor"))
    with tempfile.TemporaryDirectory() as folder:
        ours = [kantor, "generate", "--bars", "16", "--seed", "1", "-o", f"{folder}/piece.mid", "--force"]
        bare = [sys.executable, "-c", "import numpy, onnxruntime"]
        pairs = [(seconds(ours), seconds(bare)) for _ in range(RUNS + 1)][1:]
    print(
        json.dumps(
            {
                "benchmark": "cold_start",
                "seconds_to_file": round(statistics.median(own for own, _ in pairs), 2),
                "seconds_of_imports_alone": round(statistics.median(other for _, other in pairs), 2),
                "bar_seconds": 2.0,
            }
        )
    )


if __name__ == "__main__":
    main()
