"""Environments for programs that do not resolve beside us: made when they are needed, kept, and made anew when what they hold changes."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "var/envs"


class Uninstallable(Exception):  # noqa: N818  what is wrong with the packages, or the network
    """They cannot be installed; the words are pip's last."""


def environment(name: str, *packages: str) -> Path:
    """The interpreter of an environment with these packages, and nothing of ours. Raises Uninstallable."""
    folder = FOLDER / name
    python, stamp = folder / "bin/python", folder / "installed"
    if not stamp.is_file() or stamp.read_text() != "\n".join(packages):
        venv.create(folder, with_pip=False, clear=True)  # ours installs there too
        pip = [sys.executable, "-m", "pip", "--python", str(python), "--quiet", "--disable-pip-version-check", "--retries", "1"]
        ended = subprocess.run([*pip, "install", *packages], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            raise Uninstallable(f"{name} cannot be installed: {ended.stderr.strip().rpartition(chr(10))[2]}")
        stamp.write_text("\n".join(packages))
    return python
