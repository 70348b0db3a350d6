"""Asks for known holes in the pinned libraries: `python -m tools.audit`, or `make audit`.

pip-audit asks the package index, which knows the advisories; here is what it makes of an index that does not. A library that cannot be
asked about counts as not audited, never as one without holes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]

AUDIT = ("uv", "tool", "run", "--quiet", "--from", "pip-audit==2.10.1", "pip-audit", "--disable-pip", "--no-deps", "--format", "json")

LOCKS = ("requirements.lock", "requirements-torch.lock")


@dataclass(frozen=True, slots=True)
class Found:
    """What is known: holes as lines, and libraries that nobody could be asked about, with why."""

    audited: int
    holes: list[str]
    unknown: list[str]


def pinned() -> list[str]:
    """NAME==VERSION of all libraries, without what a build says of itself (`+cpu`): advisories are for all builds."""
    lines = (line for lock in LOCKS for line in (ROOT / lock).read_text(encoding="utf-8").splitlines())
    return sorted({line.split()[0].partition("+")[0] for line in lines if "==" in line and not line.startswith((" ", "#"))})


def found(said: str) -> Found:
    """What pip-audit's JSON says. Raises ValueError for anything else."""
    libraries: list[dict[str, Any]] = json.loads(said)["dependencies"]
    asked = [one for one in libraries if "skip_reason" not in one]
    holes = [
        f"{one['name']} {one['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no release yet'}"
        for one in asked
        for hole in one["vulns"]
    ]
    return Found(len(asked), holes, [f"{one['name']}: {one['skip_reason']}" for one in libraries if "skip_reason" in one])


def ask(libraries: Sequence[str]) -> Found:
    """Runs pip-audit on these. Raises SystemExit where it says nothing that can be read."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(libraries))
        file.flush()
        command = [str(ROOT / ".venv/bin" / AUDIT[0]), *AUDIT[1:], "--requirement", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return found(done.stdout)
    except ValueError:
        raise SystemExit(f"pip-audit ended with {done.returncode}: {done.stderr.strip()}") from None


def main() -> int:
    """0 without a hole, 1 with one, 3 where nobody knows: one library is asked about first, and if it is not known, no other."""
    libraries = pinned()
    if ask(libraries[:1]).unknown:
        sys.stderr.write("SKIPPED: the package index that is reached from here has no advisories, so nothing was audited.\n")
        return 3
    told = ask(libraries)
    lines = [*told.holes, *(f"not audited: {one}" for one in told.unknown), f"{told.audited} libraries were audited."]
    sys.stdout.write("\n".join(lines) + "\n")
    return int(bool(told.holes or told.unknown))


if __name__ == "__main__":
    sys.exit(main())
