"""One visible outcome per ticket, complete and in order."""

from __future__ import annotations

import io
import time
import wave
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from PIL import Image as Picture
from redis.asyncio import Redis
from structlog.testing import capture_logs

from bot.connector import Limits, Post
from bot.errors import ConnectorError, StoreError
from bot.forms import Button
from bot.messages import Address, Audio, File, Image, Message, Person
from bot.replies import Reply
from bot.router.delivery import SLOW, Delivery, Line
from bot.router.journal import Journal, Ledger
from bot.router.pace import Pace
from bot.router.posts import Posts
from bot.store.blobs import Blobs
from bot.store.keys import Keys
from bot.store.plugindata import PluginData
from bot.store.tickets import Body, Superseded, Ticket, Tickets, Write
from bot.testing import wait_until
from bot.testing.platform import Platform

ROOM = Address("room", "lounge", "main")


@dataclass
class Desk:
    """What a ticket's answer passes through, and the ticket."""

    platform: Platform
    tickets: Tickets
    ticket: Ticket
    posts: Posts
    data: PluginData
    blobs: Blobs

    async def line(self, attempts: int = 2, ledger: Ledger | None = None) -> tuple[Line, Journal]:
        """A line as one run of the ticket has it; every call is another run."""
        again = replace(self.ticket, attempts=attempts)
        journal = Journal(again, ledger or self.tickets, await self.tickets.recall(again))
        return Delivery({"room": self.platform}, self.posts, Pace()).line(journal), journal


@dataclass
class AwayAtFirst:
    """Redis, away for the first thing that is to be journalled."""

    tickets: Tickets
    away: bool = True

    async def record(self, ticket: Ticket, field: str, value: bytes, writes: Sequence[Write] = ()) -> bytes:
        if self.away:
            self.away = False
            raise StoreError("Redis does not answer")
        return await self.tickets.record(ticket, field, value, writes)

    def holds(self, since: float) -> bool:
        return self.tickets.holds(since)


@pytest.fixture
async def desk(redis: Redis, keys: Keys) -> Desk:
    tickets, blobs, data = Tickets(redis, keys, "r"), Blobs(redis, keys), PluginData(redis, keys)
    message = Message("asked", "asked", ROOM, Person("ada", "Ada"))
    [ticket] = await tickets.accept([Body(plugin="p", route="r", version="1", message=message)], 0, time.time())
    return Desk(Platform(), tickets, ticket, Posts(blobs, data), data, blobs)


@pytest.fixture(autouse=True)
async def ended(desk: Desk) -> object:
    yield
    await desk.tickets.finish(desk.ticket)


async def test_a_quick_answer_is_one_message_that_replies_to_the_question(desk: Desk) -> None:
    line, journal = await desk.line(attempts=1)
    line.show(Reply("…"), after=5.0)
    await line.settle(Reply("forty-two"))
    assert desk.platform.calls == [("send", journal.ref, "forty-two")]
    [post] = desk.platform.chats[ROOM].values()
    assert (post.reply_to, post.busy, post.keys) == ("asked", False, ())


async def test_a_status_line_becomes_the_answer(desk: Desk) -> None:
    line, _ = await desk.line()
    line.show(Reply("forty…"))
    await wait_until(desk.platform.busy)
    [status] = desk.platform.chats[ROOM].values()
    assert [key.label for key in status.keys] == ["Cancel"]
    await line.settle(Reply("forty-two"))
    assert [what for what, _, _ in desk.platform.calls] == ["send", "edit"]
    assert desk.platform.shown(ROOM) == ["forty-two"]
    assert not desk.platform.busy()


async def test_only_the_newest_partial_is_worth_a_call(desk: Desk) -> None:
    line, _ = await desk.line()
    for number in range(100):
        line.show(Reply(f"{number}"))
    await wait_until(lambda: desk.platform.shown(ROOM))
    assert desk.platform.shown(ROOM) == ["99"]
    assert len(desk.platform.calls) == 1
    await line.settle(Reply("done"))


async def test_a_lost_partial_does_not_lose_the_answer(desk: Desk) -> None:
    desk.platform.faults.append(ConnectorError("the platform sneezed", retry_after=0.0))
    line, _ = await desk.line()
    line.show(Reply("a"))
    await wait_until(lambda: not desk.platform.faults)
    await line.settle(Reply("answer"))
    assert desk.platform.shown(ROOM) == ["answer"]


async def test_a_fault_of_ours_in_a_status_line_is_logged_once_and_does_not_lose_the_answer(desk: Desk) -> None:
    desk.platform.faults += [ValueError("a bug"), ValueError("another")]
    line, _ = await desk.line()
    with capture_logs() as logs:
        line.show(Reply("a"))
        await wait_until(lambda: len(desk.platform.faults) == 1)
        line.show(Reply("b"))
        await line.close()
    assert [(line["event"], line["log_level"]) for line in logs] == [("status line cannot be shown", "error")]
    desk.platform.faults.clear()
    await line.settle(Reply("answer"))
    assert desk.platform.shown(ROOM) == ["answer"]


async def test_the_answer_is_sent_until_the_platform_takes_it(desk: Desk) -> None:
    desk.platform.faults += [ConnectorError("busy", retry_after=0.0), ConnectorError("busy", retry_after=0.0)]
    line, journal = await desk.line(attempts=1)
    await line.settle(Reply("answer"))
    assert desk.platform.calls == [("send", journal.ref, "answer")]


async def test_what_the_platform_refuses_for_good_is_not_tried_again(desk: Desk) -> None:
    desk.platform.faults.append(ConnectorError("the chat is gone"))
    line, _ = await desk.line()
    await line.settle(Reply("answer"))
    assert desk.platform.calls == []


async def test_silence_takes_the_status_line_away(desk: Desk) -> None:
    line, _ = await desk.line()
    line.show(Reply("thinking"))
    await wait_until(desk.platform.busy)
    await line.settle(None)
    assert desk.platform.shown(ROOM) == []


async def test_silence_is_told_to_a_platform_that_waits_for_an_answer(desk: Desk) -> None:
    line, journal = await desk.line()
    message = replace(journal.message, via="interaction")
    journal.ticket = replace(journal.ticket, body=journal.ticket.body.model_copy(update={"message": message}))
    desk.platform.chats[ROOM] = {"interaction": Post("thinking …")}
    await line.settle(None)
    assert desk.platform.shown(ROOM) == []


async def test_only_the_first_post_takes_the_place_of_what_a_platform_shows_meanwhile(desk: Desk) -> None:
    line, _ = await desk.line()
    await line.post(Reply("beside"), "beside")
    await line.settle(Reply("word " * 60))
    assert [post.opening for post in desk.platform.chats[ROOM].values()] == [False, True, False]


async def test_an_answer_that_took_long_is_sent_anew_because_edits_notify_nobody(desk: Desk) -> None:
    desk.ticket = replace(desk.ticket, at=desk.ticket.at - SLOW - 1)
    line, _ = await desk.line()
    line.show(Reply("thinking"))
    await wait_until(desk.platform.busy)
    await line.settle(Reply("answer"))
    assert [what for what, _, _ in desk.platform.calls] == ["send", "send", "delete"]
    assert desk.platform.shown(ROOM) == ["answer"]


async def test_a_second_run_edits_the_same_status_line(desk: Desk) -> None:
    line, _ = await desk.line()
    line.show(Reply("first run"))
    await wait_until(desk.platform.busy)
    await line.close()
    line, _ = await desk.line()
    line.show(Reply("second run"))
    await wait_until(lambda: desk.platform.shown(ROOM) == ["second run"])
    await line.settle(Reply("answer"))
    assert desk.platform.shown(ROOM) == ["answer"]


async def test_a_status_line_of_a_router_that_died_before_it_was_journalled_becomes_the_answer(desk: Desk) -> None:
    _, journal = await desk.line()
    await desk.platform.send(ROOM, Post("forty…", busy=True), journal.ref)
    line, _ = await desk.line()
    await line.settle(Reply("forty-two"))
    assert desk.platform.shown(ROOM) == ["forty-two"]
    assert not desk.platform.busy()


async def test_what_was_sent_is_not_sent_once_more_when_its_edit_has_to_wait(desk: Desk) -> None:
    _, journal = await desk.line()
    await desk.platform.send(ROOM, Post("forty…", busy=True), journal.ref)
    desk.platform.calls.clear()
    desk.platform.faults += [None, ConnectorError("too many", retry_after=0.0)]
    line, _ = await desk.line()
    await line.settle(Reply("forty-two"))
    assert [what for what, _, _ in desk.platform.calls] == ["send", "edit"]
    assert desk.platform.shown(ROOM) == ["forty-two"]


async def test_a_status_line_that_redis_failed_to_journal_becomes_the_answer(desk: Desk) -> None:
    line, _ = await desk.line(attempts=1, ledger=AwayAtFirst(desk.tickets))
    line.show(Reply("forty…"))
    await wait_until(desk.platform.busy)
    await line.settle(Reply("forty-two"))
    assert desk.platform.shown(ROOM) == ["forty-two"]
    assert not desk.platform.busy()


async def test_a_long_answer_takes_the_place_of_a_status_line_that_redis_failed_to_journal(desk: Desk) -> None:
    line, _ = await desk.line(attempts=1, ledger=AwayAtFirst(desk.tickets))
    line.show(Reply("forty…"))
    await wait_until(desk.platform.busy)
    await line.settle(Reply(" ".join(f"word{number}" for number in range(40))))
    assert [text.partition(" ")[0] for text in desk.platform.shown(ROOM)] == ["word0", "word29"]
    assert not desk.platform.busy()


@pytest.mark.parametrize("words", ["forty-two", " ".join(f"word{number}" for number in range(40))])
async def test_an_answer_whose_status_line_was_not_journalled_and_is_removed_is_sent_once(desk: Desk, words: str) -> None:
    first, journal = await desk.line()
    status = await desk.platform.send(ROOM, Post("forty…", busy=True, opening=True), journal.ref)  # by a router that died
    await desk.platform.delete(ROOM, status)
    for line in (first, (await desk.line(attempts=3))[0]):
        await line.settle(Reply(words))
        assert " ".join(desk.platform.shown(ROOM)) == words
        assert not any(post.opening for post in desk.platform.chats[ROOM].values()), "that was what is gone"


async def test_a_router_that_may_have_lost_the_ticket_shows_nothing_more(desk: Desk, redis: Redis, keys: Keys) -> None:
    """It was halted, say: the answer of another may stand where its status line stood."""
    tickets, refused = Tickets(redis, keys, "r", lease=0.1), list[float]()

    class Watched(Tickets):
        def holds(self, since: float) -> bool:
            found = tickets.holds(since)
            if not found:
                refused.append(since)
            return found

    line, _ = await desk.line(ledger=Watched(redis, keys, "r"))
    line.show(Reply("late"), after=0.11)
    await wait_until(lambda: len(refused) > 1)  # so it has gone on from the first time
    assert desk.platform.calls == []

    async def shown_once_it_holds() -> bool:
        await tickets.renew([])
        return desk.platform.busy()

    await wait_until(shown_once_it_holds)
    await line.settle(Reply("answer"))


async def test_a_run_that_was_overtaken_leaves_the_answer_of_the_other_alone(desk: Desk) -> None:
    first, _ = await desk.line(attempts=1)
    late, _ = await desk.line()
    await first.settle(Reply("forty-two"))
    await desk.tickets.finish(desk.ticket)
    with pytest.raises(Superseded):
        await late.settle(Reply("Cancelled.", fault=True))
    assert desk.platform.shown(ROOM) == ["forty-two"]


async def test_a_long_answer_comes_in_pieces_and_a_run_cut_short_sends_only_the_missing_ones(desk: Desk) -> None:
    text = " ".join(f"word{number}" for number in range(60))
    desk.platform.faults += [None, RuntimeError("the router died")]
    line, _ = await desk.line(attempts=1)
    with pytest.raises(RuntimeError):
        await line.settle(Reply(text))
    line, _ = await desk.line()
    await line.settle(Reply(text))
    pieces = desk.platform.shown(ROOM)
    assert len(pieces) == 3
    assert " ".join(pieces) == text
    assert len(desk.platform.calls) == 3


async def test_an_answer_beyond_three_messages_is_a_file_with_its_beginning_above(desk: Desk) -> None:
    desk.platform.most = Limits(text=200, file=10_000, edit_interval=0.0)
    text = " ".join(f"word{number}" for number in range(600))
    line, _ = await desk.line()
    await line.settle(Reply(text))
    [post] = desk.platform.chats[ROOM].values()
    assert text.startswith(post.text)
    assert [(upload.name, upload.content) for upload in post.uploads] == [("answer.md", text.encode())]


async def test_an_answer_beyond_any_file_is_its_beginning_and_says_so(desk: Desk) -> None:
    desk.platform.most = Limits(text=200, file=1000, edit_interval=0.0)
    text = " ".join(f"word{number}" for number in range(600))
    line, _ = await desk.line()
    await line.settle(Reply(text))
    beginning, rest = desk.platform.shown(ROOM)
    assert text.startswith(beginning)
    assert rest == "(answer.md has 0.0 MB, and this chat takes at most 0.0 MB.)"


async def test_more_files_than_a_message_takes_fill_several(desk: Desk) -> None:
    desk.platform.most = Limits(text=200, file=1000, edit_interval=0.0, files_per_post=2)
    files = [File(await desk.blobs.put(bytes([number]), "text/plain", f"{number}.txt")) for number in range(5)]
    line, _ = await desk.line()
    await line.settle(Reply("five files", *files))
    sent = [[upload.name for upload in post.uploads] for post in desk.platform.chats[ROOM].values()]
    assert sent == [["0.txt", "1.txt"], ["2.txt", "3.txt"], ["4.txt"]]


async def test_a_button_is_a_short_id_and_its_payload_is_kept(desk: Desk) -> None:
    line, _ = await desk.line()
    await line.settle(Reply("again?", buttons=[Button("Again", "again", {"seed": 7})]))
    [post] = desk.platform.chats[ROOM].values()
    pressed = await desk.data.button(post.keys[0].id)
    assert pressed is not None
    assert (pressed.plugin, pressed.action, pressed.payload) == ("p", "again", {"seed": 7})


async def test_a_file_that_the_chat_does_not_take_is_named_and_the_rest_arrives(desk: Desk) -> None:
    files = [File(await desk.blobs.put(bytes(size), "image/png", name)) for name, size in {"small.png": 1000, "large.png": 1001}.items()]
    line, _ = await desk.line(attempts=1)
    await line.settle(Reply("Both drawn.", *files))
    [post] = desk.platform.chats[ROOM].values()
    assert post.text == "Both drawn.\n\n(large.png has 0.0 MB, and this chat takes at most 0.0 MB.)"
    assert [upload.name for upload in post.uploads] == ["small.png"]


async def test_a_picture_that_is_too_large_is_made_to_fit(desk: Desk) -> None:
    out = io.BytesIO()
    Picture.effect_noise((200, 200), 90).save(out, "PNG")
    desk.platform.most = Limits(text=200, file=20_000, edit_interval=0.0)
    assert len(out.getvalue()) > 20_000
    line, _ = await desk.line()
    await line.settle(Reply(Image(await desk.blobs.put(out.getvalue(), "image/png", "noise.png"))))
    [post] = desk.platform.chats[ROOM].values()
    [upload] = post.uploads
    assert (upload.name, upload.mime, post.text) == ("noise.jpg", "image/jpeg", "")
    assert len(upload.content) <= 20_000


@pytest.mark.parametrize("spoilers", [True, False])
async def test_a_picture_to_be_hidden_comes_in_an_archive_where_all_pictures_are_shown(desk: Desk, spoilers: bool) -> None:
    desk.platform.most = Limits(text=200, file=1000, edit_interval=0.0, spoilers=spoilers)
    line, _ = await desk.line()
    await line.settle(Reply(Image(await desk.blobs.put(b"pixels", "image/png", "cat.png"), spoiler=True)))
    [post] = desk.platform.chats[ROOM].values()
    [upload] = post.uploads
    assert (upload.name, upload.mime, upload.spoiler) == (
        ("cat.png", "image/png", True) if spoilers else ("cat.png.zip", "application/zip", False)
    )
    if not spoilers:
        assert zipfile.ZipFile(io.BytesIO(upload.content)).read("cat.png") == b"pixels"


async def test_a_sound_that_is_too_large_is_made_to_fit(desk: Desk) -> None:
    desk.platform.most = Limits(text=200, file=20_000, edit_interval=0.0)
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setparams((2, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(4 * 44_100))
    line, _ = await desk.line()
    sounds = [
        Audio(await desk.blobs.put(content, "audio/wav", name)) for name, content in (("a.wav", out.getvalue()), ("b.wav", bytes(20_001)))
    ]
    await line.settle(Reply(*sounds))
    [post] = desk.platform.chats[ROOM].values()
    [upload] = post.uploads
    assert (upload.name, upload.mime, len(upload.content) <= 20_000) == ("a.ogg", "audio/ogg", True)
    assert post.text == "(b.wav has 0.0 MB, and this chat takes at most 0.0 MB.)"


async def test_files_that_are_too_large_together_go_one_after_another(desk: Desk) -> None:
    desk.platform.most = Limits(text=200, file=1000, edit_interval=0.0, bytes_per_post=1500)
    files = [File(await desk.blobs.put(bytes(700), "text/plain", f"{number}.txt")) for number in range(3)]
    line, _ = await desk.line()
    await line.settle(Reply("three files", *files))
    sent = [[upload.name for upload in post.uploads] for post in desk.platform.chats[ROOM].values()]
    assert sent == [["0.txt", "1.txt"], ["2.txt"]]
