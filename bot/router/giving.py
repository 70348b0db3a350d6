"""Gives back and deletes what is kept of the person who asks. How that is found: `bot/store/personal.py`."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

from bot.connector import Connector, Remembering
from bot.messages import Blob, Message
from bot.personal import Kept
from bot.store.blobs import Blobs
from bot.store.contents import TABLE
from bot.store.personal import PersonalData
from bot.store.tickets import Write

KINDS = {entry.pattern: entry.what for entry in TABLE}


def kept() -> list[Kept]:
    """Every kind of data that has to do with people."""
    return [Kept(entry.what, entry.lives, entry.mine == "asked") for entry in TABLE if entry.mine]


class Giving:
    """Looks everywhere: in the store, and in what a connector keeps itself."""

    def __init__(self, data: PersonalData, blobs: Blobs, connectors: Mapping[str, Connector]) -> None:
        self._data = data
        self._blobs = blobs
        self._connectors = connectors

    async def export(self, message: Message) -> Blob:
        """A zip with a JSON file for each kind of data, and the files that the person sent."""
        connector, person = message.address.connector, message.sender.id
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for pattern, found in (await self._data.found(connector, person)).items():
                _write(archive, pattern, found)
            keeper = self._connectors[connector]
            if isinstance(keeper, Remembering):
                said, files = await keeper.said_by(person)
                _write(archive, "room-posts", said)
                for name, content in files:
                    archive.writestr(f"files/{name}", content)
        return await self._blobs.put(packed.getvalue(), "application/zip", "mydata.zip")

    async def remembered(self, message: Message) -> bool:
        """Whether the sender is remembered."""
        return await self._data.remembered(message.address.connector, message.sender.id)

    def remembering(self, message: Message, wanted: bool) -> Write:
        """The write that keeps whether the sender wants to be."""
        return self._data.remembering(message.address.connector, message.sender.id, wanted)

    async def forget(self, message: Message) -> dict[str, int]:
        """How much of each kind there was, in words."""
        connector, person = message.address.connector, message.sender.id
        gone = {KINDS[pattern]: count for pattern, count in (await self._data.forget(connector, person)).items()}
        keeper = self._connectors[connector]
        if isinstance(keeper, Remembering):
            gone[KINDS["room-posts:*"]] = await keeper.forget(person)
        return {what: count for what, count in gone.items() if count}


def _write(archive: zipfile.ZipFile, pattern: str, found: object) -> None:
    name = pattern.rstrip("*").strip(":").replace(":", "-")
    archive.writestr(f"{name}.json", json.dumps(found, ensure_ascii=False, indent=1))
