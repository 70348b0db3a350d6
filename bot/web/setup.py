"""What the page of the first run stands on: rounds of answers that become a configuration. Behind it: `bot/cli/wizard.py`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bot.catalogue import Use
from bot.editing import Draft

Platform = Literal["discord", "telegram"]

Quality = Literal["fast", "balanced", "best"]

Again = Callable[[Sequence[str]], None]
"""Starts everything anew, and brings these models."""


@dataclass(frozen=True, slots=True)
class Introduced:
    """Who a token is for: a name, the link by which the bot gets in, and what stands in its way, in sentences."""

    name: str
    link: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """A model: the bytes it takes, tokens a second, its licence with its duties; `why_not` says what speaks against it, and one that
    is not `able` cannot be chosen.

    `best` is what is proposed, `gated` the page on which its terms have to be accepted first.
    """

    model: str
    kind: str
    how: str
    needs: int
    speed: float
    why_not: str
    able: bool
    best: bool
    here: bool
    licence: str
    duties: tuple[str, ...]
    gated: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """This machine (bytes of its memory, its cards with theirs, how many of these models may take), what to choose from, and notes."""

    memory: int
    cards: tuple[tuple[str, int], ...]
    room: int
    offers: tuple[Offered, ...]
    notes: tuple[str, ...]


class Round(Protocol):
    """One round of answers; nothing is written before `write`. All of it raises ConfigError."""

    def connected(self, platform: Platform) -> bool:
        """Whether there is a token already."""

    async def connect(self, platform: Platform, token: str, proxy: str = "") -> Introduced:
        """Takes a token that works. Raises ConnectorError; with `retry_after` a proxy may help."""

    async def propose(self, languages: Sequence[str], use: Use, quality: Quality) -> Proposal:
        """What fits."""

    def hub(self, endpoint: str, token: str) -> None:
        """Where models come from, and as whom, for the next choice; "" leaves it as it is."""

    async def choose(self, names: Sequence[str]) -> None:
        """Takes these models. Raises PullError where one would not be given to us."""

    async def plugins(self) -> Mapping[str, tuple[str, bool]]:
        """What each does, and whether it is on."""

    async def switch(self, name: str, on: bool) -> None:
        """Whether a plugin is loaded."""

    async def shown(self) -> str:
        """What would be written, "" for nothing new."""

    async def write(self) -> list[str]:
        """Writes it, and gives the models that have to be brought."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """`begin` makes a round, `claim` gives a code, `again` is None where nobody would start everything anew.

    `write` writes any draft that a start would take, and raises ConfigError for others.
    """

    begin: Callable[[], Round]
    claim: Callable[[], Awaitable[str]]
    write: Callable[[Draft], Awaitable[None]]
    again: Again | None = None
