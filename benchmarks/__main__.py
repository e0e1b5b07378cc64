"""Run every benchmark of this folder that needs nothing but Kantor, one after the other.

``ingest`` needs a folder of music, ``seeds`` a second environment with Keras; they are run by name.
"""

import pkgutil
import subprocess
import sys

import benchmarks

ASK = ("ingest", "seeds")

for module in pkgutil.iter_modules(benchmarks.__path__):
    if module.name not in ASK and not module.name.startswith("_"):
        subprocess.run([sys.executable, "-m", f"benchmarks.{module.name}"], check=True)
