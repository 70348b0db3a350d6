"""Discord and a router in this process: what guilds and roles may do, and what their admins alone can change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, nullcontext
from math import inf

import pytest
from redis.asyncio import Redis

from bot import Context, Listener, Route, hookimpl
from bot.allowing import AdmissionTable, Allowed
from bot.connectors.discord.connector import DiscordConnector
from bot.connectors.discord.listing import NO_SCOPE
from bot.errors import BadArguments
from bot.messages import Address, Message, Person
from bot.plugins import Loaded, Plugins
from bot.router import app
from bot.router.picking import Picking
from bot.spacing import Spacing
from bot.store.keys import Keys
from bot.store.presence import Presence
from bot.store.servers import Choices, Server, Servers
from bot.tables import Talking
from bot.testing import wait_until
from tests.connectors.on_discord import access, general
from tests.plugins.admin import hall
from tests.wire.discord_payloads import Json
from tests.wire.discord_server import Discord, Fault


class Ears:
    """Says what it hears."""

    @hookimpl
    def register_routes(self) -> Iterable[Route]:
        return [Listener("hear", lambda message: message.addressed, self.hear)]

    async def hear(self, ctx: Context) -> str:
        return f"heard: {ctx.message.text}"


@asynccontextmanager
async def routed(discord: Discord, redis: Redis, keys: Keys) -> AsyncIterator[None]:
    """The admin plugin, `/song`, and ears, connected."""
    loaded = Plugins([*hall.plugins().loaded.values(), Loaded("ears", Ears(), version="1")])
    made = app.build(redis, keys, loaded, [DiscordConnector(access(discord))], allowed=Allowed(AdmissionTable(servers="open")))
    async with app.running(made, loaded):
        await wait_until(lambda: discord.gateway.ready)
        yield


async def test_a_role_may_what_the_admins_of_its_guild_allow(discord: Discord, redis: Redis, keys: Keys) -> None:
    [guild] = discord.world.guilds.values()
    boss, eve, ben = (discord.world.user(name) for name in ("Boss", "Eve", "Ben"))
    office, stage, desk = (discord.world.channel(guild, name) for name in ("office", "stage", "desk"))
    artists = f"<@&{discord.world.role(guild, 'Artists', ben)['id']}>"

    async def said(channel: Json, person: Json, command: str, *, manages: bool = False, **options: str) -> str:
        before = len(discord.texts(channel))
        await discord.call(channel, person, command, manages=manages, **options)
        return str((await wait_until(lambda: discord.texts(channel)[before:]))[0])

    async with routed(discord, redis, keys):
        await wait_until(lambda: any(one["name"] == "song" for one in discord.world.commands[guild["id"]]))
        for permit in (
            {"do": "deny", "what": "/song", "who": "everyone"},
            {"do": "allow", "what": "/song", "who": artists},
            {"do": "make", "who": artists, "level": "moderator"},
        ):
            assert (await said(office, boss, "permissions", manages=True, **permit)).startswith("Saved.")
        assert (await said(stage, eve, "song")).startswith("You may not use /song here.")
        assert await said(stage, ben, "song") == "La la la."
        assert "is moderator here" not in await said(desk, eve, "permissions")
        assert "Artists is moderator here" in await said(desk, ben, "permissions")


async def test_a_guild_has_channels_threads_and_roles_also_for_a_router_that_does_not_receive(discord: Discord) -> None:
    channel = general(discord)
    [guild] = discord.world.guilds.values()
    role = discord.world.role(guild, "Artists")
    thread = discord.world.thread(channel, "A thread")
    guild["threads"].append(thread)
    connector, here = DiscordConnector(access(discord)), Address("discord", guild["id"], channel["id"])
    roles = {guild["id"]: "@everyone", role["id"]: "Artists"}
    assert await connector.known(here, "role") == roles
    both = {channel["id"]: channel["name"], f"{channel['id']}/{thread['id']}": "A thread"}
    assert await connector.known(here, "channel") == both

    async def known() -> bool:
        return await connector.known(here, "channel") == both and await connector.known(here, "role") == roles

    async with _connected(connector, discord):
        await wait_until(known)
        assert await connector.known(here, "person") == {}, "nobody is told who the people of a guild are"
    await connector.close()


@pytest.mark.parametrize("receives", [False, True])
async def test_what_somebody_may_not_see_is_not_named_to_them(discord: Discord, receives: bool) -> None:
    [guild], world = discord.world.guilds.values(), discord.world
    eve, ben, mo, gone = (world.user(name) for name in ("Eve", "Ben", "Mo", "Gone"))
    hall, crypt, view, keeps_threads = general(discord), world.channel(guild, "crypt"), 1 << 10, 1 << 34
    council, everyone = world.role(guild, "Council", eve), guild["roles"][0]
    for role in (council, everyone):
        role["permissions"] = str(int(role["permissions"]) & ~keeps_threads)
    world.role(guild, "Moderators", mo)
    world.join(guild, ben)
    crypt["permission_overwrites"] = [
        {"id": everyone["id"], "type": 0, "allow": "0", "deny": str(view)},
        {"id": council["id"], "type": 0, "allow": str(view), "deny": "0"},
    ]
    chat, secret, below = world.thread(hall, "chat"), world.thread(hall, "secret"), world.thread(crypt, "below")
    secret["type"], secret["_people"] = 12, [ben["id"]]
    guild["threads"] += [chat, secret, below]
    discord.limiter.scale = 1e9  # limits are not what this is about
    connector, here = DiscordConnector(access(discord), Spacing(inf)), Address("discord", guild["id"], hall["id"])
    picking = Picking({"discord": connector})

    async def seen(id: str) -> set[str]:
        return set((await picking.known(Message("", "", here, Person(id, "")), "channel")).values())

    async with _connected(connector, discord) if receives else nullcontext():
        assert await seen("operator") == {"general", "crypt", "chat", "secret", "below"}
        assert await seen(eve["id"]) == {"general", "crypt", "chat", "below"}
        assert await seen(ben["id"]) == {"general", "chat", "secret"}
        assert await seen(mo["id"]) == {"general", "chat", "secret"}
        assert await seen(gone["id"]) == set()
        with pytest.raises(BadArguments, match="I know no channel “crypt” here"):
            await picking.find("channel", "crypt", Message("", "", here, Person(ben["id"], "Ben")))
    await connector.close()


async def test_people_are_found_by_any_of_their_names_where_nobody_lists_them(discord: Discord) -> None:
    [guild], world = discord.world.guilds.values(), discord.world
    ben, elsewhere = world.user("Ben"), world.user("Bertha")
    world.join(guild, ben)
    connector = DiscordConnector(access(discord))
    picking, asked = Picking({"discord": connector}), Message("", "", Address("discord", guild["id"], "1"), Person("1", "Ada"))
    assert await picking.find("person", "@ben", asked) == (ben["id"], "Ben")
    assert await picking.find("mentionable", "Ben", asked) == (f"person:{ben['id']}", "Ben")
    for name in ("Be", elsewhere["global_name"]):
        with pytest.raises(BadArguments, match=f"I know nobody here who is called “{name}”"):
            await picking.find("person", name, asked)
    await connector.close()


@asynccontextmanager
async def _connected(connector: DiscordConnector, discord: Discord) -> AsyncIterator[None]:
    task = asyncio.create_task(connector.run(_nobody))
    await wait_until(lambda: discord.gateway.ready)
    yield
    task.cancel()
    await asyncio.wait([task])


async def _nobody(message: Message) -> None:
    """Hears nothing."""


async def test_a_guild_that_shut_the_bot_out_while_nobody_was_connected_is_left(discord: Discord, redis: Redis, keys: Keys) -> None:
    [guild], presence = discord.world.guilds.values(), Presence(redis, keys)
    for server in ("77", guild["id"]):
        await presence.put(Address("discord", server, "1"))
        await Servers(redis, keys).put(f"discord/{server}", Server())
    async with routed(discord, redis, keys):
        await wait_until(lambda: redis.hexists(keys.server("discord/77"), "left"), 20.0)

        async def forgotten() -> bool:
            return await presence.servers("discord") == [guild["id"]]

        await wait_until(forgotten)
        assert not await redis.hexists(keys.server(f"discord/{guild['id']}"), "left")


async def test_a_new_guild_without_a_channel_for_it_costs_nobody_anything(discord: Discord, redis: Redis, keys: Keys) -> None:
    channel = general(discord)
    async with routed(discord, redis, keys):
        guild = discord.world.guild("Mute")
        guild["channels"].clear()
        await discord.let_in_as(guild)
        await wait_until(lambda: discord.world.commands.get(guild["id"]))
        await discord.say(channel, discord.world.user("Ada"), f"<@{discord.world.bot['id']}> still there")
        await wait_until(lambda: discord.texts(channel) == ["heard: @Hobnob still there"])


async def test_a_guild_that_gave_no_scope_for_commands_hears_what_its_admins_must_do(discord: Discord, redis: Redis, keys: Keys) -> None:
    discord.faults.append(Fault("PUT", "/guilds/", 403, {"code": 50001, "message": "Missing Access"}))
    async with routed(discord, redis, keys):
        await wait_until(lambda: discord.texts(general(discord)) == [NO_SCOPE])


async def test_where_no_more_threads_fit_it_answers_without_one_and_says_why(discord: Discord, redis: Redis, keys: Keys) -> None:
    channel, ada = general(discord), discord.world.user("Ada")
    await Servers(redis, keys).put(f"discord/{channel['guild_id']}", Server(choices=Choices(talking=Talking(threads=True))))
    full = {"code": 160006, "message": "Maximum number of active threads reached"}
    async with routed(discord, redis, keys):
        discord.faults.append(Fault("POST", "/threads", 400, full))
        await discord.say(channel, ada, f"<@{discord.world.bot['id']}> one")
        await wait_until(lambda: len(discord.texts(channel)) == 2)
        answer, told = sorted(discord.texts(channel), reverse=True)
        assert answer == "heard: @Hobnob one"
        assert (
            told.startswith(f"I cannot begin a thread in channel <#{channel['id']}>") and "as many open threads as Discord allows" in told
        )
        asked = await discord.say(channel, ada, f"<@{discord.world.bot['id']}> two")
        await wait_until(lambda: asked["id"] in discord.world.channels and discord.texts(discord.world.channels[asked["id"]]))
        assert len(discord.texts(channel)) == 2
