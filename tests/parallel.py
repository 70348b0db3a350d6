"""How several processes share the suite: which files begin, and which tests run alone. How many there are is said in the Makefile."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

LONGEST = ("tests/test_running.py", "tests/browser/", "tests/worker/", "tests/plugins/", "tests/router/", "tests/test_cli.py")
"""What takes long, the longest first: with short files at the end, all processes end at about the same time."""

DOOR, ROOM = Path(__file__), Path(__file__).with_name("conftest.py")
"""Any two files will do: locks are held on them."""


@contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Holds an advisory lock, which ends with the process at the latest."""
    file = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(file, how)
        yield
    finally:
        os.close(file)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """One that is `alone` waits until no other test runs, and no other begins before it has ended."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        return (yield)
    with ExitStack() as held:
        with locked(DOOR, fcntl.LOCK_EX):  # who waits there for an empty room lets nobody past
            held.enter_context(locked(ROOM, fcntl.LOCK_EX if item.get_closest_marker("alone") else fcntl.LOCK_SH))
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks what asks for the server of `REDIS_URL`, and sorts by file; tests of one file stay in their order."""
    for item in items:
        if "redis_url" in getattr(item, "fixturenames", ()):
            item.add_marker("server")
    items.sort(key=lambda item: next((at for at, long in enumerate(LONGEST) if item.nodeid.startswith(long)), len(LONGEST)))
