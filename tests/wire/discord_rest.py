"""Discord's REST routes that a bot uses. Interactions: `discord_interactions.py`; limits, faults, record: `discord_server.py`."""

from __future__ import annotations

import json
import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.wire.discord_gateway import Gateway
from tests.wire.discord_payloads import EPHEMERAL, Json, World, now, numbered, public
from tests.wire.discord_rules import Refused, check_commands, check_message, forgotten

Files = dict[str, tuple[str, bytes, str]]
Handler = Callable[["Call"], Awaitable[Any]]


@dataclass
class Call:
    """A request, read: `path` are the parts of its path that vary."""

    request: web.Request
    path: dict[str, str]
    body: Any
    files: Files


async def read(request: web.Request) -> tuple[Any, Files]:
    """The JSON of a request, and the files that came with it."""
    if not request.can_read_body:
        return {}, {}
    if not request.content_type.startswith("multipart/"):
        return json.loads(await request.read() or b"{}"), {}
    body: Any = {}
    files: Files = {}
    async for part in await request.multipart():
        data = bytes(await part.read())  # type: ignore[union-attr]
        if part.name == "payload_json":  # type: ignore[union-attr]
            body = json.loads(data)
        else:
            name = part.filename or "file"  # type: ignore[union-attr]
            files[str(part.name)] = name, data, part.headers.get("Content-Type", "application/octet-stream")  # type: ignore[union-attr]
    return body, files


class Rest:
    """The handlers of all routes but those of interactions."""

    def __init__(self, world: World, gateway: Gateway, violations: list[str]) -> None:
        self.world = world
        self.gateway = gateway
        self.violations = violations
        self.muted: set[str] = set()
        self.fileless: set[str] = set()
        self.granted = 1 << 3
        self.routes: dict[tuple[str, str], Handler] = {
            ("GET", "/gateway/bot"): self.gateway_bot,
            ("GET", "/users/@me"): self.me,
            ("GET", "/oauth2/applications/@me"): self.application,
            ("GET", "/applications/@me"): self.application,
            ("GET", "/users/@me/guilds"): self.guilds,
            ("DELETE", "/users/@me/guilds/{guild}"): self.leave,
            ("GET", "/guilds/{guild}"): self.guild,
            ("GET", "/guilds/{guild}/channels"): self.channels,
            ("GET", "/guilds/{guild}/threads/active"): self.threads,
            ("GET", "/guilds/{guild}/members/search"): self.search,
            ("GET", "/guilds/{guild}/members/{user}"): self.member,
            ("GET", "/channels/{channel}/thread-members/{user}"): self.within,
            ("POST", "/users/@me/channels"): self.direct,
            ("GET", "/users/{user}"): self.user,
            ("GET", "/channels/{channel}"): self.channel,
            ("GET", "/channels/{channel}/messages"): self.history,
            ("POST", "/channels/{channel}/messages"): self.create,
            ("GET", "/channels/{channel}/messages/{message}"): self.get,
            ("PATCH", "/channels/{channel}/messages/{message}"): self.edit,
            ("DELETE", "/channels/{channel}/messages/{message}"): self.delete,
            ("POST", "/channels/{channel}/messages/{message}/threads"): self.thread,
            ("POST", "/channels/{channel}/typing"): self.typing,
            ("GET", "/applications/{application}/commands"): self.commands,
            ("PUT", "/applications/{application}/commands"): self.put_commands,
            ("GET", "/applications/{application}/guilds/{guild}/commands"): self.commands,
            ("PUT", "/applications/{application}/guilds/{guild}/commands"): self.put_commands,
        }

    async def gateway_bot(self, call: Call) -> Json:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return {"url": self.gateway.url, "shards": 1, "session_start_limit": limit}

    async def me(self, call: Call) -> Json:
        return {**self.world.bot, "verified": True, "mfa_enabled": False, "email": None, "locale": "en-US"}

    async def application(self, call: Call) -> Json:
        return self.world.application

    async def guilds(self, call: Call) -> list[Json]:
        keys = ("id", "name", "icon", "features")
        more = {"owner": False, "permissions": str(self.granted)}
        return [{**{key: one[key] for key in keys}, **more} for one in self.world.guilds.values()]

    async def leave(self, call: Call) -> None:
        """The bot is no longer in the guild, and is told so as anybody's leaving tells it."""
        if self.world.guilds.pop(call.path["guild"], None) is None:
            raise Refused(404, 10004, "Unknown Guild")
        await self.gateway.dispatch("GUILD_DELETE", {"id": call.path["guild"]}, call.path["guild"])

    async def guild(self, call: Call) -> Json:
        if (found := self.world.guilds.get(call.path["guild"])) is None:
            raise Refused(404, 10004, "Unknown Guild")
        return {key: value for key, value in found.items() if key not in ("channels", "members", "threads")}

    async def channels(self, call: Call) -> list[Json]:
        found: list[Json] = self.world.guilds[call.path["guild"]]["channels"]
        return found

    async def threads(self, call: Call) -> Json:
        return {"threads": [public(one) for one in self.world.guilds[call.path["guild"]]["threads"]], "members": []}

    async def search(self, call: Call) -> list[Json]:
        """Those whose name begins so; no permission is asked for."""
        query, people = call.request.query["query"].casefold(), self.world.people.get(call.path["guild"], {})
        found = [one for one in people.values() if one["global_name"].casefold().startswith(query) or one["username"].startswith(query)]
        return [self._member(one) for one in found[: int(call.request.query["limit"])]]

    async def member(self, call: Call) -> Json:
        if (found := self.world.people.get(call.path["guild"], {}).get(call.path["user"])) is None:
            raise Refused(404, 10007, "Unknown Member")
        return self._member(found)

    def _member(self, user: Json) -> Json:
        return {key: value for key, value in self.world.member(user).items() if key != "permissions"}

    async def within(self, call: Call) -> Json:
        thread, user = self._channel(call), call.path["user"]
        if user not in thread.get("_people", ()):
            raise Refused(404, 10007, "Unknown Member")
        return {"id": thread["id"], "user_id": user, "join_timestamp": now(), "flags": 0}

    async def user(self, call: Call) -> Json:
        return self.world.users[call.path["user"]]

    async def direct(self, call: Call) -> Json:
        return self.world.direct(self.world.users[call.body["recipient_id"]])

    def _channel(self, call: Call) -> Json:
        found = self.world.channels.get(call.path["channel"])
        if found is None:
            raise Refused(404, 10003, "Unknown Channel")
        if found["id"] in self.muted:
            raise Refused(403, 50013, "Missing Permissions")
        return found

    def _message(self, call: Call) -> Json:
        found = self.world.messages[self._channel(call)["id"]].get(call.path["message"])
        if found is None or found["flags"] & EPHEMERAL:
            raise Refused(404, 10008, "Unknown Message")
        return found

    async def channel(self, call: Call) -> Json:
        return self._channel(call)

    async def history(self, call: Call) -> list[Json]:
        after, limit = int(call.request.query.get("after", 0)), int(call.request.query.get("limit", 50))
        found = [one for id, one in self.world.messages[self._channel(call)["id"]].items() if int(id) > after]
        return [public(one) for one in reversed(found[:limit])]

    async def get(self, call: Call) -> Json:
        return public(self._message(call))

    async def create(self, call: Call) -> Json:
        channel, body = self._channel(call), call.body
        if call.files and channel["id"] in self.fileless:
            raise Refused(403, 50013, "Missing Permissions")
        check_message(body, call.files, edit=False)
        self.violations += [f"a message without allowed_mentions: {body}" for _ in forgotten(body)]
        nonce = str(body.get("nonce", ""))
        known = self.world.nonces.get((channel["id"], nonce), "") if body.get("enforce_nonce") else ""
        if known in self.world.messages[channel["id"]]:  # somebody may have removed it since
            return public(self.world.messages[channel["id"]][known])
        more: Json = {"components": numbered(body.get("components") or []), "attachments": self._attached(channel, call)}
        if reference := body.get("message_reference"):
            more |= self._reference(channel, reference)
        made = self.world.message(channel, self.world.bot, body.get("content") or "", **more)
        made["flags"] |= body.get("flags") or 0
        if nonce:
            made["nonce"] = nonce
            self.world.nonces[channel["id"], nonce] = made["id"]
        await self.tell("MESSAGE_CREATE", channel, made)
        return public(made)

    def _reference(self, channel: Json, reference: Json) -> Json:
        found = self.world.messages[channel["id"]].get(str(reference["message_id"]))
        if found is None and reference.get("fail_if_not_exists", True):
            raise Refused(400, 50035, "Invalid Form Body: message_reference: Unknown message")
        if found is None:
            return {}
        return {"type": 19, "message_reference": {"channel_id": channel["id"], "message_id": found["id"], "type": 0}}

    def _attached(self, channel: Json, call: Call) -> list[Json]:
        described = {str(one["id"]): one for one in call.body.get("attachments") or []}
        made = []
        for field, (name, data, mime) in call.files.items():
            words = described.get(field.removeprefix("files[").removesuffix("]"), {})
            more = {"description": words["description"]} if words.get("description") else {}
            name = words.get("filename") or name
            made.append(self.world.attachment(channel, name, data, mimetypes.guess_type(name)[0] or mime, **more))  # as Discord does
        return made

    async def edit(self, call: Call) -> Json:
        found = self._message(call)
        if found["author"]["id"] != self.world.bot["id"]:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        return await self.change(found, call)

    async def change(self, found: Json, call: Call) -> Json:
        """What an edit changes, by whatever route it came."""
        check_message(call.body, call.files, edit=True)
        self.violations += [f"an edit without allowed_mentions: {call.body}" for _ in forgotten(call.body)]
        channel = self.world.channels[found["channel_id"]]
        found |= {"content": call.body["content"] or ""} if "content" in call.body else {}
        found |= {"components": numbered(call.body["components"] or [])} if "components" in call.body else {}
        if "attachments" in call.body or call.files:
            kept = {str(one["id"]) for one in call.body.get("attachments") or []}
            found["attachments"] = [one for one in found["attachments"] if one["id"] in kept] + self._attached(channel, call)
        found["edited_timestamp"] = now()
        found["flags"] &= ~(1 << 7)
        await self.tell("MESSAGE_UPDATE", channel, found)
        return public(found)

    async def delete(self, call: Call) -> None:
        await self.remove(self._message(call))

    async def remove(self, found: Json) -> None:
        """Takes a message away, whoever did."""
        channel = self.world.channels[found["channel_id"]]
        del self.world.messages[channel["id"]][found["id"]]
        await self.tell("MESSAGE_DELETE", channel, {"id": found["id"], "channel_id": channel["id"]})

    async def thread(self, call: Call) -> Json:
        message, channel = self._message(call), self._channel(call)
        if message["id"] in self.world.channels:
            raise Refused(400, 160004, "A thread has already been created for this message")
        if not 1 <= len(call.body["name"]) <= 100:
            raise Refused(400, 50035, "Invalid Form Body: name: Must be between 1 and 100 in length.")
        made = self.world.thread(channel, call.body["name"], message["id"])
        await self.gateway.dispatch("THREAD_CREATE", {**made, "newly_created": True}, channel["guild_id"])
        return made

    async def typing(self, call: Call) -> None:
        self._channel(call)

    async def commands(self, call: Call) -> list[Json]:
        return self.world.commands.get(call.path.get("guild", ""), [])

    async def put_commands(self, call: Call) -> list[Json]:
        check_commands(call.body)
        guild = call.path.get("guild", "")
        if guild and guild not in self.world.guilds:
            raise Refused(403, 50001, "Missing Access")
        old = {(one["type"], one["name"]): one["id"] for one in self.world.commands.get(guild, [])}
        made = [self._command(one, guild, old.get((one.get("type", 1), one["name"]))) for one in call.body]
        self.world.commands[guild] = made
        return made

    def _command(self, body: Json, guild: str, id: str | None) -> Json:
        made = {"type": 1, "description": "", "default_member_permissions": None, "nsfw": False, **body, "version": self.world.id()}
        made |= {"id": id or self.world.id(), "application_id": self.world.bot["id"]}
        return {**made, "guild_id": guild} if guild else made

    async def tell(self, event: str, channel: Json, data: Json) -> None:
        """An event of a channel, to the shard that it concerns."""
        if data.get("flags", 0) & EPHEMERAL:
            return
        guild = channel.get("guild_id", "")
        where = {"guild_id": guild} if guild else {}
        await self.gateway.dispatch(event, {**public(data), **where}, guild)
