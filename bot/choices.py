"""What a server has chosen, as plugins see and change it through `ctx.choices`. Where it is kept: `bot/store/servers.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.errors import UserError
from bot.translation import Phrase, later, tr, translated

CORE = "hobnob"
"""The name under which the core's own settings are read and saved: when the bot is spoken to, and whether it shows how waiting goes."""

Level = Literal["guest", "member", "moderator", "admin", "owner"]
"""What somebody may do in a server, least first. Whoever is alone with the bot is the admin there."""

LEVELS: tuple[Level, ...] = ("guest", "member", "moderator", "admin", "owner")


def reaches(level: Level, least: Level) -> bool:
    """Whether somebody of this level may do what takes the other."""
    return LEVELS.index(level) >= LEVELS.index(least)


MANY: Mapping[str, str] = {
    "everyone": later("everyone"),
    "server": later("all of this server together"),
    "level:guest": later("every guest"),
    "level:member": later("every member"),
    "level:moderator": later("every moderator"),
    "level:admin": later("every admin"),
}
"""Who is more than one, as grants and quotas name them, and what they are called."""


def called(who: str, name: str = "") -> str:
    """Whom a grant or a quota is about, in words; `name` is what people call a role or a person."""
    return translated(MANY[who]) if who in MANY else name or who


def said_of(text: str, who: str, name: str, words: Mapping[str, str] = MappingProxyType({}), **values: str) -> Phrase:
    """A sentence about them for a log, in which the text names them `{who}`."""
    if who in MANY:
        return Phrase(text, values, {**words, "who": MANY[who]})
    return Phrase(text, {**values, "who": name or who}, {**words})


Where = Literal["server", "channel", "thread"]
"""For what something is chosen; the narrower choice wins. A topic of a forum is a thread."""

Origin = Literal["plugin", "operator", "server", "channel", "thread"]
"""Who has chosen what holds: the plugin's author, the operator in `bot.toml`, or the server's admins, and for what."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds here. `value` is JSON, `label` what people call a channel or role that it is the id of; `locked` says that
    the operator lets no server change it.
    """

    name: str
    value: Any
    origin: Origin
    locked: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What holds for one plugin here. `shape` is the JSON schema of its Settings.

    `seen` stands for all that was chosen for it: hand it back with a change, and a change that somebody made meanwhile is noticed.
    A plugin that is not `installed` (any more), or left out, does nothing; what was chosen for it is kept until it is back. `trouble` says
    in the reader's language why one rests or is left out. After a change, `warnings` say what the platform withholds that the changed
    settings need.
    """

    plugin: str
    summary: str
    on: bool
    origin: Origin
    locked: bool
    settings: tuple[Setting, ...]
    shape: Mapping[str, Any]
    seen: str
    installed: bool = True
    warnings: tuple[str, ...] = ()
    trouble: str = ""

    def setting(self, name: str) -> Setting:
        """The setting of this name. Raises UserError."""
        for one in self.settings:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in self.settings) or tr("none")
        raise UserError(tr("{plugin} has no setting {settings}. There is: {known}.", plugin=self.plugin, settings=name, known=known))


class Change(BaseModel):
    """What is to be chosen for a plugin. `settings` are JSON by name, None resets one; `on` switches it, "reset" gives the switch back.

    `plugin` is "" for the one that asks. `everything` resets all that was chosen for it there, before the rest. `seen` is that of the
    Chosen that the person saw; "" changes whatever stands there now.
    """

    model_config = ConfigDict(frozen=True)

    plugin: str = ""
    where: Where = "server"
    settings: Mapping[str, Any] = Field(default_factory=dict)
    on: bool | Literal["reset"] | None = None
    everything: bool = False
    seen: str = ""


NAMELESS = ("", "operator")
"""Ids in a log of who is nobody on a platform: somebody who is forgotten, and whoever decides on the machine itself."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An entry of an audit log: when (seconds since 1970), who by id and name, for which channel ("": all), and what, for readers of any
    language; `about` is whom it concerns, `person:ID`, and `who` in its values what people call them.
    """

    at: float
    by: str
    name: str
    channel: str
    plugin: str
    what: tuple[Phrase, ...]
    about: str = ""

    @property
    def who(self) -> str:
        """What whoever did it is called; who has no id, in the reader's language."""
        return self.name if self.by not in NAMELESS else translated(self.name)

    @property
    def told(self) -> str:
        """What was done, in the reader's language."""
        return "; ".join(map(str, self.what))

    @property
    def line(self) -> str:
        """Who did what, and where."""
        where = f" ({tr('in {place}', place=self.channel)})" if self.channel else ""
        return f"{self.who}: {f'{self.plugin}, ' if self.plugin else ''}{self.told}{where}"


class Changed(UserError):  # noqa: N818  like all that people in a chat run into
    """Somebody else has changed it since it was looked at; `now` is how it stands, with which the person may confirm."""

    def __init__(self, text: str, now: Chosen) -> None:
        super().__init__(text)
        self.now = now


class Deciding(Protocol):
    """What stands behind `ctx.choices`; the router's is durable, the test kit's lies in memory."""

    async def chosen(self, plugin: str | None) -> list[Chosen]:
        """What holds for a plugin, "" for the one that asks, None for all that it may see."""

    async def choose(self, change: Change) -> Chosen:
        """See `ServerChoices.change`."""

    async def working(self, plugin: str, where: Where) -> int:
        """See `ServerChoices.working`."""

    async def stop(self, plugin: str, where: Where) -> int:
        """See `ServerChoices.stop`."""

    async def deeds(self, most: int) -> list[Deed]:
        """See `ServerChoices.deeds`."""

    async def link(self) -> str:
        """See `ServerChoices.link`."""


class ServerChoices:
    """What this server and this channel have chosen.

    A plugin sees and changes its own settings, for an admin of the server who asks for it. One whose manifest says
    `rights = ["administration"]` does so for all plugins. Whether the person may is checked by the core, at every change.
    """

    def __init__(self, acts: Deciding) -> None:
        self._acts = acts

    async def all(self) -> list[Chosen]:
        """Of each plugin that this one may see, in the order of the configuration; those that are not installed any more come last."""
        return await self._acts.chosen(None)

    async def of(self, plugin: str = "") -> Chosen:
        """Of one plugin, by default of the one that asks. Raises UserError when there is none of that name."""
        (found,) = await self._acts.chosen(plugin)
        return found

    async def save(self, settings: Mapping[str, Any], where: Where = "server", *, plugin: str = "", seen: str = "") -> Chosen:
        """Saves settings by name, None resets one; returns what holds then. See `change`."""
        return await self.change(Change(plugin=plugin, where=where, settings=settings, seen=seen))

    async def switch(self, on: bool | None, where: Where = "server", *, plugin: str = "", seen: str = "") -> Chosen:
        """Switches a plugin on or off, None gives the switch back to the server or the operator. See `change`."""
        return await self.change(Change(plugin=plugin, where=where, on="reset" if on is None else on, seen=seen))

    async def change(self, change: Change) -> Chosen:
        """Validates and saves, all or nothing, with an entry in the audit log; it holds from the next message on, on every router.

        Raises BadArguments that names the setting, Refused for who may not and for what the operator or the platform does not
        allow, and Changed.
        """
        return await self._acts.choose(change)

    async def working(self, plugin: str, where: Where = "server") -> int:
        """How many requests to a plugin are under way or in line here, this one left out. For admins; raises Refused."""
        return await self._acts.working(plugin, where)

    async def stop(self, plugin: str, where: Where = "server") -> int:
        """Cancels those requests, and says how many there were. For admins; raises Refused."""
        return await self._acts.stop(plugin, where)

    async def deeds(self, most: int = 20) -> list[Deed]:
        """The newest entries of the server's audit log, newest first, for its admins. Raises Refused."""
        return await self._acts.deeds(most)

    async def link(self) -> str:
        """A link to the page on which the person sees and changes all this, in a browser: it works once, for ten minutes.

        For admins, and for plugins with `rights = ["administration"]`. Raises Refused, and Unavailable where no pages are served.
        """
        return await self._acts.link()
