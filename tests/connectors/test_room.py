"""The rooms' connector: what is said becomes facts, what is accepted is never lost, what is sent stands once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.connector import Deliver, Key, Menu, Post, Upload
from bot.connectors.room import RoomConnector, address, place
from bot.errors import ConnectorError, StoreError
from bot.forms import Choice, Form, Option
from bot.messages import Address, Attachment, Audio, Called, Clicked, Deleted, Image, Message, Said, Text
from bot.store.keys import Keys
from bot.store.places import BOT, Body, Draft, Place, newcomer
from bot.store.rooms import Rooms
from bot.testing import wait_until

HALL = Place("hall")
ANN = newcomer("Ann")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(64)
OGG = b"OggS" + bytes(64)


@pytest.fixture
async def rooms(redis: Redis, keys: Keys, tmp_path: Path) -> AsyncIterator[Rooms]:
    rooms = Rooms(redis, keys, tmp_path / "uploads")
    yield rooms
    await rooms.close()


class Ear:
    """A scripted router: remembers what it is given, after failing as often as it is told."""

    def __init__(self, *faults: Exception) -> None:
        self.heard: list[Message] = []
        self.faults = list(faults)

    async def __call__(self, message: Message) -> None:
        if self.faults:
            raise self.faults.pop(0)
        self.heard.append(message)


@asynccontextmanager
async def running(rooms: Rooms, deliver: Deliver) -> AsyncIterator[RoomConnector]:
    connector = RoomConnector(rooms)
    task = asyncio.create_task(connector.run(deliver))
    yield connector
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled(), task.exception()


async def hear_one(rooms: Rooms) -> Message:
    ear = Ear()
    async with running(rooms, ear):
        await wait_until(lambda: ear.heard)
    return ear.heard[0]


async def test_a_message_arrives_with_its_facts(rooms: Rooms) -> None:
    id = await rooms.say(HALL, Draft(ANN, (Text("/help @Hobnob"),), mentions=(BOT,), language="de"))

    message = await hear_one(rooms)

    assert message.address == Address("room", "hall", "main")
    assert (message.id, message.event, message.sender, message.text) == (id, f"hall:{id}", ANN, "/help @Hobnob")
    assert (message.trigger, message.mentions, message.me, message.language) == (Called("help", text="@Hobnob"), (BOT,), BOT.id, "de")
    assert message.at == int(id) / 1000


async def test_a_reply_brings_the_quoted_message_along(rooms: Rooms) -> None:
    first = await RoomConnector(rooms).send(address(HALL), Post("I am a bot."), "n")
    await rooms.say(HALL, Draft(ANN, (Text("really?"),), reply_to=first))

    message = await hear_one(rooms)

    assert message.reply_to is not None
    assert (message.reply_to.id, message.reply_to.sender, message.reply_to.parts) == (first, BOT, (Text("I am a bot."),))


async def test_nobody_quotes_what_is_shown_to_somebody_else_alone(rooms: Rooms) -> None:
    secret = await rooms.send(HALL, BOT, Body(parts=(Text("your link"),), only=ANN.id), "n")
    ear = Ear()
    for who in (newcomer("Bob"), ANN):
        await rooms.say(HALL, Draft(who, (Text("what was that?"),), reply_to=secret))
    async with running(rooms, ear):
        await wait_until(lambda: len(ear.heard) == 2)
    assert [message.reply_to and message.reply_to.id for message in ear.heard] == [None, secret]


async def test_a_direct_conversation_has_its_person_as_server(rooms: Rooms) -> None:
    await rooms.say(Place("hall", ANN.id), Draft(ANN, (Text("psst"),)))

    message = await hear_one(rooms)

    assert message.address == Address("room", ANN.id, "hall", direct=True)
    assert place(message.address) == Place("hall", ANN.id)
    assert message.manages


async def test_a_voice_note_arrives_as_audio_that_can_be_read_in_pieces(rooms: Rooms) -> None:
    content = OGG + bytes(600_000)
    note = await rooms.uploads.put(content, "note.ogg")
    await rooms.say(HALL, Draft(ANN, (Audio(note, voice=True),)))

    (part,) = (await hear_one(rooms)).parts

    assert isinstance(part, Audio)
    assert part.voice
    assert isinstance(part.source, Attachment)
    pieces = [piece async for piece in RoomConnector(rooms).read(part.source)]
    assert b"".join(pieces) == content
    assert len(pieces) > 1


async def test_a_click_names_the_button_and_who_clicked(rooms: Rooms) -> None:
    id = await RoomConnector(rooms).send(address(HALL), Post("pick", keys=(Key("k1", "More"),)), "n")
    await rooms.click(HALL, id, "k1", ANN)

    message = await hear_one(rooms)

    assert (message.trigger, message.sender) == (Clicked("k1"), ANN)
    assert not message.manages, "nobody manages a room"
    assert message.reply_to is not None
    assert message.reply_to.id == id


async def test_two_clicks_are_two_events(rooms: Rooms) -> None:
    ear = Ear()
    await rooms.click(HALL, "1", "k1", ANN)
    await rooms.click(HALL, "1", "k1", ANN)
    async with running(rooms, ear):
        await wait_until(lambda: len(ear.heard) == 2)

    assert ear.heard[0].event != ear.heard[1].event


async def test_an_event_is_delivered_again_until_it_could_be_written(rooms: Rooms) -> None:
    ear = Ear(StoreError("away"), StoreError("still away"))
    await rooms.say(HALL, Draft(ANN, (Text("one"),)))
    await rooms.say(HALL, Draft(ANN, (Text("two"),)))
    async with running(rooms, ear):
        await wait_until(lambda: len(ear.heard) == 2)

    assert [message.text for message in ear.heard] == ["one", "two"]


async def test_a_store_that_refuses_again_and_again_is_logged_once(rooms: Rooms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.connectors.room.PAUSE", 0.0)
    ear = Ear(*(StoreError("full") for _ in range(5)))
    await rooms.say(HALL, Draft(ANN, (Text("one"),)))
    with capture_logs() as logs:
        async with running(rooms, ear):
            await wait_until(lambda: ear.heard)

    assert [line["event"] for line in logs] == ["arrival waits"]


async def test_what_a_dying_router_had_not_accepted_reaches_the_next_one_once(rooms: Rooms) -> None:
    stuck = asyncio.Event()

    async def dying(message: Message) -> None:
        stuck.set()
        await asyncio.Event().wait()

    await rooms.say(HALL, Draft(ANN, (Text("one"),)))
    async with running(rooms, dying):
        await stuck.wait()
    await rooms.say(HALL, Draft(ANN, (Text("two"),)))
    ear = Ear()
    async with running(rooms, ear):
        await wait_until(lambda: len(ear.heard) == 2)

    assert [message.text for message in ear.heard] == ["one", "two"]
    assert await rooms.arrivals() == []


async def test_a_message_that_breaks_the_router_does_not_silence_the_room(rooms: Rooms) -> None:
    ear = Ear(ValueError("a bug"))
    await rooms.say(HALL, Draft(ANN, (Text("poison"),)))
    await rooms.say(HALL, Draft(ANN, (Text("fine"),)))
    async with running(rooms, ear):
        await wait_until(lambda: ear.heard)

    assert [message.text for message in ear.heard] == ["fine"]


async def test_a_post_sent_twice_stands_once_and_an_edit_replaces_it(rooms: Rooms) -> None:
    connector = RoomConnector(rooms)
    post = Post("here", uploads=(Upload("cat.png", "image/png", PNG, alt="a cat"),))
    first = await connector.send(address(HALL), Post("…", busy=True), "ref")
    assert await connector.send(address(HALL), Post("…", busy=True), "ref") == first

    await connector.edit(address(HALL), first, post)
    await connector.edit(address(HALL), first, post)

    (message,) = await rooms.history(HALL)
    assert (message.text, message.body.busy, message.version) == ("here", False, 1)
    image = message.body.parts[1]
    assert isinstance(image, Image)
    assert (image.alt, image.source.name, image.source.mime) == ("a cat", "cat.png", "image/png")


async def test_what_a_file_is_called_does_not_make_it_a_picture(rooms: Rooms) -> None:
    id = await RoomConnector(rooms).send(address(HALL), Post("", uploads=(Upload("cat.png", "image/png", b"<html>"),)), "n")

    message = await rooms.get(HALL, id)

    assert message is not None
    assert [part.kind for part in message.body.parts] == ["file"]


async def test_a_private_answer_is_shown_to_the_asker_alone(rooms: Rooms) -> None:
    question = await rooms.say(HALL, Draft(ANN, (Text("my settings?"),)))
    id = await RoomConnector(rooms).send(address(HALL), Post("yours", reply_to=question, private=True), "n")

    message = await rooms.get(HALL, id)

    assert message is not None
    assert message.seen_by(ANN.id)
    assert not message.seen_by("p.somebody")


async def test_a_private_answer_to_a_click_is_shown_to_the_clicker_alone(rooms: Rooms) -> None:
    connector = RoomConnector(rooms)
    menu = await connector.send(address(HALL), Post("pick", keys=(Key("k1", "More"),)), "n1")
    await rooms.click(HALL, menu, "k1", ANN)
    clicked = await hear_one(rooms)

    id = await connector.send(clicked.address, Post("yours", reply_to=clicked.id, private=True), "n2")

    message = await rooms.get(HALL, id)
    assert message is not None
    assert (message.body.only, message.head.reply_to) == (ANN.id, menu)


async def test_a_private_post_to_nobody_is_refused_rather_than_shown_to_all(rooms: Rooms) -> None:
    with pytest.raises(ConnectorError, match="private"):
        await RoomConnector(rooms).send(address(HALL), Post("whose?", private=True), "n")


async def test_editing_a_message_that_is_gone_is_not_tried_again(rooms: Rooms) -> None:
    with pytest.raises(ConnectorError) as caught:
        await RoomConnector(rooms).edit(address(HALL), "1", Post("x"))

    assert caught.value.retry_after is None


async def test_a_file_that_is_gone_is_said_so(rooms: Rooms) -> None:
    with pytest.raises(ConnectorError, match="not kept any more"):
        _ = [piece async for piece in RoomConnector(rooms).read(Attachment("0" * 32, "audio/ogg", 1))]


async def test_what_its_author_changes_and_takes_back_replaces_what_was_heard(rooms: Rooms) -> None:
    ear = Ear()
    async with running(rooms, ear):
        id = await rooms.say(HALL, Draft(ANN, (Text("@Hobnob wat?"),), mentions=(BOT,)))
        await wait_until(lambda: len(ear.heard) == 1)
        await rooms.amend(HALL, id, ANN, "@Hobnob what?")
        await wait_until(lambda: len(ear.heard) == 2)
        await rooms.withdraw(HALL, id, ANN)
        await wait_until(lambda: len(ear.heard) == 3)

    _, changed, gone = ear.heard
    assert (changed.id, changed.text, changed.event, changed.mentions) == (id, "@Hobnob what?", f"hall:{id}:1", (BOT,))
    assert changed.trigger == Said(1, f"hall:{id}")
    assert (gone.id, gone.trigger, gone.address) == (id, Deleted(f"hall:{id}:1"), address(HALL))


async def test_a_thread_is_a_place_of_its_own_and_shows_how_much_is_said_there(rooms: Rooms) -> None:
    id = await rooms.say(HALL, Draft(ANN, (Text("@Hobnob a long story"),)))
    asked = await hear_one(rooms)
    connector = RoomConnector(rooms)
    thread = replace(asked.address, thread=await connector.open_thread(asked, "a long story"))

    await connector.send(thread, Post("Once upon a time", reply_to=asked.id), "n")

    assert (place(thread), address(Place("hall", thread=id))) == (Place("hall", thread=id), thread)
    assert [(one.text, one.head.reply_to) for one in await rooms.history(Place("hall", thread=id))] == [("Once upon a time", "")]
    assert [one.replies for one in await rooms.history(HALL)] == [1]
    assert Place.of(place(thread).key) == place(thread)


async def test_a_menu_and_a_form_come_back_with_what_was_chosen_and_filled_in(rooms: Rooms) -> None:
    ear = Ear()
    menu = Menu("m", (Choice("Tea", "tea"), Choice("Milk", "milk")), most=2)
    async with running(rooms, ear) as connector:
        id = await connector.send(address(HALL), Post("What do you drink?", menus=(menu,)), "n")
        await rooms.click(HALL, id, "m", ANN, ["0", "1"])
        await wait_until(lambda: ear.heard)
        await connector.open_form(ear.heard[0], Form("Another drink", (Option("name", "What is it?"),)))
        [_, form] = await rooms.history(HALL)
        assert (form.body.only, form.body.fills, form.body.form and form.body.form.title) == (ANN.id, "m", "Another drink")
        await rooms.click(HALL, form.head.reply_to, form.body.fills, ANN, filled={"name": "juice"})
        await wait_until(lambda: len(ear.heard) == 2)

    assert [one.trigger for one in ear.heard] == [Clicked("m", ("0", "1")), Clicked("m", (), {"name": "juice"})]
    assert ear.heard[0].id == ear.heard[1].id == f"{id}~{ANN.id}"
