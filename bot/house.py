"""What the owners of the bot decide for all servers, as plugins change it through `ctx.house`. Where it is kept: `bot/store/house.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from bot.choices import Deed
from bot.messages import Address
from bot.translation import Phrase, later

OPERATOR = later("the operator")
"""Who decides on the machine itself, as logs name them."""

Barred = Literal["person", "server", "plugin", "model"]
"""What an owner may shut out: a person or a server is banned, a plugin or a model is stopped."""

KINDS: Mapping[Barred, str] = {"person": later("person"), "server": later("server"), "plugin": later("plugin"), "model": later("model")}

Policy = Literal["closed", "approve", "open"]
"""Who may use the bot that did not before: nobody, whom an owner approves, or everybody."""

POLICIES: Mapping[Policy, str] = {
    "closed": later("are not let in"),
    "approve": later("are let in when an owner says so"),
    "open": later("are let in"),
}

Door = Literal["servers", "direct"]
"""What a policy is for: servers, or people who are alone with the bot."""

DOORS: Mapping[Door, str] = {"servers": later("New servers"), "direct": later("New people alone with me")}


def at_door(door: Door, policy: Policy) -> Phrase:
    """What holds at a door."""
    return Phrase(later("{door} {policy}"), words={"door": DOORS[door], "policy": POLICIES[policy]})


def decided(server: str, *, admitted: bool) -> Phrase:
    """What became of one that waited."""
    return Phrase(later("{server}: let in"), {"server": server}) if admitted else Phrase(later("{server}: refused"), {"server": server})


class Owner(BaseModel):
    """Who owns the bot on one platform, and where they are told what they have to decide."""

    model_config = ConfigDict(frozen=True)

    name: str
    address: Address


class Rules(BaseModel):
    """What holds in every server, from the next message on. People are named CONNECTOR/ID, as servers are.

    `barred` has, by kind, the names of what is shut out with a word for people. `version` grows with every change.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = 0
    owners: Mapping[str, Owner] = Field(default_factory=dict)
    barred: Mapping[Barred, Mapping[str, str]] = Field(default_factory=dict)
    policies: Mapping[Door, Policy] = Field(default_factory=dict)
    """Those that owners chose; the others are as `bot.toml` says."""

    def bars(self, kind: Barred, name: str) -> bool:
        """Whether it is shut out."""
        return bool(self.barred) and name in self.barred.get(kind, {})


class Order(BaseModel):
    """What an owner wants shut out, or let in again; `word` is what people call it."""

    model_config = ConfigDict(frozen=True)

    kind: Barred
    name: str = Field(min_length=1, max_length=200)
    barred: bool = True
    word: str = ""

    def applied(self, rules: Rules) -> Rules:
        """What holds when it is so."""
        those = {name: word for name, word in rules.barred.get(self.kind, {}).items() if name != self.name}
        those |= {self.name: self.word} if self.barred else {}
        return rules.model_copy(update={"barred": {**rules.barred, self.kind: those}})

    @property
    def said(self) -> Phrase:
        """What it is, for a log."""
        text = later("{kind} {name}: shut out") if self.barred else later("{kind} {name}: let in again")
        return Phrase(text, {"name": self.name}, {"kind": KINDS[self.kind]})


class Applicant(BaseModel):
    """A server, or with a `direct` address a person, that waits to be let in since `at` (seconds since 1970), or was `refused`.

    `name` is what people call it, `me` the bot's own id there.
    """

    model_config = ConfigDict(frozen=True)

    address: Address
    name: str
    me: str = ""
    at: float = 0.0
    refused: bool = False


class Admission(BaseModel):
    """Who may use the bot at all, and who waits to be let in, the longest first."""

    model_config = ConfigDict(frozen=True)

    policies: Mapping[Door, Policy]
    waiting: tuple[Applicant, ...] = ()


class Owning(Protocol):
    """What stands behind `ctx.house`; the router's is durable."""

    async def claim(self, code: str) -> None:
        """See `House.claim`."""

    async def rules(self) -> Rules:
        """See `House.rules`."""

    async def order(self, order: Order) -> Rules:
        """See `House.order`."""

    async def decisions(self, most: int) -> list[Deed]:
        """See `House.deeds`."""

    async def admission(self) -> Admission:
        """See `House.admission`."""

    async def open(self, door: Door, policy: Policy) -> Admission:
        """See `House.open`."""

    async def admit(self, server: str, admitted: bool) -> Admission:
        """See `House.admit`."""


class House:
    """What holds everywhere. Only a plugin whose manifest says `rights = ["administration"]` may use it, and only for an owner."""

    def __init__(self, acts: Owning) -> None:
        self._acts = acts

    async def claim(self, code: str) -> None:
        """Makes the person an owner, by a code that the command line printed and that works once. Raises Refused for any other."""
        await self._acts.claim(code)

    async def rules(self) -> Rules:
        """What holds. Raises Refused for who is no owner."""
        return await self._acts.rules()

    async def order(self, order: Order) -> Rules:
        """Shuts something out everywhere, at once, or lets it in again; what is being worked on for it is cancelled. Raises Refused."""
        return await self._acts.order(order)

    async def deeds(self, most: int = 20) -> list[Deed]:
        """What owners have decided lately, newest first. Raises Refused for who is none."""
        return await self._acts.decisions(most)

    async def admission(self) -> Admission:
        """Who may use the bot at all. Raises Refused for who is no owner."""
        return await self._acts.admission()

    async def open(self, door: Door, policy: Policy) -> Admission:
        """Changes who may, from the next message on; who is in stays in. Raises Refused."""
        return await self._acts.open(door, policy)

    async def admit(self, server: str, admitted: bool = True) -> Admission:
        """Lets a server (CONNECTOR/ID) in, where the bot says hello; or leaves it, and says nothing more there. Raises Refused."""
        return await self._acts.admit(server, admitted)
