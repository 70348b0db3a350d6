"""`make fuzz`: each parser gets its part of the time; what breaks one is made small and kept in `corpus/`, which the suite tries."""

from __future__ import annotations

import argparse
import base64
import logging
import sys
import time
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

import structlog
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.database import DirectoryBasedExampleDatabase

from tests.fuzz.targets import TARGETS, Target, Value

CORPUS = Path(__file__).parent / "corpus"

EXAMPLES = 200
"""Of one round; a `slow` parser has a tenth."""


def kept(name: str) -> Iterator[Value]:
    """What is kept for a parser: text as it is, bytes in base64."""
    for path in sorted((CORPUS / name).glob("*")):
        yield base64.b64decode(path.read_bytes()) if path.suffix == ".b64" else path.read_text(encoding="utf-8")


def keep(name: str, value: Value) -> Path:
    """Keeps one more."""
    content = value if isinstance(value, bytes) else value.encode(errors="surrogatepass")
    path = CORPUS / name / f"{blake2b(content, digest_size=6).hexdigest()}{'.b64' if isinstance(value, bytes) else ''}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(base64.b64encode(content) if isinstance(value, bytes) else content)
    return path


def attack(target: Target, examples: int, number: int) -> tuple[int, Value | None, BaseException | None]:
    """One round with this seed: how many were tried, and the smallest that broke it, with how."""
    tried, last = 0, None

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=DirectoryBasedExampleDatabase(Path("var/fuzz")),
        phases=(Phase.reuse, Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(target.strategy)
    def one(value: Value) -> None:
        nonlocal tried, last
        tried, last = tried + 1, value
        target.check(value)

    try:
        one()
    except Exception as error:  # whatever a parser raises is what is looked for
        return tried, last, error
    return tried, None, None


def fuzz(name: str, until: float) -> tuple[int, list[str]]:
    """Rounds until then; how many were tried, and what was found."""
    target, count, found, number = TARGETS[name], 0, list[str](), round(time.time())
    for value in kept(name):
        target.check(value)
        count += 1
    while time.monotonic() < until and not found:
        tried, broke, error = attack(target, EXAMPLES // 10 if target.slow else EXAMPLES, number)
        count, number = count + tried, number + 1
        if broke is not None:
            found.append(f"{type(error).__name__}: {error} ({keep(name, broke)})")
    return count, found


def main() -> int:
    """The exit code is 1 when something was found."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=300.0, help="for all of them together")
    options.add_argument("only", nargs="*", choices=[*TARGETS, []], help="some of them")
    chosen = options.parse_args()
    names = chosen.only or list(TARGETS)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))  # what is not understood is logged
    broken = False
    for name in names:
        count, found = fuzz(name, time.monotonic() + chosen.seconds / len(names))
        sys.stdout.write(f"{name:12}{count:9,} tried  {'; '.join(found) or 'nothing found'}\n")
        sys.stdout.flush()
        broken = broken or bool(found)
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
