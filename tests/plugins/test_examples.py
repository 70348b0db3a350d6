"""Every example that `/help` shows, typed as it stands, in every language: its command runs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from redis.asyncio import Redis

from bot.config import load as configured
from bot.connectors.room import RoomConnector
from bot.plugins import load
from bot.router import app
from bot.routes import Command
from bot.store.house import HouseRules
from bot.store.keys import Keys
from bot.store.rooms import Rooms
from bot.testing import wait_until
from tests.plugins.admin.hall import Hall
from tests.plugins.admin.town import Recorder


async def test_every_example_of_help_runs_when_it_is_typed(redis: Redis, keys: Keys, tmp_path: Path) -> None:
    plugins, rooms = load(configured(Path("config/bot.toml")), "front"), Rooms(redis, keys, tmp_path)
    ran: dict[str, list[tuple[str, str, dict[str, object]]]] = {}
    router = app.build(redis, keys, plugins, [RoomConnector(rooms)], run=partial(Recorder, ran=ran))
    commands = [(name, route) for name, route in plugins.collect("register_routes") if isinstance(route, Command) and route.example]
    assert {name for name, _ in commands} == {"admin", "chat", "imagine", "transcribe"}
    async with app.running(router, plugins):
        hall = Hall(router, rooms, HouseRules(redis, keys), plugins)
        await hall.own()
        for name, command in sorted(commands, key=lambda one: one[0] == "admin"):  # whose examples switch others off
            for tag in plugins.locales.tags:
                ran.clear()
                example = plugins.locales.of(tag, name).translated(command.example)
                await hall.post(example)
                await wait_until(lambda: ran.get("room/hall"))
                assert [one[:2] for one in ran["room/hall"]] == [(name, f"command:{command.name}")], example
                await hall.say("/cancel")  # nobody serves a model
    await rooms.close()
