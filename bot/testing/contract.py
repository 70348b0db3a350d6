"""What people see of the bot on any platform: the same tests for every connector, ours and others'. What answers: `echo.py`.

A test file inherits `Contract` and gives two fixtures: `connect`, which makes the connector, and `chat`, a new group on its platform.
What stands behind it then is the fixture `house` of `fixtures.py`; ours give the whole product, in processes of its own.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from bot.testing.waiting import wait_until

PATIENCE = 60.0
"""Seconds in which an answer must have come, on a machine that does much else: what is true ends the wait at once."""


class Chat(Protocol):
    """A new group on a platform, as its members use it; `topic` is a thread or topic in it."""

    async def ask(self, text: str, *, file: bytes | None = None, topic: bool = False, addressed: bool = True) -> None:
        """Says something, to the bot unless it is not `addressed`."""

    async def call(self, command: str, words: str) -> None:
        """Uses a command whose first option is `words`."""

    def texts(self, *, topic: bool = False) -> list[str]:
        """What the bot says there, in order."""

    def files(self) -> list[bytes]:
        """The files that the bot sent there."""

    def edits(self) -> int:
        """How often the bot changed a message there."""

    def labels(self) -> list[str]:
        """The buttons below the bot's newest message."""

    async def press(self, label: str) -> None:
        """Presses one of them."""

    async def pick(self, label: str) -> None:
        """Presses one that asks for a channel, and picks this one, as people do it there."""

    async def connected(self) -> None:
        """Returns when the bot receives what is said; a platform may lose what was said before."""

    async def delete_question(self) -> None:
        """Takes away what was asked last."""


class Held(Protocol):
    """Where the model stopped."""

    def exists(self) -> bool:
        """Whether it has."""


class Behind(Protocol):
    """What stands behind the chat."""

    def holding(self) -> AbstractContextManager[Held]:
        """The model stops after the second word of its answers meanwhile."""

    async def kill(self, asked: str) -> None:
        """The router dies in the midst of its answer to this, and another takes over."""


class Contract:
    """The tests."""

    async def test_an_answer_is_what_was_asked_for(self, chat: Chat) -> None:
        await chat.ask("hello there")
        await wait_until(lambda: chat.texts() == ["@Hobnob hello there"], PATIENCE)

    async def test_who_does_not_speak_to_the_bot_hears_nothing(self, chat: Chat) -> None:
        await chat.ask("to everybody", addressed=False)
        await chat.ask("to the bot")
        await wait_until(lambda: chat.texts() == ["@Hobnob to the bot"], PATIENCE)

    async def test_a_long_answer_comes_whole_and_in_order(self, chat: Chat) -> None:
        await chat.ask("long 20")
        expected = [f"Paragraph {number}." for number in range(20)]
        await wait_until(lambda: "Paragraph 19." in " ".join(chat.texts()), PATIENCE)
        said = "\n\n".join(chat.texts())
        assert 1 < len(chat.texts()) <= 3
        assert [line.partition(" word")[0] for line in said.split("\n\n")] == expected
        assert said.count("word") == 20 * 40

    async def test_an_answer_of_many_messages_is_a_file(self, chat: Chat) -> None:
        await chat.ask("long 200")
        [content] = await wait_until(chat.files, PATIENCE)
        assert content.count(b"word") == 200 * 40
        assert len(chat.texts()) == 1

    async def test_a_streamed_answer_is_one_message_that_grows(self, chat: Chat, house: Behind) -> None:
        with house.holding() as held:
            await chat.ask("one two three four five six")
            await wait_until(held.exists, PATIENCE)
            await wait_until(lambda: chat.texts() == ["@Hobnob one"], PATIENCE)
            await wait_until(lambda: chat.labels() == ["Cancel"], PATIENCE)  # which may be a call of its own
        await wait_until(lambda: chat.texts() == ["@Hobnob one two three four five six"], PATIENCE)
        assert chat.edits() > 0
        await wait_until(lambda: chat.labels() == [], PATIENCE)

    async def test_files_go_both_ways(self, chat: Chat) -> None:
        await chat.ask("look", file=b"0123456789")
        await wait_until(lambda: chat.texts() == ["@Hobnob look [10 bytes]"], PATIENCE)
        await chat.ask("draw")
        assert await wait_until(chat.files, PATIENCE) == [b"a picture"]

    async def test_buttons_work_each_time(self, chat: Chat) -> None:
        await chat.ask("buttons cake")
        await wait_until(chat.labels, PATIENCE)
        assert (chat.texts(), chat.labels()) == (["Press one."], ["Again"])
        await chat.press("Again")
        await wait_until(lambda: chat.texts()[1:] == ["Ada wants cake again"], PATIENCE)

    async def test_a_channel_is_picked_by_a_form(self, chat: Chat) -> None:
        await chat.ask("pick")
        await wait_until(lambda: chat.labels() == ["Pick"], PATIENCE)
        await chat.pick("Pick")
        await wait_until(lambda: chat.texts()[-1] == "That is here.", PATIENCE)

    async def test_an_answer_lands_in_the_topic_of_its_question(self, chat: Chat) -> None:
        await chat.ask("in here", topic=True)
        await wait_until(lambda: chat.texts(topic=True) == ["@Hobnob in here"], PATIENCE)
        assert chat.texts() == []

    async def test_who_asked_may_cancel(self, chat: Chat, house: Behind) -> None:
        with house.holding() as held:
            await chat.ask("one two three")
            await wait_until(held.exists, PATIENCE)
            await wait_until(lambda: chat.labels() == ["Cancel"], PATIENCE)
            await chat.press("Cancel")
            await wait_until(lambda: chat.texts() == ["Cancelled."], PATIENCE)

    async def test_a_refusal_is_a_sentence(self, chat: Chat) -> None:
        await chat.ask("refuse this")
        await wait_until(lambda: chat.texts() == ["I would rather not."], PATIENCE)

    async def test_a_command_takes_its_options(self, chat: Chat) -> None:
        await chat.call("say", "good morning")
        await wait_until(lambda: chat.texts() == ["good morning"], PATIENCE)

    async def test_a_router_killed_in_the_middle_of_an_answer_leaves_one_whole_answer(self, chat: Chat, house: Behind) -> None:
        with house.holding() as held:
            await chat.ask("one two three four")
            await wait_until(held.exists, PATIENCE)
            await wait_until(lambda: chat.texts() == ["@Hobnob one"], PATIENCE)
            await house.kill("one two three four")
        await wait_until(lambda: chat.texts() == ["@Hobnob one two three four"], PATIENCE)
        await chat.connected()
        await chat.ask("still there")
        await wait_until(lambda: chat.texts()[1:] == ["@Hobnob still there"], PATIENCE)
