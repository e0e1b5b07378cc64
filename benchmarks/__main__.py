"""Run every benchmark of this folder, one after the other."""

import pkgutil
import subprocess
import sys

import benchmarks

for module in pkgutil.iter_modules(benchmarks.__path__):
    if module.name != "__main__":
        subprocess.run([sys.executable, "-m", f"benchmarks.{module.name}"], check=True)
