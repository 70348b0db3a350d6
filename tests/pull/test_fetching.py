"""One file over HTTP, whatever happens on the way."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import httpx
import pytest

from bot.errors import PullError
from bot.pull.fetching import Asset, fetch
from tests.pull.shelf import Shelf

CONTENT = bytes(range(256)) * 400
AT_ONCE = (0.0, 0.0)


def _asset(shelf: Shelf, content: bytes = CONTENT) -> Asset:
    return Asset(f"{shelf.url}/model.bin", len(content), hashlib.sha256(content).hexdigest())


def _fetch(asset: Asset, into: Path, pauses: tuple[float, ...] = AT_ONCE) -> list[int]:
    arrived: list[int] = []
    with httpx.Client(timeout=10) as client:
        fetch(asset, into, client, arrived.append, pauses)
    return arrived


def test_a_torn_download_resumes_where_it_stopped(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    shelf.cuts = [30_000, 20_000]
    arrived = _fetch(_asset(shelf), tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert [asked.range for asked in shelf.asked] == ["", "bytes=30000-", "bytes=50000-"]
    assert arrived == sorted(arrived)
    assert arrived[-1] == len(CONTENT)


def test_a_later_run_goes_on_with_what_an_earlier_one_left(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    (tmp_path / "model.bin.part").write_bytes(CONTENT[:70_000])
    _fetch(_asset(shelf), tmp_path / "model.bin")
    assert [asked.range for asked in shelf.asked] == ["bytes=70000-"]
    assert (tmp_path / "model.bin").read_bytes() == CONTENT
    assert not (tmp_path / "model.bin.part").exists()


def test_a_server_without_ranges_begins_anew(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    shelf.ranges = False
    (tmp_path / "model.bin.part").write_bytes(b"x" * 70_000)
    _fetch(_asset(shelf), tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_a_continued_file_with_a_wrong_start_is_brought_again_from_the_start(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    (tmp_path / "model.bin.part").write_bytes(b"x" * 70_000)
    _fetch(_asset(shelf), tmp_path / "model.bin")
    assert [asked.range for asked in shelf.asked] == ["bytes=70000-", ""]
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_a_part_that_is_longer_than_the_file_is_thrown_away(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    (tmp_path / "model.bin.part").write_bytes(CONTENT + b"more")
    _fetch(_asset(shelf), tmp_path / "model.bin")
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_a_wrong_hash_deletes_the_file_and_says_so(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT[::-1]
    with pytest.raises(PullError, match=r"expected the hash .* found another content; the file was deleted"):
        _fetch(_asset(shelf), tmp_path / "model.bin")
    assert list(tmp_path.iterdir()) == []


def test_a_small_file_is_verified_by_the_id_git_gives_it(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = b"{}\n"
    asset = Asset(f"{shelf.url}/model.bin", 3, blob="0967ef424bce6791893e9a57bb952f80fd536e93")
    _fetch(asset, tmp_path / "config.json")
    assert (tmp_path / "config.json").read_bytes() == b"{}\n"
    shelf.files["/model.bin"] = b"[]\n"
    with pytest.raises(PullError, match="deleted"):
        _fetch(asset, tmp_path / "other.json")


def test_a_server_that_sends_too_much_is_cut_off(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT * 4
    assert max(_fetch(_asset(shelf), tmp_path / "model.bin")) == len(CONTENT)
    assert (tmp_path / "model.bin").read_bytes() == CONTENT


def test_a_network_that_stays_away_is_a_sentence_and_keeps_what_has_come(shelf: Shelf, tmp_path: Path) -> None:
    shelf.files["/model.bin"] = CONTENT
    shelf.cuts = [30_000, 0, 0, 0]
    with pytest.raises(PullError, match=r"127\.0\.0\.1 cannot be reached .* 30,000 of 102,400 bytes are kept.* run the same command again"):
        _fetch(_asset(shelf), tmp_path / "model.bin")
    assert (tmp_path / "model.bin.part").stat().st_size == 30_000


def test_a_closed_port_is_a_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(PullError, match=r"cannot be reached .* nothing has come yet"):
        _fetch(Asset(f"http://127.0.0.1:{port}/model.bin", 5, "0" * 64), tmp_path / "model.bin", ())


def test_a_busy_server_is_asked_again_and_a_missing_file_is_not(shelf: Shelf, tmp_path: Path) -> None:
    shelf.statuses["/model.bin"] = 503
    with pytest.raises(PullError, match="it answered 503"):
        _fetch(_asset(shelf), tmp_path / "model.bin")
    assert len(shelf.asked) == 1 + len(AT_ONCE)
    shelf.statuses["/model.bin"] = 404
    with pytest.raises(PullError, match=r"answered 404 for /model\.bin"):
        _fetch(_asset(shelf), tmp_path / "model.bin")
    assert len(shelf.asked) == 2 + len(AT_ONCE)
