"""How much somebody may use, as plugins see and change it through `ctx.quotas`. Where it is counted: `bot/store/quotas.py`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.choices import called
from bot.translation import later, tr, translated

Measure = Literal["messages", "images", "audio", "device"]
"""What is counted: messages to the bot, pictures that it draws, minutes of audio that it writes down, seconds that a device works."""

UNITS: Mapping[Measure, str] = {
    "messages": later("messages"),
    "images": later("images"),
    "audio": later("minutes of audio"),
    "device": later("seconds of the device"),
}

SPANS: Mapping[str, int] = {"s": 1, "second": 1, "m": 60, "minute": 60, "h": 3600, "hour": 3600, "d": 86_400, "day": 86_400}

RATE = re.compile(r"(?P<amount>\d{1,9}(\.\d{1,3})?) ?/ ?((?P<many>\d{1,6}) ?)?(?P<span>s|second|m|minute|h|hour|d|day)s?")

NAMES: Mapping[int, str] = {60: later("a minute"), 3600: later("an hour"), 86_400: later("a day")}

LONGEST = 31 * 86_400
"""Seconds over which something is counted at most."""


@lru_cache(maxsize=1024)
def read_rate(text: str) -> tuple[float, int]:
    """So much in so many seconds: "20/hour", "100/day", "1/30s" for a cooldown. Raises ValueError."""
    found = RATE.fullmatch(text.strip().lower())
    seconds = int(found["many"] or 1) * SPANS[found["span"]] if found else 0
    if found is None or not 0 < seconds <= LONGEST:
        raise ValueError('expected an amount and a time, "20/hour", "100/day" or "1/30s"')
    return float(found["amount"]), seconds


def span(seconds: int) -> str:
    """A time over which something is counted."""
    if seconds in NAMES:
        return translated(NAMES[seconds])
    if seconds % 86_400 == 0:
        return tr("{n} day", "{n} days", n=seconds // 86_400)
    if seconds % 3600 == 0:
        return tr("{n} hour", "{n} hours", n=seconds // 3600)
    if seconds % 60 == 0:
        return tr("{n} minute", "{n} minutes", n=seconds // 60)
    return tr("{n} second", "{n} seconds", n=seconds)


def _rate(text: str) -> str:
    read_rate(text)
    return text


Rate = Annotated[str, AfterValidator(_rate)]
"""So much in such a time: "20/hour", "100/day", "1/30s"."""

Whose = Annotated[str, Field(pattern=r"^(everyone|server|(role|person):.{1,100})$")]
"""Whose use is limited: of each (`everyone`), of each who has a role (`role:ID`), of one (`person:ID`), or of all together (`server`)."""


class Quota(BaseModel):
    """How much somebody may use in a server. `rates` hold all at once; none gives back what was chosen. `name` is what people call them."""

    model_config = ConfigDict(frozen=True)

    whose: Whose
    measure: Measure
    rates: tuple[Rate, ...] = ()
    name: str = ""

    @property
    def unit(self) -> str:
        """What is counted, in words."""
        return translated(UNITS[self.measure])

    @property
    def whom(self) -> str:
        """Whom it is about, in words."""
        return called(self.whose, self.name)


@dataclass(frozen=True, slots=True)
class Usage:
    """What is left of a limit: so much of `limit` is `used` in so many `seconds`, and all of it is there again in `refills` seconds.

    It is the sender's own, or that of the whole server where it is `shared`; `fixed` says that whoever runs the bot has decided it, and
    `everywhere` that it counts what the sender uses in all servers of the platform.
    """

    measure: Measure
    limit: float
    seconds: int
    used: float
    refills: float
    shared: bool = False
    fixed: bool = False
    everywhere: bool = False

    @property
    def unit(self) -> str:
        """What is counted, in words."""
        return translated(UNITS[self.measure])

    @property
    def span(self) -> str:
        """The time over which it is counted, in words."""
        return span(self.seconds)


class Metering(Protocol):
    """What stands behind `ctx.quotas`; the router's is durable."""

    async def usage(self) -> list[Usage]:
        """See `Quotas.usage`."""

    async def quotas(self) -> list[Quota]:
        """See `Quotas.chosen`."""

    async def limit(self, quota: Quota) -> list[Quota]:
        """See `Quotas.limit`."""


class Quotas:
    """How much the sender may use here, and what the server's admins chose."""

    def __init__(self, acts: Metering) -> None:
        self._acts = acts

    async def usage(self) -> list[Usage]:
        """Every limit that holds for the sender, with what is used of it; none for owners."""
        return await self._acts.usage()

    async def chosen(self) -> list[Quota]:
        """What this server's admins chose, within what whoever runs the bot allows."""
        return await self._acts.quotas()

    async def limit(self, quota: Quota) -> list[Quota]:
        """Changes it, for an admin of the server and a plugin with `rights = ["administration"]`. Raises Refused, and BadArguments."""
        return await self._acts.limit(quota)
