"""Does what a Dockerfile says, without an engine: in a clean folder, from what git knows, with the same commands. `--keep` leaves it there.

Absolute paths below /app, /opt, /data and /models become ones in that folder; users are not made, because a rehearsal is nobody's
root. What it cannot show: the base image, and that nothing else of this machine was needed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

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

    def inside(self, words: str) -> str:
        """With paths of the image as those of the folder."""
        return OURS.sub(lambda found: f"{self.root}{found[1]}", words)

    def run(self, words: str, said: bool = False) -> str:
        """Raises CalledProcessError with what it said."""
        command = re.sub(r"useradd .*?&& ", "", re.sub(r"&& chown .*", "", self.inside(words)))
        done = subprocess.run(["sh", "-ec", command], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.stderr.write(done.stdout + done.stderr)
            done.check_returncode()
        return done.stdout


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
            case "RUN":
                sys.stdout.write(f"{word} {rest}\n")
                stage.run(rest)
            case _:  # ARG, COPY --from, USER, VOLUME, EXPOSE, HEALTHCHECK, STOPSIGNAL, ENTRYPOINT, CMD: nothing to do, or of the start
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


def main(arguments: Sequence[str]) -> int:
    """Rehearses one file, and has what came of it say its faults and that it has no torch; the exit code."""
    root = Path(tempfile.mkdtemp(prefix="rehearsal-"))
    try:
        stage = rehearse(ROOT / arguments[0], root)
        stage.environ |= {"HOBNOB_DATA_DIR": str(root / "data")}
        stage.run("hobnob --help")
        without = "import importlib.util as u, sys; sys.exit(any(u.find_spec(name) for name in ('torch', 'transformers', 'numpy')))"
        if "router" in arguments[0]:
            stage.run(f'python3 -c "{without}"')
            stage.run('python3 -c "import bot.cli.processes, bot.web.app, bot.router.app, bot.cli.connecting"')
        sys.stdout.write(f"{arguments[0]}: every step went well.\n")
    finally:
        if "--keep" not in arguments:
            shutil.rmtree(root)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
