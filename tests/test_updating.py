"""`hobnob update` in a checkout of its own: a release that works, and one that breaks what is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from bot.store import embedded
from tests.house import ECHO, House

ROOT = Path(__file__).parents[1]
KEY = "hobnob:data:notes:server:room/lobby:k"

BREAKING = """
async def _breaks(redis: Redis, keys: Keys) -> None:
    await redis.flushall()
    raise StoreError("this release cannot")


MIGRATIONS: Mapping[int, Migration] = MappingProxyType({2: _breaks})"""


class Checkout:
    """Where Hobnob comes from, what was cloned of it, and an installation that runs from there."""

    def __init__(self, folder: Path) -> None:
        self.upstream, self.mine, self.house = folder / "upstream", folder / "mine", House(folder)
        for name in ("bot", "plugins", "config"):
            shutil.copytree(ROOT / name, self.upstream / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.upstream / "tools").mkdir()
        (self.upstream / "tools/setup").write_text(f"#!/bin/sh\necho set up >> {folder}/setups\n")
        (self.upstream / "tools/setup").chmod(0o755)
        self.setups = folder / "setups"
        self.git("init", "--quiet", "--initial-branch=main")
        self.release("first")
        subprocess.run(["git", "clone", "--quiet", self.upstream, self.mine], check=True)

    def git(self, *words: str, at: Path | None = None) -> str:
        who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
        done = subprocess.run(["git", *who, "-C", at or self.upstream, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def release(self, name: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", name)
        return self.git("rev-parse", "HEAD")

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD", at=self.mine)

    def update(self) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot.cli", "update", "--config", str(self.house.config)]
        return subprocess.run(command, cwd=self.mine, env=self.house.environ, capture_output=True, text=True, check=False)

    def kept(self, value: str = "") -> str:
        """What the store has under a key; with a value, it is written first."""
        process = embedded.start(self.house.data)
        with Redis(unix_socket_path=str(embedded.socket_path(self.house.data))) as client:
            if value:
                client.set(KEY, value)
            found = client.get(KEY)
        process.terminate()
        process.wait(30)
        return found.decode() if isinstance(found, bytes) else ""


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    made = Checkout(tmp_path_factory.mktemp("checkout"))
    assert ECHO.is_dir()
    made.kept("a note")
    return made


def test_a_release_that_works_is_there_with_everything(checkout: Checkout) -> None:
    (checkout.mine / "config/bot.toml").write_text("# what I chose\n")
    newer = checkout.release("second")
    done = checkout.update()
    assert done.returncode == 0, done.stderr
    assert checkout.head == newer
    assert checkout.setups.read_text() == "set up\n"
    assert len(list((checkout.house.data / "backups").iterdir())) == 1
    assert checkout.kept() == "a note"
    assert (checkout.mine / "config/bot.toml").read_text() == "# what I chose\n"
    assert checkout.update().stdout.endswith("This is the newest already.\n")


def test_a_release_that_breaks_leaves_everything_as_it_was(checkout: Checkout) -> None:
    before = checkout.head
    schema = checkout.upstream / "bot/store/schema.py"
    ours = "MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})"
    assert ours in schema.read_text()
    schema.write_text(schema.read_text().replace(ours, BREAKING))
    checkout.release("third, which breaks")
    done = checkout.update()
    assert done.returncode == 1
    assert "everything is as it was" in done.stderr and "this release cannot" in done.stderr
    assert checkout.head == before
    assert checkout.setups.read_text().count("set up") == 3, "there, and back again"
    assert checkout.kept() == "a note"


def test_changed_files_are_not_overwritten(checkout: Checkout) -> None:
    (checkout.mine / "config/models.toml").write_text("# mine\n")
    assert "were changed: keep them elsewhere" in checkout.update().stderr
