"""A Discord on loopback for the unmodified libraries: every call is checked, limited and recorded; people talk to the bot through it.

Its parts: objects `discord_payloads.py`, gateway `discord_gateway.py`, routes `discord_rest.py` and `discord_interactions.py`.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.wire.discord_gateway import Gateway
from tests.wire.discord_interactions import Interaction, Interactions
from tests.wire.discord_limits import Limiter
from tests.wire.discord_payloads import MANAGE_GUILD, VOICE_MESSAGE, Json, World, now, public
from tests.wire.discord_rest import Call, Handler, Rest, read
from tests.wire.discord_rules import PICKS, Refused

TOKEN = "MTIzNDU2Nzg5.tests.0123456789"  # the first part is a number in base64, as hikari wants it
ROOT = "/api/v10"


@dataclass(frozen=True)
class Recorded:
    """One call as it was made and answered; `route` is its path as the API's description writes it."""

    method: str
    route: str
    path: str
    body: Any
    files: int
    status: int
    answer: Any


@dataclass
class Fault:
    """Answers the next `times` calls that fit with a refusal instead; of the status 0, with nothing: the connection breaks."""

    method: str
    path: str
    status: int
    body: Json = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


class Discord:
    """The whole platform. `violations` is what a well-behaved bot never does; `refused` counts its 429s."""

    def __init__(self, scale: float = 1.0) -> None:
        self.world = World()
        self.violations: list[str] = []
        self.gateway = Gateway(self.world, TOKEN)
        self.rest = Rest(self.world, self.gateway, self.violations)
        self.interactions = Interactions(self.rest, scale)
        self.limiter = Limiter(scale)
        self.record: list[Recorded] = []
        self.faults: list[Fault] = []
        self.refused: list[str] = []
        self.url = ""
        self._routes = [(method, path, _pattern(path), do) for (method, path), do in (self.rest.routes | self.interactions.routes).items()]

    # Calls

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Any call to the API."""
        path = request.path.removeprefix(ROOT)
        body, files = await read(request)
        route, found, do = self._route(request.method, path)
        status, answer, headers = await self._answer(request, route, Call(request, found, body, files), do)
        self.record.append(Recorded(request.method, route, path, body, len(files), status, answer))
        if not status and request.transport is not None:
            request.transport.abort()
            return web.Response()
        if status == 204:
            return web.Response(status=status, headers=headers)
        # exactly this type: with a charset discord.py takes the body for text
        return web.Response(status=status, body=json.dumps(answer).encode(), headers={"Content-Type": "application/json", **headers})

    def _route(self, method: str, path: str) -> tuple[str, dict[str, str], Handler | None]:
        for verb, route, pattern, do in self._routes:
            if verb == method and (found := pattern.fullmatch(path)):
                return route, found.groupdict(), do
        self.violations.append(f"unknown route: {method} {path}")
        return path, {}, None

    async def _answer(self, request: web.Request, route: str, call: Call, do: Handler | None) -> tuple[int, Any, dict[str, str]]:
        exempt = route.startswith(("/interactions", "/webhooks"))
        if not exempt and request.headers.get("Authorization") != f"Bot {TOKEN}":
            return 401, {"message": "401: Unauthorized", "code": 0}, {}
        if do is None:
            return 404, {"message": "404: Not Found", "code": 0}, {}
        if fault := next((one for one in self.faults if one.method == request.method and re.search(one.path, request.path)), None):
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
            return fault.status, fault.body, fault.headers
        major = call.path.get("channel") or call.path.get("token") or call.path.get("guild") or ""
        wait, everywhere, headers = self.limiter.take(f"{request.method} {route}", major, exempt=exempt)
        if wait:
            self.refused.append(f"{request.method} {request.path}")
            body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": everywhere}
            return 429, body, {**headers, "Retry-After": f"{wait:.3f}", "Via": "1.1 wire"}
        try:
            answer = await do(call)
        except Refused as refused:
            return refused.status, refused.body, headers
        return (204 if answer is None else 200), answer, headers

    async def file(self, request: web.Request) -> web.Response:
        """What the CDN serves."""
        found = self.world.files.get(request.path)
        return web.Response(status=404) if found is None else web.Response(body=found, content_type="application/octet-stream")

    # People

    async def say(self, channel: Json, person: Json, text: str = "", *, reply_to: Json | None = None, **more: Any) -> Json:
        """Somebody says something."""
        if reply_to is not None:
            more |= {"type": 19, "message_reference": {"channel_id": reply_to["channel_id"], "message_id": reply_to["id"], "type": 0}}
            more |= {"referenced_message": public(reply_to)}
        made = self.world.message(channel, person, text, **more)
        await self._tell("MESSAGE_CREATE", channel, {**made, **self._who(channel, person)})
        return made

    def _who(self, channel: Json, person: Json) -> Json:
        if "guild_id" not in channel:
            return {}
        return {"member": {key: value for key, value in self.world.member(person).items() if key not in ("user", "permissions")}}

    async def send_file(
        self,
        channel: Json,
        person: Json,
        name: str,
        content: bytes,
        mime: str,
        text: str = "",
        *,
        voice: bool = False,
        seconds: float = 1.5,
    ) -> Json:
        """Somebody sends a file, or records a voice message."""
        more: Json = {"duration_secs": seconds, "waveform": "AAAA"} if voice else {}
        attached = [self.world.attachment(channel, name, content, mime, **more)]
        return await self.say(channel, person, text, attachments=attached, flags=VOICE_MESSAGE if voice else 0)

    async def edit(self, message: Json, text: str) -> None:
        """Its author changes a message."""
        message |= {"content": text, "edited_timestamp": now()}
        channel = self.world.channels[message["channel_id"]]
        await self._tell("MESSAGE_UPDATE", channel, {**message, **self._who(channel, message["author"])})

    async def delete(self, message: Json) -> None:
        """Its author takes a message away."""
        await self.rest.remove(message)

    async def purge(self, messages: Sequence[Json]) -> None:
        """A moderator takes messages of one channel away."""
        channel = self.world.channels[messages[0]["channel_id"]]
        for one in messages:
            del self.world.messages[channel["id"]][one["id"]]
        await self._tell("MESSAGE_DELETE_BULK", channel, {"ids": [one["id"] for one in messages], "channel_id": channel["id"]})

    async def react(self, message: Json, person: Json, emoji: str) -> None:
        """Somebody puts an emoji on a message."""
        channel = self.world.channels[message["channel_id"]]
        data = {"user_id": person["id"], "channel_id": channel["id"], "message_id": message["id"], "emoji": {"id": None, "name": emoji}}
        more = {"member": self.world.member(person), "guild_id": channel["guild_id"]} if "guild_id" in channel else {}
        author = {"message_author_id": message["author"]["id"]}
        await self.gateway.dispatch(
            "MESSAGE_REACTION_ADD", {**data, **more, **author, "type": 0, "burst": False}, channel.get("guild_id", "")
        )

    async def call(
        self, channel: Json, person: Json, command: str, *, manages: bool = True, locale: str = "en-US", **options: Any
    ) -> Interaction:
        """Somebody uses a slash command."""
        kinds = {str: 3, bool: 5, int: 4, float: 10}
        given = [{"name": name, "type": kinds[type(value)], "value": value} for name, value in options.items()]
        data = {"id": self._command(channel, command, 1)["id"], "name": command, "type": 1, "options": given}
        return await self.interactions.make(2, channel, person, data, permissions=str(MANAGE_GUILD if manages else 0), locale=locale)

    async def use(self, channel: Json, person: Json, command: str, message: Json) -> Interaction:
        """Somebody uses a command in the menu of a message."""
        resolved = {"messages": {message["id"]: {key: value for key, value in message.items() if not key.startswith("_")}}}
        data = {
            "id": self._command(channel, command, 3)["id"],
            "name": command,
            "type": 3,
            "target_id": message["id"],
            "resolved": resolved,
        }
        return await self.interactions.make(2, channel, person, data)

    def _command(self, channel: Json, name: str, kind: int) -> Json:
        offered = self.world.commands.get(channel.get("guild_id", ""), [])
        return next(one for one in offered if one["name"] == name and one["type"] == kind)

    async def press(self, message: Json, person: Json, label: str, *, manages: bool = False) -> Interaction:
        """Somebody presses a button."""
        button = next(part for row in message["components"] for part in row["components"] if part.get("label") == label)
        data = {"custom_id": button["custom_id"], "component_type": 2, "id": 1}
        permissions = str(MANAGE_GUILD if manages else 0)
        channel = self.world.channels[message["channel_id"]]
        return await self.interactions.make(3, channel, person, data, message, permissions=permissions)

    async def choose(self, message: Json, person: Json, *labels: str) -> Interaction:
        """Somebody chooses from the first menu."""
        menu = next(part for row in message["components"] for part in row["components"] if part["type"] == 3)
        values = [one["value"] for one in menu["options"] if one["label"] in labels]
        data = {"custom_id": menu["custom_id"], "component_type": 3, "id": 1, "values": values}
        return await self.interactions.make(3, self.world.channels[message["channel_id"]], person, data, message)

    async def fill(self, opened: Interaction, person: Json, *, permissions: str = str(MANAGE_GUILD), **values: str) -> Interaction:
        """Somebody sends the form that a click has opened, with what stood in it but for these."""
        assert opened.modal is not None
        parts = [label["component"] for label in opened.modal["components"]]
        data = {
            "custom_id": opened.modal["custom_id"],
            "components": [_filled(part, values, number) for number, part in enumerate(parts, 1)],
            "resolved": self._resolved(values.values()),
        }
        return await self.interactions.make(5, opened.channel, person, data, opened.pressed, permissions=permissions)

    def _resolved(self, ids: Iterable[str]) -> Json:
        """What Discord says of the ids that were picked."""
        world, found = self.world, [one for one in ids if one.isdecimal()]
        roles = {role["id"]: role for guild in world.guilds.values() for role in guild["roles"]}
        channels = {one: {**world.channels[one], "permissions": "0"} for one in found if one in world.channels}
        users = {one: world.users[one] for one in found if one in world.users}
        return {"channels": channels, "roles": {one: roles[one] for one in found if one in roles}, "users": users}

    async def type(self, channel: Json, person: Json, command: str, option: str, text: str) -> Interaction:
        """Somebody has typed so far."""
        given = [{"name": option, "type": 3, "value": text, "focused": True}]
        data = {"id": self._command(channel, command, 1)["id"], "name": command, "type": 1, "options": given}
        return await self.interactions.make(4, channel, person, data)

    async def let_in(self, name: str) -> Json:
        """Somebody lets the bot into a new guild."""
        return await self.let_in_as(self.world.guild(name))

    async def let_in_as(self, guild: Json) -> Json:
        """The same for a guild that is made already."""
        guild["members"][0]["joined_at"] = now()
        new = {key: value for key, value in guild.items() if key != "unavailable"}  # which says that it was known before
        await self.gateway.dispatch("GUILD_CREATE", new, guild["id"])
        return guild

    async def shut_out(self, guild: Json) -> None:
        """Somebody takes the bot out of a guild."""
        del self.world.guilds[guild["id"]]
        await self.gateway.dispatch("GUILD_DELETE", {"id": guild["id"]}, guild["id"])

    def said(self, channel: Json) -> list[Json]:
        """What the bot has said there, in order; what it is still thinking about is not said."""
        messages = self.world.messages[channel["id"]].values()
        return [one for one in messages if one["author"]["id"] == self.world.bot["id"] and not one["flags"] & 1 << 7]

    def texts(self, channel: Json) -> list[str]:
        """The words of that."""
        return [one["content"] for one in self.said(channel)]

    async def _tell(self, event: str, channel: Json, data: Json) -> None:
        await self.rest.tell(event, channel, data)


def _filled(part: Json, values: dict[str, str], number: int) -> Json:
    """An input of a form as it comes back."""
    name = part["custom_id"]
    if part["type"] == 3:
        chosen = [values[name]] if name in values else [one["value"] for one in part["options"] if one.get("default")]
        return {"type": 18, "id": number * 2, "component": {"type": 3, "id": number * 2 + 1, "custom_id": name, "values": chosen}}
    if part["type"] in PICKS:
        picked = [values[name]] if values.get(name) else [one["id"] for one in part.get("default_values") or []]
        inner = {"type": part["type"], "id": number * 2 + 1, "custom_id": name, "values": picked}
        return {"type": 18, "id": number * 2, "component": inner}
    said = values.get(name, part.get("value") or "")
    return {"type": 18, "id": number * 2, "component": {"type": 4, "id": number * 2 + 1, "custom_id": name, "value": said}}


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path))


@asynccontextmanager
async def serving(discord: Discord, host: str = "127.0.0.1") -> AsyncIterator[Discord]:
    """Serves it on a free port of this address; what a bot did wrong fails whoever leaves."""
    app = web.Application(client_max_size=64 << 20)
    app.router.add_get("/gateway/", discord.gateway.connect)
    app.router.add_get("/attachments/{rest:.*}", discord.file)
    app.router.add_route("*", ROOT + "/{rest:.*}", discord.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, host, 0)
    await site.start()
    place = f"{host}:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    discord.url = discord.world.cdn = f"http://{place}"
    discord.gateway.url = f"ws://{place}/gateway/"
    try:
        yield discord
    finally:
        for session in discord.gateway.sessions.values():
            if session.socket is not None:
                await session.socket.close()
        await asyncio.wait_for(runner.cleanup(), 5)
    wrong = discord.violations + discord.interactions.late()
    assert not wrong, wrong
