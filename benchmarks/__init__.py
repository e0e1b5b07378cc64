"""Speed and memory, each file one question; run all with ``make bench``, one with ``python -m benchmarks.NAME``."""
