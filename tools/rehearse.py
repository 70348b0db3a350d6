"""Does what a Dockerfile says, without an engine: in a clean folder, from what git knows, with the same commands. `--keep` leaves it there.

Then it starts what the image starts, beside a store, until the image's own health check finds it well, and tells it to stop. Absolute
paths below /app, /opt, /data and /models become ones in that folder; users are not made, because a rehearsal is nobody's root. Where no
NVIDIA driver is, torch is the build for CPUs (3 GB less). What it cannot show: the base image, and that nothing else of this machine was
needed.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bot.config import load
from bot.store import embedded
from tools.setup import Setup, has_nvidia_driver

ROOT = Path(__file__).parents[1]

TORCH = "requirements-torch.lock"

START = 300.0
"""Seconds in which what an image starts has to be healthy."""

STOP = 60.0
"""Seconds in which it has to end when it is told to."""

OURS = re.compile(r"(?<![\w/])(/(?:app|opt|data|models)\b)")


def steps(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Each instruction with its words; comments are left out, and lines that go on are joined."""
    for line in re.sub(r"\\\n", " ", dockerfile).splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


class Stage:
    """One image as a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = root
        self.environ = {"HOME": str(root), "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin", "LANG": "C.UTF-8"}
        self.environ |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "HTTP", "http", "NO_"))}
        self.command: list[str] = []
        self.health: list[str] = []

    def inside(self, words: str) -> str:
        """With paths of the image as those of the folder."""
        return OURS.sub(lambda found: f"{self.root}{found[1]}", words)

    def run(self, words: str) -> None:
        """Raises CalledProcessError with what it said."""
        command = re.sub(r"useradd .*?&& ", "", re.sub(r"&& chown .*", "", self.inside(words)))
        done = subprocess.run(["sh", "-ec", command], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            done.check_returncode()


def rehearse(path: Path, root: Path) -> Stage:
    """The last stage, as a folder."""
    stage = Stage(root)
    for word, rest in steps(path.read_text(encoding="utf-8")):
        match word:
            case "FROM":  # the stages share the folder: what one copies from another is there already
                stage = Stage(root)
            case "WORKDIR":
                stage.folder = Path(stage.inside(rest))
                stage.folder.mkdir(parents=True, exist_ok=True)
            case "ENV":
                for name, value in re.findall(r"(\w+)=(\S+)", rest):
                    stage.environ[name] = stage.inside(value).replace("$PATH", stage.environ["PATH"])
            case "COPY" if not rest.startswith("--from"):
                _copy(rest.split(), stage.folder)
            case "RUN" if TORCH in rest and not has_nvidia_driver():
                sys.stdout.write("the build of torch for CPUs, in the place of the one for CUDA\n")
                Setup(ROOT, dev=False, venv=root / "opt/hobnob").install_torch("CPU")
            case "RUN":
                sys.stdout.write(f"{word} {rest}\n")
                stage.run(rest)
            case "HEALTHCHECK":
                stage.health = json.loads(rest.partition("CMD ")[2])
            case "ENTRYPOINT" | "CMD":
                stage.command += json.loads(rest)
            case _:  # ARG, COPY --from, USER, VOLUME, EXPOSE, STOPSIGNAL: nothing to do
                pass
    return stage


def _copy(words: Sequence[str], folder: Path) -> None:
    """What git knows of these, which is what the build context has."""
    *sources, target = words
    for source in sources:
        known = subprocess.run(["git", "ls-files", "--", source], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
        for name in filter(None, known):
            within = Path(target) if name == source else Path(target) / Path(name).relative_to(source)
            made = folder / (within / source if target.endswith("/") and name == source else within)
            made.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, made)


def started(stage: Stage) -> None:
    """Starts what the image starts, beside a store, until it is healthy; then it has to stop when it is told to. Raises SystemExit."""
    [port] = re.findall(r"127\.0\.0\.1:(\d+)", stage.health[-1])
    with socket.create_server(("127.0.0.1", 0)) as free:
        mine = str(free.getsockname()[1])  # the image's own may be taken here
    store = embedded.start(stage.root / "data")
    told = {name: mine if value == port else value for name, value in stage.environ.items()}
    told |= {"HOBNOB_REDIS__URL": embedded.socket_url(stage.root / "data"), "HOBNOB_WEB__PORT": "0"}
    check = [word.replace(f":{port}", f":{mine}") for word in stage.health]
    log = stage.root / "log"
    try:
        with log.open("wb") as out, subprocess.Popen(stage.command, cwd=stage.folder, env=told, stdout=out, stderr=out) as process:
            fault = _lived(process, lambda: subprocess.run(check, cwd=stage.folder, env=told, capture_output=True, check=False).returncode)
    finally:
        store.terminate()
        store.wait(10)
    if fault:
        raise SystemExit(f"{' '.join(stage.command)} {fault}:\n{log.read_text()}")


def _lived(process: subprocess.Popen[bytes], ill: Callable[[], int]) -> str:
    """What was wrong with its life, "" for nothing; afterwards it has ended."""
    try:
        deadline = time.monotonic() + START
        while ill():
            if process.poll() is not None or time.monotonic() > deadline:
                return "did not become healthy"
            time.sleep(0.2)
        process.terminate()
        return f"ended with {code}" if (code := process.wait(STOP)) else ""
    except subprocess.TimeoutExpired:
        return f"did not end within {STOP:.0f} seconds"
    finally:
        process.kill()


def main(arguments: Sequence[str]) -> int:
    """Rehearses one file, and starts what came of it; the exit code."""
    root = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    try:
        stage = rehearse(ROOT / arguments[0], root)
        if (models := load(ROOT / "config/bot.toml").models_dir).is_dir():
            stage.environ["HOBNOB_MODELS__DIR"] = str(models)
        if "router" in arguments[0]:
            without = "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) for name in ('torch', 'transformers', 'numpy')))"
            stage.run(f'python3 -c "{without}"')
        started(stage)
        sys.stdout.write(f"{arguments[0]}: every step went well, and what it starts was healthy.\n")
    finally:
        if "--keep" not in arguments:
            shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
