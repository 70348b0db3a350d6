"""What somebody does in a room from its page: says, changes, presses, fills in. Coming, going and seeing it: `room.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.errors import UserError
from bot.messages import Part, Person, Text
from bot.store.places import BOT, LOBBY, LONGEST_TEXT, Body, Draft, Place, mentioned, part_of
from bot.store.rooms import Rooms
from bot.translation import tr
from bot.web.doing import DIRECT, Amending, Attached, Clicking, Filling, Saying, Slash, Withdrawing, options
from bot.web.site import Commands
from bot.web.view import View


@dataclass(slots=True)
class Who:
    """Who has the tab open, once they have a name, and the `language` that their browser speaks."""

    me: Person | None = None
    language: str = ""

    def person(self) -> Person:
        """Raises UserError for somebody without a name."""
        if self.me is None:
            raise UserError(tr("Pick a name first."))
        return self.me

    def place(self, where: str) -> Place:
        """What the page calls so. Raises UserError."""
        if where == DIRECT:
            return Place(LOBBY, self.person().id)
        room, _, thread = where.partition("/")
        return Place(room, thread=thread)


class Talking:
    """What comes from one tab."""

    def __init__(self, rooms: Rooms, view: View, who: Who, commands: Commands) -> None:
        self._rooms = rooms
        self._view = view
        self._who = who
        self._commands = commands
        view.hear("say", Saying, self._say)
        view.hear("amend", Amending, self._amend)
        view.hear("withdraw", Withdrawing, self._withdraw)
        view.hear("slash", Slash, self._slash)
        view.hear("press", Clicking, self._press)
        view.hear("fill", Filling, self._fill)

    async def _say(self, saying: Saying) -> None:
        place, me = self._who.place(saying.where), self._who.person()
        parts = [Text(saying.text)] if saying.text.strip() else []
        files = [await self._part(file) for file in saying.files]
        around = [BOT, *(present.person for present in await self._rooms.people.of(place.room))]
        mentions = mentioned(saying.text[:LONGEST_TEXT], around)
        await self._rooms.say(place, Draft(me, (*parts, *files), mentions, saying.reply_to, self._who.language), saying.nonce)
        self._view.take("said", nonce=saying.nonce)

    async def _amend(self, amending: Amending) -> None:
        await self._rooms.amend(self._who.place(amending.where), amending.id, self._who.person(), amending.text)
        self._view.take("said", nonce=amending.nonce)

    async def _withdraw(self, withdrawing: Withdrawing) -> None:
        place, me = self._who.place(withdrawing.where), self._who.person()
        message = await self._rooms.get(place, withdrawing.id)
        if message is not None and message.body.form is not None and message.body.only == me.id:
            await self._rooms.delete(place, withdrawing.id)
        else:
            await self._rooms.withdraw(place, withdrawing.id, me)

    async def _slash(self, slash: Slash) -> None:
        """What this person may use there, as of now."""
        found = await self._commands(self._who.place(slash.where), self._who.person(), self._who.language)
        shown = [
            {
                "id": f"/{one.name}",
                "name": one.name,
                "about": one.description,
                "usage": one.usage,
                "example": one.example,
                "options": options(one.options),
            }
            for one in found
        ]
        self._view.take("commands", commands=shown)

    async def _part(self, file: Attached) -> Part:
        return part_of(await self._rooms.uploads.find(file.id, file.name), voice=file.voice, seconds=file.seconds)

    async def _press(self, clicking: Clicking) -> None:
        place, me = self._who.place(clicking.where), self._who.person()
        message = await self._rooms.get(place, clicking.id)
        if message is None or not message.seen_by(me.id) or not _offers(message.body, clicking.key, clicking.chosen):
            raise UserError(tr("That button is gone."))
        await self._rooms.click(place, clicking.id, clicking.key, me, clicking.chosen)

    async def _fill(self, filling: Filling) -> None:
        place, me = self._who.place(filling.where), self._who.person()
        message = await self._rooms.get(place, filling.id)
        if message is None or message.body.form is None or message.body.only != me.id:
            raise UserError(tr("That form is gone."))
        await self._rooms.click(place, message.head.reply_to, message.body.fills, me, filled=filling.filled)
        await self._rooms.delete(place, filling.id)


def _offers(body: Body, key: str, chosen: Sequence[str]) -> bool:
    """Whether there is such a button, or such a menu with these choices."""
    menu = next((one for one in body.menus if one.id == key), None)
    if menu is None:
        return not chosen and key in {one.id for one in body.keys}
    return menu.least <= len(set(chosen)) <= menu.most and all(int(one) < len(menu.choices) for one in chosen)
