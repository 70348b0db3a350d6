"""The tables of the configuration that say who may use the bot, and how much. The other tables: `config.py`, `tables.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.house import Door, Policy, Rules
from bot.quotas import Rate
from bot.tables import Table


class AdmissionTable(Table):
    """Who may use the bot at all: `closed` (nobody new), `approve` (a server that is new is told so, and the owners are asked), or
    `open`. Our own rooms need none of it, since only a link lets people in. Owners change it with `/house`, and `hobnob servers` does."""

    servers: Policy = "approve"
    """Servers that the bot is new in."""

    direct: Policy = "approve"
    """People who write to it alone."""

    def holding(self, rules: Rules) -> Mapping[Door, Policy]:
        """What holds at each door: owners may have chosen it otherwise."""
        return {"servers": self.servers, "direct": self.direct, **rules.policies}


class Amounts(Table):
    """How much of everything may be used in a time."""

    messages: tuple[Rate, ...] = ()
    """Messages to which the bot answers."""

    images: tuple[Rate, ...] = ()
    """Pictures that it draws."""

    audio: tuple[Rate, ...] = ()
    """Minutes of audio that it writes down."""

    device: tuple[Rate, ...] = ()
    """Seconds that a device works."""


class PersonAmounts(Amounts):
    """The same, with what a person is not to exceed where nobody chose."""

    messages: tuple[Rate, ...] = ("120/hour",)
    """Messages to which the bot answers."""

    images: tuple[Rate, ...] = ("60/hour",)
    """Pictures that it draws."""

    audio: tuple[Rate, ...] = ("240/day",)
    """Minutes of audio that it writes down."""


class QuotasTable(Table):
    """How much may be used in a time: `["20/hour", "100/day"]`, or `["1/30s"]` for once in so many seconds; empty: as much as one likes.
    The admins of a server divide that among its people with `/quota`; owners are not counted."""

    person: PersonAmounts = PersonAmounts()
    """How much one person may use in one server, at most."""

    everywhere: Amounts = Amounts()
    """How much one person may use in all servers of a platform together, at most."""

    server: Amounts = Amounts()
    """How much all people of one server may use together, at most."""


@dataclass(frozen=True, slots=True)
class Allowed:
    """Both."""

    admission: AdmissionTable = field(default_factory=AdmissionTable)
    quotas: QuotasTable = field(default_factory=QuotasTable)


UNLIMITED = QuotasTable(person=PersonAmounts(messages=(), images=(), audio=()))
"""As much as one likes."""
