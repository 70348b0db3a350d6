"""Files that people sent, from Telegram's own server and from a Bot API server of the operator's."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.connectors.telegram import TelegramConnector
from bot.errors import ConnectorError, UserError
from bot.messages import Attachment
from tests.wire.telegram_server import Telegram


async def read(connector: TelegramConnector, id: str, size: int = 1) -> bytes:
    return b"".join([piece async for piece in connector.read(Attachment(id, "audio/ogg", size))])


async def test_a_file_beyond_the_limit_is_a_sentence_that_says_what_to_do(telegram: Telegram, on_telegram: TelegramConnector) -> None:
    id = telegram.chats.file(bytes(20_000_001))["file_id"]
    with pytest.raises(UserError, match=r"31 MB.*20 MB.*connectors\.telegram\.api_url"):
        _ = [piece async for piece in on_telegram.read(Attachment(id, "audio/ogg", 31_000_000))]
    with pytest.raises(ConnectorError, match="Invalid file_id"):
        _ = [piece async for piece in on_telegram.read(Attachment("gone", "audio/ogg", 1))]


async def test_a_server_of_ones_own_gives_larger_files_from_its_disk(
    telegram: Telegram, on_telegram: TelegramConnector, tmp_path: Path
) -> None:
    telegram.methods.local = tmp_path
    large = bytes(20_000_001)
    assert await read(on_telegram, telegram.chats.file(large)["file_id"]) == large


async def test_where_its_disk_cannot_be_read_a_web_server_gives_what_is_on_it(
    telegram: Telegram, on_telegram: TelegramConnector, tmp_path: Path
) -> None:
    telegram.methods.local = tmp_path / "on another machine"
    id = telegram.chats.file(b"far away")["file_id"]
    assert await read(on_telegram, id) == b"far away"


async def test_a_disk_that_nobody_shares_is_named_with_what_to_do(
    telegram: Telegram, on_telegram: TelegramConnector, tmp_path: Path
) -> None:
    telegram.methods.local = tmp_path / "on another machine"
    id = telegram.chats.file(b"far away")["file_id"]
    telegram.hidden.add(id)
    with pytest.raises(ConnectorError, match=r"--local.*same path.*connectors\.telegram\.file_url"):
        await read(on_telegram, id)
