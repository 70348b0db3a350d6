"""`hobnob update` in a checkout of its own: a release that works, and one that breaks what is kept."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from bot.backup import opened
from bot.cli import preserving, updating
from bot.config import load
from bot.errors import UserError
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

    def __init__(self, folder: Path, more: str = "") -> None:
        self.upstream, self.mine, self.house = folder / "upstream", folder / "mine", House(folder, more)
        for name in ("bot", "plugins", "config"):
            shutil.copytree(ROOT / name, self.upstream / name, ignore=shutil.ignore_patterns("__pycache__"))
        (self.upstream / "tools").mkdir()
        self.setups, self.offline = folder / "setups", folder / "offline"
        (self.upstream / "tools/setup").write_text(f"#!/bin/sh\necho set up >> {self.setups}\ntest ! -e {self.offline}\n")
        (self.upstream / "tools/setup").chmod(0o755)
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

    @property
    def branch(self) -> str:
        return self.git("branch", "--show-current", at=self.mine)

    def breaks(self) -> str:
        """A release whose migration empties the store and fails."""
        schema = self.upstream / "bot/store/schema.py"
        ours = "MIGRATIONS: Mapping[int, Migration] = MappingProxyType({})"
        assert ours in schema.read_text()
        schema.write_text(schema.read_text().replace(ours, BREAKING))
        return self.release("one that breaks")

    def update(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot.cli", "update", *words, "--config", str(self.house.config)]
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
    checkout.breaks()
    done = checkout.update()
    assert done.returncode == 1
    assert "everything is as it was" in done.stderr and "this release cannot" in done.stderr
    assert (checkout.head, checkout.branch) == (before, "main")
    assert checkout.setups.read_text().count("set up") == 3, "there, and back again"
    assert checkout.kept() == "a note"


def test_a_release_that_nobody_made_is_a_sentence(checkout: Checkout) -> None:
    said = checkout.update("v9").stderr
    assert said == "hobnob: there is no release v9: `git tag` lists them\n"


def test_changed_files_are_not_overwritten(checkout: Checkout) -> None:
    (checkout.mine / "config/models.toml").write_text("# mine\n")
    assert "were changed: keep them elsewhere" in checkout.update().stderr


# A Redis of one's own ----------------------------------------------------------------------------------------------------

TICKET: Mapping[Any, Any] = {"body": "accepted, and not answered yet"}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Checkout, Redis]]:
    """A checkout that is on a Redis of the operator's; nothing runs, and a ticket and a job wait there."""
    folder = tmp_path_factory.mktemp("own")
    process = embedded.start(folder)
    made = Checkout(folder, f'[redis]\nurl = "{embedded.socket_url(folder)}"\n')
    with Redis.from_url(embedded.socket_url(folder), decode_responses=True) as client:
        client.hset("hobnob:ticket:waits", mapping=TICKET)
        client.rpush("hobnob:jobs:generate", "waits")
        yield made, client
    process.terminate()
    process.wait(30)


def waiting(client: Redis) -> tuple[object, object]:
    return client.hgetall("hobnob:ticket:waits"), client.lrange("hobnob:jobs:generate", 0, -1)


def test_while_a_router_lives_nothing_is_touched(own: tuple[Checkout, Redis]) -> None:
    checkout, client = own
    checkout.release("newer")
    client.zadd("hobnob:routers", {"elsewhere": 1e15})
    try:
        assert "routers run on that Redis: stop all routers and workers first" in checkout.update().stderr
        client.hset("hobnob:ticket:waits", mapping=TICKET)
        done = checkout.house.do("backup", str(checkout.setups.with_name("b.tar.gz")))
        assert "because routers or workers run: what waits or is being answered" in done.stdout, done.stderr
        done = checkout.house.do("restore", str(checkout.setups.with_name("b.tar.gz")), "--replace")
        assert "routers run on that Redis" in done.stderr
    finally:
        client.delete("hobnob:routers")
    assert waiting(client) == (TICKET, ["waits"])


def test_a_backup_has_what_waits_where_nobody_is_at_work_on_it(own: tuple[Checkout, Redis], monkeypatch: pytest.MonkeyPatch) -> None:
    checkout, _ = own
    path = checkout.setups.with_name("all.tar.gz")
    done = checkout.house.do("backup", str(path))
    assert done.returncode == 0 and "Not in it" not in done.stdout, done.stderr
    with opened(path) as archive:
        assert {"ticket:waits", "jobs:generate"} <= {record.key for record in archive.records()} and archive.manifest.whole

    came: list[list[str]] = [[], ["routers"]]

    async def meanwhile(redis: object, keys: object) -> list[str]:
        return came.pop(0)

    monkeypatch.setattr(preserving, "living", meanwhile)
    _, manifest = preserving.save(load(checkout.house.config), path, [], secrets=False)
    with opened(path) as archive:
        assert not {"ticket:waits", "jobs:generate"} & {record.key for record in archive.records()} and not manifest.whole


SETS_UP = '{python} -c "from redis import Redis; {begins}"\n'
FINISHES = '\n\nimport sys\n\nif "--finish" in sys.argv:\n    from redis import Redis\n\n    {begins}\n'


@pytest.mark.parametrize(("file", "more"), [("tools/setup", SETS_UP), ("bot/cli/upkeep.py", FINISHES)])
def test_a_router_that_begins_before_the_new_release_has_touched_the_store_keeps_it(
    own: tuple[Checkout, Redis], file: str, more: str
) -> None:
    """While packages are installed, or as the new release is about to begin."""
    checkout, client = own
    before, changed = checkout.head, checkout.upstream / file
    plain, socket = changed.read_text(), embedded.socket_path(checkout.house.data.parent)
    begins = f"Redis(unix_socket_path={str(socket)!r}).zadd('hobnob:routers', {{'elsewhere': 1e15}})"
    changed.write_text(plain + more.format(python=sys.executable, begins=begins))
    checkout.release(f"with a router that begins in {file}")
    client.config_resetstat()
    try:
        done = checkout.update()
        told = "routers run on that Redis: stop all routers and workers first"
        assert "everything is as it was" in done.stderr and told in done.stderr, done.stderr
    finally:
        client.delete("hobnob:routers")
        changed.write_text(plain)
        checkout.release(f"with none in {file}")
    assert (checkout.head, checkout.branch, waiting(client)) == (before, "main", (TICKET, ["waits"]))
    assert "cmdstat_hset" not in client.info("commandstats"), "nothing was removed and written again"


def test_nothing_begins_with_a_backup_that_has_not_all(own: tuple[Checkout, Redis], monkeypatch: pytest.MonkeyPatch) -> None:
    """A router began after the first look, and has ended before the next."""
    checkout, client = own
    before = checkout.head
    checkout.release("later still")
    looks = iter([[], ["routers"]])

    async def meanwhile(redis: object, keys: object) -> list[str]:
        return next(looks, [])

    monkeypatch.setattr(preserving, "living", meanwhile)
    monkeypatch.setattr(updating, "ROOT", checkout.mine)
    with pytest.raises(UserError, match="a router or worker began meanwhile: stop all of them first"):
        updating.update(checkout.house.config, "")
    assert (checkout.head, checkout.branch, waiting(client)) == (before, "main", (TICKET, ["waits"]))


def test_a_new_release_brings_nothing_forward_while_old_routers_live(own: tuple[Checkout, Redis]) -> None:
    checkout, client = own
    client.delete("hobnob:schema")
    client.zadd("hobnob:routers", {"elsewhere": 1e15})
    try:
        done = checkout.house.do("update", "--finish")
    finally:
        client.delete("hobnob:routers")
    assert done.returncode == updating.UNTOUCHED, done.stderr
    assert "routers run on that Redis: stop all routers and workers first" in done.stderr
    assert not client.exists("hobnob:schema")


def test_what_waits_stays_when_packages_cannot_be_had(own: tuple[Checkout, Redis]) -> None:
    """And where they cannot be had on the way back either, it is said what to do; the store was never touched."""
    checkout, client = own
    checkout.release("later")
    before = checkout.head
    client.config_resetstat()
    checkout.offline.touch()
    done = checkout.update()
    checkout.offline.unlink()
    assert done.returncode == 1 and "By hand: `git checkout main`, tools/setup\n" in done.stderr, done.stderr
    assert (checkout.head, checkout.branch) == (before, "main")
    assert waiting(client) == (TICKET, ["waits"])
    assert not {"cmdstat_del", "cmdstat_hset"} & client.info("commandstats").keys(), "nothing was removed and written again"


def test_a_release_by_name_is_left_again_by_the_next_update(own: tuple[Checkout, Redis]) -> None:
    checkout, client = own
    checkout.git("tag", "v0.3")
    assert checkout.update("v0.3").returncode == 0
    assert (checkout.head, checkout.branch) == (checkout.git("rev-parse", "v0.3"), "")
    newest = checkout.release("newest")
    done = checkout.update()
    assert done.returncode == 0, done.stderr
    assert (checkout.head, checkout.branch) == (newest, "main")
    assert waiting(client) == (TICKET, ["waits"])


def test_a_release_by_name_that_breaks_leaves_what_waits_and_the_branch(own: tuple[Checkout, Redis]) -> None:
    checkout, client = own
    before = checkout.head
    checkout.breaks()
    checkout.git("tag", "v0.4")
    done = checkout.update("v0.4")
    assert "everything is as it was" in done.stderr and "this release cannot" in done.stderr, done.stderr
    assert (checkout.head, checkout.branch) == (before, "main")
    assert waiting(client) == (TICKET, ["waits"])
