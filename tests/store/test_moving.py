"""What goes along when a group gets another id."""

from __future__ import annotations

import json

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
from bot.store.tickets import Tickets, Write
from bot.translation import Phrase
from bot.turns import Summary, Turn
from tests.store.test_conversations import ticket, turn

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


async def said(redis: Redis, keys: Keys, place: Address, *turns: Turn) -> None:
    """Remembers these as a handler does."""
    tickets, conversations = Tickets(redis, keys, "r"), Conversations(redis, keys)
    held = await ticket(tickets, place, turns[0].text)
    for number, one in enumerate(turns):
        await tickets.record(held, f"append{number}", b"", [conversations.appending(place.conversation, one)])
    await tickets.finish(held)


async def test_what_was_said_before_the_news_goes_on_from_what_was_said_before_the_move(redis: Redis, keys: Keys) -> None:
    conversations, there = Conversations(redis, keys), NEW.conversation
    await said(redis, keys, OLD, turn("one", 10), turn("two", 20, person="bob"))
    await do(redis, *await conversations.condensing(OLD.conversation, Summary(text="so far", upto=10)))
    await said(redis, keys, NEW, turn("three", 30), turn("four", 40, person="cyd"))

    for _ in range(2):
        await Moving(redis, keys).move(OLD, NEW)
        assert await redis.hexists(keys.turns_meta(there), "until:cyd")
    await said(redis, keys, NEW, turn("five", 50), turn("six", 60, person="cyd"))

    found = [(one.text, one.offset) for one in await conversations.turns(there, 10_000)]
    assert found == [("one", 0), ("two", 10), ("three", 30), ("four", 60), ("five", 100), ("six", 150)]
    of = {person: [(one.text, one.offset) for one in await conversations.turns(there, 10_000, person)] for person in ("ada", "bob", "cyd")}
    assert of == {"ada": [("one", 0), ("three", 10), ("five", 40)], "bob": [("two", 0)], "cyd": [("four", 0), ("six", 40)]}
    assert (await conversations.summary(there)).text == "so far"
    assert await redis.hmget(keys.turns_meta(there), ["tokens", "tokens:bob", "tokens:cyd"]) == [b"210", b"20", b"100"]
    assert not [key async for key in redis.scan_iter(f"{keys.prefix}:turns*telegram/-55*")]


async def test_an_answer_that_came_under_the_old_id_after_the_move_goes_on_from_what_there_is(redis: Redis, keys: Keys) -> None:
    conversations, there = Conversations(redis, keys), NEW.conversation
    await said(redis, keys, OLD, turn("one", 10), turn("two", 20))
    await do(redis, *await conversations.condensing(OLD.conversation, Summary(text="so far", upto=10)))
    await Moving(redis, keys).move(OLD, NEW)
    await said(redis, keys, NEW, turn("three", 30, person="bob"))
    await said(redis, keys, OLD, turn("late", 5))
    await do(redis, *await conversations.condensing(OLD.conversation, Summary(text="of the rest", upto=5)))

    for _ in range(2):
        await Moving(redis, keys).move(OLD, NEW)
    await said(redis, keys, NEW, turn("four", 40))

    found = [(one.text, one.offset) for one in await conversations.turns(there, 10_000)]
    assert found == [("one", 0), ("two", 10), ("three", 30), ("late", 60), ("four", 65)]
    assert [(one.text, one.offset) for one in await conversations.turns(there, 10_000, "ada")][2:] == [("late", 30), ("four", 35)]
    assert (await conversations.summary(there)).text == "so far"
    assert not [key async for key in redis.scan_iter(f"{keys.prefix}:turns*telegram/-55*")]


async def test_of_a_group_of_which_nothing_was_remembered_the_move_is_known_as_long_as_its_news_is_told(redis: Redis, keys: Keys) -> None:
    conversations = Conversations(redis, keys)
    await Moving(redis, keys).move(OLD, NEW)
    assert 86_000 < await redis.ttl(keys.turns_meta(NEW.conversation)) <= 86_400
    await said(redis, keys, NEW, turn("one", 10))
    await said(redis, keys, OLD, turn("late", 5))
    await Moving(redis, keys).move(OLD, NEW)
    assert [one.text for one in await conversations.turns(NEW.conversation, 10_000)] == ["one", "late"]


async def test_a_conversation_that_moved_is_kept_as_long_as_either_would_have_been(redis: Redis, keys: Keys) -> None:
    for old, new in ((600, 60), (60, 600)):
        for place, seconds in ((OLD, old), (NEW, new)):
            await said(redis, keys, place, turn(f"{place.server} {old}"))
            for key in (keys.turns(place.conversation), keys.turns_meta(place.conversation)):
                await redis.expire(key, seconds)
        await Moving(redis, keys).move(OLD, NEW)
        for key in (keys.turns(NEW.conversation), keys.turns_meta(NEW.conversation)):
            assert 550 < await redis.ttl(key) <= 600
            await redis.delete(key)


async def test_what_another_release_scheduled_goes_along_as_it_is(redis: Redis, keys: Keys) -> None:
    there = {"connector": "telegram", "server": OLD.server, "channel": "main"}
    theirs = {"of": "another release", "address": there}
    await redis.hset(keys.firings(), mapping={"f": json.dumps(theirs), "none": "no firing"})
    await Moving(redis, keys).move(OLD, NEW)
    found = {id: json.loads(firing) for id, firing in (await redis.hgetall(keys.firings())).items() if id != b"none"}
    assert found == {b"f": {**theirs, "address": {**there, "server": NEW.server}}}
