"""Our queue against others, in turns on one server: how soon an idle worker begins a job, and how many jobs a second end.

Each has an environment of its own, made when it is needed. The race itself: `race.py`; what each does in it: `entrants.py`, `ours.py`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryFile

from redis import Redis
from rich.progress import track

from bot.store import embedded
from tests.bench.figures import Figure
from tests.bench.race import PICKUPS
from tests.environments import Uninstallable, environment
from tests.ports import free_port

ROUNDS = 5

OTHERS = {
    "saq": ("saq==0.26.4", "redis==7.4.1", "hiredis==3.5.0", "croniter==7.0.0", "typing_extensions==4.16.0"),
    "taskiq-redis": ("taskiq-redis==1.2.4", "taskiq==0.13.0", "redis==8.1.0", "hiredis==3.5.0"),
    "streaq": ("streaq==7.2.0", "coredis==6.9.0"),
    "bullmq": ("bullmq==3.4.4", "redis==8.1.0", "hiredis==3.5.0"),
    "pydocket": ("pydocket==0.27.0", "redis==8.1.0", "hiredis==3.5.0"),
    "celery": ("celery==5.7.0", "redis==8.1.0", "hiredis==3.5.0", "packaging==26.3"),  # kombu 5.7.0 imports it, and does not say so
    "arq": ("arq==0.28.0", "redis==5.3.1", "hiredis==3.5.0"),
}
"""What is installed for each: all parse replies in C, as ours does (streaq's client has a parser of its own)."""

SYNCS = {"everysec": "fsync each second", "always": "fsync before each answer"}

PICKED = "everysec"
"""With which sync pickups are measured too."""

SELDOM = ("streaq", "pydocket", "celery")
"""Those that take part in every other round: they have half of the fastest other's jobs a second, or less, and take longest."""


@dataclass
class Runner:
    """One queue, and what its races gave by how the server syncs."""

    python: Path
    home: str
    entrant: str
    results: dict[str, list[dict[str, float]]] = field(default_factory=lambda: {sync: [] for sync in SYNCS})

    def race(self, redis: Redis, url: str) -> None:
        """One round: a process that races once for each sync."""
        redis.flushall()
        command = [str(self.python), "-m", "tests.bench.race", self.home, self.entrant, url]
        with TemporaryFile("w+") as faults, subprocess.Popen(command, stdin=PIPE, stdout=PIPE, stderr=faults, text=True) as process:
            assert process.stdin is not None and process.stdout is not None
            for sync, results in self.results.items():
                redis.config_set("appendfsync", sync)
                process.stdin.write(f"{PICKUPS if sync == PICKED else 0}\n")
                process.stdin.flush()
                line = next((line for line in process.stdout if line.startswith("{")), "")
                if not line:
                    faults.seek(0)
                    raise RuntimeError(f"{self.entrant} did not reach the end:\n{faults.read()[-2000:]}")
                results.append(json.loads(line))
            process.stdin.close()

    def runs(self, sync: str, what: str) -> list[float]:
        return [result[what] for result in self.results[sync]]


def measure(rounds: int = ROUNDS) -> dict[str, Figure]:
    """Ours and the others, and by how much ours is ahead of the fastest of each round."""
    runners = {"ours": Runner(Path(sys.executable), "tests.bench.ours", "Ours"), **dict(installed())}
    with server() as (redis, url):
        for turn in track(range(rounds), "Queues", transient=True):
            for name, runner in runners.items():
                if name not in SELDOM or turn % 2 == 0:
                    runner.race(redis, url)
    return _figures(runners)


def _figures(runners: dict[str, Runner]) -> dict[str, Figure]:
    figures = {}
    for what, goal in (("p50", 1.0), ("p99", 3.0)):
        for name, runner in runners.items():
            figures[f"pickup {what} · {name}"] = Figure.of(runner.runs(PICKED, what), "ms", goal if name == "ours" else None, "lower")
    for sync, goal in (("everysec", 1.1), ("always", 1.0)):
        rates = {name: runner.runs(sync, "jobs/s") for name, runner in runners.items()}
        figures |= {f"jobs/s, {SYNCS[sync]} · {name}": Figure.of(found, "jobs/s", better="higher") for name, found in rates.items()}
        every = (found for name, found in rates.items() if name not in SELDOM)
        ahead = [ours / max(others) for ours, *others in zip(*every, strict=True)]
        figures[f"jobs/s, {SYNCS[sync]}: of the fastest other's"] = Figure.of(ahead, "×", goal, "higher")
    return figures


def installed() -> Iterator[tuple[str, Runner]]:
    """The others; one that cannot be installed is named with the reason."""
    for name, packages in OTHERS.items():
        try:
            python = environment(name, *packages)
        except Uninstallable as fault:
            print(f"left out: {fault}", file=sys.stderr)  # noqa: T201
            continue
        yield name, Runner(python, "tests.bench.entrants", name.partition("-")[0].removeprefix("py").capitalize())


@contextmanager
def server() -> Iterator[tuple[Redis, str]]:
    """A Valkey as ours is started, which listens on a port besides: not everybody speaks to a socket file."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        process = embedded.start(Path(folder))
        redis = Redis(unix_socket_path=str(embedded.socket_path(Path(folder))))
        try:
            redis.config_set("bind", "127.0.0.1")
            redis.config_set("port", port)
            yield redis, f"redis://127.0.0.1:{port}/0"
        finally:
            redis.close()
            process.terminate()
            process.wait(10)
