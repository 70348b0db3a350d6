"""Makes `.venv` ready: what `make setup` runs, with any Python from 3.11 on and nothing installed. What is pinned: the lock files."""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import platform
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parent.parent
Build = Literal["CUDA", "CPU"]


def main(arguments: Sequence[str]) -> int:
    """Sets up for running, or with --dev for testing too. Returns the exit code."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    try:
        Setup(ROOT, dev=options.parse_args(arguments).dev).run()
    except SetupError as error:
        sys.stderr.write(f"Set-up stopped: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nSet-up stopped. The same command goes on with what is here already.\n")
        return 130
    return 0


class SetupError(Exception):
    """The set-up cannot go on; the text says what to do."""


class Setup:
    """One run of the set-up in a checkout; `root` is its folder. The environment is in `.venv` there, unless it is named."""

    def __init__(self, root: Path, *, dev: bool, venv: Path | None = None) -> None:
        self.root = root
        self.lock = root / ("requirements-dev.lock" if dev else "requirements.lock")
        self.venv = venv or root / ".venv"
        self.python = self.venv / "bin" / "python"
        self.stamps = [self.venv / name for name in ((".ready-dev",) if dev else (".ready-run", ".ready-dev"))]

    def run(self) -> None:
        """Does what is missing; when nothing is, says nothing and changes nothing."""
        began = time.monotonic()
        build: Build = "CUDA" if has_nvidia_driver() else "CPU"
        if any(self._stamped(stamp, build) for stamp in self.stamps):
            return
        self._make_venv()
        self._install_packages()
        self.install_torch(build)
        self._install_hobnob()
        self.stamps[0].write_text(self._digest(self.stamps[0], build), encoding="utf-8")
        say(f"Ready in {time.monotonic() - began:.0f} s.")

    def _stamped(self, stamp: Path, build: Build) -> bool:
        return self.python.exists() and stamp.exists() and stamp.read_text(encoding="utf-8") == self._digest(stamp, build)

    def _digest(self, stamp: Path, build: Build) -> str:
        lock = "requirements-dev.lock" if stamp.name == ".ready-dev" else "requirements.lock"
        digest = hashlib.sha256(f"{build} {platform.python_version()} {self.root}".encode())
        for name in (lock, "requirements-torch.lock", "pyproject.toml"):
            digest.update((self.root / name).read_bytes())
        return digest.hexdigest()

    def _make_venv(self) -> None:
        version = platform.python_version()
        if self.python.exists() and self._runs_python(version):
            return
        if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
            short = ".".join(version.split(".")[:2])
            raise SetupError(
                f"the Python {version} at {sys.executable} comes without venv and pip. "
                f"Debian, Ubuntu: sudo apt install python{short}-venv; elsewhere: install Python from your system's packages"
            )
        say(f"Making .venv with Python {version} …")
        self._call([sys.executable, "-m", "venv", "--clear", str(self.venv)], "the virtual environment could not be made")

    def _runs_python(self, version: str) -> bool:
        done = subprocess.run(
            [self.python, "-c", "import platform, pip; print(platform.python_version())"], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() == version

    def _install_packages(self) -> None:
        count = sum(line[:1].isalnum() for line in self.lock.read_text(encoding="utf-8").splitlines())
        say(f"Installing {count} packages, pinned in {self.lock.name} …")
        self._pip("install", "--no-deps", "--require-hashes", "-r", str(self.lock))

    def install_torch(self, build: Build) -> None:
        """The build for this machine, into the environment."""
        pin = torch_pin(self.root)
        if installed_torch(self.venv, pin.removeprefix("torch==")) in (build, "CUDA"):
            return  # the CUDA build runs on CPUs too
        why = "an NVIDIA driver was found" if build == "CUDA" else "no NVIDIA driver was found"
        say(f"Installing {pin}, the {build} build: {why} …")
        if build == "CUDA" or platform.system() == "Darwin":
            self._pip("uninstall", "--yes", "torch")
            self._pip("install", "--no-deps", "--require-hashes", "-r", "requirements-torch.lock")
        elif brings_cuda(self._offered(pin)):
            self._install_cpu_torch(pin)
        else:
            self._pip("install", pin)

    def _offered(self, pin: str) -> dict[str, Any]:
        done = self._pip("install", "--dry-run", "--ignore-installed", "--no-deps", "--report", "-", pin)
        report: dict[str, Any] = json.loads(done)
        return report

    def _install_cpu_torch(self, pin: str) -> None:
        """The registry's build of torch brings 3 GB for CUDA; uv knows where the builds for CPUs are."""
        self._pip("install", "-r", "tools/uv.txt")
        done = subprocess.run(
            [self.venv / "bin" / "uv", "pip", "install", "--quiet", "--python", self.python, "--torch-backend=cpu", pin], check=False
        )
        if done.returncode:
            say("The CPU build cannot be reached; installing the CUDA build instead, which runs on CPUs too and takes 3 GB more …")
            self._pip("install", "--no-deps", "--require-hashes", "-r", "requirements-torch.lock")

    def _install_hobnob(self) -> None:
        """By its path: mypy does not follow the import hook that setuptools would put there, and plugins are checked against `bot`."""
        self._pip("install", "--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat", "--editable", ".")

    def _pip(self, *arguments: str) -> str:
        options: tuple[str, ...] = ("--disable-pip-version-check", "--quiet", "--no-input")
        if arguments[0] == "install":
            options += ("--no-compile",)  # compiling all of it takes a minute; what is used is compiled when it is first imported
        return self._call([str(self.python), "-m", "pip", *arguments, *options], "pip could not install what is needed")

    def _call(self, command: list[str], fault: str) -> str:
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            said = "\n".join([line for line in lines if not line.startswith("WARNING")][-8:])
            raise SetupError(
                f"{fault}. Check the network, the free disk space and pip's settings, then run the same command again. It said:\n{said}"
            )
        return done.stdout


def has_nvidia_driver() -> bool:
    """Whether `nvidia-smi` is there and finds a device."""
    if shutil.which("nvidia-smi") is None:
        return False
    try:
        return subprocess.run(["nvidia-smi", "--list-gpus"], capture_output=True, timeout=30, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def torch_pin(root: Path) -> str:
    """The requirement on torch as pyproject.toml pins it, "torch==X.Y.Z"."""
    extras = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    return next(str(line) for line in extras["worker"] if line.startswith("torch=="))


def installed_torch(venv: Path, version: str) -> Build | None:
    """Which build of torch the environment has, by the file that torch writes about itself; None for another version or none."""
    for found in venv.glob("lib/python*/site-packages/torch/version.py"):
        facts: dict[str, Any] = {}
        for line in found.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition("=")
            facts[name.partition(":")[0].strip()] = value.strip().strip("'\"")
        if facts.get("__version__", "").partition("+")[0] == version:
            return "CPU" if facts.get("cuda", "None") == "None" else "CUDA"
    return None


def brings_cuda(report: dict[str, Any]) -> bool:
    """Whether what pip would install depends on NVIDIA's packages on this system; `report` is pip's own."""
    needs = [str(need) for item in report["install"] for need in item["metadata"].get("requires_dist", [])]
    return any(need.startswith(("nvidia-", "cuda-")) for need in needs)


def say(line: str) -> None:
    """Tells the person at the terminal at once, even through a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
