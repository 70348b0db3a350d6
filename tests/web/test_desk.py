"""What is done on a page is done for who has it open, as they are now: every act of every page, by everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.calls import Calls
from bot.choices import Change, Chosen, Deed, Level, Setting, Where
from bot.config import Config
from bot.forms import Picked
from bot.house import Order
from bot.messages import Address, Message, Person
from bot.permissions import Held, Permit
from bot.quotas import Quota, Usage
from bot.store.keys import Keys
from bot.store.sessions import GUEST, OPERATOR, Sessions, Visitor, admin
from bot.store.tally import Tally
from bot.translation import Translation
from bot.web.desk import ENDED, Desk
from bot.web.pages.access import AccessPage
from bot.web.pages.backups import BackupsPage, Keep
from bot.web.pages.models import Bringing, Wishing
from bot.web.pages.plugins import ConfigForms, PluginsPage
from bot.web.pages.queue import Burying, Cancelling, Ordering
from bot.web.pages.server import CLOSED, Facts, ServerPage, plugin
from bot.web.pages.servers import Deciding, Opening
from bot.web.pages.traces import Seeking
from bot.web.passwords import Passwords
from bot.web.view import View as Page
from bot.web.visitors import Cookies, Visitors

HALL, ATTIC = "room/hall", "room/attic"


def asking(tenant: str, **facts: Any) -> Message:
    """The message by which Ann, who manages that server, asked for its page."""
    return Message("", "", Address.of(tenant), Person("p.ann", "Ann"), manages=True, **facts)


class View:
    """A scripted browser: remembers what it is given to show."""

    hear = Page.hear

    def __init__(self) -> None:
        self.handlers: dict[str, Callable[[Any], Awaitable[None]]] = {}
        self.taken: list[tuple[str, dict[str, Any]]] = []

    def on(self, event: str, handler: Callable[[Any], Awaitable[None]]) -> None:
        self.handlers[event] = handler

    def take(self, kind: str, **content: Any) -> None:
        self.taken.append((kind, content))

    async def send(self, event: str, **given: Any) -> tuple[str, dict[str, Any]]:
        """What the page is told last, when it has sent this."""
        self.taken.clear()
        await self.handlers[event](SimpleNamespace(args=given))
        return self.taken[-1]


class Office:
    """Does as it is told, and remembers for whom."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def level(self, message: Message) -> Level:
        return "admin"

    async def chosen(self, message: Message) -> list[Chosen]:
        self.asked.append(("chosen", message.address.tenant))
        return []

    async def choose(self, message: Message, change: Change) -> Chosen:
        self.asked.append(("choose", message.address.tenant))
        return Chosen(change.plugin, "", True, "server", False, (), {}, "")

    async def known(self, message: Message, kind: Picked) -> dict[str, str]:
        return {}

    async def working(self, message: Message, plugin: str, where: Where) -> int:
        self.asked.append(("working", message.address.tenant))
        return 0

    async def stop(self, message: Message, plugin: str, where: Where) -> int:
        self.asked.append(("stop", message.address.tenant))
        return 0

    async def find(self, message: Message, kind: Picked, said: str) -> tuple[str, str]:
        return said, said

    async def held(self, message: Message) -> Held:
        return Held()

    async def permit(self, message: Message, permit: Permit) -> Held:
        self.asked.append(("permit", message.address.tenant))
        return Held()

    async def deeds(self, message: Message, most: int) -> list[Deed]:
        return []

    async def quotas(self, message: Message) -> list[Quota]:
        self.asked.append(("quotas", message.address.tenant))
        return []

    async def limit(self, message: Message, quota: Quota) -> None:
        self.asked.append(("limit", message.address.tenant))

    async def usage(self, message: Message) -> list[Usage]:
        self.asked.append(("usage", message.address.tenant))
        return []

    async def reader(self, message: Message) -> Translation | None:
        return None

    async def leave(self, server: str) -> None:
        self.asked.append(("leave", server))

    def leaves(self, server: str) -> bool:
        return False

    async def end_work(self, order: Order) -> None:
        self.asked.append(("end_work", order.name))


ACTS: Mapping[str, Mapping[str, Any]] = {
    "hello": {},
    "switch": {"plugin": "chat", "on": False, "seen": "x"},
    "stop": {"plugin": "chat"},
    "save": {"plugin": "chat", "settings": {"temperature": 0.1}, "seen": "x"},
    "permit": {"permit": {"who": "everyone", "what": "*", "allowed": False}},
    "limit": {"quota": {"whose": "everyone", "measure": "messages", "rates": ["20/hour"]}},
}
"""All that can be done on the page of a server."""


@pytest.fixture
def sessions(redis: Redis, keys: Keys) -> Sessions:
    return Sessions(redis, keys)


@pytest.fixture
def facts(redis: Redis, keys: Keys) -> Facts:
    return Facts(Tally(redis, keys))


def open_page(sessions: Sessions, secret: str, office: Office, facts: Facts) -> View:
    view = View()
    made = Desk(view, Visitors(sessions, Cookies(1)), "admin", secret)  # type: ignore[arg-type]  # no browser

    async def seats() -> Mapping[str, Message]:
        return {seat.message.address.tenant: seat.message for seat in (await made.visitor()).seats}

    ServerPage(made, office, seats, facts)
    return view


async def test_an_admin_of_one_server_does_nothing_in_another(sessions: Sessions, facts: Facts) -> None:
    office = Office()
    view = open_page(sessions, await sessions.begin(admin(asking(HALL))), office, facts)
    assert set(view.handlers) == set(ACTS)
    for event, given in ACTS.items():
        kind, told = await view.send(event, server=ATTIC, **given)
        assert (kind, told["text"]) == ("sorry", CLOSED)
        kind, _ = await view.send(event, server=HALL, **given)
        assert kind in ("seen", "saved", "stopped")
    assert {tenant for _, tenant in office.asked} == {HALL}


def test_what_is_picked_is_a_menu_also_where_it_is_none_or_a_number_and_a_list_is_typed() -> None:
    shape = {
        "properties": {
            "place": {"anyOf": [{"type": "string"}, {"type": "null"}], "picks": "channel"},
            "lead": {"type": "integer", "picks": "role"},
            "roles": {"type": "array", "items": {"type": "string"}, "picks": "role"},
        }
    }
    settings = (Setting("place", None, "plugin"), Setting("lead", 5, "server", label="Tenor"), Setting("roles", ["5"], "server"))
    found = plugin(Chosen("choir", "", True, "plugin", False, settings, shape, ""), {"channel": {"side": "Side"}, "role": {"5": "Tenor"}})
    assert [(one["kind"], one["value"], one["labels"]) for one in found["settings"]] == [
        ("text", "", {"": "nothing", "side": "Side"}),
        ("text", "5", {"": "nothing", "5": "Tenor"}),
        ("list", ["5"], {}),
    ]


@pytest.mark.parametrize("visitor", [GUEST, OPERATOR, None])
async def test_nobody_else_does_anything_on_an_admins_page(sessions: Sessions, facts: Facts, visitor: Visitor | None) -> None:
    office = Office()
    view = open_page(sessions, await sessions.begin(visitor) if visitor else "guess", office, facts)
    for event, given in ACTS.items():
        assert (await view.send(event, server=HALL, **given))[1]["text"] == ENDED
    assert office.asked == []


async def test_an_admin_whose_session_has_ended_does_nothing_any_more(sessions: Sessions, facts: Facts) -> None:
    office = Office()
    secret = await sessions.begin(admin(asking(HALL)))
    view = open_page(sessions, secret, office, facts)
    assert (await view.send("hello"))[0] == "seen"
    office.asked.clear()
    await sessions.end(secret)
    for event, given in ACTS.items():
        assert (await view.send(event, server=HALL, **given))[1]["text"] == ENDED
    assert office.asked == []


@pytest.mark.parametrize("visitor", [GUEST, admin(asking(HALL)), None])
async def test_nobody_but_an_operator_does_anything_on_an_operators_page(sessions: Sessions, visitor: Visitor | None) -> None:
    done: list[str] = []

    async def act(given: object) -> None:
        done.append(str(given))

    view, secret = View(), await sessions.begin(visitor) if visitor else "guess"
    made = Desk(view, Visitors(sessions, Cookies(1)), "operator", secret)  # type: ignore[arg-type]  # no browser
    AccessPage(made, sessions, Passwords(sessions))
    PluginsPage(made, None, {}, Calls())  # type: ignore[arg-type]  # nobody gets as far as what is behind it
    ConfigForms(made, {}, Config(), None)  # type: ignore[arg-type]
    BackupsPage(made, Keep(Config(), None))  # type: ignore[arg-type]
    for kind in (Cancelling, Burying, Ordering, Bringing, Wishing, Seeking, Deciding, Opening):
        made.hear(kind.__name__, kind, act)
    acts: Mapping[str, Mapping[str, Any]] = {
        "hello": {},
        "choose": {"password": "a good password"},
        "invite": {"operator": True},
        "Cancelling": {"ticket": "t"},
        "Burying": {"ids": [], "act": "drop"},
        "Ordering": {"name": "*", "act": "pause"},
        "Bringing": {"model": "whisper-base"},
        "Wishing": {"worker": "desk", "model": "whisper-base", "loaded": False},
        "Seeking": {"words": "ann"},
        "retry": {"plugin": "chat"},
        "form": {"plugin": "chat"},
        "fill": {"plugin": "chat", "entries": [{"at": ["context"], "value": 512}]},
        "keep": {"plugin": "chat"},
        "Deciding": {"server": HALL, "act": "leave"},
        "Opening": {"door": "servers", "policy": "open"},
        "make": {"secrets": True},
    }
    assert set(view.handlers) == set(acts)
    for event, given in acts.items():
        assert (await view.send(event, **given))[1]["text"] == ENDED
    assert done == []
    assert await sessions.password() == ""


async def test_a_second_link_of_an_admin_adds_a_server_and_keeps_the_first(sessions: Sessions) -> None:
    first = await sessions.redeem(await sessions.invite(admin(asking(HALL))))
    assert first is not None
    second = await sessions.redeem(await sessions.invite(admin(asking(ATTIC))), first)
    assert second is not None
    visitor = await sessions.visitor(second)
    assert visitor is not None
    assert visitor.seat(HALL) is not None
    assert visitor.seat(ATTIC) is not None
    assert await sessions.visitor(first) is None
