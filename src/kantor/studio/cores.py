"""How many cores this process may keep busy: a container is often given less than the machine has."""

from __future__ import annotations

import math
import os
from pathlib import Path

__all__ = ["cores"]

CGROUP = Path("/sys/fs/cgroup")


def cores(cgroup: Path = CGROUP) -> int:
    """Cores that may be used, at least 1: those of the affinity, or as many as the quota of a container comes to."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13; heeds -X cpu_count as well
        known = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        known = len(os.sched_getaffinity(0))
    else:
        known = os.cpu_count() or 1
    return max(min(known, _quota(cgroup)), 1)


def _quota(cgroup: Path) -> int:
    """Whole cores of the quota, rounded up; very many where there is none. Of version 2, else 1, of control groups."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return 2**16
    try:
        share = int(quota) / int(period)  # "max", or -1, where there is no quota
    except (ValueError, ZeroDivisionError):
        return 2**16
    return math.ceil(share) if share > 0 else 2**16
