"""What is kept of a person, in a room: given back, deleted everywhere, and nothing of anybody else."""

from __future__ import annotations

import io
import json
import zipfile

from bot.choices import Deed
from bot.membership import Left
from bot.messages import Address, File, Message, Text
from bot.store.contents import TABLE
from bot.store.conversations import DAY
from bot.store.personal import PersonalData
from bot.store.plugindata import Pressed
from bot.store.schedules import Firing, Schedules
from bot.store.servers import Servers, deed_json
from bot.translation import Phrase
from bot.turns import Turn
from tests.plugins.admin.hall import ANN, BOB, HALL, Hall

SECRET = "wombat"


async def furnish(hall: Hall) -> None:
    """Something of Ann's, with the secret word, under every pattern that is given back; and the same of Bob's."""
    redis, stores, keys = hall.rooms._redis, hall.router.stores, hall.rooms._keys
    place = Address("room", "hall", "main")
    for person, word in ((ANN, SECRET), (BOB, "badger")):
        await stores.data.keep_buttons({f"button-{word}": Pressed("singer", "encore", {"w": word}, "1", person=f"room/{person.id}")})
        await hall.say(f"{word} is mine", person)
        turn = Turn(role="person", parts=(Text(f"I like the {word}"),), name=person.name, person=person.id, message=word, tokens=3)
        writes = [*stores.data.saving("singer", "person", f"room/{person.id}", "k", json.dumps(word).encode(), None)]
        writes += Schedules(redis, keys).adding(
            word, Firing(plugin="singer", name="x", payload={"w": word}, address=place, person=person, at=9e9)
        )
        for write in writes:
            await redis.execute_command(*write)  # type: ignore[no-untyped-call]
        append = stores.conversations.appending(place.conversation, turn)
        await redis.rpush(keys.turns(place.conversation), f"0:0 {append[3]!s}")
        await redis.expire(keys.turns(place.conversation), 60)
        about = Deed(2.0, "carl", "Carl", "", "", (Phrase("{who} is member", {"who": word}),), about=f"person:{person.id}")
        for log in (keys.audit("room/hall"), keys.house_audit()):
            await redis.lpush(log, *map(deed_json.dump_json, (Deed(1.0, person.id, person.name, "", "singer", (Phrase(word),)), about)))


async def test_all_of_it_is_given_back_as_a_zip_and_nothing_of_anybody_else(hall: Hall) -> None:
    await hall.own()
    await furnish(hall)
    await hall.say("/mydata")
    await hall.press("Give it to me")
    (part,) = [part for part in (await hall.shown())[-1].body.parts if isinstance(part, File)]
    content = b"".join([piece async for piece in hall.rooms.uploads.read(part.source.id)])
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = {name: archive.read(name).decode() for name in archive.namelist()}
    assert {name for name, text in found.items() if json.loads(text)} == {
        *("turns.json", "data.json", "firings.json", "house.json", "house-audit.json", "audit.json", "room-posts.json", "button.json")
    }
    assert all("badger" not in text for text in found.values())
    assert all(SECRET in found[f"{name}.json"] for name in ("turns", "data", "button", "firings", "audit", "house-audit", "room-posts"))
    assert [(entry["by"], entry["about"]) for entry in json.loads(found["audit.json"])] == [("carl", f"person:{ANN.id}"), (ANN.id, "")]
    assert (await hall.shown())[-1].body.only == ANN.id


async def test_all_of_it_is_deleted_with_a_receipt_and_bobs_stays(hall: Hall) -> None:
    await hall.own()
    await furnish(hall)
    await hall.say("/song")
    await hall.say("/mydata")
    await hall.press("Delete it")
    told = await hall.press("Delete all of it")
    assert "the turns of a conversation: 1" in told
    assert "what a plugin keeps for a server, a chat or a person: 1" in told
    data = PersonalData(hall.rooms._redis, hall.rooms._keys)
    left = await data.found("room", ANN.id)
    assert {pattern: found for pattern, found in left.items() if SECRET in str(found)} == {}
    assert not [one for one in await hall.rooms.history(HALL) if one.head.author.id == ANN.id]
    assert (await hall.house.get()).owners == {}
    assert {pattern for pattern, found in (await data.found("room", BOB.id)).items() if found} >= {
        "turns:*",
        "data:*",
        "firings",
        "audit:*",
    }
    assert await hall.press("Encore") == "What this button did is no longer there.", "nobody forged it"
    log = await Servers(hall.rooms._redis, hall.rooms._keys).deeds("room/hall", 20)
    assert [entry.name for entry in log if entry.by != BOB.id] == ["Carl", "Carl", "somebody"]
    assert "I like the wombat" not in str(await hall.rooms._redis.lrange(hall.rooms._keys.turns("room/hall/main/"), 0, -1))


async def test_who_does_not_want_to_be_remembered_is_not_until_they_do(hall: Hall) -> None:
    place, stores = Address("room", "hall", "main"), hall.router.stores
    await hall.say("/mydata")
    assert "is not remembered" in await hall.press("Do not remember me")
    await hall.say("note one", ANN)
    await hall.say("note two", BOB)
    assert [turn.text for turn in await stores.conversations.turns(place.conversation, 1000)] == ["note two"]
    assert "is not remembered" in await hall.say("/mydata")
    await hall.press("Remember me again")
    await hall.say("note three", ANN)
    assert [turn.text for turn in await stores.conversations.turns(place.conversation, 1000)] == ["note two", "note three"]


async def test_a_conversation_is_remembered_for_as_long_as_its_server_wants_and_no_longer_than_the_bot_stays(hall: Hall) -> None:
    await hall.own()
    redis, turns = hall.rooms._redis, hall.rooms._keys.turns("room/hall/main/")
    await hall.say("note one")
    assert 29 * DAY < await redis.ttl(turns) <= 30 * DAY
    await hall.say("/settings hobnob retention 2")
    await hall.say("note two")
    assert 0 < await redis.ttl(turns) <= 2 * DAY
    await redis.persist(turns)
    await hall.router.deliver(Message("", "left", Address("room", "hall", "main"), ANN, trigger=Left()))
    assert 0 < await redis.ttl(turns) <= 30 * DAY


async def test_deleting_takes_a_persons_name_out_of_what_admins_decided(hall: Hall) -> None:
    await hall.own()
    await hall.say("/permissions make @Bob moderator")
    await hall.say("/permissions deny /song @Bob")
    data = PersonalData(hall.rooms._redis, hall.rooms._keys)
    assert "Bob" in str((await data.found("room", BOB.id))["server:*"])
    assert (await data.forget("room", BOB.id))["server:*"] == 1
    kept = await hall.rooms._redis.hget(hall.rooms._keys.server("room/hall"), "json")
    assert b"Bob" not in (kept or b"")
    assert "/song" in await hall.say("/song", BOB), "what was decided stays"


def test_everything_that_has_to_do_with_people_is_given_back_or_goes_by_itself() -> None:
    personal = {entry.pattern: entry for entry in TABLE if entry.holds in ("the person", "the chat")}
    assert [pattern for pattern, entry in personal.items() if not entry.mine] == []
    asked = {pattern for pattern, entry in personal.items() if entry.mine == "asked"}
    nothing: object = None
    rooms = {"room-posts:*", "room-people:*"}
    with_the_others = {"turns-meta:*": "turns:*", "data-index:*": "data:*"}
    assert asked - rooms - set(with_the_others) <= set(PersonalData(nothing, nothing).families)  # type: ignore[arg-type]  # only their names
    assert not [one for one, entry in personal.items() if entry.mine == "passes" and "365" in entry.lives]


async def test_privacy_says_all_of_the_table(hall: Hall) -> None:
    text = await hall.say("/privacy")
    assert all(entry.what in text for entry in TABLE if entry.mine)
    assert "what was said or clicked in rooms" in text
