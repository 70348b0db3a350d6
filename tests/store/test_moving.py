"""What goes along when a group gets another id."""

from __future__ import annotations

from redis.asyncio import Redis

from bot.choices import Deed
from bot.house import Applicant
from bot.messages import Address, Text
from bot.store.applicants import Applicants
from bot.store.conversations import Conversations
from bot.store.hearsay import Hearsay
from bot.store.keys import Keys
from bot.store.moving import Moving
from bot.store.plugindata import PluginData
from bot.store.presence import Presence
from bot.store.servers import Choices, Server, Servers
from bot.store.tickets import Write
from bot.translation import Phrase
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


async def test_what_the_new_id_has_chosen_already_stays(redis: Redis, keys: Keys) -> None:
    servers, data = Servers(redis, keys), PluginData(redis, keys)
    await servers.put(OLD.tenant, Server(choices=Choices(plugins={"chat": False})))
    await servers.put(NEW.tenant, Server(choices=Choices(plugins={"chat": True})))
    for place, value in ((OLD, b"1"), (NEW, b"2")):
        await do(redis, *data.saving("p", "server", place.tenant, "a", value, None))
    await Moving(redis, keys).move(OLD, NEW)
    assert (await servers.get(NEW.tenant)).choices.plugins == {"chat": True}
    assert await data.load("p", "server", NEW.tenant, "a") == b"2"
    assert not [key async for key in redis.scan_iter(f"{keys.prefix}:*telegram/-55*")]


async def test_a_message_that_comes_before_the_news_costs_nothing_that_was_chosen(redis: Redis, keys: Keys) -> None:
    servers, applicants, hearsay, moving = Servers(redis, keys), Applicants(redis, keys), Hearsay(redis, keys), Moving(redis, keys)
    await servers.put(OLD.tenant, Server(choices=Choices(plugins={"chat": False})))
    await servers.note(OLD.tenant, Deed(1.0, "11", "Ann", "", "", (Phrase("before"),)), lambda _: False, 1)
    await hearsay.heard(OLD, "person", "12", "Ben")
    await applicants.note(OLD.tenant)

    await applicants.apply(Applicant(address=NEW, name="Lounge", at=1.0))
    await servers.note(NEW.tenant, Deed(2.0, "11", "Ann", "", "", (Phrase("since"),)), lambda _: False, 1)
    await hearsay.heard(NEW, "person", "11", "Ann")
    before = await servers.get(NEW.tenant)
    await moving.move(OLD, NEW)
    after = await servers.get(NEW.tenant)
    assert after.choices.plugins == {"chat": False}
    assert after.admitted
    assert after.stamp != before.stamp, "whoever has it in memory reads it anew"
    assert await applicants.waiting() == []
    assert [[one.text for one in deed.what] for deed in await servers.deeds(NEW.tenant, 9)] == [["since"], ["before"]]
    assert await hearsay.known(NEW, "person") == {"11": "Ann", "12": "Ben"}

    await applicants.note(OLD.tenant)
    await moving.move(OLD, NEW)
    assert (await servers.get(NEW.tenant)).choices.plugins == {"chat": False}
