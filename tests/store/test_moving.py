"""What goes along when a group gets another id."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.messages import Address, Text
from bot.store.conversations import Conversations
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys
from bot.store.moving import Moving
from bot.store.plugindata import PluginData
from bot.store.presence import Presence
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import Write
from bot.turns import Turn

OLD = Address("telegram", "-55", "main")
NEW = Address("telegram", "-1000000000055", "main")


async def do(redis: Redis, *writes: Write) -> None:
    for write in writes:
        await redis.execute_command(*write)  # type: ignore[no-untyped-call]  # redis-py left it bare


async def test_choices_conversation_and_kept_data_go_along_once(redis: Redis, keys: Keys) -> None:
    servers, conversations, data, moving = Servers(redis, keys), Conversations(redis, keys), PluginData(redis, keys), Moving(redis, keys)
    await servers.put(OLD.tenant, Server(choices=Choices(plugins={"chat": False})))
    turn = Turn(role="person", parts=(Text("hello"),), tokens=3).model_dump_json(exclude={"offset"})
    await redis.rpush(keys.turns(OLD.conversation), f"0 {turn}")
    await redis.expire(keys.turns(OLD.conversation), 60)
    await do(
        redis, *data.saving("p", "server", OLD.tenant, "a:-55", b"1", None), *data.saving("p", "chat", OLD.conversation, "b", b"2", 60)
    )

    await Presence(redis, keys).put(OLD)
    await Hearsay(redis, keys).heard(OLD, "person", "12", "Ben")

    await moving.move(OLD, NEW)
    await moving.move(OLD, NEW)

    assert await Presence(redis, keys).servers("telegram") == []
    assert await Hearsay(redis, keys).known(NEW, "person") == {"12": "Ben"}
    assert (await servers.get(NEW.tenant)).choices.plugins == {"chat": False}
    assert [turn.text for turn in await conversations.turns(NEW.conversation, 100)] == ["hello"]
    assert await data.load("p", "server", NEW.tenant, "a:-55") == b"1"
    assert await data.load("p", "chat", NEW.conversation, "b") == b"2"
    assert await redis.smembers(keys.data_index("server", NEW.tenant)) == {keys.data("p", "server", NEW.tenant, "a:-55").encode()}
    assert not [key async for key in redis.scan_iter(f"{keys.prefix}:*telegram/-55*")]


async def test_what_the_new_id_has_already_stays(redis: Redis, keys: Keys) -> None:
    servers = Servers(redis, keys)
    await servers.put(OLD.tenant, Server(choices=Choices(plugins={"chat": False})))
    await servers.put(NEW.tenant, Server(choices=Choices(plugins={"chat": True})))
    await Moving(redis, keys).move(OLD, NEW)
    assert (await servers.get(NEW.tenant)).choices.plugins == {"chat": True}
