"""Albums whose parts come one by one become one message each. Where parts are kept: `store/albums.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.connector import Deliver
from bot.messages import Called, Message
from bot.router.rounds import Beat, again, passed
from bot.store.albums import Albums


@dataclass(frozen=True, slots=True)
class Gathering:
    """Stands between the connectors and `next`."""

    albums: Albums
    next: Deliver

    async def deliver(self, message: Message) -> None:
        """Returns once the message, or the part, is written down. Raises StoreError when it could not be."""
        await (self.albums.add(message) if message.album else self.next(message))

    async def run(self, connectors: Sequence[str], beat: Beat) -> None:
        """Hands on what is whole, at every beat; an album that two routers hand on is one event all the same."""

        async def once() -> None:
            for connector in connectors:
                for album in await self.albums.whole(connector):
                    await passed(self.next(together(album.parts)), "an album could not be handed on", album=album.name)
                    await self.albums.done(album)

        await again("albums", once, beat)


def together(parts: Sequence[Message]) -> Message:
    """One message of them, as the first: the words first, then what else there is, in order; a command counts wherever it stands."""
    first, *_ = ordered = sorted(parts, key=lambda part: (len(part.id), part.id))
    lead = next((part for part in ordered if isinstance(part.trigger, Called)), first)
    found = sorted((one for part in ordered for one in part.parts), key=lambda one: one.kind != "text")
    mentions = tuple(dict.fromkeys(one for part in ordered for one in part.mentions))
    return replace(lead, id=first.id, event=first.event, parts=tuple(found), mentions=mentions, reply_to=first.reply_to, album="")
