"""Synapse, a real homeserver, in an environment of its own on loopback, and people who use it. A small one of ours: `matrix_server.py`."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import aiohttp

from bot.testing import wait_until
from tests.ports import free_port
from tests.wire.matrix_server import BOT, HOST, Homeserver, Json

PACKAGES = ("matrix-synapse==1.163.2",)

LIMITLESS = {"per_second": 10_000, "burst_count": 10_000}

CLIENT = "/_matrix/client/v3"


@dataclass
class Synapse(Homeserver):
    """`events` are what Ada's own program was told; whoever speaks has an access token in `tokens`."""

    http: aiohttp.ClientSession = field(kw_only=True)
    secret: str = field(kw_only=True)
    tokens: dict[str, str] = field(default_factory=dict)

    async def register(self, *names: str) -> None:
        """Accounts of these names."""
        for name in names:
            path = "/_synapse/admin/v1/register"
            nonce, user = (await self.asked("GET", path))["nonce"], name.lower()
            told = "\0".join((nonce, user, "password", "notadmin")).encode()
            mac = hmac.new(self.secret.encode(), told, hashlib.sha1).hexdigest()
            body = {"nonce": nonce, "username": user, "password": "password", "displayname": name, "admin": False, "mac": mac}
            self.tokens[f"@{user}:{HOST}"] = (await self.asked("POST", path, json=body))["access_token"]

    async def gather(self, *others: str, invited: str = "") -> str:
        """A new room of Ada's in which the others are too, and to which somebody is `invited`."""
        body = {"preset": "public_chat", "invite": [invited] if invited else []}
        room: str = (await self.asked("POST", f"{CLIENT}/createRoom", f"@ada:{HOST}", json=body))["room_id"]
        for user in others:
            await self.asked("POST", f"{CLIENT}/join/{quote(room)}", user, json={})
        return room

    async def part(self, user: str) -> None:
        """They leave all their rooms, so that nobody finds there later what was said before."""
        for room in (await self.asked("GET", f"{CLIENT}/joined_rooms", user))["joined_rooms"]:
            await self.asked("POST", f"{CLIENT}/rooms/{quote(room)}/leave", user, json={})

    def entered(self, room: str, user: str) -> bool:
        """Whether Ada saw them come in."""
        return any((one["room_id"], one["type"], one["sender"]) == (room, "m.room.member", user) for one in self.events)

    async def happens(self, room: str, kind: str, sender: str, content: Json, **more: str) -> str:
        """Somebody does something."""
        if "url" in content:
            sent = self.media[content["url"].rpartition("/")[2]]
            content = {**content, "url": (await self.asked("POST", "/_matrix/media/v3/upload", sender, data=sent))["content_uri"]}
        path = f"{CLIENT}/rooms/{quote(room)}/send/{kind}/{secrets.token_hex(8)}"
        id: str = (await self.asked("PUT", path, sender, json=content))["event_id"]
        return id

    async def watch(self) -> None:
        """Ada's program, until cancelled."""
        since = ""
        while True:
            found = await self.asked("GET", f"{CLIENT}/sync?timeout=30000{since}", f"@ada:{HOST}")
            since = f"&since={found['next_batch']}"
            for room, told in found.get("rooms", {}).get("join", {}).items():
                for event in told["timeline"]["events"]:
                    if event["type"] == "m.room.redaction":
                        self.redacted.add(event.get("redacts") or event["content"]["redacts"])
                    if url := event["content"].get("url"):
                        self.media[url.rpartition("/")[2]] = await self._bytes(url)
                    self.events.append({**event, "room_id": room})

    async def asked(self, method: str, path: str, user: str = "", **more: object) -> Json:
        """Raises aiohttp's ClientResponseError for what the homeserver refuses."""
        async with self.http.request(method, f"{self.url}{path}", headers=self._headers(user), **more) as response:  # type: ignore[arg-type]  # as aiohttp takes it
            response.raise_for_status()
            answer: Json = await response.json()
            return answer

    async def _bytes(self, url: str) -> bytes:
        path = f"/_matrix/client/v1/media/download/{url.removeprefix('mxc://')}"
        async with self.http.get(f"{self.url}{path}", headers=self._headers(f"@ada:{HOST}")) as response:
            response.raise_for_status()
            return await response.read()

    def _headers(self, user: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[user]}"} if user else {}


@asynccontextmanager
async def synapse(python: Path, folder: Path) -> AsyncIterator[Synapse]:
    """With Ada, Ben and the bot, and none of the limits on how often they may do something; the `python` has it."""
    port, secret = free_port(), secrets.token_hex(16)
    (folder / "signing.key").write_text(f"ed25519 a_1 {base64.b64encode(secrets.token_bytes(32)).decode().rstrip('=')}\n")
    (folder / "homeserver.yaml").write_text(json.dumps(_configured(folder, port, secret)))  # which YAML takes
    with (folder / "log").open("wb") as log:
        command = [str(python), "-m", "synapse.app.homeserver", "-c", str(folder / "homeserver.yaml")]
        process = await asyncio.create_subprocess_exec(*command, cwd=folder, stdout=log, stderr=log)
    try:
        async with aiohttp.ClientSession() as http:
            server = Synapse(url=f"http://127.0.0.1:{port}", http=http, secret=secret)
            await wait_until(lambda: _answers(server, process, folder), 60.0)
            await server.register("Hobnob", "Ada", "Ben")
            watching = asyncio.create_task(server.watch())
            yield server
            watching.cancel()
            await asyncio.wait([watching])
    finally:
        if process.returncode is None:
            process.kill()  # nothing of it is kept
        await process.wait()


async def _answers(server: Synapse, process: asyncio.subprocess.Process, folder: Path) -> bool:
    assert process.returncode is None, (folder / "log").read_text()[-2000:]
    try:
        await server.asked("GET", "/_matrix/client/versions")
    except aiohttp.ClientConnectionError:
        return False
    return True


def _configured(folder: Path, port: int, secret: str) -> Json:
    limits = ("message", "registration", "login", "joins", "joins_per_room", "invites", "room_creation", "media_create")
    nested = {"login": {"address": LIMITLESS, "account": LIMITLESS, "failed_attempts": LIMITLESS}}
    nested |= {"joins": {"local": LIMITLESS, "remote": LIMITLESS}}
    nested |= {"invites": {"per_room": LIMITLESS, "per_user": LIMITLESS, "per_issuer": LIMITLESS}}
    listener = {"port": port, "bind_addresses": ["127.0.0.1"], "type": "http", "resources": [{"names": ["client", "media"]}]}
    return {
        "server_name": HOST,
        "report_stats": False,
        "trusted_key_servers": [],
        "suppress_key_server_warning": True,
        "signing_key_path": str(folder / "signing.key"),
        "registration_shared_secret": secret,
        "database": {"name": "sqlite3", "args": {"database": str(folder / "homeserver.db")}},
        "media_store_path": str(folder / "media"),
        "url_preview_enabled": False,
        "caches": {"sync_response_cache_duration": "0s"},  # a router with a new store would hear all that the ones before it answered
        "presence": {"enabled": False},
        "listeners": [listener],
        **{f"rc_{name}": nested.get(name, LIMITLESS) for name in limits},
    }


__all__ = ["BOT", "PACKAGES", "Synapse", "synapse"]
