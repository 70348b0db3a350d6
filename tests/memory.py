"""What a process ever took of the memory, as Linux alone tells it."""

from __future__ import annotations

import re
from pathlib import Path

import psutil


def peak(process: psutil.Process) -> float:
    """In MB; 0 for one that has just ended. Raises OSError where it is gone."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    return int(found[1]) * 1024 / 1e6 if found else 0.0
