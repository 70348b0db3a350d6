"""Discord's gateway: IDENTIFY, heartbeats, READY, events in sequence, RESUME with what was missed. What happens: `discord_server.py`."""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.wire.discord_payloads import Json, World

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, RESUME, RECONNECT, INVALID, HELLO, ACK = 0, 1, 2, 3, 6, 7, 9, 10, 11
CONTENT = 1 << 15
"""The intent without which a bot does not read what was not said to it."""

PRIVILEGED = {"message content": CONTENT, "server members": 1 << 1, "presence": 1 << 8}


class Socket(web.WebSocketResponse):
    """Packs what it sends into one stream, if the client asked for that."""

    def __init__(self, compress: str) -> None:
        super().__init__()
        self._stream = zlib.compressobj() if compress == "zlib-stream" else None

    async def send_json(self, data: Any, compress: int | None = None, **options: Any) -> None:
        """A frame."""
        if self._stream is None:
            await super().send_json(data, compress, **options)
        else:
            await self.send_bytes(self._stream.compress(json.dumps(data).encode()) + self._stream.flush(zlib.Z_SYNC_FLUSH))


@dataclass
class Session:
    """What a client identified, and everything it was sent."""

    id: str
    intents: int
    shard: tuple[int, int]
    socket: web.WebSocketResponse | None = None
    sent: list[Json] = field(default_factory=list)


@dataclass
class Gateway:
    """Sessions by id. `granted` are the privileged intents that the developer portal has on."""

    world: World
    token: str
    url: str = ""
    granted: int = CONTENT
    interval: float = 41.25
    sessions: dict[str, Session] = field(default_factory=dict)
    identified: int = 0
    resumed: int = 0
    refuse_resume: bool = False
    half_open: bool = False

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = Socket(request.query.get("compress", ""))
        await socket.prepare(request)
        await socket.send_json({"op": HELLO, "d": {"heartbeat_interval": int(self.interval * 1000)}, "s": None, "t": None})
        session: Session | None = None
        async for frame in socket:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            session = await self._receive(socket, json.loads(frame.data), session)
        if session is not None and session.socket is socket:
            session.socket = None
        return socket

    async def _receive(self, socket: web.WebSocketResponse, frame: Json, session: Session | None) -> Session | None:
        match frame["op"]:
            case 1 if not self.half_open:
                await socket.send_json({"op": ACK, "d": None, "s": None, "t": None})
            case 2:
                return await self._identify(socket, frame["d"])
            case 6:
                return await self._resume(socket, frame["d"])
        return session

    async def _identify(self, socket: web.WebSocketResponse, said: Json) -> Session | None:
        if said["token"] != self.token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return None
        if said["intents"] & sum(PRIVILEGED.values()) & ~self.granted:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        self.identified += 1
        shard = tuple(said.get("shard", (0, 1)))
        session = self.sessions[f"session-{self.identified}"] = Session(f"session-{self.identified}", said["intents"], shard, socket)
        mine = [guild for guild in self.world.guilds.values() if self._concerns(session, guild["id"])]
        ready = {
            "v": 10,
            "user": {**self.world.bot, "verified": True, "mfa_enabled": False, "email": None},
            "guilds": [{"id": guild["id"], "unavailable": True} for guild in mine],
            "private_channels": [],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": list(shard),
            "application": {"id": self.world.application["id"], "flags": self.world.application["flags"]},
        }
        await self._send(session, "READY", ready)
        for guild in mine:
            await self._send(session, "GUILD_CREATE", guild)
        return session

    async def _resume(self, socket: web.WebSocketResponse, said: Json) -> Session | None:
        session = self.sessions.get(said["session_id"])
        if session is None or said["token"] != self.token or self.refuse_resume:
            await socket.send_json({"op": INVALID, "d": False, "s": None, "t": None})
            return None
        self.resumed += 1
        session.socket = socket
        for frame in session.sent[said["seq"] :]:
            await socket.send_json(frame)
        await self._send(session, "RESUMED", {})
        return session

    def _concerns(self, session: Session, guild: str) -> bool:
        """A guild's events go to its shard, direct messages to the first."""
        number, count = session.shard
        return ((int(guild) >> 22) % count if guild else 0) == number

    async def _send(self, session: Session, event: str, data: Json) -> None:
        frame = {"op": DISPATCH, "t": event, "s": len(session.sent) + 1, "d": data}
        session.sent.append(frame)
        if session.socket is not None and not session.socket.closed:
            with suppress(ConnectionError):  # it is resumed later
                await session.socket.send_json(frame)

    async def dispatch(self, event: str, data: Json, guild: str = "") -> None:
        """Sends an event to the session of its shard; those that are cut off get it when they resume."""
        for session in list(self.sessions.values()):
            if self._concerns(session, guild):
                await self._send(session, event, self._blanked(session, data) if event.startswith("MESSAGE_") else data)

    def _blanked(self, session: Session, data: Json) -> Json:
        """Without the intent a message says nothing, unless it speaks to the bot or to nobody else."""
        bot = self.world.bot["id"]
        mentioned = data.get("author", {}).get("id") == bot or any(user["id"] == bot for user in data.get("mentions", []))
        if session.intents & CONTENT or "guild_id" not in data or mentioned or "content" not in data:
            return data
        return {**data, "content": "", "attachments": [], "embeds": [], "components": []}

    async def drop(self, code: int = 4000) -> None:
        """Cuts every connection; the sessions can be resumed."""
        await asyncio.gather(*(one.socket.close(code=code) for one in self.sessions.values() if one.socket is not None))

    async def ask_to_reconnect(self) -> None:
        """Operation 7: politely the same."""
        for session in self.sessions.values():
            if session.socket is not None:
                await session.socket.send_json({"op": RECONNECT, "d": None, "s": None, "t": None})

    @property
    def ready(self) -> bool:
        """True while somebody is connected."""
        return any(session.socket is not None and not session.socket.closed for session in self.sessions.values())
