"""Calls pip, the way the operator has configured it. What is asked of it: `pull/wheels.py` for models, `install/` for plugins."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence


class PipError(Exception):
    """What pip said, in one line."""


def pip(arguments: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    """What it prints. Raises PipError. `environ` goes on top of the process's own.

    Two retries instead of five, unless the operator chose: without a network five take a minute to say so.
    """
    usual = {"PIP_RETRIES": "2", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    command = [sys.executable, "-m", "pip", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**usual, **os.environ, **(environ or {})})
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or [done.stderr.strip() or "it said nothing"]
        raise PipError(said[-1])
    return done.stdout


def normal(name: str) -> str:
    """The name of a distribution, as indexes compare them."""
    return re.sub(r"[-_.]+", "-", name).lower()
