"""Backups of the whole product: to another machine, encrypted, without secrets; and what is said of those that cannot be used."""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot import backup
from bot.backup import make_key, opened
from bot.errors import UserError
from bot.store import embedded
from bot.store.dump import Record
from bot.store.keys import Keys
from tests.house import House

ADDED = 'summary = "Mine"\nkind = "chat"\nlicence = "mit"\ndisk = 1\nsource = { type = "hub", repo = "ada/mine" }\n'


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, Path]]:
    """An installation that answered a question with a file, was backed up while it ran, and once more after its end."""
    folder = tmp_path_factory.mktemp("kept")
    house = House(folder, more='[models]\ntoken = "hf_very_secret_token_of_mine"\n')
    (folder / ".env").write_text("HOBNOB_MODELS__ENDPOINT=http://127.0.0.1:9\n")
    (house.data / "models").mkdir(parents=True)
    (house.data / "models/mine.toml").write_text(ADDED)
    (folder / "picture.bin").write_bytes(b"picture" * 100)
    with house.running():
        assert house.do("ask", "remember this", "--file", str(folder / "picture.bin")).returncode == 0
        done = house.do("backup", str(folder / "running.tar.gz"))
        left_out = "because Hobnob runs: what waits or is being answered, and bytes that live for a day. To have all, stop it first."
        assert left_out in done.stdout, done.stderr
        refused = house.do("restore", str(folder / "running.tar.gz"))
        assert "runs already" in refused.stderr
    done = house.do("backup", str(folder / "whole.age"), "--key", str(folder / "key"))
    assert "keep a copy of it elsewhere" in done.stdout and "Not in it" not in done.stdout, done.stderr
    yield house, folder


def records(path: Path, key: Path | None = None) -> dict[str, Record]:
    with opened(path, key) as archive:
        return {record.key: record for record in archive.records()}


def test_a_new_machine_has_everything_again(kept: tuple[House, Path], tmp_path: Path) -> None:
    old, folder = kept
    new = House(tmp_path)
    done = new.do("restore", str(folder / "whole.age"), "--key", str(folder / "key"))
    assert done.returncode == 0, done.stderr
    assert {file.name: file.read_bytes() for file in (old.data / "files").iterdir()} == {
        file.name: file.read_bytes() for file in (new.data / "files").iterdir()
    }
    assert new.do("backup", str(tmp_path / "again.tar.gz")).returncode == 0
    before, after = records(folder / "whole.age", folder / "key"), records(tmp_path / "again.tar.gz")
    assert lasting(before) == {key: after.get(key) for key in lasting(before)}
    assert after.keys() <= before.keys()
    assert any(key.startswith("room-posts:") for key in before)
    assert "--replace removes it first" in new.do("restore", str(folder / "running.tar.gz")).stderr
    assert new.do("restore", str(folder / "running.tar.gz"), "--replace").returncode == 0


def test_secrets_are_left_out(kept: tuple[House, Path]) -> None:
    _, folder = kept
    with opened(folder / "running.tar.gz") as archive:
        assert 'token = "[hidden]"' in archive.config
        assert not archive.manifest.secrets
        assert not any(record.key.startswith(("session:", "invite:", "claim:")) for record in archive.records())


def test_with_secrets_they_are_there(kept: tuple[House, Path]) -> None:
    house, folder = kept
    assert house.do("backup", str(folder / "secrets.tar.gz"), "--secrets").returncode == 0
    with opened(folder / "secrets.tar.gz") as archive:
        assert "hf_very_secret_token_of_mine" in archive.config
        assert any(record.key.startswith("invite:") for record in archive.records())


def test_tokens_and_added_models_beside_the_configuration_come_back(kept: tuple[House, Path], tmp_path: Path) -> None:
    """The tokens where secrets were asked for; neither in the place of what is there."""
    old, folder = kept
    assert old.do("backup", str(folder / "beside.tar.gz"), "--secrets").returncode == 0
    with opened(folder / "running.tar.gz") as archive:
        assert archive.beside() == {"models/mine.toml": ADDED.encode()}
    new = House(tmp_path)
    done = new.do("restore", str(folder / "beside.tar.gz"))
    assert f"{tmp_path / '.env'} is back." in done.stdout, done.stderr
    assert (tmp_path / ".env").read_text() == (folder / ".env").read_text()
    assert (new.data / "models/mine.toml").read_text() == ADDED
    assert {(tmp_path / ".env").stat().st_mode & 0o777, (new.data / "models/mine.toml").stat().st_mode & 0o777} == {0o600}
    (tmp_path / ".env").write_text("HOBNOB_MODELS__ENDPOINT=http://127.0.0.1:10\n")
    done = new.do("restore", str(folder / "beside.tar.gz"), "--replace")
    aside = new.data / "restored-.env"
    assert f"{tmp_path / '.env'} is there already and stays as it is; what the backup has is {aside}." in done.stdout, done.stderr
    assert (tmp_path / ".env").read_text().endswith(":10\n") and aside.read_text().endswith(":9\n")
    assert "mine.toml" not in done.stdout and aside.stat().st_mode & 0o777 == 0o600


def test_only_the_owner_can_read_a_backup_and_its_key(kept: tuple[House, Path]) -> None:
    _, folder = kept
    assert {(folder / name).stat().st_mode & 0o777 for name in ("running.tar.gz", "whole.age", "key")} == {0o600}
    assert (folder / "whole.age").read_bytes().startswith(backup.MAGIC)


def test_what_cannot_be_read_is_said(kept: tuple[House, Path], tmp_path: Path) -> None:
    _, folder = kept
    make_key(tmp_path / "other")
    (tmp_path / "no-key").write_text("nothing")
    damaged = tmp_path / "damaged.tar.gz"
    damaged.write_bytes((folder / "running.tar.gz").read_bytes()[:-200])
    for path, key, said in (
        (folder / "whole.age", None, "is encrypted: name the file with its key"),
        (folder / "whole.age", tmp_path / "other", "was encrypted for another key"),
        (folder / "whole.age", tmp_path / "no-key", "expected a line AGE-SECRET-KEY-"),
        (tmp_path / "no-key", None, "is no backup of Hobnob"),
        (damaged, None, "is no backup of Hobnob, or damaged"),
    ):
        with pytest.raises(UserError, match=said), opened(path, key) as archive:
            list(archive.records())


@contextmanager
def standing(house: House) -> Iterator[None]:
    """Its store, without anything else."""
    process = embedded.start(house.data)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


async def test_where_nothing_can_be_written_is_a_sentence(tmp_path: Path) -> None:
    house = House(tmp_path)
    with standing(house):
        async with house.store() as redis:
            kept = Keys().data("notes", "server", "room/lobby", "k")
            await redis.set(kept, '"kept"')
            await redis.sadd(Keys().data_index("server", "room/lobby"), kept)
    (tmp_path / "file").write_text("no folder")
    below = str(tmp_path / "file/below")
    for words in (["backup", below], ["backup", "--key", below], ["export", "room/lobby", below]):
        done = house.do(*words)
        assert done.returncode == 1 and f"{below} cannot be written: " in done.stderr, (words, done.stderr)
        assert "Name a place where you may write" in done.stderr and "Traceback" not in done.stderr


def test_a_damaged_backup_takes_the_place_of_nothing(kept: tuple[House, Path], tmp_path: Path) -> None:
    """Cut off in the keys or in the files, or with one byte turned over in either."""
    house, folder = kept
    before = records_now(house, tmp_path)
    whole = (folder / "running.tar.gz").read_bytes()
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 0xFF
    for number, content in enumerate((whole[: len(whole) // 3], whole[:-200], whole[:-4], bytes(turned))):
        damaged = tmp_path / f"damaged-{number}.tar.gz"
        damaged.write_bytes(content)
        done = house.do("restore", str(damaged), "--replace")
        assert done.returncode == 1 and "is no backup of Hobnob, or damaged" in done.stderr, (number, done.stderr)
        assert "Traceback" not in done.stderr
    assert before == records_now(house, tmp_path) and any(key.startswith("room-posts:") for key in before)


def forged(of: Path, path: Path, **changed: bytes | None) -> Path:
    """The same backup with other members, by name; those of None are left out."""
    with tarfile.open(path, "w:gz") as out, tarfile.open(of) as made:
        whole = {one.name: file.read() for one in made if (file := made.extractfile(one)) is not None}
        for name, content in {**whole, **changed}.items():
            if content is not None:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                out.addfile(info, io.BytesIO(content))
    return path


def test_a_forged_backup_takes_the_place_of_nothing(kept: tuple[House, Path], tmp_path: Path) -> None:
    """Whole, and of one manifest with itself, but with something in it that cannot be restored."""
    house, folder = kept
    before = records_now(house, tmp_path)
    with opened(folder / "running.tar.gz") as archive:
        manifest, known = archive.manifest, [record.model_dump_json() for record in archive.records()]

    def keys(last: str) -> dict[str, bytes]:
        told = manifest.model_copy(update={"keys": len(known) + 1})
        return {backup.MANIFEST: told.model_dump_json().encode(), backup.KEYS: "\n".join([*known, last]).encode()}

    never: list[tuple[dict[str, bytes | None], str]] = [
        ({**keys('{"key": "schema", "kind": "string", "value": "99"}')}, "has form 99"),
        ({**keys('{"key": "button:x", "kind": "hash", "value": ["a"]}')}, "cannot be understood"),
        ({**keys('{"key": "button:x", "kind": "list", "value": [5]}')}, "cannot be understood"),
        ({backup.KEYS: None}, "it has no keys.jsonl"),
        ({backup.CONFIG: b"\xff"}, "its bot.toml cannot be understood"),
        ({"files/../../escaped": b"x"}, "is no file of a room"),
    ]
    for number, (changed, said) in enumerate(never):
        path = forged(folder / "running.tar.gz", tmp_path / f"forged-{number}.tar.gz", **changed)
        done = house.do("restore", str(path), "--replace")
        assert done.returncode and said in done.stderr and "Traceback" not in done.stderr, (said, done.stderr)
    assert before == records_now(house, tmp_path) and any(key.startswith("room-posts:") for key in before)
    assert not (house.data / "restored-bot.toml").exists()


async def test_what_a_killed_restore_left_is_gone_once_hobnob_runs(tmp_path: Path) -> None:
    house = House(tmp_path)
    with standing(house):
        async with house.store() as redis:
            await redis.set(Keys().beside("0f").data("notes", "server", "room/lobby", "k"), "what somebody said")
    with house.running():
        async with house.store() as redis:
            assert [name async for name in redis.scan_iter(Keys().restoring("*"))] == []


def records_now(house: House, folder: Path) -> dict[str, Record]:
    """What its store has that will still be there in an hour."""
    assert house.do("backup", str(folder / "now.tar.gz")).returncode == 0
    return lasting(records(folder / "now.tar.gz"))


def lasting(found: dict[str, Record]) -> dict[str, Record]:
    hour = 3_600_000 + int(time.time() * 1000)  # what goes sooner may be gone by the next look
    return {key: record for key, record in found.items() if record.until is None or record.until > hour}
