"""The embedded Valkey."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import embedded
from bot.store.connection import check, connect


async def test_what_was_written_is_there_after_a_kill(tmp_path: Path) -> None:
    data = tmp_path / "a folder with spaces and a name that is far too long for the path of a unix socket, as they are on macOS and Linux"
    first = embedded.start(data)
    client = connect(embedded.socket_url(data))
    await client.set("word", "kept")
    first.kill()
    first.wait(10)
    await client.aclose()
    second = embedded.start(data)
    again = connect(embedded.socket_url(data))
    assert await again.get("word") == b"kept"
    await again.aclose()
    second.terminate()
    assert second.wait(10) == 0
    assert not embedded.answers(data)


def test_one_that_cannot_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "valkey").mkdir()
    (tmp_path / "valkey/appendonlydir").write_text("in the way")
    with pytest.raises(StoreError, match=r"the embedded Valkey did not start \(.*Not a directory.*\); its log is .*/valkey/valkey\.log"):
        embedded.start(tmp_path)


async def test_an_unreachable_server_is_explained_without_the_password() -> None:
    url = "redis://user:secret@127.0.0.1:1/0"
    client = connect(url)
    with pytest.raises(StoreError, match=r"Redis at 127\.0\.0\.1:1/?.* cannot be reached.*leave redis\.url unset") as fault:
        await check(client, url)
    assert "secret" not in str(fault.value)
    await client.aclose()
