"""A homeserver on loopback, as far as a bot needs one: rooms, syncs that wait, transactions, relations, redactions, media.

It refuses what Matrix refuses: a wrong token, events beyond 65,536 bytes, reactions that are there already.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]

BOT, TOKEN, HOST = "@hobnob:test", "syt_secret", "test"
MOST = 65_536
"""Bytes of an event."""


@dataclass
class Homeserver:
    """`events` are all of them, in order; a sync's token is how many there were. `transactions` are known by the event they made."""

    events: list[Json] = field(default_factory=list)
    media: dict[str, bytes] = field(default_factory=dict)
    transactions: dict[str, str] = field(default_factory=dict)
    members: dict[str, list[str]] = field(default_factory=dict)
    invites: list[str] = field(default_factory=list)
    redacted: set[str] = field(default_factory=set)
    syncs: int = 0
    url: str = ""
    more: asyncio.Condition = field(default_factory=asyncio.Condition)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def room(self, *people: str, invited: bool = False) -> str:
        """A new room with the bot and these."""
        id = f"!r{next(self.numbers)}:{HOST}"
        self.members[id] = [f"@{name.lower()}:{HOST}" for name in people]
        for name in people:
            self._keep(
                id, "m.room.member", f"@{name.lower()}:{HOST}", {"membership": "join", "displayname": name}, f"@{name.lower()}:{HOST}"
            )
        if invited:
            self.invites.append(id)
        else:
            self.enter(id)
        return id

    def enter(self, room: str) -> None:
        """The bot is a member."""
        self.members[room].append(BOT)
        self._keep(room, "m.room.member", BOT, {"membership": "join", "displayname": "Hobnob"}, BOT)

    async def happens(self, room: str, kind: str, sender: str, content: Json, **more: Any) -> str:
        """Somebody does something; whoever waits for it is told."""
        id = self._keep(room, kind, sender, content, **more)
        async with self.more:
            self.more.notify_all()
        return id

    def _keep(self, room: str, kind: str, sender: str, content: Json, state: str | None = None, **more: Any) -> str:
        id = f"$e{next(self.numbers)}"
        event = {"type": kind, "event_id": id, "sender": sender, "origin_server_ts": int(time.time() * 1000), "content": content, **more}
        self.events.append({**event, "room_id": room, **({} if state is None else {"state_key": state})})
        return id

    def said(self, room: str) -> Iterator[Json]:
        """The bot's messages there, as they stand: each content with its `event_id`."""
        for event in self.events:
            content = event["content"]
            if (event["room_id"], event["sender"], event["type"]) != (room, BOT, "m.room.message") or event["event_id"] in self.redacted:
                continue
            if content.get("m.relates_to", {}).get("rel_type") != "m.replace":
                edits = [one["content"]["m.new_content"] for one in self.related(event["event_id"], "m.replace")]
                yield {"m.relates_to": content.get("m.relates_to", {}), **(edits[-1] if edits else content), "event_id": event["event_id"]}

    def related(self, event: str, kind: str) -> list[Json]:
        """What relates to an event in this way, and is not redacted."""
        about = [one for one in self.events if one["content"].get("m.relates_to", {}).get("event_id") == event]
        return [one for one in about if one["content"]["m.relates_to"].get("rel_type") == kind and one["event_id"] not in self.redacted]

    # What is asked over HTTP ------------------------------------------------------------------------------------------------

    async def sync(self, request: web.Request) -> web.Response:
        since, wait = int(request.query.get("since", 0)), int(request.query.get("timeout", 0)) / 1000
        self.syncs += 1
        async with self.more:
            with suppress(TimeoutError):
                await asyncio.wait_for(self.more.wait_for(lambda: len(self.events) > since or self.invites), wait or 0.01)
        join: dict[str, Json] = {}
        for event in self.events[since:]:
            if BOT in self.members.get(event["room_id"], []):
                part = "state" if "state_key" in event and not since else "timeline"
                found = join.setdefault(
                    event["room_id"], {"state": {"events": []}, "timeline": {"events": [], "limited": False, "prev_batch": "x"}}
                )
                found.setdefault("ephemeral", {"events": []}), found.setdefault("account_data", {"events": []})
                found[part]["events"].append(event)
        invites: dict[str, Json] = {room: {"invite_state": {"events": []}} for room in self.invites}
        rooms = {"join": join, "invite": invites, "leave": {}}
        return web.json_response(
            {"next_batch": str(len(self.events)), "rooms": rooms, "to_device": {"events": []}, "presence": {"events": []}}
        )

    async def send(self, request: web.Request) -> web.Response:
        room, kind, transaction = (request.match_info[name] for name in ("room", "kind", "transaction"))
        content = await request.json()
        if BOT not in self.members.get(room, []):
            return _refused(403, "M_FORBIDDEN", "not in the room")
        if len(json.dumps(content).encode()) > MOST - 500:
            return _refused(413, "M_TOO_LARGE", "event too large")
        if transaction not in self.transactions:
            about = content.get("m.relates_to", {})
            there = {
                one["content"]["m.relates_to"]["key"]
                for one in self.related(about.get("event_id", ""), "m.annotation")
                if one["sender"] == BOT
            }
            if kind == "m.reaction" and about["key"] in there:
                return _refused(400, "M_DUPLICATE_ANNOTATION", "there already")
            self.transactions[transaction] = await self.happens(room, kind, BOT, content)
        return web.json_response({"event_id": self.transactions[transaction]})

    async def redact(self, request: web.Request) -> web.Response:
        event = request.match_info["event"]
        self.redacted.add(event)
        id = await self.happens(request.match_info["room"], "m.room.redaction", BOT, {}, redacts=event)
        return web.json_response({"event_id": id})

    async def event(self, request: web.Request) -> web.Response:
        found = [one for one in self.events if one["event_id"] == request.match_info["event"]]
        return web.json_response(found[0]) if found else _refused(404, "M_NOT_FOUND", "no such event")

    async def relations(self, request: web.Request) -> web.Response:
        if not any(one["event_id"] == request.match_info["event"] for one in self.events):
            return _refused(404, "M_NOT_FOUND", "no such event")
        return web.json_response({"chunk": self.related(request.match_info["event"], request.match_info["relation"])})

    async def join(self, request: web.Request) -> web.Response:
        room = request.match_info["room"]
        self.invites.remove(room)
        if room not in self.members:
            return _refused(403, "M_FORBIDDEN", "you are not invited")
        self.enter(room)
        return web.json_response({"room_id": room})

    async def leave(self, request: web.Request) -> web.Response:
        self.members.get(request.match_info["room"], [BOT]).remove(BOT)
        return web.json_response({})

    async def nothing(self, request: web.Request) -> web.Response:
        return web.json_response({})

    async def upload(self, request: web.Request) -> web.Response:
        id = f"m{next(self.numbers)}"
        self.media[id] = await request.read()
        return web.json_response({"content_uri": f"mxc://{HOST}/{id}"})

    async def download(self, request: web.Request) -> web.Response:
        return web.Response(body=self.media[request.match_info["media"]], content_type="application/octet-stream")


def _refused(status: int, code: str, words: str) -> web.Response:
    return web.json_response({"errcode": code, "error": words}, status=status)


@web.middleware
async def _known(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _refused(401, "M_UNKNOWN_TOKEN", "who are you?")
    answer: web.StreamResponse = await handler(request)
    return answer


@asynccontextmanager
async def serving() -> AsyncIterator[Homeserver]:
    """On a port of its own."""
    server, app = Homeserver(), web.Application(middlewares=[_known], client_max_size=1 << 26)
    client, room = "/_matrix/client/v3", "/_matrix/client/v3/rooms/{room}"
    app.add_routes(
        [
            web.get(f"{client}/sync", server.sync),
            web.post(client + "/join/{room}", server.join),
            web.post(f"{room}/leave", server.leave),
            web.put(room + "/send/{kind}/{transaction}", server.send),
            web.put(room + "/redact/{event}/{transaction}", server.redact),
            web.put(room + "/typing/{user}", server.nothing),
            web.get(room + "/event/{event}", server.event),
            web.get("/_matrix/client/v1/rooms/{room}/relations/{event}/{relation}/{kind}", server.relations),
            web.post("/_matrix/media/v3/upload", server.upload),
            web.get("/_matrix/client/v1/media/download/{host}/{media}", server.download),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()
