"""Discord's interactions: commands, buttons and completions, their deadlines, callbacks and follow-ups. Other routes: `discord_rest.py`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.wire.discord_payloads import EPHEMERAL, MANAGE_GUILD, Json, numbered, public
from tests.wire.discord_rest import Call, Handler, Rest
from tests.wire.discord_rules import Refused, check_message, check_modal, forgotten

FIRST = 3.0
"""Seconds in which an interaction has to be acknowledged."""

LIFE = 900.0
"""Seconds for which its token lasts."""

PONG, MESSAGE, DEFERRED, UPDATE_LATER, UPDATE, CHOICES, MODAL = 1, 4, 5, 6, 7, 8, 9

UPDATES = {3: (UPDATE_LATER, UPDATE, MODAL), 5: (UPDATE_LATER, UPDATE), 2: (MODAL,)}
"""What answers an interaction of this type beside a message: a button or menu, a form, a command."""


@dataclass
class Interaction:
    """One interaction; `original` is the message that answers it, `born` and `acknowledged` are times."""

    id: str
    token: str
    kind: int
    channel: Json
    born: float
    acknowledged: float | None = None
    original: Json | None = None
    private: bool = False
    choices: list[Json] = field(default_factory=list)
    pressed: Json | None = None
    modal: Json | None = None


class Interactions:
    """Makes interactions and takes what the bot answers. `scale` divides the deadlines."""

    def __init__(self, rest: Rest, scale: float = 1.0) -> None:
        self.rest = rest
        self.world = rest.world
        self.scale = scale
        self.made: dict[str, Interaction] = {}
        self.routes: dict[tuple[str, str], Handler] = {
            ("POST", "/interactions/{interaction}/{token}/callback"): self.callback,
            ("POST", "/webhooks/{application}/{token}"): self.follow_up,
            ("GET", "/webhooks/{application}/{token}/messages/{message}"): self.get,
            ("PATCH", "/webhooks/{application}/{token}/messages/{message}"): self.edit,
            ("DELETE", "/webhooks/{application}/{token}/messages/{message}"): self.delete,
        }

    async def make(self, kind: int, channel: Json, person: Json, data: Json, message: Json | None = None, **more: Any) -> Interaction:
        """Sends an interaction to the bot."""
        guild = channel.get("guild_id", "")
        made = Interaction(self.world.id(), f"token-{self.world.id()}", kind, channel, time.monotonic(), pressed=message)
        self.made[made.token] = made
        who: Json = {"member": self.world.member(person, more.pop("permissions", str(MANAGE_GUILD)))} if guild else {"user": person}
        where: Json = {"guild_id": guild, "guild": {"id": guild, "locale": "en-US", "features": []}} if guild else {}
        payload: Json = {
            "id": made.id,
            "application_id": self.world.bot["id"],
            "type": kind,
            "token": made.token,
            "version": 1,
            "data": data,
            "channel": {**channel, "permissions": "0"},
            "channel_id": channel["id"],
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": "0",
            "entitlements": [],
            "authorizing_integration_owners": {},
            "context": 0 if guild else 1,
            "attachment_size_limit": 10 << 20,
            **who,
            **where,
            **more,
        }
        if message is not None:
            payload["message"] = public(message)
        await self.rest.gateway.dispatch("INTERACTION_CREATE", payload, guild)
        return made

    def late(self) -> list[str]:
        """Those that nobody acknowledged in time."""
        at = time.monotonic()
        return [
            f"interaction {one.id} was not acknowledged within {FIRST} s"
            for one in self.made.values()
            if one.acknowledged is None and at - one.born > FIRST / self.scale
        ]

    async def callback(self, call: Call) -> Json | None:
        found = self.made.get(call.path["token"])
        if found is None or found.id != call.path["interaction"]:
            raise Refused(404, 10062, "Unknown interaction")
        if found.acknowledged is not None:
            self.rest.violations.append(f"interaction {found.id} was acknowledged twice")
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if time.monotonic() - found.born > FIRST / self.scale:
            self.rest.violations.append(f"interaction {found.id} was acknowledged after {time.monotonic() - found.born:.1f} s")
            raise Refused(404, 10062, "Unknown interaction")
        kind, data = call.body["type"], call.body.get("data") or {}
        if kind not in ((CHOICES,) if found.kind == 4 else (MESSAGE, DEFERRED, *UPDATES[found.kind])):
            raise Refused(400, 50035, f"Invalid Form Body: type: {kind} does not answer an interaction of type {found.kind}")
        found.acknowledged = time.monotonic()
        found.choices = data.get("choices", [])
        if len(found.choices) > 25:
            raise Refused(400, 50035, "Invalid Form Body: choices: Must be 25 or fewer in length.")
        if kind == MODAL:
            check_modal(data)
            found.modal = data
        if kind == UPDATE_LATER:
            found.original = found.pressed
        elif kind in (MESSAGE, DEFERRED):
            flags = data.get("flags", 0) | (1 << 7 if kind == DEFERRED else 0)
            found.original = self._say(found, data.get("content", ""), flags)
            await self.rest.tell("MESSAGE_CREATE", found.channel, found.original)
        return self._response(found, kind) if call.request.query.get("with_response") in ("1", "true") else None

    def _response(self, found: Interaction, kind: int) -> Json:
        about: Json = {"id": found.id, "type": found.kind}
        if kind not in (MESSAGE, DEFERRED) or found.original is None:
            return {"interaction": about}
        flags = found.original["flags"]
        about |= {"response_message_id": found.original["id"], "response_message_loading": bool(flags & 1 << 7)}
        about |= {"response_message_ephemeral": bool(flags & EPHEMERAL)}
        said = {"resource": {"type": kind, "message": public(found.original)}} if kind == MESSAGE else {}
        return {"interaction": about, **said}

    def _say(self, of: Interaction, content: str, flags: int, **more: Any) -> Json:
        made = self.world.message(of.channel, self.world.bot, content, type=20, webhook_id=self.world.bot["id"], **more)
        made["flags"] = flags
        made["_interaction"] = of.token
        return made

    def _find(self, call: Call) -> Interaction:
        found = self.made.get(call.path["token"])
        if found is None or time.monotonic() - found.born > LIFE / self.scale:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if found.acknowledged is None:
            raise Refused(404, 10015, "Unknown Webhook")
        return found

    def _message(self, call: Call) -> Json:
        found, id = self._find(call), call.path["message"]
        message = found.original if id == "@original" else self.world.messages[found.channel["id"]].get(id)
        gone = message is None or message["id"] not in self.world.messages[found.channel["id"]]
        if message is None or gone or message.get("_interaction", found.token if message is found.pressed else "") != found.token:
            raise Refused(404, 10008, "Unknown Message")
        return message

    async def get(self, call: Call) -> Json:
        return public(self._message(call))

    async def edit(self, call: Call) -> Json:
        return await self.rest.change(self._message(call), call)

    async def delete(self, call: Call) -> None:
        await self.rest.remove(self._message(call))

    async def follow_up(self, call: Call) -> Json:
        found = self._find(call)
        check_message(call.body, call.files, edit=False)
        self.rest.violations += [f"a follow-up without allowed_mentions: {call.body}" for _ in forgotten(call.body)]
        more = {"components": numbered(call.body.get("components") or []), "attachments": self.rest._attached(found.channel, call)}
        made = self._say(found, call.body.get("content") or "", call.body.get("flags", 0) & EPHEMERAL, **more)
        await self.rest.tell("MESSAGE_CREATE", found.channel, made)
        return public(made)
