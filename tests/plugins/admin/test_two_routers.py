"""Two routers that hear one room: what one of them hears late was decided when the other heard it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from redis.asyncio import Redis

from bot.connector import Deliver
from bot.connectors.room import RoomConnector
from bot.router import app
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.places import Arrival
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.plugins.admin.hall import BOB, Hall, plugins

OFF = "singer is switched off here. An admin of this server can switch it on."


class Late(RoomConnector):
    """Hears all that happens, and hands it over when it is let."""

    def __init__(self, rooms: Rooms) -> None:
        super().__init__(rooms)
        self.held: dict[str, tuple[Arrival, Deliver]] = {}

    async def _hand_over(self, arrival: Arrival, deliver: Deliver) -> None:
        self.held[arrival.id] = arrival, deliver

    async def let(self) -> None:
        for arrival, deliver in self.held.values():
            await super()._hand_over(arrival, deliver)


class Prompt(RoomConnector):
    """Hands over at once what the late one has heard."""

    def __init__(self, rooms: Rooms, late: Late) -> None:
        super().__init__(rooms)
        self.late = late

    async def _hand_over(self, arrival: Arrival, deliver: Deliver) -> None:
        await wait_until(lambda: arrival.id in self.late.held)
        await super()._hand_over(arrival, deliver)


async def test_a_router_that_hears_late_judges_nothing_by_what_was_chosen_since(redis: Redis, keys: Keys, tmp_path: Path) -> None:
    rooms, loaded = Rooms(redis, keys, tmp_path), plugins()
    late = Late(rooms)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(rooms.close)
        first, second = [
            await stack.enter_async_context(app.running(app.build(redis, keys, loaded, [connector]), loaded))
            for connector in (Prompt(rooms, late), late)
        ]
        hall = Hall(first, rooms, HouseRules(redis, keys), loaded)
        await hall.own()
        await hall.say("/plugins singer off")
        assert await hall.say("/song", BOB) == OFF
        assert await hall.say("sing", BOB) == ""
        assert "singer is on" in (await hall.say("/plugins singer on")).replace("**", "")
        before = await hall.shown()
        await late.let()
        await wait_until(lambda: not second.runner.held and not first.runner.held)
        assert await hall.shown() == before
