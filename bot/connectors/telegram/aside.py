"""Answers for one person that were asked for in a group: in the confirmation of a click, else in the person's own chat with the bot."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from telegram import InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, Forbidden

from bot.connector import Post
from bot.connectors.telegram import facts, faults
from bot.connectors.telegram.clicks import LONGEST, VIA, Clicks
from bot.connectors.telegram.rendering import length, rendered
from bot.connectors.telegram.sending import Sender
from bot.connectors.telegram.steps import Steps, once
from bot.messages import Address
from bot.translation import later, translated

THERE = later("The answer is for you alone: I have sent it to our own chat.")
START = later("The answer is for you alone, and I may not write to you yet. Please open a chat with me, press Start, and ask me once more.")
NAMELESS = later("The answer is for one person alone, and you speak for a group or a channel. Please ask me in your own name.")

OPEN = later("Open the chat")
WORKING = "…"
"""What a group sees of an answer that is still being made."""

REMEMBERED = 256
"""Questions whose group has been told where the answer is, because an answer may have several parts."""


@dataclass
class Aside:
    """Sends what a group must not see; `link` leads to the chat with the bot."""

    sender: Sender
    clicks: Clicks
    link: str
    _told: OrderedDict[tuple[Address, str], str] = field(default_factory=OrderedDict)

    async def send(self, to: Address, post: Post, steps: Steps) -> str:
        """What stands in the group afterwards: a message's id, or the click that the person was shown the words with."""
        clicked = post.via.startswith(VIA)
        short = not post.uploads and not post.keys and length(post.text) <= LONGEST
        if clicked and short and await self.clicks.say(post.via, rendered(post.text).text):
            return post.via
        note = await once(steps, "alone", lambda: self._alone(post, steps))
        known = self._told.get((to, post.about))
        if known is not None:
            return known
        told = post.via if clicked and await self.clicks.say(post.via, note) else await self._note(to, post, note)
        self._told[to, post.about] = told
        if len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return told

    def stands(self, to: Address, message: str) -> bool:
        """Whether this is all that the group will see of an answer."""
        return any(place == to and told == message for (place, _), told in self._told.items())

    async def _alone(self, post: Post, steps: Steps) -> str:
        """Sends it to the person, and gives what the group may know of that."""
        if not post.person.isdecimal():
            return translated(NAMELESS)
        alone = Address(facts.NAME, post.person, facts.CHANNEL, direct=True)
        try:
            await self.sender.send(alone, replace(post, reply_to="", about=""), steps)
        except Forbidden:
            return translated(START)
        except BadRequest as error:
            if not faults.says(error, faults.STRANGER):
                raise
            return translated(START)
        return translated(THERE)

    async def _note(self, to: Address, post: Post, note: str) -> str:
        link = InlineKeyboardMarkup([[InlineKeyboardButton(translated(OPEN), url=self.link)]])
        return await self.sender.send(to, Post(note, reply_to=post.reply_to, about=post.about, silent=True), {}, link)
