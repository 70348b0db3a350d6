"""What all tests share: a real Valkey (or the server in REDIS_URL), keys of one's own, and the starter models."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from redis.asyncio import Redis

from bot.faults import ENVIRONMENT
from bot.log import Output
from bot.store import embedded
from bot.store.connection import connect
from bot.store.dump import Dump, Record
from bot.store.keys import Keys

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # before any library reads it

pytest_plugins = ["tests.parallel"]

MAY_STAY = ("schema", "server:", "audit:", "house", "present:", "data:", "data-index:", "firings")
"""Keys that live until somebody deletes them, by design."""


@pytest.fixture(autouse=True)
def plain_log() -> Iterator[None]:
    """Tracebacks as Python prints them: drawing them in colour costs more than the tests that provoke them.

    What a test sets up, as a command does, ends with it.
    """
    root = logging.getLogger()
    level = root.level
    structlog.reset_defaults()
    structlog.configure(processors=[structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)])
    yield
    for output in [one for one in root.handlers if isinstance(one, Output)]:
        root.removeHandler(output)
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.fixture(autouse=True)
def read_variables() -> Iterator[None]:
    """What the `.env` beside a test's configuration has put into the environment ends with the test."""
    before = set(os.environ)
    yield
    for name in set(os.environ) - before:
        if name.startswith(ENVIRONMENT):
            del os.environ[name]


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the machine sets must not decide what a test finds, nor where it writes."""
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT)]:
        monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real server: REDIS_URL, or an embedded Valkey."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    folder = tmp_path_factory.mktemp("valkey")
    process = embedded.start(folder)
    yield embedded.socket_url(folder)
    process.terminate()
    process.wait(10)


@pytest.fixture
def keys() -> Keys:
    """Keys that no other test uses."""
    return Keys(f"test-{uuid.uuid4().hex[:12]}")


@pytest.fixture
async def redis(redis_url: str, keys: Keys) -> AsyncIterator[Redis]:
    """A client; a key that was left behind without a lifetime fails the test, and so does one that no backup can have."""
    client = connect(redis_url)
    yield client
    left = [key async for key in client.scan_iter(f"{keys.prefix}:*", count=1000)]
    forever = [key.decode(errors="replace") for key in left if await client.ttl(key) == -1]
    try:
        kept = [record async for record in Dump(client, keys).read(running=False, credentials=True)]
    finally:
        if left:
            await client.delete(*left)
        await client.aclose()
    leaked = [key for key in forever if not any(f":{kind}" in key for kind in MAY_STAY)]
    assert not leaked, f"keys left behind without a lifetime: {leaked}"
    for record in kept:
        assert Record.model_validate_json(record.model_dump_json()) == record, "no backup of it could be restored"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The folder of the starter models; `make setup` brings them."""
    from bot.config import load

    folder = load().models_dir
    missing = [name for name in ("smollm2-135m-instruct", "whisper-base") if not (folder / name).is_dir()]
    assert not missing, f"{', '.join(missing)} not in {folder}: run `make setup`"
    return folder
