"""Who may do what in a server, as plugins see and change it through `ctx.permissions`. Where it is decided: `bot/router/permits.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.choices import Level, Where, called
from bot.forms import Option, Picked

Who = Annotated[str, Field(pattern=r"^(everyone|level:(guest|member|moderator|admin)|(role|person):.{1,100})$")]
"""Whom something is granted to: `everyone`, `level:member` (and nobody above), `role:ID`, `person:ID`."""

What = Annotated[str, Field(pattern=r"^(\*|/[a-z0-9_]{1,32}|[\w-]+)$", max_length=64)]
"""What is granted: a command (`/imagine`), all of a plugin (`chat`), or everything (`*`)."""


class Grant(BaseModel):
    """That somebody may do something, or may not."""

    model_config = ConfigDict(frozen=True)

    who: Who
    what: What
    allowed: bool
    name: str = ""
    """What people call them."""

    @property
    def whom(self) -> str:
        """Whom it is about, in words."""
        return called(self.who, self.name)


class Permit(BaseModel):
    """A change of who may what: `allowed` None takes a grant back. With a `level` it is said what a role or a person is here instead;
    "none" leaves that to the platform again. A `place` of the server, as `Address.place` names it, stands in for `where`.
    """

    model_config = ConfigDict(frozen=True)

    who: Who
    what: What = "*"
    allowed: bool | None = None
    level: Level | str = ""
    name: str = ""
    where: Where = "server"
    place: str = Field(default="", max_length=200)


class Held(BaseModel):
    """The grants that hold here, the narrowest place first, those of other places of the server (`elsewhere`), and what roles and people
    are by this server's own word. `places` are what people call the others.
    """

    model_config = ConfigDict(frozen=True)

    grants: tuple[tuple[Where, Grant], ...] = ()
    elsewhere: tuple[tuple[str, Grant], ...] = ()
    places: Mapping[str, str] = Field(default_factory=dict)
    levels: Mapping[str, Level] = Field(default_factory=dict)
    names: Mapping[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usable:
    """A command that somebody may use: `usage` says which arguments it takes, `options` what each is; `example` shows it."""

    plugin: str
    name: str
    description: str
    usage: str
    example: str = ""
    options: tuple[Option, ...] = ()


class Granting(Protocol):
    """What stands behind `ctx.permissions`; the router's is durable."""

    async def held(self) -> Held:
        """See `Permissions.held`."""

    async def permit(self, permit: Permit) -> Held:
        """See `Permissions.permit`."""

    async def may(self, plugin: str, command: str) -> str:
        """See `Permissions.may`."""

    async def find(self, kind: Picked, said: str) -> tuple[str, str]:
        """See `Permissions.find`."""

    async def commands(self) -> list[Usable]:
        """See `Context.commands`."""


class Permissions:
    """Who may do what here."""

    def __init__(self, acts: Granting) -> None:
        self._acts = acts

    async def held(self) -> Held:
        """What holds here, beside what plugins and the platform say themselves."""
        return await self._acts.held()

    async def permit(self, permit: Permit) -> Held:
        """Changes it, for an admin of the server and a plugin with `rights = ["administration"]`. Raises Refused, and BadArguments
        for a place that is not there.
        """
        return await self._acts.permit(permit)

    async def may(self, plugin: str, command: str = "") -> str:
        """ "" when the person may use this command, or anything, of the plugin here; else the sentence that says what is missing."""
        return await self._acts.may(plugin, command)

    async def find(self, kind: Picked, said: str) -> tuple[str, str]:
        """The id and the name of the channel, role or person of this server that is called so, is mentioned, or has this id.

        For plugins with `rights = ["administration"]`. Raises BadArguments that says what there is, and Refused.
        """
        return await self._acts.find(kind, said)
