"""What the pages stand on, put together by the command line. What each page makes of it: its module in `pages/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bot.calls import Calls
from bot.choices import Change, Chosen, Deed, Level, Where
from bot.config import Config
from bot.forms import Picked
from bot.house import Order
from bot.messages import Message, Person
from bot.permissions import Held, Permit, Usable
from bot.plugins import Loaded
from bot.quotas import Quota, Usage
from bot.store.applicants import Applicants
from bot.store.changes import Changes
from bot.store.dead import DeadList
from bot.store.duty import Duty
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.loglines import LogLines
from bot.store.places import Place
from bot.store.pulls import Pulls
from bot.store.requests import Requests
from bot.store.rooms import Rooms
from bot.store.servers import Servers
from bot.store.sessions import Sessions
from bot.store.snapshot import Snapshots
from bot.store.tally import Tally
from bot.store.traces import Traces
from bot.store.troubles import Troubles
from bot.translation import Translation
from bot.web.setup import Beginning

if TYPE_CHECKING:
    from redis.asyncio import Redis


Commands = Callable[[Place, Person, str], Awaitable[Sequence[Usable]]]
"""What somebody may use at a place of a room, in words of a language."""


async def no_commands(place: Place, person: Person, language: str) -> Sequence[Usable]:
    """Where no router works behind the pages."""
    return ()


ChosenLanguage = Callable[[Place, Person], Awaitable[str]]
"""The language that somebody of a room has chosen, "" where they have not."""


async def no_choice(place: Place, person: Person) -> str:
    """Where no router works behind the pages."""
    return ""


Platforms = Callable[[], Mapping[str, tuple[str, str]]]


class Office(Protocol):
    """What somebody does for a server from its page, as the commands of a chat do it. `message` says who asks, and where.

    All of it raises UserError with a sentence for them.
    """

    async def level(self, message: Message) -> Level:
        """What they may do there."""

    async def chosen(self, message: Message) -> list[Chosen]:
        """What holds for each plugin."""

    async def choose(self, message: Message, change: Change) -> Chosen:
        """See `ServerChoices.change`."""

    async def working(self, message: Message, plugin: str, where: Where) -> int:
        """See `ServerChoices.working`."""

    async def stop(self, message: Message, plugin: str, where: Where) -> int:
        """See `ServerChoices.stop`."""

    async def known(self, message: Message, kind: Picked) -> dict[str, str]:
        """The channels, roles or people of the server, names by id, as far as its platform tells who asks."""

    async def find(self, message: Message, kind: Picked, said: str) -> tuple[str, str]:
        """The id and the name of what is called so."""

    async def held(self, message: Message) -> Held:
        """Who may do what."""

    async def permit(self, message: Message, permit: Permit) -> Held:
        """See `Permissions.permit`."""

    async def deeds(self, message: Message, most: int) -> list[Deed]:
        """The newest entries of the audit log."""

    async def quotas(self, message: Message) -> list[Quota]:
        """What the server's admins chose."""

    async def limit(self, message: Message, quota: Quota) -> None:
        """See `Quotas.limit`."""

    async def usage(self, message: Message) -> list[Usage]:
        """Every limit that holds for who asks, with what is used of it."""

    async def reader(self, message: Message) -> Translation | None:
        """The language that they have chosen, None where they have not."""

    async def leave(self, server: str) -> None:
        """Has the bot leave a server."""

    def leaves(self, server: str) -> bool:
        """Whether it can."""

    async def end_work(self, order: Order) -> None:
        """Cancels what is being worked on for what was shut out."""


@dataclass(frozen=True, slots=True)
class Works:
    """What runs and what is decided for all servers, and how an operator acts on it. `changes` are those of families of keys, by their
    names; `platforms` says how each chat platform stands in this router, and why; `cancel` ends a ticket's work, by its id."""

    snapshots: Snapshots
    requests: Requests
    dead: DeadList
    duty: Duty
    servers: Servers
    applicants: Applicants
    rules: HouseRules
    tally: Tally
    log: LogLines
    pulls: Pulls
    traces: Traces
    troubles: Troubles
    changes: Callable[..., Changes]
    platforms: Platforms
    cancel: Callable[[str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Site:
    """Rooms and sessions are always there; `works`, `office` and the `plugins` are where a router works behind the pages, and `beginning`
    where the configuration may be changed from them."""

    config: Config
    rooms: Rooms
    sessions: Sessions
    works: Works | None = None
    office: Office | None = None
    plugins: Mapping[str, Loaded] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)
    commands: Commands = no_commands
    language: ChosenLanguage = no_choice
    beginning: Beginning | None = None


def works(redis: Redis, keys: Keys, platforms: Platforms, cancel: Callable[[str], Awaitable[None]]) -> Works:
    """All of it, over one store."""
    return Works(
        Snapshots(redis, keys),
        Requests(redis, keys),
        DeadList(redis, keys),
        Duty(redis, keys),
        Servers(redis, keys),
        Applicants(redis, keys),
        HouseRules(redis, keys),
        Tally(redis, keys),
        LogLines(redis, keys),
        Pulls(redis, keys),
        Traces(redis, keys),
        Troubles(redis, keys),
        partial(Changes, redis, keys),
        platforms,
        cancel,
    )
