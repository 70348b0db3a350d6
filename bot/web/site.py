"""What the pages stand on, put together by the command line. What each page makes of it: its module in `pages/`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from bot.choices import Change, Chosen, Deed, Level
from bot.config import Config
from bot.house import Order
from bot.messages import Message, Person
from bot.permissions import Held, Permit, Usable
from bot.plugins import Loaded
from bot.store.applicants import Applicants
from bot.store.dead import DeadList
from bot.store.duty import Duty
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import Place
from bot.store.requests import Requests
from bot.store.rooms import Rooms
from bot.store.servers import Servers
from bot.store.sessions import Sessions
from bot.store.snapshot import Snapshots
from bot.store.tally import Tally
from bot.web.setup import Beginning

if TYPE_CHECKING:
    from redis.asyncio import Redis


Commands = Callable[[Place, Person, str], Awaitable[Sequence[Usable]]]
"""What somebody may use at a place of a room, in words of a language."""


async def no_commands(place: Place, person: Person, language: str) -> Sequence[Usable]:
    """Where no router works behind the pages."""
    return ()


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

    async def held(self, message: Message) -> Held:
        """Who may do what."""

    async def permit(self, message: Message, permit: Permit) -> Held:
        """See `Permissions.permit`."""

    async def deeds(self, message: Message, most: int) -> list[Deed]:
        """The newest entries of the audit log."""

    async def end_work(self, order: Order) -> None:
        """Cancels what is being worked on for what was shut out."""


@dataclass(frozen=True, slots=True)
class Works:
    """What runs and what is decided for all servers, and how an operator acts on it. `platforms` are what this
    router speaks to; `cancel` ends a ticket's work, by its id."""

    snapshots: Snapshots
    requests: Requests
    dead: DeadList
    duty: Duty
    servers: Servers
    applicants: Applicants
    rules: HouseRules
    tally: Tally
    platforms: Sequence[str]
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
    commands: Commands = no_commands
    beginning: Beginning | None = None


def works(redis: Redis, keys: Keys, platforms: Sequence[str], cancel: Callable[[str], Awaitable[None]]) -> Works:
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
        platforms,
        cancel,
    )
